"""Bodies and providers as a picture: bands of spending between them, those of shared providers in colour."""

from __future__ import annotations

import io
from collections.abc import Sequence
from textwrap import wrap
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from geodata.maps.colour import HUES
from geodata.maps.figures import INK, QUIET
from geodata.maps.provider_drawing import LED, OWN, POOLED, SHARED, Drawing
from geodata.maps.words import MILLION

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

DARK_ENOUGH = HUES[:6]  # yellow is too pale for a thin band
GREYS = {LED: "#8b989e", OWN: "#b3bdc1", POOLED: "#d3d9db"}
STRENGTH, QUIETLY = 0.66, 0.5  # how opaque bands are: of shared providers, of the rest
WIDTH, LINE, FOOT, HEAD = 10.5, 0.165, 0.66, 0.79  # inches: of the picture, a line of text, what stands below and above
LEFT, RIGHT, MONEY, FACTS = 0.235, 0.575, 0.885, 0.985  # ends of what stands beside each other, of the width
BAR = 0.012
ENDINGS = (" NHS Foundation Trust", " NHS Trust", " Integrated Care Board", " ICB")
BODY_LETTERS, PROVIDER_LETTERS, LETTERS = 32, 41, 160  # that fit
GAP = 0.04  # inches between blocks
Floats = NDArray[np.float64]


def picture_bytes(shown: Drawing, kind: str = "png") -> bytes:
    """The picture as the bytes of a "png" or "svg" file, the same each time."""
    import matplotlib  # slow to load, and only figures need it

    with matplotlib.rc_context({"svg.hashsalt": "providers", "svg.fonttype": "none", "font.family": "sans-serif"}):
        out = io.BytesIO()
        made = _draw(shown)
        made.savefig(out, format=kind, dpi=150, facecolor="white", metadata={"Date": None} if kind == "svg" else None)
    return out.getvalue()


def _draw(shown: Drawing) -> Figure:
    from matplotlib.figure import Figure

    lines = max(len(shown.bodies), len(shown.providers))
    tall = max(lines * LINE * 1.75, 4.2)
    said = [line for text in (shown.subtitle, shown.rests_on) for line in wrap(text, LETTERS)]
    height = tall + HEAD + LINE * len(said) + FOOT
    figure = Figure(figsize=(WIDTH, height))
    axes = figure.add_axes((0, FOOT / height, 1, tall / height))
    axes.set_xlim(0, 1)
    axes.set_ylim(tall, 0)
    axes.set_axis_off()
    table = np.array([provider.spend for provider in shown.providers]).T
    left, right, per_pound = _stack(table.sum(axis=1), table.sum(axis=0), tall)
    colours = _colours(shown)
    _bands(axes, table * per_pound, left, right, colours)
    _names(axes, shown, left + table.sum(axis=1) * per_pound / 2, right + table.sum(axis=0) * per_pound / 2)
    figure.text(0.02, 1 - 0.22 / height, _plain(shown.title), fontsize=14, fontweight="bold", color=INK, va="top")
    figure.text(0.02, 1 - 0.5 / height, _plain("\n".join(said)), fontsize=8.5, color=QUIET, va="top", linespacing=1.4)
    _legend(figure, shown, [colours[k] for k, p in enumerate(shown.providers) if p.kind == SHARED])
    return figure


def _colours(shown: Drawing) -> list[str]:
    """Greys, but for shared providers a hue, so that bands can be followed: the largest choose first, each the hue used
    least that its neighbours lack."""
    chosen = {k: GREYS[p.kind] for k, p in enumerate(shown.providers) if p.kind != SHARED}
    shared = [k for k in range(len(shown.providers)) if k not in chosen]
    for k in sorted(shared, key=lambda k: -shown.providers[k].whole):
        at, used = shared.index(k), [chosen.get(other) for other in shared]
        beside = {used[n] for n in (at - 1, at + 1) if 0 <= n < len(shared)}
        chosen[k] = min(DARK_ENOUGH, key=lambda hue: (hue in beside, used.count(hue)))
    return [chosen[k] for k in range(len(shown.providers))]


def _stack(bodies: Floats, providers: Floats, tall: float) -> tuple[Floats, Floats, float]:
    """Tops of the blocks on both sides (inches) and inches per pound: as large as fits when every block has a line."""
    low, high = 0.0, tall / bodies.sum()
    for _ in range(50):
        middle = (low + high) / 2
        need = max(np.maximum(side * middle + GAP, LINE).sum() for side in (bodies, providers))
        low, high = (middle, high) if need <= tall else (low, middle)
    tops = []
    for side in (bodies, providers):
        slots = np.maximum(side * low + GAP, LINE)
        slots += (tall - slots.sum()) / len(slots)
        tops.append(np.cumsum(slots) - slots + (slots - side * low) / 2)
    return tops[0], tops[1], low


