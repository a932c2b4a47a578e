"""A region of two consortia of 100,000 people, and the forms compared on it."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

from geodata.read import read_dataset
from optimiser.domain import Dataset
from optimiser.given import existing_structure
from optimiser.option_groups import Group, groups_named
from optimiser.options import Comparison, compare_options
from optimiser.partition.budget import Budget
from optimiser.scenario import Scenario, load_scenario
from tests.worlds import write_world

QUICK = Budget(moves=200, rounds=4, branches=1, turns=1)
SIZES = {
    "scale.locality.max_patients": 40_000,
    "scale.consortium.min_patients": 40_000,
    "scale.consortium.max_patients": 120_000,
    "scale.alliance.min_patients": 80_000,
    "scale.alliance.max_patients": 250_000,
    "scale.agency.min_patients": 150_000,
}


@cache
def region() -> Dataset:
    """Thirty-two practices on a grid; the South and the North PCT are its consortia of today."""
    with TemporaryDirectory() as folder:
        return read_dataset(write_world(Path(folder) / "gridland", columns=8, rows=4, patients=6_250)).dataset


@cache
def scenario() -> Scenario:
    return load_scenario("base", SIZES)


@cache
def both() -> Comparison:
    """The two consortia of today: kept as they are, or merged."""
    return compare_options(region(), scenario(), 1, groups("E1,E2"), QUICK)


def groups(*wanted: str) -> tuple[Group, ...]:
    """Consortia of today, by code or name."""
    return groups_named(existing_structure(region(), scenario()), scenario(), wanted)
