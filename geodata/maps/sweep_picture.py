"""What each key does to a plan: small pictures, a row for each measure and a column for each key, a mark for each case.
Shapes tell the kinds of case apart, so that it reads in black and white."""

from __future__ import annotations

import io
from dataclasses import dataclass
from typing import TYPE_CHECKING

from geodata.maps.figures import INK, QUIET
from geodata.sweep_tables import plain_value, value_of

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from geodata.sweep_record import Sweep

MOST_KEYS = 5  # columns that can still be read on paper; those that move the plan most
PANEL = (2.35, 1.75)  # inches
MARKS = {"parent": ("o", INK), "parent, mended": ("s", "white"), "anew": ("^", "white")}
MARK_WORDS = {
    "parent": "searched on from the parent",
    "parent, mended": "from the parent, which breaks rules of the case",
    "anew": "built anew",
}
LONGEST = 14  # characters of a value on the axis


@dataclass(frozen=True)
class Panels:
    """What is drawn. keys: columns. rows: (title, measure by case; the parent's). starts: of the cases, aligned. xs:
    key → position by case. ticks: key → (position, text) where values are no numbers. refused: cases without a plan,
    by key their positions. own: key → the parent's position, where it has one."""

    keys: tuple[str, ...]
    rows: tuple[tuple[str, tuple[float | None, ...], float | None], ...]
    starts: tuple[str, ...]
    xs: dict[str, tuple[float, ...]]
    ticks: dict[str, tuple[tuple[float, str], ...]]
    refused: dict[str, tuple[float, ...]]
    own: dict[str, float | None]

    @property
    def described(self) -> str:
        """The picture in words."""
        rows = ", ".join(title.lower() for title, _, _ in self.rows)
        return f"A mark for each case: {rows}, against {' and '.join(self.keys)}. The table below has every figure."


def panels(found: Sweep) -> Panels | None:
    """What to draw; None where no case has a plan."""
    planned = [r for r in found.records if r.planned]
    refused = [r for r in found.records if not r.planned]
    if not planned:
        return None
    anchor = found.asked.scenario.scale(found.asked.scenario.anchor_scale)
    keys = list(found.asked.varied)
    if found.influence is not None:
        moves = found.influence.moves
        keys.sort(key=lambda key: -moves.get(key, 0.0))
    keys = keys[:MOST_KEYS]
    rows = []
    for title, name in (
        (f"Number of {anchor.plural}", f"bodies_{anchor.name}"),
        ("Cash a head, £", "cash_per_head"),
        ("GPs engaged, %", "engagement"),
        ("Patients moved, %", ""),
    ):
        times = 100.0 if title.endswith("%") else 1.0
        values = [_times(r.measure(name) if name else r.figures["moved_share"], times) for r in planned]
        if any(v is not None for v in values):
            own = _times(found.parent.measure(name), times) if name else None
            rows.append((title, tuple(values), own))
    xs, ticks, left_out, own_at = {}, {}, {}, {}
    for key in keys:
        at, labels = _positions(found, key)
        xs[key] = tuple(at(r) for r in planned)
        left_out[key] = tuple(at(r) for r in refused)
        ticks[key] = labels
        own_at[key] = _own(found, key, labels)
    starts = tuple(str(r.figures["start"]) for r in planned)
    return Panels(tuple(keys), tuple(rows), starts, xs, ticks, left_out, own_at)


def panels_bytes(shown: Panels, kind: str = "svg") -> bytes:
    """The picture as the bytes of a "png" or "svg" file, the same each time."""
    import matplotlib  # slow to load, and only figures need it

    with matplotlib.rc_context({"svg.hashsalt": "sweep", "svg.fonttype": "none", "font.family": "sans-serif"}):
        out = io.BytesIO()
        made = _draw(shown)
        made.savefig(out, format=kind, dpi=150, facecolor="white", metadata={"Date": None} if kind == "svg" else None)
    return out.getvalue()