def _bands(axes: Axes, thick: Floats, left: Floats, right: Floats, colours: Sequence[str]) -> None:
    """One band an edge, smoothly from block to block: coloured ones over grey ones, wide over thin."""
    from matplotlib.patches import PathPatch, Rectangle
    from matplotlib.path import Path

    leaves = left[:, None] + np.cumsum(thick, axis=1) - thick
    arrives = right[None, :] + np.cumsum(thick, axis=0) - thick
    a, b = LEFT + BAR, RIGHT - BAR
    middle = (a + b) / 2
    codes = [Path.MOVETO, *[Path.CURVE4] * 3, Path.LINETO, *[Path.CURVE4] * 3, Path.CLOSEPOLY]
    for i, k in sorted(np.argwhere(thick > 0).tolist(), key=lambda edge: thick[edge[0], edge[1]]):
        top, end, wide = leaves[i, k], arrives[i, k], thick[i, k]
        corners = [
            (a, top), (middle, top), (middle, end), (b, end),
            (b, end + wide), (middle, end + wide), (middle, top + wide), (a, top + wide), (a, top),
        ]  # fmt: skip
        quiet = colours[k] in GREYS.values()
        axes.add_patch(
            PathPatch(
                Path(corners, codes),
                facecolor=colours[k],
                alpha=QUIETLY if quiet else STRENGTH,
                edgecolor="white",
                linewidth=0.25 if wide > GAP else 0,
                zorder=2 if quiet else 3,
            )
        )
    for top, wide in zip(left, thick.sum(axis=1), strict=True):
        axes.add_patch(Rectangle((LEFT, top), BAR, wide, facecolor=INK, zorder=5))
    for top, wide, colour in zip(right, thick.sum(axis=0), colours, strict=True):
        axes.add_patch(Rectangle((RIGHT - BAR, top), BAR, wide, facecolor=colour, zorder=5))


def _names(axes: Axes, shown: Drawing, left: Floats, right: Floats) -> None:
    """Bodies and providers by name; what each provider is paid, by how many, and how much of it by one."""
    small = {"fontsize": 7.5, "color": QUIET, "va": "center", "ha": "right"}
    for name, middle in zip(shown.bodies, left, strict=True):
        short = _plain(_short(name, BODY_LETTERS))
        axes.text(LEFT - 0.008, middle, short, ha="right", va="center", fontsize=8, color=INK)
    for provider, middle in zip(shown.providers, right, strict=True):
        weight = "bold" if provider.kind == SHARED else "normal"
        short = _plain(_short(provider.name, PROVIDER_LETTERS))
        axes.text(RIGHT + 0.008, middle, short, va="center", fontsize=8, color=INK, fontweight=weight)
        paid = provider.whole / MILLION
        axes.text(MONEY, middle, f"{paid:,.0f}" if paid >= 10 else f"{paid:,.1f}", **small)
        if provider.kind != POOLED:
            said = f"{provider.bodies} · {min(100 * provider.most, 99):.0f} %" if provider.bodies > 1 else "1"
            axes.text(FACTS, middle, said, **small)
    for place, words in ((MONEY, "£m a year"), (FACTS, "payers · most")):
        axes.text(place, -0.09, words, **{**small, "fontsize": 7, "va": "bottom"})


def _legend(figure: Figure, shown: Drawing, hues: Sequence[str]) -> None:
    from matplotlib.legend_handler import HandlerTuple
    from matplotlib.patches import Patch

    one = f"one {shown.label}"
    words = {LED: f"{one} of several pays more than half", OWN: f"{one} pays it", POOLED: "smaller providers together"}
    used = {provider.kind for provider in shown.providers}
    keys: list[tuple[object, str]] = []
    if hues:
        several = tuple(Patch(facecolor=hue, alpha=STRENGTH) for hue in dict.fromkeys(hues[:4]))
        keys.append((several, f"colour and bold: shared, and no {shown.label} pays half of what it gets from here"))
    keys += [(Patch(facecolor=GREYS[kind]), said) for kind, said in words.items() if kind in used]
    figure.legend(
        [key for key, _ in keys],
        [said for _, said in keys],
        handler_map={tuple: HandlerTuple(ndivide=None, pad=0)},
        loc="lower left",
        bbox_to_anchor=(0.012, 0.0),
        ncols=2,
        frameon=False,
        fontsize=8,
        labelcolor=INK,
        columnspacing=1.6,
    )


def _short(name: str, longest: int) -> str:
    """A name that fits: without the legal form, then without words of its middle, as the end tells neighbours apart."""
    for form in ENDINGS:
        name = name.removesuffix(form)
    words = name.split(" ")
    for kept in range(len(words) - 1, 1, -1):
        if len(name) <= longest:
            break
        head, tail = words[: (kept + 1) // 2], words[len(words) - kept // 2 :]
        name = f"{' '.join(head).rstrip(',-– ')} … {' '.join(tail)}"
    return name if len(name) <= longest else f"{name[: longest - 1]}…"


def _plain(text: str) -> str:
    """Mathematics marks made harmless."""
    return text.replace("$", r"\$")
