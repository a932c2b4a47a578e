"""Tiny worlds built in memory: datasets and structures small enough to check by hand or by enumerating every answer."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from optimiser.domain import (
    Authority,
    Body,
    Dataset,
    DatasetInfo,
    Flows,
    Function,
    Practice,
    Provider,
    Service,
    Structure,
)

INFO = DatasetInfo("Tiny", "2010/11", "2010", "2010", "MIT", "Made for a test", synthetic=True)


def practice(i: int, patients: int = 10_000, authority: str = "U1", **more: Any) -> Practice:
    """A practice on a line, one kilometre from the next."""
    return Practice(f"P{i:02d}", f"Surgery {i}", patients, 400_000.0 + 1000 * i, 300_000.0, "L1", authority, **more)


def service(id: str, **more: Any) -> Service:
    """A service of middling nature; give what matters to the test."""
    fields: dict[str, Any] = {
        "name": f"Service {id}",
        "cases_per_1000": 50.0,
        "cost_per_case": 1_000.0,
        "case_cv": 1.0,
        "natural_scale": "C",
        "min_population": 0,
        "tailoring": 1,
        "leverage": 1,
        "authority_link": 0,
        "pathway": "",
        "delegable": True,
        "provider_kinds": ("acute",),
    }
    return Service(id, **{**fields, **more})


def provider(code: str, income: float = 0.0, kind: Any = "acute", name: str = "") -> Provider:
    """A provider without a place."""
    return Provider(code, name or f"{code} Hospital", kind, None, None, income)


def flows(dataset_rows: Sequence[tuple[int, int, int, float]], label: int = 0) -> Flows:
    """Rows (practice, provider, service, spend) as flows; activity is one case per £1,000."""
    p, q, s, spend = zip(*dataset_rows, strict=True)
    money = np.array(spend, dtype=float)
    as_int = [np.array(column, dtype=np.int32) for column in (p, q, s)]
    return Flows(*as_int, money / 1000, money, np.full(len(money), label, dtype=np.int8))


def dataset(
    practices: Sequence[Practice],
    services: Sequence[Service],
    providers: Sequence[Provider] = (),
    rows: Sequence[tuple[int, int, int, float]] = (),
    functions: Sequence[Function] = (),
) -> Dataset:
    """A dataset of a line of practices."""
    n = len(practices)
    return Dataset(
        info=INFO,
        practices=tuple(practices),
        providers=tuple(providers),
        services=tuple(services),
        functions=tuple(functions),
        authorities=tuple(
            Authority(a, f"Borough {a}", "upper") for a in sorted({p.upper_authority for p in practices})
        ),
        flows=flows(rows) if rows else Flows.none(),
        relationships=(),
        adjacency=np.array([(i, i + 1) for i in range(n - 1)], dtype=np.int32).reshape(-1, 2),
    )


def spend_rows(
    data_practices: Sequence[Practice], services: Sequence[Service], serves: Mapping[int, Mapping[int, float]]
):
    """Flow rows in which practice i spends each service's cost per head × patients, split by serves[i]: provider →
    share.
    """
    return [
        (i, p, s, practice.patients * service.cost_per_head * share)
        for i, practice in enumerate(data_practices)
        for s, service in enumerate(services)
        for p, share in serves[i].items()
    ]


def structure(data: Dataset, groups: Mapping[str, Sequence[Sequence[int]]]) -> Structure:
    """Scale → groups of practice positions, scales from small to large."""
    bodies, membership = {}, {}
    for scale, sets in groups.items():
        of = np.zeros(len(data.practices), dtype=np.int32)
        made = []
        for b, members in enumerate(sets):
            of[list(members)] = b
            home = data.practices[members[0]].upper_authority
            size = sum(data.practices[m].patients for m in members)
            made.append(Body(scale, f"{scale}-{b + 1:02d}", f"{scale} {b + 1}", tuple(members), members[0], size, home))
        bodies[scale], membership[scale] = tuple(made), of
    return Structure(tuple(groups), bodies, membership)
