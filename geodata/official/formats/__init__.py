"""Published formats, a module a family. Each gives `FORMATS`."""

from geodata.official.formats import lists, ods, ods_bodies, ods_members

FORMATS = (*lists.FORMATS, *ods.FORMATS, *ods_bodies.FORMATS, *ods_members.FORMATS)
