"""Published formats, a module a family. Each gives `FORMATS`."""

from geodata.official.formats import illness, lists, lists_wide, lsoa, maps, measures

FORMATS = (
    *lists.FORMATS,
    *lists_wide.FORMATS,
    *maps.FORMATS,
    *lsoa.FORMATS,
    *illness.FORMATS,
    *measures.FORMATS,
)
