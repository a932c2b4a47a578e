"""A small problem solved to proof: column generation, then every body that could still better the answer, in one
integer programme.

    min Σ cost(B) x_B + split charge,   Σ_{B ∋ i} x_B = 1,   a ≤ Σ x_B ≤ b

Multipliers of the linear programme give every body a reduced cost. No body whose reduced cost exceeds the distance
between the best partition known and the linear bound can stand in a better one (Nemhauser and Wolsey 1988, II.5.4), so
those below it are enumerated, centre by centre, and the integer programme over them is exact.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numba
import numpy as np
from numpy.typing import NDArray
from scipy import sparse
from scipy.optimize import Bounds, LinearConstraint, linprog, milp

from optimiser.partition.problem import PartitionProblem, canonical

MOST_UNITS = 62  # a body is a number whose bits are its units
HOLD = 0.8  # how near to the best multipliers met those are that bodies are priced with
ROUNDS = 60  # of column generation
A_CENTRE = 40  # bodies that a pricing takes from a centre
MOST_BODIES = 60_000  # in the integer programme
NOTHING = 1e-6  # £: less is rounding
FORBIDDEN = 1e13  # £: stands for a pair that the rules forbid
DEARER = (3.0, 30.0, 1e5)  # times what bodies cost a head: a unit in no body, and again where some still is
BINS = 2_048  # of sizes, in each of which the cost of size is taken at its least
FEW_NODES, MOST_NODES = 30_000, 200_000  # of one search around a centre: for multipliers, for the last bodies
WIDER = (1e-3, 1e-2, 1e-1, np.inf)  # of the bound: where no partition was met among fewer bodies


@dataclass(frozen=True)
class Exact:
    """assignment: body by unit, None where no partition keeps the rules. objective: £ a year (inf without one). bound:
    no partition costs less. Where they meet it is proved; an infinite bound proves that there is none."""

    assignment: NDArray[np.int32] | None
    objective: float
    bound: float

    @property
    def proved(self) -> bool:
        """Whether nothing is left open."""
        return self.objective - self.bound <= 1e-3 or (self.assignment is None and np.isinf(self.bound))


def exact(
    problem: PartitionProblem,
    together: Sequence[tuple[int, int]] = (),
    elsewhere: NDArray[np.float64] | None = None,
    known: NDArray[np.int32] | None = None,
    pieces: tuple[NDArray[np.int32], NDArray[np.int32]] | None = None,
) -> Exact:
    """The best partition of at most MOST_UNITS units, none of which stands alone by rule.

    together: pairs of units that share a body, which must hold together without the pair. elsewhere: by label, the most
    patients that one body outside the problem holds: it may keep the label instead. known: a partition to begin with.
    pieces: where a unit may itself lie in several pieces that do not touch, the unit of each piece, and pairs of pieces
    that touch; bodies must then touch piece by piece. The same problem has the same answer. ValueError for too many
    units or pieces.
    """
    owner, touching = pieces or (np.arange(problem.units, dtype=np.int32), problem.edges)
    if max(problem.units, len(owner)) > MOST_UNITS or problem.alone.any():
        raise ValueError(f"{problem.units} units, more than {MOST_UNITS}, or some that stand alone")
    bodies = _Bodies(problem, together, elsewhere, owner, touching)
    if known is not None:
        bodies.vary(np.array([_mask(np.flatnonzero(known == b)) for b in np.unique(known)], dtype=np.int64))
    return bodies.solved()


class _Bodies:
    """The bodies met so far, and the programmes over them."""

    def __init__(
        self,
        problem: PartitionProblem,
        together: Sequence[tuple[int, int]],
        elsewhere: NDArray[np.float64] | None,
        owner: NDArray[np.int32],
        touching: NDArray[np.int32],
    ):
        self.problem, n = problem, problem.units
        self.costs = np.where(np.isfinite(problem.costs), problem.costs, FORBIDDEN)
        self.pieces = np.zeros((n, 0)) if not problem.kept_labels or problem.splits is None else problem.splits.patients
        self.rate = problem.splits.rate if problem.splits is not None else 0.0
        self.elsewhere = np.zeros(self.pieces.shape[1]) if elsewhere is None else elsewhere
        self.together = np.array([_mask(pair) for pair in together], dtype=np.int64)
        self.apart = np.array([_mask(pair) for pair in problem.apart], dtype=np.int64)
        self.area = np.array([_mask(np.flatnonzero(owner == u)) for u in range(n)], dtype=np.int64)
        self.beside = np.zeros(len(owner), dtype=np.int64)
        for a, b in touching.tolist():
            self.beside[a] |= 1 << b
            self.beside[b] |= 1 << a
        self.most = min(problem.hi, int(problem.weights.sum()))
        self.step = max(1, -(-(self.most + 1) // BINS))
        sizes = np.arange(self.most + 1)
        g = np.where(sizes >= problem.lo, problem.size_cost(sizes), np.inf)
        least = np.minimum.reduceat(g, np.arange(0, self.most + 1, self.step))
        self.size = np.array(
            [least[q : q + n + 1].min() for q in range(len(least))]
        )  # n units lose so much by rounding
        self.masks, self.cost = np.empty(0, np.int64), np.empty(0)
        usual = np.where(np.isfinite(problem.costs), problem.costs, np.nan)
        self.usual = float(np.nanmax(usual, initial=0.0)) + float(problem.size_cost(self.most)[0])
        self.penalty = np.full(n + 1, 1.0)

    def add(self, masks: NDArray[np.int64]) -> int:
        """New bodies that keep the rules; how many there are."""
        new = np.setdiff1d(masks, self.masks)
        if not len(new):
            return 0
        valid = np.array(
            [_valid(m, self._area(m), self.problem.contiguous, self.beside, self.together, self.apart) for m in new]
        )
        new = new[valid]
        held = self.held(new)
        size = held @ self.problem.weights
        fits = (size >= self.problem.lo) & (size <= self.problem.hi)
        fits &= held @ self.problem.credit >= self.problem.min_members
        new, held, size = new[fits], held[fits], size[fits]
        sums = held @ self.costs
        sums[held[:, self.problem.owner] == 0] = FORBIDDEN
        cost = sums.min(axis=1, initial=FORBIDDEN)
        keep = cost < FORBIDDEN / 2
        self.masks = np.concatenate([self.masks, new[keep]])
        self.cost = np.concatenate([self.cost, cost[keep] + self.problem.size_cost(size[keep])])
        return int(keep.sum())

    def _area(self, mask: int) -> int:
        """The pieces of a body."""
        return int(np.bitwise_or.reduce(self.area[self.held(np.array([mask]))[0] == 1], initial=0))

    def held(self, masks: NDArray[np.int64]) -> NDArray[np.int64]:
        """Bodies × units, 0 or 1."""
        return (masks[:, None] >> np.arange(self.problem.units)[None, :]) & 1

    def vary(self, known: NDArray[np.int64]) -> None:
        """Add the bodies of a partition, and each with one or two units more or less."""
        one = np.int64(1) << np.arange(self.problem.units)
        step = known[:, None] ^ one[None, :]
        self.add(np.unique(np.concatenate([known, step.ravel(), (step[:, :, None] ^ one[None, None, :]).ravel()])))

    def per_head(self) -> float:
        """£ a year that bodies cost a head, about: the median of those met."""
        if not len(self.masks):
            return self.usual / max(1, self.most)
        return float(np.median(self.cost / (self.held(self.masks) @ self.problem.weights)))

    def solved(self) -> Exact:
        """Column generation to the linear bound, then the bodies below the gap, then wider where none was met."""
        best, value, bound = None, np.inf, -np.inf
        for dearer in DEARER:
            self.penalty = dearer * self.per_head() * np.append(self.problem.weights, self.most).astype(float)
            bound, pi, price, labels, uncovered = self._generated()
            best, value = self._integer()
            if not uncovered:
                break
        for share in WIDER if np.isfinite(bound) else ():
            slack = value - bound if best is not None else share * abs(bound)
            _, cut, _ = self._priced(pi, price, labels, slack + NOTHING, MOST_BODIES)
            if cut or len(self.masks) > MOST_BODIES:
                return Exact(best, value, bound)
            best, value = self._integer()
            if best is not None and value - bound <= slack + NOTHING:
                return Exact(best, value, value)
        return Exact(best, value, bound if best is not None else np.inf)

    def _generated(self) -> tuple[float, NDArray, float, NDArray, bool]:
        """Bodies added until none prices below zero: the bound, its multipliers, and whether some unit is uncovered.
        Multipliers are held near the best met, which the programme's own, far from unique, would not be (Wentges 1997).
        Where a search around a centre was cut short, the bound counts what it may have missed (Farley 1990)."""
        n, t = self.problem.units, self.pieces.shape[1]
        share = self.problem.weights * self.per_head()
        best = np.concatenate([share, np.zeros(1 + t)])
        bound, at = -np.inf, best
        for _ in range(ROUNDS):
            height, pi, price, labels, uncovered = self._linear()
            own = np.concatenate([pi, [price], labels])
            for hold in (HOLD if not uncovered else 0.0, 0.0):
                tried = hold * best + (1 - hold) * own
                new, cut, missing = self._priced(tried[:n], tried[n], tried[n + 1 :], -NOTHING, A_CENTRE)
                low = self._dual(tried) + missing
                if low > bound:
                    bound, at, best = low, tried, tried
                if new:
                    break
            if height - bound <= NOTHING * abs(height) or not new:
                if not cut and not new and height > bound:
                    bound, at = height, own
                break
        return bound, at[:n], float(at[n]), at[n + 1 :], uncovered

    def _dual(self, at: NDArray) -> float:
        """£ a year of the Lagrangian bound, bodies' own reduced costs apart."""
        n, p = self.problem.units, self.problem
        price, labels = float(at[n]), at[n + 1 :]
        number = price * (p.min_bodies or 0) if price > 0 else price * (n if p.max_bodies is None else p.max_bodies)
        kept = np.minimum(0.0, labels - self.rate * self.elsewhere).sum()
        return float(at[:n].sum() + number - labels.sum() + kept + self._unkept)

    def _programme(self) -> tuple[NDArray, sparse.csr_array, NDArray, NDArray]:
        """(costs, rows, least, most) over columns: bodies, units uncovered and bodies missing, then (label, keeper) and
        keepers elsewhere.
        Rows: units, number of bodies, labels, keepers."""
        held, cost = self.held(self.masks), self.cost
        n, k, t = self.problem.units, len(cost), self.pieces.shape[1]
        patients = held @ self.pieces if t else np.zeros((k, 0))
        body, label = np.nonzero(patients > 0)
        keeps = len(body)
        first = k + n + 1
        width = first + keeps + t
        c = np.concatenate([cost, self.penalty, -self.rate * patients[body, label], -self.rate * self.elsewhere])
        cover = sparse.hstack([sparse.csr_array(held.T.astype(float)), sparse.eye_array(n)])
        cover.resize((n, width))
        counted = np.append(np.arange(k), k + n)
        number = sparse.csr_array((np.ones(k + 1), (np.zeros(k + 1, int), counted)), shape=(1, width))
        columns = np.concatenate([first + np.arange(keeps), first + keeps + np.arange(t)])
        once = sparse.csr_array(
            (np.ones(keeps + t), (np.concatenate([label, np.arange(t)]), columns)), shape=(t, width)
        )
        at = np.arange(keeps)
        keeper = sparse.csr_array(
            (
                np.concatenate([np.ones(keeps), -np.ones(keeps)]),
                (np.concatenate([at, at]), np.concatenate([first + at, body])),
            ),
            shape=(keeps, width),
        )
        rows = sparse.csr_array(sparse.vstack([cover, number, once, keeper]))
        few = 0 if self.problem.min_bodies is None else self.problem.min_bodies
        many = np.inf if self.problem.max_bodies is None else self.problem.max_bodies
        low = np.concatenate([np.ones(n), [few], np.full(t + keeps, -np.inf)])
        high = np.concatenate([np.ones(n), [many], np.ones(t), np.zeros(keeps)])
        return c, rows, low, high

    @property
    def _unkept(self) -> float:
        """£ a year were nobody to keep any label here."""
        return float(self.rate * self.pieces.sum())

    def _linear(self) -> tuple[float, NDArray, float, NDArray, bool]:
        """(value, multipliers of units, of the number of bodies, of labels, whether some unit is uncovered)."""
        c, rows, low, high = self._programme()
        n, t = self.problem.units, self.pieces.shape[1]
        ends = np.isfinite(high[n:]), np.isfinite(low[n:])
        upper = sparse.vstack([rows[n:][ends[0]], -rows[n:][ends[1]]])
        limit = np.concatenate([high[n:][ends[0]], -low[n:][ends[1]]])
        found = linprog(c, upper, limit, rows[:n], np.ones(n), bounds=(0, None), method="highs")
        dual = np.zeros(len(high) - n)
        above = int(ends[0].sum())
        dual[np.flatnonzero(ends[0])] = found.ineqlin.marginals[:above]
        dual[np.flatnonzero(ends[1])] -= found.ineqlin.marginals[above:]
        uncovered = bool(found.x[len(self.masks) :][: n + 1].max() > 1e-7)
        value = float(found.fun) + self._unkept
        return value, found.eqlin.marginals, float(dual[0]), -dual[1 : 1 + t], uncovered

    def _priced(self, pi: NDArray, price: float, labels: NDArray, slack: float, each: int) -> tuple[int, bool, float]:
        """Add the bodies whose reduced cost is at most slack, so many from each centre; (how many are new, whether
        there may be more, £ below zero that bodies of all units could be at most)."""
        p, found, cut, below = self.problem, [], False, np.zeros(self.problem.units)
        nodes = FEW_NODES if each == A_CENTRE else MOST_NODES
        for j, owner in enumerate(p.owner):
            reach = np.flatnonzero(np.isfinite(p.costs[:, j]))
            if owner not in reach:
                continue
            d = p.costs[reach, j] - pi[reach]
            order = np.lexsort((reach, d / p.weights[reach]))
            first = int(np.flatnonzero(reach[order] == owner)[0])
            order = np.concatenate([order[first : first + 1], np.delete(order, first)])
            units = reach[order]
            masks, more, least = _search(
                units, d[order], p.weights[units].astype(np.int64), p.credit[units].astype(np.int64), p.min_members,
                self.pieces[units] * self.rate, labels, slack + price, self.most, p.lo, self.step, self.size,
                p.contiguous, self.area, self.beside, self.together, self.apart, each, nodes,
            )  # fmt: skip
            cut |= more
            below[owner] = min(below[owner], least - price)
            found.append(masks)
            if sum(len(m) for m in found) > 4 * MOST_BODIES:
                return 0, True, float(below.sum())
        new = self.add(np.unique(np.concatenate(found))) if found else 0
        return new, cut, float(below.sum())

    def _integer(self) -> tuple[NDArray[np.int32] | None, float]:
        """The best partition of the bodies met and its £ a year; (None, inf) where they cannot cover all."""
        if not len(self.masks):
            return None, np.inf
        held, cost = self.held(self.masks), self.cost
        c, rows, low, high = self._programme()
        k, n = len(cost), self.problem.units
        whole = np.zeros(len(c))
        whole[:k] = 1
        top = np.ones(len(c))
        top[k : k + n + 1] = 0.0
        limits = LinearConstraint(rows, low, high)
        found = milp(c, constraints=limits, integrality=whole, bounds=Bounds(0, top), options={"mip_rel_gap": 0.0})
        if found.x is None:
            return None, np.inf
        assignment = np.full(n, -1, dtype=np.int32)
        taken = np.flatnonzero(found.x[:k] > 0.5)
        if not (held[taken].sum(axis=0) == 1).all():
            return None, np.inf
        for b, column in enumerate(taken):
            assignment[held[column] == 1] = b
        kept = np.maximum(self.elsewhere, (held[taken] @ self.pieces).max(axis=0, initial=0.0))
        return canonical(assignment), float(cost[taken].sum() + self._unkept - self.rate * kept.sum())


