"""The fan of overspend by population, with every body that carries risk as a dot: in greys, so that it prints."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from geodata.maps.figures import INK, QUIET
from geodata.plan_tables import names, scale_word
from optimiser.risk import overspend_sd, quantile
from optimiser.risk_report import BodyRisk, RiskReport

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from optimiser.plan import Plan

SIZE = (8.6, 5.0)  # inches
CONFIDENCES = ((0.99, "#e9edee"), (0.95, "#d2d9dc"), (0.75, "#b3bfc4"))  # widest first; one-sided
LINES = ((0.99, ":", "1 year in 100"), (0.95, "-", "1 year in 20"), (0.75, ":", "1 year in 4"))
REFERENCE = 100_000  # people, at which whole budgets were said to be safe: a line to read by, no rule (EVIDENCE 2.1.1)
TICKS = tuple(step * 10**power for power in range(3, 9) for step in (1, 2, 5))
MARKERS = ("o", "^", "s", "D", "v", "P", "X")
HOLLOW = "white"
MOST_NAMED = 12
Floats = NDArray[np.float64]


def fan_bytes(plan: Plan, risk: RiskReport, kind: str = "svg") -> bytes:
    """The picture as the bytes of an "svg" or "png" file, the same each time."""
    import matplotlib  # slow to load, and only figures need it

    with matplotlib.rc_context({"svg.hashsalt": "risk", "svg.fonttype": "none", "font.family": "sans-serif"}):
        out = io.BytesIO()
        made = _draw(plan, risk)
        made.savefig(out, format=kind, dpi=150, facecolor="white", metadata={"Date": None} if kind == "svg" else None)
    return out.getvalue()


def described(plan: Plan, risk: RiskReport) -> str:
    """The picture in words, for who cannot see it."""
    worst = max(risk.bodies, key=_height)
    return (
        "Overspend that luck may bring, by population: a fan that narrows from left to right. "
        f"{len(risk.bodies)} bodies are drawn at the overspend that one year in twenty exceeds; the highest is "
        f"{_name(plan, worst)}, {100 * _height(worst):.1f} % of the budget it holds. The table below lists them."
    )


def _draw(plan: Plan, risk: RiskReport) -> Figure:
    from matplotlib.figure import Figure
    from matplotlib.ticker import FixedLocator, FuncFormatter, NullLocator

    figure = Figure(figsize=SIZE, layout="constrained")
    axes = figure.add_subplot()
    sizes = np.array([b.people for b in risk.bodies if b.people > 0])
    low, high = min(20_000.0, sizes.min() * 0.7), max(1_000_000.0, sizes.max() * 1.5)
    top = 1.12 * max([*map(_height, risk.bodies), 0.025])
    axes.set_xscale("log")
    axes.set_xlim(low, high)
    axes.set_ylim(0, top)
    _fan(axes, plan, np.geomspace(low, high, 200), risk.cv)
    _dots(axes, plan, risk)
    axes.xaxis.set_major_formatter(FuncFormatter(lambda n, _: f"{n:,.0f}"))
    axes.xaxis.set_major_locator(FixedLocator([n for n in TICKS if low <= n <= high]))
    axes.xaxis.set_minor_locator(NullLocator())
    axes.yaxis.set_major_formatter(FuncFormatter(lambda share, _: f"{100 * share:g} %"))
    axes.set_xlabel("people (logarithmic)", color=QUIET, fontsize=8.5)
    axes.set_ylabel("overspend by luck, share of the budget held", color=QUIET, fontsize=8.5)
    axes.tick_params(labelsize=8.5, colors=QUIET)
    for side in ("top", "right"):
        axes.spines[side].set_visible(False)
    for side in ("left", "bottom"):
        axes.spines[side].set_color("#9aa7ad")
    axes.set_title("How much luck a body must bear", loc="left", fontsize=13, fontweight="bold", color=INK, pad=30)
    _name_some(figure, axes, plan, risk)
    return figure


def _fan(axes: Axes, plan: Plan, people: Floats, cv: float) -> None:
    """What a body of average people that holds every service would bear, and the same with the common shock; each line
    is named at its right end."""
    luck = plan.scenario.risk.model_copy(update={"cv_person": cv})
    own = overspend_sd(people, luck)
    both = quantile(0.95) * overspend_sd(people, luck, common_shock=True)
    for confidence, grey in CONFIDENCES:
        axes.fill_between(people, quantile(confidence) * own, color=grey, linewidth=0, zorder=1)
    lines = [(quantile(c) * own, style, 0.9, said) for c, style, said in LINES]
    lines.append((both, (0, (5, 3)), 1.4, "1 in 20, with\nthe common shock"))
    for y, style, width, said in lines:
        axes.plot(people, y, color=INK if width > 1 else QUIET, linewidth=width, linestyle=style, zorder=2)
        axes.annotate(
            said, (people[-1], y[-1]), xytext=(5, 0), textcoords="offset points", fontsize=7.5, color=INK, va="center",
            annotation_clip=False,
        )  # fmt: skip
    axes.axvline(REFERENCE, color=QUIET, linewidth=0.8, linestyle=(0, (1, 2)), zorder=1.5)
    top = axes.get_ylim()[1]
    axes.text(REFERENCE, top, " 100,000: to read by, no rule", fontsize=7.5, color=QUIET, va="top", zorder=4)


def _dots(axes: Axes, plan: Plan, risk: RiskReport) -> None:
    """One year in twenty of each body, with the services it really holds; shapes say the scale, black the anchor's."""
    for k, scale in enumerate(dict.fromkeys(b.scale for b in risk.bodies)):
        rows = [b for b in risk.bodies if b.scale == scale and b.people > 0]
        anchor = scale == plan.scenario.anchor_scale
        axes.scatter(
            [b.people for b in rows],
            [_height(b) for b in rows],
            marker=MARKERS[k % len(MARKERS)],
            s=34,
            facecolor=INK if anchor else HOLLOW,
            edgecolor=HOLLOW if anchor else INK,
            linewidth=0.7 if anchor else 1.2,
            zorder=6 if anchor else 5,
            label=f"{scale_word(plan, scale)} ({len(rows)})",
            clip_on=False,
        )
    axes.legend(
        loc="lower left", bbox_to_anchor=(-0.01, 1.0), ncols=len(MARKERS), fontsize=8, frameon=False, labelcolor=INK,
        handletextpad=0.1, columnspacing=1.2,
    )  # fmt: skip


