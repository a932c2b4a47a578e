"""Styles as QGIS stores them (QML), so that a layer opens coloured: every category with a symbol of its own."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from xml.sax.saxutils import quoteattr

WHITE = "255,255,255,255"
FILL_ALPHA = 200
HEAD = "<!DOCTYPE qgis PUBLIC 'http://mrcc.com/qgis.dtd' 'SYSTEM'>"


def categorised(categories: Sequence[tuple[str, str, str]]) -> str:
    """QML that gives each value of the field `code` its own fill. categories: code, name, "#rrggbb"."""
    listed = "".join(
        f'<category render="true" type="string" symbol="{n}" value={quoteattr(code)} label={quoteattr(name)}/>'
        for n, (code, name, _) in enumerate(categories)
    )
    symbols = "".join(
        _polygon(str(n), "solid", _rgba(fill, FILL_ALPHA), WHITE, 0.4) for n, (_, _, fill) in enumerate(categories)
    )
    return _renderer(
        "categorizedSymbol", f"<categories>{listed}</categories><symbols>{symbols}</symbols>", 'attr="code" '
    )


def marker(shape: str, colour: str, size: float) -> str:
    """QML of one point symbol. shape: QGIS's name of a marker; colour: "r,g,b,a"; size: millimetres."""
    options = {"name": shape, "color": colour, "outline_color": WHITE, "outline_width": "0.2", "size": f"{size:g}"}
    return _renderer("singleSymbol", f"<symbols>{_symbol('0', 'marker', 'SimpleMarker', options)}</symbols>")


def outline(colour: str, width: float) -> str:
    """QML of polygons drawn by their border alone. colour: "r,g,b,a"; width: millimetres."""
    return _renderer("singleSymbol", f"<symbols>{_polygon('0', 'no', '0,0,0,0', colour, width)}</symbols>")


def _polygon(name: str, style: str, colour: str, border: str, width: float) -> str:
    options = {"style": style, "color": colour, "outline_color": border, "outline_width": f"{width:g}"}
    return _symbol(name, "fill", "SimpleFill", {**options, "outline_style": "solid"})


def _symbol(name: str, kind: str, layer: str, options: Mapping[str, str]) -> str:
    listed = "".join(f'<Option type="QString" name={quoteattr(k)} value={quoteattr(v)}/>' for k, v in options.items())
    return (
        f'<symbol name="{name}" type="{kind}" alpha="1" clip_to_extent="1" force_rhr="0">'
        f'<layer class="{layer}" enabled="1" locked="0" pass="0"><Option type="Map">{listed}</Option></layer></symbol>'
    )


def _renderer(kind: str, content: str, attributes: str = "") -> str:
    return (
        f'{HEAD}<qgis version="3.28.0" styleCategories="Symbology">'
        f'<renderer-v2 type="{kind}" {attributes}enableorderby="0" forceraster="0" symbollevels="0">{content}'
        "</renderer-v2></qgis>"
    )


def _rgba(colour: str, alpha: int) -> str:
    return ",".join(str(int(colour[at : at + 2], 16)) for at in (1, 3, 5)) + f",{alpha}"
