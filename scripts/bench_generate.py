"""Invented country of any size, at the density of England: clustered towns, skewed lists, authorities, catchments.

A country of 8,000 practices covers England's 130,000 km². Nobody belongs to a body today, so nothing but distance,
authorities, likeness and size guides the partition: that is harder than the real country, where existing bodies do.
"""

from __future__ import annotations

import numpy as np
import shapely
from numpy.typing import NDArray

from geodata.adjacency import catchments, neighbours
from optimiser.domain import Authority, Dataset, DatasetInfo, Flows, Practice

SEED = 2011
KM2_PER_PRACTICE = 16.7  # 130,279 km² and 7,800 practices
TOWN_SHARE = 0.8  # of practices; the others are spread over the countryside
PRACTICES_PER_TOWN = 16
TOWN_EXPONENT = 0.95  # the r-th town has r^−exponent of the largest one's practices
TOWN_KM = 0.7  # a town's radius by the root of its practices
PRACTICES_PER_AUTHORITY = 50  # about 150 upper-tier authorities in England
MEAN_LIST, LIST_SPREAD, LEAST_LIST, LARGEST_LIST = 9_500, 0.59, 1_000, 100_000  # log-normal, as those of 2025 are
MERGED_SHARE, MERGED_TIMES = 0.012, 3.0  # practices that have taken over others: lists above 50,000

INFO = DatasetInfo(
    name="Generated country",
    price_year="2010/11",
    list_year="2010/11",
    geography_year="2010/11",
    licence="MIT, as the program",
    attribution="Synthetic data: every practice and patient is invented",
    synthetic=True,
)


def generate(practices: int, seed: int = SEED) -> Dataset:
    """A dataset of that many practices on one square of land; the same seed gives the same country."""
    for_towns, for_places, for_lists, for_people, for_seats = np.random.default_rng((seed, practices)).spawn(5)
    side = 1000 * np.sqrt(practices * KM2_PER_PRACTICE)
    centres, shares = _towns(for_towns, practices, side)
    town = _town_of_each(for_places, practices, shares)
    xy = _places(for_places, town, centres, side)
    authority = _authorities(for_seats, xy, centres, side)
    lists = _lists(for_lists, practices)
    traits = _traits(for_people, xy, town, centres)
    codes = [f"G{i:05d}" for i in range(practices)]
    land = shapely.box(0, 0, side, side)
    adjacency = neighbours(catchments(xy, land, codes))
    adjacency.setflags(write=False)
    return Dataset(
        info=INFO,
        practices=tuple(
            Practice(
                code=codes[i],
                name=f"Practice {i}",
                patients=int(lists[i]),
                easting=float(xy[i, 0]),
                northing=float(xy[i, 1]),
                lower_authority=f"A{authority[i]:03d}",
                upper_authority=f"A{authority[i]:03d}",
                **{name: float(values[i]) for name, values in traits.items()},
            )
            for i in range(practices)
        ),
        providers=(),
        services=(),
        functions=(),
        authorities=tuple(Authority(f"A{a:03d}", f"Authority {a}", "upper") for a in np.unique(authority)),
        flows=Flows.none(),
        relationships=(),
        adjacency=adjacency,
    )


def _towns(rng: np.random.Generator, practices: int, side: float) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Centres in metres, largest town first, and each town's share of the practices in towns."""
    count = max(3, round(practices * TOWN_SHARE / PRACTICES_PER_TOWN))
    shares = np.arange(1, count + 1) ** -TOWN_EXPONENT
    return rng.uniform(0.04 * side, 0.96 * side, (count, 2)), shares / shares.sum()


def _town_of_each(rng: np.random.Generator, practices: int, shares: NDArray[np.float64]) -> NDArray[np.int64]:
    """Each practice's town, −1 in the countryside."""
    town = rng.choice(len(shares), practices, p=shares)
    return np.where(rng.random(practices) < TOWN_SHARE, town, -1)


def _places(
    rng: np.random.Generator, town: NDArray[np.int64], centres: NDArray[np.float64], side: float
) -> NDArray[np.float64]:
    """Where practices stand, to the metre: around their town's centre, or anywhere."""
    size = np.bincount(town[town >= 0], minlength=len(centres))
    spread = 1000 * TOWN_KM * np.sqrt(np.maximum(size, 1)) / 2
    inside = centres[town] + rng.normal(0, 1, (len(town), 2)) * spread[town, None]
    rural = rng.uniform(0, side, (len(town), 2))
    return np.clip(np.where(town[:, None] >= 0, inside, rural), 1, side - 1).round()


def _lists(rng: np.random.Generator, practices: int) -> NDArray[np.int64]:
    """Registered patients: log-normal, a few practices several times larger."""
    raw = np.exp(rng.normal(-(LIST_SPREAD**2) / 2, LIST_SPREAD, practices))
    raw *= np.where(rng.random(practices) < MERGED_SHARE, MERGED_TIMES, 1.0)
    return np.clip((MEAN_LIST * raw).round(), LEAST_LIST, LARGEST_LIST).astype(np.int64)


def _authorities(
    rng: np.random.Generator, xy: NDArray[np.float64], centres: NDArray[np.float64], side: float
) -> NDArray[np.int64]:
    """Upper-tier authority of each practice: half the seats are the largest towns, half are county seats."""
    count = max(2, round(len(xy) / PRACTICES_PER_AUTHORITY))
    large = centres[: count // 2]
    seats = np.vstack([large, rng.uniform(0, side, (count - len(large), 2))])
    away = np.hypot(*np.moveaxis(xy[:, None, :] - seats[None], -1, 0))
    reach = np.where(np.arange(count) < len(large), 0.6, 1.0)  # a city ends where its county begins
    return np.argmin(away / reach, axis=1)


def _traits(
    rng: np.random.Generator, xy: NDArray[np.float64], town: NDArray[np.int64], centres: NDArray[np.float64]
) -> dict[str, NDArray[np.float64]]:
    """What makes practices alike: towns differ in deprivation and age, the countryside is older and better off."""
    n, rural = len(xy), town < 0
    poor, old = rng.normal(0, 8, len(centres)), rng.normal(0, 3, len(centres))
    deprivation = np.where(rural, 14, 25 + poor[town]) * np.exp(rng.normal(0, 0.25, n))
    over_65 = np.clip(np.where(rural, 23, 17 + old[town]) + rng.normal(0, 3, n), 2, 45)
    return {
        "deprivation": np.clip(deprivation, 3, 70),
        "pct_65plus": over_65,
        "rural": np.clip(np.where(rural, 0.9, 0.1) + rng.normal(0, 0.05, n), 0, 1),
        "need_index": np.clip(1 + 0.018 * (over_65 - 17) + 0.0055 * (deprivation - 23), 0.6, 1.7),
    }
