"""How unlike the practices are for whom one body commissions a service alike: in what they need, and in whom they use.

Both are variances within a set, 0–1. Need: of need, deprivation, age and rurality, as a part of the region's. Pattern:
of the shares that each practice's spend on the service gives its providers, summed over providers and weighted by spend
(Gini and Simpson's chance that two pounds differ in provider, less that within one practice). The unlikeness of a
service is the mean of the two, or that of need alone where no flow shows who provides it.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from optimiser.domain import Dataset
from optimiser.providers import BodyFlows, aggregate

Floats = NDArray[np.float64]
FEATURES = ("need_index", "deprivation", "pct_65plus", "rural")
PATTERN = 0.5  # part of unlikeness that is the pattern's


class Variety:
    """Within sets of anchor bodies, or of the pieces that anchor bodies are made of. at: anchor body by practice;
    cube: anchors × providers × services, £."""

    def __init__(self, dataset: Dataset, at: NDArray[np.int64], cube: Floats):
        self.patients, self.at, self.cube = dataset.patients.astype(float), at, cube
        self.need = _Need(dataset)
        self.by_anchor = self.need.sums(at, len(cube))
        alone = aggregate(dataset, np.arange(len(at)), len(at))
        self.alone = _by(at[alone.body], alone.service, _concentrated(alone), (len(cube), cube.shape[2]))

    def together(self, anchors: Sequence[int]) -> Floats:
        """By service, 0–1, where one body commissions for all practices of these anchor bodies."""
        c = list(anchors)
        bought = self.cube[c].sum(axis=0)
        spend = bought.sum(axis=0)
        need = self.need.within(self.by_anchor[c].sum(axis=0)[None])
        return _mean(need, self.alone[c].sum(axis=0) - _over((bought**2).sum(axis=0), spend), spend)

    def inside(self, piece: NDArray[np.int64], pieces: BodyFlows) -> Floats:
        """anchors × services, 0–1: the mean of an anchor body's pieces. piece: by practice."""
        n, services = len(self.cube), self.cube.shape[2]
        home = np.zeros(pieces.bodies, dtype=np.int64)
        home[piece] = self.at
        people = np.bincount(piece, weights=self.patients, minlength=pieces.bodies)
        need = people * self.need.within(self.need.sums(piece, pieces.bodies))
        need = _over(np.bincount(home, weights=need, minlength=n), np.bincount(home, weights=people, minlength=n))
        spread = self.alone - _by(home[pieces.body], pieces.service, _concentrated(pieces), (n, services))
        return _mean(need[:, None], spread, self.cube.sum(axis=1))


class _Need:
    """Patient-weighted moments of need and circumstances, from which the variance within any set follows."""

    def __init__(self, dataset: Dataset):
        raw = np.array(
            [[np.nan if (v := getattr(p, f)) is None else v for f in FEATURES] for p in dataset.practices], dtype=float
        ).reshape(-1, len(FEATURES))
        known = ~np.isnan(raw)
        self.weight = np.where(known, dataset.patients.astype(float)[:, None], 0.0)
        value = np.where(known, raw, 0.0)
        whole = np.maximum(self.weight.sum(axis=0), 1e-12)
        centred = np.where(known, value - (self.weight * value).sum(axis=0) / whole, 0.0)
        sd = np.sqrt((self.weight * centred**2).sum(axis=0) / whole)
        self.used = sd > 1e-9
        self.value = np.divide(centred, sd, out=np.zeros_like(centred), where=self.used)

    def sums(self, group: NDArray[np.integer], groups: int) -> Floats:
        """groups × features × 3: Σw, Σwx, Σwx² (x in regional standard deviations)."""
        out = np.zeros((groups, len(FEATURES), 3))
        for f in range(len(FEATURES)):
            for power in range(3):
                weights = self.weight[:, f] * self.value[:, f] ** power
                out[:, f, power] = np.bincount(group, weights=weights, minlength=groups)
        return out

    def within(self, sums: Floats) -> Floats:
        """By group, 0–1: the variance within it as a part of the region's, at most 1, the mean over features that vary
        at all in the region; 0 when none does."""
        if not self.used.any():
            return np.zeros(len(sums))
        weight = np.maximum(sums[..., 0], 1e-12)
        variance = sums[..., 2] / weight - (sums[..., 1] / weight) ** 2
        return np.clip(variance, 0, 1)[:, self.used].mean(axis=1)


def _concentrated(flows: BodyFlows) -> Floats:
    """By row of flows, summing over its body and service to: the body's spend on it × Σ shares² of its providers, £."""
    key = flows.body * flows.services + flows.service
    return _over(flows.spend**2, np.bincount(key, weights=flows.spend)[key] if len(key) else flows.spend)


def _by(row: NDArray[np.int64], column: NDArray[np.int64], values: Floats, shape: tuple[int, int]) -> Floats:
    key = row * shape[1] + column
    return np.bincount(key, weights=values, minlength=shape[0] * shape[1]).astype(float).reshape(shape)


def _mean(need: Floats, spread: Floats, spend: Floats) -> Floats:
    """spread: £ of spend × the variance of its pattern."""
    pattern = np.clip(_over(spread, spend), 0, 1)
    return np.where(spend > 0, (1 - PATTERN) * need + PATTERN * pattern, need)


def _over(a: NDArray, b: NDArray) -> Floats:
    return np.divide(a, b, out=np.zeros_like(a, dtype=float), where=b > 0)
