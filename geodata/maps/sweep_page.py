"""sweep.html: all cases of a sweep in one file that needs neither network nor script."""

from __future__ import annotations

import base64
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Any

from markupsafe import Markup

from geodata import summary
from geodata.maps.sweep_picture import Panels, panels_bytes
from geodata.maps.template import asset, environment, policy
from geodata.maps.words import bare
from geodata.sweep_tables import WAYS, plain_value, value_of
from optimiser.wording import percent

if TYPE_CHECKING:
    from geodata.sweep_record import Record, Sweep

POOR = 0.5  # part of the variation below which keys do not add up, and the page says so
LITTLE = 0.005  # of patients


def write_sweep(found: Sweep, shown: Panels | None, path: Path) -> None:
    """Write sweep.html. shown: the picture in it."""
    style = f"{asset('templates/page.css')}\n{asset('templates/report.css')}"
    keys, scenario = list(found.asked.varied), found.asked.scenario
    text = environment().get_template("sweep.html.j2").render(
        info=found.asked.dataset.info,
        scenario=scenario,
        anchor=scenario.scale(scenario.anchor_scale),
        scales=scenario.scales,
        services=found.asked.services,
        headline=headline(found),
        sentences=sentences(found),
        finished=found.finished,
        varied=[(key, _spread(spread)) for key, spread in found.asked.varied.items()],
        keys=[Markup(".<wbr>").join(key.split(".")) for key in keys],
        rows=[_row(found, record, keys) for record in (found.parent, *found.records)],
        ways=_ways(found),
        picture=base64.b64encode(panels_bytes(shown)).decode() if shown is not None else "",
        described=shown.described if shown is not None else "",
        vintages=summary.vintage_line(found.asked),
        policy=policy(style=style),
        style=Markup(style),
    )  # fmt: skip
    path.write_text(text, encoding="utf-8", newline="\n")


def headline(found: Sweep) -> str:
    """What there is, and which key moves the plan most."""
    counts = Counter(str(r.figures["status"]) for r in found.records)
    done = "" if found.finished else f"Unfinished: {len(found.records)} of {len(found.asked.cases)} cases are done. "
    rest = "; ".join(f"{n} {status}" for status, n in sorted(counts.items()) if status != "planned")
    said = f"{done}{counts['planned']} of {len(found.records)} cases have a plan{f' ({rest})' if rest else ''}."
    most = _most(found)
    return f"{said} {most}" if most else said


def _most(found: Sweep) -> str:
    if found.influence is None:
        return ""
    key, share = max(found.influence.moves.items(), key=lambda item: item[1])
    if share < LITTLE:
        return "None of the keys moves the plan by itself."
    return f"{key} moves the plan most."


def sentences(found: Sweep) -> list[str]:
    """What each key does, in plain words, and how far that is to be trusted."""
    told = found.influence
    if told is None:
        return ["Too few plans to say which key moves the plan most."]
    plural = found.asked.scenario.scale(found.asked.scenario.anchor_scale).plural
    said = []
    for key, share in sorted(told.moves.items(), key=lambda item: -item[1]):
        what = f"{percent(share)} of patients are in other {plural}" if share >= LITTLE else "next to nobody moves"
        said.append(f"{key}, from one end of what was tried to the other, the other keys alike: {what}.")
    if told.rest >= LITTLE:
        said.append(
            f"Besides, plans of cases however near differ by {percent(told.rest)} of patients: jumps from one number "
            "of bodies to another, near ties, search that ends early. So small a difference says nothing about a key."
        )
    if told.explained < POOR:
        said.append(
            f"Keys account for {percent(told.explained)} of how plans differ: they work together, or by jumps, so read "
            "the pictures rather than these shares."
        )
    return said


def _row(found: Sweep, record: Record, keys: list[str]) -> dict[str, Any]:
    figures, scenario = record.figures, found.asked.scenario
    values = [value_of(found, record, key) for key in keys]
    return {
        "number": record.number or "parent",
        "values": ["–" if v is None else _text(v) for v in values],
        "planned": record.planned,
        "status": figures["status"],
        "reason": figures["reason"],
        "start": figures["start"],
        "cut": figures["cut_short"],
        "objective": figures["objective"],
        "bodies": [figures["bodies"].get(scale.name) for scale in scenario.scales],
        "cash": bare(record.measure("cash_per_head"), "£"),
        "engaged": bare(record.measure("engagement"), "share"),
        "moved": bare(figures["moved_share"], "share") if record.number else "–",
    }


def _text(value: object) -> str:
    return f"{value:g}" if isinstance(value, float) else str(plain_value(value))


def _spread(values: object) -> str:
    """All values of a key."""
    return ", ".join(map(_text, values)) if isinstance(values, list) else str(values)


def _ways(found: Sweep) -> list[tuple[str, str]]:
    used = {str(record.figures["start"]) for record in found.records}
    return [(word, what) for word, what in WAYS.items() if word and word in used]
