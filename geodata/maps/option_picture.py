"""The options on one line for each figure, worst at the left and best at the right: a mark a form, told apart by shape,
so that it reads in black and white."""

from __future__ import annotations

import io
from dataclasses import dataclass
from typing import TYPE_CHECKING

from geodata.maps.figures import INK, QUIET
from geodata.maps.words import bare
from geodata.option_tables import DRAWN, LINES, TODAY, columns_of, value
from geodata.plan_tables import capital

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from optimiser.options import Comparison

SHOWN = ("cash", "overspend", "leverage", "engagement", "alignment", "autonomy", "moved")
MARKS = {  # shape, whether it is filled, size
    TODAY: ("x", True, 46), DRAWN: ("x", True, 46),
    "standalone": ("o", False, 58), "pooled": ("s", True, 48), "merged": ("^", True, 60),
    "mixed": ("D", False, 42),
}  # fmt: skip
WIDTH, ROW, HEAD = 10.5, 0.7, 1.05  # inches
NEAR = 0.022  # of the line: marks nearer than this are drawn one above another
STEP = 0.21  # of a row, between them


@dataclass(frozen=True)
class Dots:
    """rows: title, value by option, best and worst, all as shown. forms: in the order of the legend."""

    rows: tuple[tuple[str, dict[str, float], str, str], ...]
    forms: tuple[str, ...]

    @property
    def described(self) -> str:
        """The picture in words."""
        said = []
        for title, values, best, _ in self.rows:
            first = [form for form, v in values.items() if v == max(values.values())]
            said.append(f"{title}: best {' and '.join(first)} ({best})")
        return (
            f"A line for each figure, with a mark for {', '.join(self.forms)}. {'; '.join(said)}. The table above has "
            "every figure."
        )


def dots(found: Comparison) -> Dots | None:
    """What to draw: figures that are known for every option and differ; None where none do. Values are turned so that
    more is better."""
    rows = []
    named = columns_of(found)
    for line in (line for line in LINES if line.name in SHOWN):
        raw = {name: value(found, option, line) for name, option in named}
        known = {name: v for name, v in raw.items() if v is not None}
        if len(known) < len(named) or len({bare(v, line.unit) for v in known.values()}) < 2:
            continue
        sign = 1.0 if line.better == "high" else -1.0
        best, worst = (pick(known.values(), key=lambda v: sign * v) for pick in (max, min))
        turned = {name: sign * v for name, v in known.items()}
        rows.append((line.title, turned, bare(best, line.unit), bare(worst, line.unit)))
    return Dots(tuple(rows), tuple(name for name, _ in named)) if rows else None


def dots_bytes(shown: Dots, kind: str = "svg") -> bytes:
    """The picture as the bytes of a "png" or "svg" file, the same each time."""
    import matplotlib  # slow to load, and only figures need it

    with matplotlib.rc_context({"svg.hashsalt": "options", "svg.fonttype": "none", "font.family": "sans-serif"}):
        out = io.BytesIO()
        made = _draw(shown)
        made.savefig(out, format=kind, dpi=150, facecolor="white", metadata={"Date": None} if kind == "svg" else None)
    return out.getvalue()


def _draw(shown: Dots) -> Figure:
    from matplotlib.figure import Figure

    height = HEAD + ROW * len(shown.rows) + 0.25
    figure = Figure(figsize=(WIDTH, height))
    axes = figure.add_axes((0.38, 0.25 / height, 0.5, ROW * len(shown.rows) / height))
    axes.set_xlim(-0.06, 1.06)
    axes.set_ylim(len(shown.rows) - 0.5, -0.5)
    axes.axis("off")
    for row, (title, values, best, worst) in enumerate(shown.rows):
        axes.plot([0, 1], [row, row], color=QUIET, linewidth=0.8, zorder=1)
        axes.text(-0.195, row, title, ha="right", va="center", fontsize=9.5, color=INK)
        axes.text(-0.055, row, worst, ha="right", va="center", fontsize=8.5, color=QUIET)
        axes.text(1.055, row, best, ha="left", va="center", fontsize=8.5, color=INK, fontweight="bold")
        _marks(axes, row, values)
    _legend(figure, shown, height)
    return figure


def _marks(axes: Axes, row: int, values: dict[str, float]) -> None:
    """A mark for each option, those that would cover each other one above another."""
    low, high = min(values.values()), max(values.values())
    at = sorted((((v - low) / (high - low)), name) for name, v in values.items())
    clusters: list[list[tuple[float, str]]] = []
    for place in at:
        if clusters and place[0] - clusters[-1][-1][0] < NEAR:
            clusters[-1].append(place)
        else:
            clusters.append([place])
    for cluster in clusters:
        for k, (x, name) in enumerate(cluster):
            _mark(axes, x, row + STEP * (k - (len(cluster) - 1) / 2), name)


def _mark(axes: Axes, x: float, y: float, name: str) -> None:
    shape, filled, size = MARKS[name]
    face = INK if filled else "white"
    edge = {} if shape == "x" else {"edgecolor": INK}
    axes.scatter([x], [y], marker=shape, s=size, facecolor=face, linewidth=1.6, zorder=3, **edge)


def _legend(figure: Figure, shown: Dots, height: float) -> None:
    """Title, what left and right mean, and the marks by name."""
    top = 1 - 0.14 / height
    figure.text(0.012, top, "The options side by side", fontsize=14, fontweight="bold", color=INK, va="top")
    words = figure.add_axes((0.38, 1 - HEAD / height, 0.5, 0.5 / height))
    words.set_xlim(-0.06, 1.06)
    words.set_ylim(0, 1)
    words.axis("off")
    words.text(-0.055, 0.1, "worst", ha="right", fontsize=8.5, color=QUIET)
    words.text(1.055, 0.1, "best", ha="left", fontsize=8.5, color=INK, fontweight="bold")
    x = 0.0
    for name in shown.forms:
        _mark(words, x, 0.72, name)
        words.text(x + 0.028, 0.72, capital(name), va="center", fontsize=9, color=INK)
        x += 0.085 + 0.0165 * len(name)
