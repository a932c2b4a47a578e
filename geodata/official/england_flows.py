"""Who treats whose patients for what: the English open data's observed totals, and models where it has none.

All practices of the source are modelled, whatever part of them is imported, so that a provider's income is whole.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from geodata.flows import DecayFit, Floats, Split, keep_largest
from geodata.official.england_model import DISTANCE, Model, Residual
from geodata.official.england_practices import England
from geodata.official.england_providers import Supply
from geodata.official.england_services import BASES, Basis
from optimiser.domain import Service


@dataclass(frozen=True)
class ModelledFlows:
    """Flows of every practice of the source.

    frame: practice, provider (positions), service (id), activity (cases a year), spend (whole £ a year), label. income:
    £ a year of each provider from everybody, commissioners without practices in the source included. fit: None without
    observed pathways. raked_r_squared: of the published shares against observed pathways, all specialties. notes: what
    a reader should know. residuals: where distance alone is furthest off.
    """

    frame: pd.DataFrame
    income: Floats
    fit: DecayFit | None
    raked_r_squared: float | None
    notes: tuple[str, ...]
    residuals: tuple[Residual, ...] = ()


def model_flows(
    england: England, supply: Supply, services: Sequence[Service], commissioned_by: str = "sub_icb_code"
) -> ModelledFlows:
    """Split each service's activity (catalogue rate × patients × need) over providers by the basis its row names.

    commissioned_by: column of the source's practices with the commissioner that the elective pathways are counted by.
    """
    if not supply.codes:
        return ModelledFlows(_frame([]), np.empty(0), None, None, ("No provider file in the source: no flows.",))
    model = Model(england, supply, commissioned_by)
    parts: dict[Basis, tuple[Split, NDArray[np.str_]]] = {}
    rows, without = [], []
    weighted = england.patients * england.need
    for service in services:
        basis = BASES.get(service.id)
        if basis is None:
            without.append(service.id)
            continue
        if basis not in parts:
            trips, labels = model.trips(basis)
            parts[basis] = keep_largest(trips), labels
        split, labels = parts[basis]
        label = np.where(model.is_modelled(basis, split.provider), DISTANCE, labels[split.practice])
        cases = split.share * weighted[split.practice] * service.cases_per_1000 / 1000
        rows.append(
            pd.DataFrame(
                {
                    "practice": split.practice,
                    "provider": split.provider,
                    "service": service.id,
                    "activity": np.round(cases, 3),
                    "spend": np.round(cases * service.cost_per_case),
                    "label": label,
                }
            )
        )
    notes = [*model.notes]
    if without:
        notes.append(f"No flows for {', '.join(without)}: the source lists nobody who delivers them.")
    frame = _frame(rows)
    income = np.bincount(frame["provider"], frame["spend"], minlength=len(supply.codes)) * model.elsewhere
    return ModelledFlows(frame, income, model.fit, model.published_fit, tuple(notes), model.residuals())


def _frame(rows: list[pd.DataFrame]) -> pd.DataFrame:
    if not rows:
        return pd.DataFrame({name: [] for name in ("practice", "provider", "service", "activity", "spend", "label")})
    return pd.concat(rows, ignore_index=True).sort_values(
        ["practice", "service", "provider"], kind="stable", ignore_index=True
    )
