"""The five questions a consortium must answer before it chooses its form, answered for every commissioning body."""

from __future__ import annotations

from dataclasses import dataclass

from optimiser.domain import Dataset, Placement, Structure

QUESTIONS = (
    "What can practices and the groups inside commission?",
    "What do we commission alone?",
    "What do we commission with neighbours who share our providers?",
    "What goes to a larger scale?",
    "What do we outsource?",
)


@dataclass(frozen=True)
class Answers:
    """One body's five answers: names of services (1–4) and of functions (5), in catalogue order."""

    consortium: str
    name: str
    inside: tuple[str, ...]
    alone: tuple[str, ...]
    neighbours: tuple[str, ...]
    larger: tuple[str, ...]
    outsourced: tuple[str, ...]


def five_questions(placement: Placement, structure: Structure, dataset: Dataset) -> tuple[Answers, ...]:
    """One row for each body of the scale that commissions, in the structure's order.

    Neighbours: footprints, authorities and joint boards, and the scale just above; larger: anything beyond, the region
    and condition groups.
    """
    consortia = {c.consortium for c in placement.commissions} | {f.consortium for f in placement.functions}
    scale = next((s for s in structure.scales if consortia & {b.code for b in structure.bodies[s]}), None)
    if scale is None:
        return ()
    at = structure.scales.index(scale)
    names = {s.id: s.name for s in dataset.services}
    works = {f.id: f.name for f in dataset.functions}
    group = {"practice": 0, **dict.fromkeys(structure.scales[:at], 0), scale: 1, "footprint": 2, "authority": 2}
    group |= dict.fromkeys(structure.scales[at + 1 : at + 2], 2)
    rows = []
    for body in structure.bodies[scale]:
        answers: list[list[str]] = [[], [], [], [], []]
        for c in placement.commissions:
            if c.consortium == body.code:
                answers[group.get(c.scale, 3)].append(names[c.service])
        answers[4] = [works[f.function] for f in placement.functions if f.consortium == body.code and f.mode == "buy"]
        rows.append(Answers(body.code, body.name, *map(tuple, answers)))
    return tuple(rows)
