"""What lies between plans, as tables: who moves, what became of bodies, who gains, what all agree on."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np

from geodata.compare_words import counts, deprived_share, made_of
from geodata.plan_tables import Column, Table, capital
from optimiser.gains import stand
from optimiser.matching import FATES
from optimiser.partition_distance import shared

if TYPE_CHECKING:
    from optimiser.compare import Between, Compared

FIGURES = ("information", "information_share", "rand", "purity", "purity_back")


def between_first(found: Compared) -> list[Between]:
    """What lies between the first plan and each other, at the scale that the page speaks of."""
    return [b for b in found.between if b.one == 0 and b.scale == found.scale]


def pairs(found: Compared) -> Table:
    """Every pair of plans at every scale both have: who moves, what becomes of bodies, how unlike they are."""
    columns = [
        Column("one", "From"),
        Column("other", "To"),
        Column("scale", "Scale"),
        Column("practices_moved", "Practices that move", "whole"),
        Column("patients_moved", "Patients who move", "whole"),
        Column("share_moved", "Of all patients", "share"),
        Column("deprived_moved", "Most deprived fifth: patients who move", "whole"),
        Column("deprived_share_moved", "Of them all", "share"),
        *(Column(fate, f"Bodies {fate}", "whole", said) for fate, said in FATES.items()),
        Column("councils_split", "Councils newly divided", note="names, separated by semicolons"),
        Column("councils_healed", "Councils made whole", note="names, separated by semicolons"),
    ]
    titles = (
        ("Variation of information", "number", "nats; 0 is the same"),
        ("Variation of information, share", "share", "of joint entropy; 0 is the same, 1 nothing in common"),
        ("Adjusted Rand index", "number", "1 is the same, 0 chance"),
        ("Purity", "share", "patients or practices in their body's main origin"),
        ("Purity, back", "share", "the other way about"),
    )
    for weight in ("patients", "practices"):
        columns += [
            Column(f"{name}_{weight}", f"{title}, by {weight}", kind, note)  # type: ignore[arg-type]
            for name, (title, kind, note) in zip(FIGURES, titles, strict=True)
        ]
    people = int(found.dataset.patients.sum())
    rows = []
    for b in found.between:
        fates = counts(b)
        rows.append((
            found.plans[b.one].name, found.plans[b.other].name, b.scale, b.moved.practices, b.moved.patients,
            b.moved.patients / people, b.moved.deprived, deprived_share(found, b),
            *(fates.get(fate, 0) for fate in FATES), _councils(found, b.split), _councils(found, b.healed),
            *(getattr(of, name) for of in (b.patients, b.practices) for name in FIGURES),
        ))  # fmt: skip
    return Table("compare_pairs", "Who moves", tuple(columns), tuple(rows))


def changes(found: Compared) -> Table:
    """What became of every body between every pair of plans."""
    columns = (
        Column("one", "From"),
        Column("other", "To"),
        Column("scale", "Scale"),
        Column("fate", "What became of it", note="; ".join(f"{fate}: {said}" for fate, said in FATES.items())),
        Column("code", "Code", note="in the second plan; of a body that is gone, in the first"),
        Column("name", "Body"),
        Column("patients", "Patients", "whole"),
        Column("continues", "Lives on from"),
        Column("stayed", "Patients who stay in it", "whole"),
        Column("made_of", "In words"),
    )
    rows = []
    for b in found.between:
        one, other = (found.plans[k].structure.bodies[b.scale] for k in (b.one, b.other))
        for c in b.matched.changed:
            body, plan = (other[c.after], b.other) if c.after >= 0 else (one[c.before], b.one)
            heir = c.after >= 0 and c.before >= 0
            rows.append((
                found.plans[b.one].name, found.plans[b.other].name, b.scale, c.fate, body.code,
                found.body_name(plan, b.scale, c.after if c.after >= 0 else c.before), body.patients,
                found.body_name(b.one, b.scale, c.before) if heir else None,
                dict(c.parts)[c.before] if heir else None, made_of(found, b, c),
            ))  # fmt: skip
    return Table("compare_changes", "What became of bodies", columns, tuple(rows))


def streams(found: Compared) -> Table:
    """Patients between bodies of every pair of plans."""
    columns = (
        Column("one", "From"),
        Column("other", "To"),
        Column("scale", "Scale"),
        Column("from", "Body in the first, code"),
        Column("from_name", "Body in the first"),
        Column("to", "Body in the second, code"),
        Column("to_name", "Body in the second"),
        Column("patients", "Patients", "whole"),
        Column("practices", "Practices", "whole"),
        Column("moves", "They move", note="no: the second body continues the first"),
    )
    rows = []
    for b in found.between:
        one, other = (found.plans[k].structure for k in (b.one, b.other))
        of, to = one.membership[b.scale], other.membership[b.scale]
        people, heads = shared(of, to, found.dataset.patients), shared(of, to, np.ones(len(of)))
        moving = shared(of, to, b.matched.moved.astype(float)) > 0
        for i, j in np.argwhere(heads > 0).tolist():
            rows.append((
                found.plans[b.one].name, found.plans[b.other].name, b.scale, one.bodies[b.scale][i].code,
                found.body_name(b.one, b.scale, i), other.bodies[b.scale][j].code, found.body_name(b.other, b.scale, j),
                int(people[i, j]), int(heads[i, j]), bool(moving[i, j]),
            ))  # fmt: skip
    return Table("compare_streams", "Patients between bodies", columns, tuple(rows))


def effects(found: Compared) -> Table:
    """Who gains and who loses between every pair of plans."""
    columns = (
        Column("one", "From"),
        Column("other", "To"),
        Column("scale", "Scale"),
        Column("effect", "What"),
        Column("side", "Gain or loss"),
        Column("label", "In words"),
        Column("practices", "Practices", "whole"),
        Column("patients", "Patients", "whole"),
        Column("deprived", "Of them the most deprived fifth", "whole"),
    )
    rows = [
        (found.plans[b.one].name, found.plans[b.other].name, b.scale, e.name, side, label, c.practices, c.patients,
         c.deprived)
        for b in found.between
        for e in b.effects
        if e.known
        for side, label, c in (("gain", e.better, e.gain), ("loss", e.worse, e.lose))
    ]  # fmt: skip
    return Table("compare_effects", "Who gains and loses", columns, tuple(rows))


def practices(found: Compared) -> Table:
    """Every practice: its bodies under every plan, whether it moves, and what all plans agree on about it."""
    columns = [
        Column("code", "Practice code"),
        Column("name", "Practice"),
        Column("patients", "Patients", "whole"),
        Column("council", "Upper-tier council"),
    ]
    for plan in found.plans:
        for scale in plan.structure.scales:
            title = f"{capital(found.scenario.scale(scale).label)}, {plan.name}"
            columns += [Column(f"{plan.name}_{scale}", f"{title}: code"), Column(f"{plan.name}_{scale}_name", title)]
    if found.scale:
        label = found.scenario.scale(found.scale).label
        columns += [Column(f"{p.name}_moves", f"Moves: {p.name}", note=f"from its {label} in {found.plans[0].name}")
                    for p in found.plans[1:]]  # fmt: skip
        columns += [Column(f"{p.name}_km", f"km to the centre, {p.name}", "number") for p in found.plans]
        columns += [
            Column("kept", "Company kept", "share", "patients whom every plan puts it with, of those whom any does"),
            Column("open", "Open", note="yes: less than half"),
            Column("group", "Group", "whole", "of compare_settled.csv; blank: together with nobody in every plan"),
        ]
    rows = tuple(_practice(found))
    return Table("compare_practices", "Practices", tuple(columns), rows)


def _practice(found: Compared) -> Iterator[tuple[object, ...]]:
    km, group = [], {}
    if found.scale:
        km = [stand(found.dataset, found.scenario, p.structure, found.scale, None).km for p in found.plans]
        assert found.settled is not None
        group = {i: n for n, members in enumerate(found.settled.groups, start=1) for i in members}
    for i, p in enumerate(found.dataset.practices):
        row: list[object] = [p.code, p.name, p.patients, found.dataset.authority_name(p.upper_authority)]
        for k, plan in enumerate(found.plans):
            for scale in plan.structure.scales:
                at = int(plan.structure.membership[scale][i])
                row += [plan.structure.bodies[scale][at].code, found.body_name(k, scale, at)]
        if found.scale and found.settled is not None:
            for k in range(1, len(found.plans)):
                between = found.pair(0, k, found.scale)
                assert between is not None
                row.append(bool(between.matched.moved[i]))
            row += [_known(float(values[i])) for values in km]
            row += [_known(float(found.settled.kept[i])), bool(found.settled.open[i]), group.get(i)]
        yield tuple(row)


def settled(found: Compared) -> Table:
    """Groups of practices that every plan keeps together, the largest first."""
    columns = (
        Column("group", "Group", "whole"),
        Column("practices", "Practices", "whole"),
        Column("patients", "Patients", "whole"),
        Column("members", "Practices, codes", note="separated by semicolons"),
        Column("names", "Practices by name"),
    )
    groups = found.settled.groups if found.settled is not None else ()
    who = found.dataset.practices
    rows = tuple(
        (n, len(group), int(found.dataset.patients[list(group)].sum()), ";".join(who[i].code for i in group),
         "; ".join(who[i].name for i in group))
        for n, group in enumerate(groups, start=1)
    )  # fmt: skip
    return Table("compare_settled", "Together in every plan", columns, rows)


def _councils(found: Compared, codes: tuple[str, ...]) -> str:
    return "; ".join(found.dataset.authority_name(code) for code in codes)


def _known(value: float) -> float | None:
    return value if np.isfinite(value) else None
