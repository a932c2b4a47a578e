"""The five questions a consortium must answer before it chooses its form, answered for every commissioning body."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from optimiser.domain import Placement, Structure

QUESTIONS = (
    "What can practices and the groups inside commission?",
    "What do we commission alone?",
    "What do we commission with neighbours who share our providers?",
    "What goes to a larger scale?",
    "What do we outsource?",
)
OF_FUNCTIONS = {"make": 2, "share": 3, "buy": 5}


@dataclass(frozen=True)
class Answer:
    """One service or function of one commissioning body. question: 1–5. scale: where; of a function the supplier's, or
    "market". who: code of the commissioner or supplier. amount: £ a year, spend on a service, cost of a function."""

    consortium: str
    question: int
    kind: Literal["service", "function"]
    item: str
    scale: str
    who: str
    mode: Literal["make", "share", "buy"]
    amount: float


def five_questions(placement: Placement, structure: Structure, anchor_scale: str) -> tuple[Answer, ...]:
    """Every service and function of each body of the anchor scale, in the structure's order, question by question."""
    at = {body.code: scale for scale in structure.scales for body in structure.bodies[scale]}
    rows = [
        Answer(c.consortium, question_of(c.scale, structure.scales, anchor_scale), "service", c.service, c.scale,
               c.commissioner, c.mode, c.spend)
        for c in placement.commissions
    ]  # fmt: skip
    rows += [
        Answer(f.consortium, OF_FUNCTIONS[f.mode], "function", f.function, at.get(f.supplier, f.supplier), f.supplier,
               f.mode, f.cost)
        for f in placement.functions
    ]  # fmt: skip
    order = {body.code: b for b, body in enumerate(structure.bodies[anchor_scale])}
    return tuple(sorted(rows, key=lambda row: (order[row.consortium], row.question)))


def question_of(scale: str, scales: Sequence[str], anchor_scale: str) -> int:
    """Which of the first four a service's place answers. Inside (1): practices and smaller scales; with neighbours (3):
    footprints, authorities, joint boards and the scale just above; larger (4): anything beyond, the region, condition
    groups. The fifth is answered by functions that are bought."""
    at = scales.index(anchor_scale)
    if scale == "practice" or scale in scales[:at]:
        return 1
    if scale == anchor_scale:
        return 2
    return 3 if scale in ("footprint", "authority", *scales[at + 1 : at + 2]) else 4
