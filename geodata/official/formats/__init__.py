"""Published formats, a module a family. Each gives `FORMATS`."""

from geodata.official.formats import lists

FORMATS = (*lists.FORMATS,)
