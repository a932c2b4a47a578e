"""Place names for bodies: the authorities that most of their patients belong to, told apart by compass point."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from optimiser.domain import Dataset

MAIN_SHARE = 0.6  # one authority with this share of the patients names the body alone
COMPASS = ("East", "North East", "North", "North West", "West", "South West", "South", "South East")
SUFFIXES = (" UA", " City Council", " (B)", " District", ", City of", ", County of")


def place_names(dataset: Dataset, groups: Sequence[NDArray[np.int64]], own: Sequence[str] = ()) -> list[str]:
    """One distinct name a group (practice indices). Lower-tier authorities give the names, the upper tier where a group
    spans most of it; groups with the same name get a compass point from their common middle, then their centre
    practice's name. own: the name that a group has already, "" where it has none; two of a kind are told apart too.
    """
    own = own or [""] * len(groups)
    base = [name or _base(dataset, members) for name, members in zip(own, groups, strict=True)]
    counts = Counter(base)
    named = []
    for name, given, members in zip(base, own, groups, strict=True):
        if counts[name] == 1 or (given and own.count(given) == 1):
            named.append(name)
            continue
        same = np.concatenate([g for b, g in zip(base, groups, strict=True) if b == name])
        named.append(f"{name} {_compass(dataset, members, same)}")
    for repeated in [n for n, c in Counter(named).items() if c > 1]:
        for k in [k for k, n in enumerate(named) if n == repeated]:
            largest = max(groups[k], key=lambda i: (dataset.practices[i].patients, -i))
            named[k] = f"{repeated} ({_titled(dataset.practices[largest].name)})"
    for repeated in [n for n, c in Counter(named).items() if c > 1]:
        for k in [k for k, n in enumerate(named) if n == repeated]:
            largest = max(groups[k], key=lambda i: (dataset.practices[i].patients, -i))
            named[k] = f"{repeated} {dataset.practices[largest].code}"
    return named


def _base(dataset: Dataset, members: NDArray[np.int64]) -> str:
    total = float(dataset.patients[members].sum())
    for tier in ("lower", "upper"):
        held: Counter[str] = Counter()
        codes = dataset.authority_of(tier)
        for i in members:
            held[codes[i]] += int(dataset.patients[i])
        ranked = sorted(held.items(), key=lambda x: (-x[1], x[0]))
        if not ranked:
            continue
        if ranked[0][1] >= MAIN_SHARE * total:
            return _plain(dataset.authority_name(ranked[0][0]))
        if tier == "upper":
            return " & ".join(_plain(dataset.authority_name(code)) for code, _ in ranked[:2])
        pair = ranked[:2]
        if len(pair) == 2 and pair[0][1] + pair[1][1] >= 0.8 * total:
            return " & ".join(_plain(dataset.authority_name(code)) for code, _ in pair)
    return "Area"


def _plain(name: str) -> str:
    for suffix in SUFFIXES:
        name = name.removesuffix(suffix)
    return name


def _compass(dataset: Dataset, members: NDArray[np.int64], among: NDArray[np.int64]) -> str:
    """Where the group lies from the middle of all groups of that name; "Central" when close to it."""
    own, all_ = dataset.xy[members].mean(axis=0), dataset.xy[among].mean(axis=0)
    east, north = own - all_
    spread = float(np.hypot(*(dataset.xy[among] - all_).T).mean())
    if np.hypot(east, north) < 0.25 * spread:
        return "Central"
    return COMPASS[int(np.round(np.arctan2(north, east) / (np.pi / 4))) % 8]


def _titled(name: str) -> str:
    return name.title().replace("'S ", "'s ") if name.isupper() else name
