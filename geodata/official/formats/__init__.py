"""Published formats, a module a family. Each gives `FORMATS`."""

from geodata.official.formats import lists, lsoa, maps, measures

FORMATS = (*lists.FORMATS, *maps.FORMATS, *lsoa.FORMATS, *measures.FORMATS)
