"""Published formats, a module a family. Each gives `FORMATS`."""

from geodata.official.formats import documentation, lists, postcodes

FORMATS = (*lists.FORMATS, *postcodes.FORMATS, *documentation.FORMATS)