def _mask(units: Sequence[int] | NDArray) -> int:
    return sum(1 << int(u) for u in units)


@numba.njit(cache=True)
def _valid(mask, area, contiguous, beside, together, apart):
    """Whether a set of units keeps the rules on pairs, and touches where it must."""
    for pair in together:
        if mask & pair != 0 and mask & pair != pair:
            return False
    for pair in apart:
        if mask & pair == pair:
            return False
    return not contiguous or _joined(area, area, beside)


@numba.njit(cache=True)
def _joined(mask, ground, beside):
    """Whether the units of a set touch, stepping on those of the ground."""
    reached = mask & -mask
    waiting = reached
    while waiting:
        low = waiting & -waiting
        u = 0
        while low >> u > 1:
            u += 1
        waiting ^= low
        new = beside[u] & ground & ~reached
        reached |= new
        waiting |= new
    return mask & ~reached == 0


@numba.njit(cache=True)
def _search(
    units, d, w, credit, members, refund, labels, slack, most, lo, step, size_cost, contiguous, area, beside, together,
    apart, limit, nodes
):  # fmt: skip
    """Sets that hold the first unit and cost at most slack with one centre; whether there may be more; and no set costs
    less than the last figure.

    units, d (£), w (patients), refund (£, by label) in one order. A branch ends where even its cheapest completion, by
    a knapsack over what is left in steps of patients rounded down, does not come down to slack.
    """
    count, kinds, bins = len(units), refund.shape[1], len(size_cost)
    best = np.empty((count + 1, bins))
    best[count] = size_cost
    rest = np.zeros((count + 1, kinds))
    for k in range(count - 1, -1, -1):
        rest[k] = rest[k + 1] + refund[k]
        q = w[k] // step
        for b in range(bins):
            least = best[k + 1, b]
            if b + q < bins and d[k] + best[k + 1, b + q] < least:
                least = d[k] + best[k + 1, b + q]
            best[k, b] = least
    found = np.empty(limit, np.int64)
    state = np.zeros(count + 1, np.int64)  # 0: to be tried with the unit, 1: without it, 2: both tried
    value = np.zeros(count + 1)
    size = np.zeros(count + 1, np.int64)
    steps = np.zeros(count + 1, np.int64)
    held = np.zeros(count + 1, np.int64)
    gain = np.zeros((count + 1, kinds))
    mask = np.zeros(count + 1, np.int64)
    ground = np.zeros(count + 1, np.int64)
    left = np.zeros(count + 1, np.int64)
    for k in range(count - 1, -1, -1):
        left[k] = left[k + 1] | area[units[k]]
    root = d[0] + best[1, w[0] // step] if w[0] // step < bins else np.inf
    for t in range(kinds):
        root -= max(0.0, rest[0, t] - labels[t])
    k, many, visited = 0, 0, 0
    while k >= 0:
        if state[k] == 0:
            visited += 1
            if visited > nodes:
                return found[:many], True, root
            dead = size[k] > most or steps[k] >= bins
            if not dead:
                low = value[k] + best[k, steps[k]]
                for t in range(kinds):
                    low -= max(0.0, gain[k, t] + rest[k, t] - labels[t])
                dead = low > slack
            for pair in apart:
                dead |= mask[k] & pair == pair
            if contiguous and not dead and k > 0 and state[k - 1] == 2:
                dead = not _joined(ground[k], ground[k] | left[k], beside)
            if dead:
                k -= 1
                continue
            if k == count:
                if (
                    size[k] >= lo
                    and held[k] >= members
                    and _valid(mask[k], ground[k], contiguous, beside, together, apart)
                ):
                    if many == limit:
                        return found, True, root
                    found[many] = mask[k]
                    many += 1
                k -= 1
                continue
            state[k], state[k + 1] = 1, 0
            value[k + 1], size[k + 1], held[k + 1] = value[k] + d[k], size[k] + w[k], held[k] + credit[k]
            steps[k + 1] = steps[k] + w[k] // step
            mask[k + 1], ground[k + 1] = mask[k] | (np.int64(1) << units[k]), ground[k] | area[units[k]]
            gain[k + 1] = gain[k] + refund[k]
            k += 1
        elif state[k] == 1 and k > 0:
            state[k], state[k + 1] = 2, 0
            value[k + 1], size[k + 1], held[k + 1], mask[k + 1] = value[k], size[k], held[k], mask[k]
            steps[k + 1], ground[k + 1] = steps[k], ground[k]
            gain[k + 1] = gain[k]
            k += 1
        else:
            k -= 1
    return found[:many], False, root