def _name_some(figure: Figure, axes: Axes, plan: Plan, risk: RiskReport) -> None:
    """Names where there is room, the highest dots first; the table lists all."""
    from matplotlib import patheffects
    from matplotlib.transforms import Bbox

    figure.draw_without_rendering()
    taken = [text.get_window_extent() for text in axes.texts]
    taken += [
        Bbox.from_bounds(*(axes.transData.transform((b.people, _height(b))) - 5), 10, 10)
        for b in risk.bodies
        if b.people > 0
    ]
    halo = [patheffects.withStroke(linewidth=2.2, foreground="white")]
    for b in sorted(risk.bodies, key=_height, reverse=True)[:MOST_NAMED]:
        for away, side in (((7, 0), "left"), ((-7, 0), "right"), ((0, 8), "center"), ((0, -8), "center")):
            name = axes.annotate(
                _name(plan, b).replace("$", r"\$"), (b.people, _height(b)), xytext=away, textcoords="offset points",
                fontsize=7.5, color=INK, ha=side, va="center", path_effects=halo, zorder=7,
            )  # fmt: skip
            box, inside = name.get_window_extent(), axes.get_window_extent()
            if box.x0 > inside.x0 and box.x1 < inside.x1 and not any(box.overlaps(other) for other in taken):
                taken.append(box)
                break
            name.remove()


def _height(body: BodyRisk) -> float:
    """Where its dot stands; on the floor where it holds no budget."""
    return body.one_in_twenty if body.budget > 0 else 0.0


def _name(plan: Plan, body: BodyRisk) -> str:
    return names(plan).get(body.code, body.code)