def _draw(shown: Panels) -> Figure:
    from matplotlib.figure import Figure

    across, down = len(shown.keys), len(shown.rows)
    figure = Figure(figsize=(1.3 + PANEL[0] * max(across, 2), 0.8 + PANEL[1] * down), layout="constrained")
    grid = figure.subplots(down, across, squeeze=False, sharex="col", sharey="row")
    for r, (title, values, own) in enumerate(shown.rows):
        for k, key in enumerate(shown.keys):
            axes = grid[r][k]
            _panel(axes, shown, key, values, own)
            if k == 0:
                axes.set_ylabel(title, fontsize=8.5, color=INK)
            if r == down - 1:
                axes.set_xlabel(_broken(key), fontsize=8.5, color=INK)
                if shown.ticks[key]:
                    axes.set_xticks([x for x, _ in shown.ticks[key]], [text for _, text in shown.ticks[key]])
    used = [start for start in MARKS if start in shown.starts]
    handles = [grid[0][0].scatter([], [], label=MARK_WORDS[s], **_mark(s)) for s in used]
    if any(shown.refused.values()):
        handles.append(grid[0][0].scatter([], [], marker="x", color=INK, s=22, linewidth=1.0, label="no plan"))
    handles += grid[0][0].plot([], [], color=QUIET, linestyle=(0, (4, 3)), linewidth=0.9, label="the parent plan")
    figure.legend(handles=handles, loc="outside upper left", ncols=2, fontsize=8, frameon=False)
    return figure


def _panel(axes: Axes, shown: Panels, key: str, values: tuple[float | None, ...], own: float | None) -> None:
    """One measure against one key."""
    for start in MARKS:
        pairs = [
            (x, y) for x, y, s in zip(shown.xs[key], values, shown.starts, strict=True) if s == start and y is not None
        ]
        if pairs:
            axes.scatter(*zip(*pairs, strict=True), zorder=3, **_mark(start))
    line = {"color": QUIET, "linestyle": (0, (4, 3)), "linewidth": 0.9, "zorder": 1}
    if own is not None:
        axes.axhline(own, **line)
    at = shown.own[key]
    if at is not None:
        axes.axvline(at, **line)
    if shown.refused[key]:
        axes.scatter(
            shown.refused[key], [0.03] * len(shown.refused[key]), marker="x", color=INK, s=16, linewidth=0.9,
            transform=axes.get_xaxis_transform(), zorder=3, clip_on=False,
        )  # fmt: skip
    for side in ("top", "right"):
        axes.spines[side].set_visible(False)
    for side in ("left", "bottom"):
        axes.spines[side].set_color(QUIET)
    axes.tick_params(labelsize=7.5, colors=INK)
    axes.margins(0.08, 0.12)
    axes.locator_params(axis="y", nbins=4)


def _mark(start: str) -> dict[str, object]:
    shape, face = MARKS[start]
    return {"marker": shape, "s": 16, "facecolor": face, "edgecolor": INK, "linewidth": 0.8, "alpha": 0.75}


def _positions(found: Sweep, key: str):  # type: ignore[no-untyped-def]
    """(position of a case along a key, ticks): the number itself, or the place of its value among all."""
    every = [case.values[key] for case in found.asked.cases]
    if all(isinstance(v, int | float) and not isinstance(v, bool) for v in every):
        return (lambda record: float(record.values[key])), ()
    texts = list(dict.fromkeys(str(plain_value(v)) for v in every))
    ticks = tuple((float(k), t if len(t) <= LONGEST else f"{t[: LONGEST - 1]}…") for k, t in enumerate(texts))
    return (lambda record: float(texts.index(str(plain_value(record.values[key]))))), ticks


def _own(found: Sweep, key: str, ticks: object) -> float | None:
    value = value_of(found, found.parent, key)
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) and not ticks else None


def _times(value: float | None, times: float) -> float | None:
    return None if value is None else value * times


def _broken(key: str) -> str:
    """A key on two lines where it is long."""
    head, dot, tail = key.rpartition(".")
    return f"{head}.\n{tail}" if dot and len(key) > 20 else key
