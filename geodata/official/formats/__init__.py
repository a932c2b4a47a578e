"""Published formats, a module a family. Each gives `FORMATS`."""

from geodata.official.formats import (
    ae,
    boundaries,
    documentation,
    illness,
    lists,
    lists_wide,
    lsoa,
    maps,
    measures,
    ods,
    ods_bodies,
    ods_members,
    postcodes,
    rtt,
    sites,
)

FAMILIES = (
    lists, lists_wide, maps, lsoa, measures, illness, ods, ods_bodies, ods_members, postcodes, boundaries, rtt, ae,
    sites, documentation,
)  # fmt: skip
FORMATS = tuple(form for family in FAMILIES for form in family.FORMATS)
