"""Published formats, a module a family. Each gives `FORMATS`."""

from geodata.official.formats import lists, lsoa, maps, measures, ods, ods_bodies, ods_members

FORMATS = (
    *lists.FORMATS,
    *maps.FORMATS,
    *lsoa.FORMATS,
    *measures.FORMATS,
    *ods.FORMATS,
    *ods_bodies.FORMATS,
    *ods_members.FORMATS,
)
