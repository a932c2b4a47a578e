"""Published formats, a module a family. Each gives `FORMATS`."""

from geodata.official.formats import ae, boundaries, documentation, lists, postcodes, rtt, sites

FORMATS = (
    *lists.FORMATS,
    *postcodes.FORMATS,
    *boundaries.FORMATS,
    *rtt.FORMATS,
    *ae.FORMATS,
    *sites.FORMATS,
    *documentation.FORMATS,
)
