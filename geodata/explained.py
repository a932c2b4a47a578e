"""An explanation as a table, as a document, and in sentences that name no two practices that may not stand together."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from geodata.disclosure import gate_sentences
from geodata.force_tables import FORCES
from geodata.plan_tables import Column, Table
from optimiser import explain_words as words
from optimiser.domain import Dataset, Structure
from optimiser.errors import DisclosureError
from optimiser.explain import Alternative, Explanation, WhyThere
from optimiser.forces import STRUCTURE_FORCES
from optimiser.scenario import Scenario

Services = Mapping[str, Mapping[str, tuple[str, str, str]]]  # anchor body → service → (name, scale, commissioner)
FEW = 6  # services that are named


@dataclass(frozen=True)
class Explained:
    """found: of one practice of a structure. source: what the run or map is called. cut_short: parts of the run's work
    that were ended early. services: of the bodies of the anchor scale, as placed; empty where none are."""

    dataset: Dataset
    scenario: Scenario
    structure: Structure
    found: Explanation
    source: str
    cut_short: tuple[str, ...] = ()
    services: Services | None = None


def told(made: Explained) -> list[tuple[str, list[str]]]:
    """(heading, sentences): each scale, then what to know of the whole. Bodies whose names would put two practices side
    by side that may not stand so are called by their codes."""
    try:
        return _gated(made)
    except DisclosureError:
        return _gated(_by_code(made))


def _gated(made: Explained) -> list[tuple[str, list[str]]]:
    parts = list(words.sentences(made.dataset, made.scenario, made.found))
    if services := list(_services(made)):
        parts.append(("Services", services))
    parts.append(("What to know", list(_notes(made))))
    name = words.who(made.dataset, made.found)
    texts = [(heading, f"{name}: {text}") for heading, said in parts for text in (heading, *said)]
    gate_sentences(made.dataset, texts)
    return parts


def _by_code(made: Explained) -> Explained:
    scales = tuple(
        replace(
            here,
            body=replace(here.body, name=here.body.code),
            alternatives=tuple(replace(a, name=a.to, broken=()) for a in here.alternatives),
        )
        for here in made.found.scales
    )
    return replace(made, found=replace(made.found, scales=scales, pins=()), services=None)


def _services(made: Explained) -> Iterator[str]:
    """Which services stand elsewhere in the nearest body of the anchor scale, as services are placed now."""
    here = next((x for x in made.found.scales if x.scale == made.scenario.anchor_scale), None)
    near = here.nearest if here is not None else None
    if not made.services or here is None or near is None or not near.to:
        return
    own, other = made.services.get(here.body.code, {}), made.services.get(near.to, {})
    moved = []
    for service in sorted(own.keys() & other.keys()):
        name, scale, commissioner = own[service]
        _, there, theirs = other[service]
        if scale != there:
            moved.append(f"{name} (there by {there}, here by {scale})")
        elif commissioner != theirs and (commissioner, theirs) != (here.body.code, near.to):
            moved.append(f"{name} (there by {theirs}, here by {commissioner})")
    if not moved:
        yield f"As services are placed now, all are commissioned at the same scales in {words.called(near)}."
        return
    more = f", and {len(moved) - FEW} more" if len(moved) > FEW else ""
    count = "1 service" if len(moved) == 1 else f"{len(moved)} services"
    yield (
        f"As services are placed now, {count} would come from elsewhere in {words.called(near)}: "
        + "; ".join(moved[:FEW])
        + f"{more}."
    )


def _notes(made: Explained) -> Iterator[str]:
    yield words.HOW
    for pin in made.found.pins:
        yield f"A decision taken beforehand names the practice: {pin}."
    if made.cut_short:
        where = ", ".join(made.cut_short)
        yield f"The run is unfinished: its work was ended early at {where}. Its bodies may not be the best."
    if made.dataset.info.synthetic:
        yield "The data are invented."


def alternatives(made: Explained) -> Table:
    """Every alternative at every scale."""
    used = [f for f in STRUCTURE_FORCES if any(f in a.terms for x in made.found.scales for a in x.alternatives)]
    columns = (
        Column("scale", "Scale"),
        Column("body", "Body code"),
        Column("body_name", "Body"),
        Column("to", "Alternative, code", note="blank: alone"),
        Column("to_name", "Alternative"),
        Column("possible", "Possible", note="yes or no"),
        Column("price", "£ a year more than the plan", "money"),
        Column("least", "At least", "money", "£ a year, proved"),
        Column("proved", "Proved", note="yes where the two meet"),
        *(Column(f"term_{f}", FORCES[f][0], "money", f"£ a year more: {FORCES[f][1]}") for f in used),
        Column("broken", "Rules that a bare move breaks, or that forbid it"),
        Column("practices_moved", "Other practices that change body", "whole"),
        Column("formed_anew", "Bodies formed anew", note="codes"),
        Column("rate", "Rate that matters most"),
        Column("break_even", "Break-even", "number", "of today's rate at which it would cost as much as the plan"),
    )
    rows = tuple(
        (here.scale, here.body.code, words.place(here.body.name, here.body.code), a.to, words.called(a),
         "no" if a.price is None else "yes", a.price, a.least, "yes" if a.proved else "no",
         *(a.terms.get(f) if a.price is None else a.terms.get(f, 0.0) for f in used),
         "; ".join(a.broken), len(a.moved) if a.price is not None else None, ";".join(a.free),
         a.break_even.rate if a.break_even else "", a.break_even.factor if a.break_even else None)
        for here in made.found.scales for a in here.alternatives
    )  # fmt: skip
    return Table("explain_alternatives", "Alternatives", columns, rows)


def document(made: Explained) -> dict[str, Any]:
    """Everything in one document."""
    p = made.dataset.practices[made.found.practice]
    return {
        "format": 1,
        "dataset": made.dataset.info.name,
        "synthetic": made.dataset.info.synthetic,
        "run": made.source,
        "scenario": made.scenario.name,
        "practice": {"code": p.code, "name": p.name, "patients": p.patients},
        "pins": made.found.pins,
        "cut_short": made.cut_short,
        "scales": [_scale(made, here) for here in made.found.scales],
        "text": [{"heading": heading, "sentences": said} for heading, said in told(made)],
    }


def _scale(made: Explained, here: WhyThere) -> dict[str, Any]:
    codes = [made.dataset.practices[i].code for i in here.group]
    return {
        "scale": here.scale,
        "body": here.body.code,
        "name": words.place(here.body.name, here.body.code),
        "patients": here.body.patients,
        "moves_together": codes,
        "saved": here.saved,
        "settled": here.settled,
        "alternatives": [_alternative(a, made.dataset) for a in here.alternatives],
    }


def _alternative(a: Alternative, dataset: Dataset) -> dict[str, Any]:
    even = a.break_even
    return {
        "to": a.to,
        "name": words.called(a),
        "price": a.price,
        "least": a.least,
        "proved": a.proved,
        "terms": dict(a.terms),
        "broken": a.broken,
        "moved": [dataset.practices[i].code for i in a.moved],
        "formed_anew": a.free,
        "break_even": None if even is None else {"rate": even.rate, "factor": even.factor},
    }
