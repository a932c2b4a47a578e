"""Which cases a sweep has: a grid of values, a Latin hypercube over ranges, or the hypercube at every point of the
grid."""

from __future__ import annotations

import math
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import product

from scipy.stats import qmc

from optimiser.errors import Problem, ScenarioError, raise_all
from optimiser.scenario import parse_override

DIGITS = 6  # figures kept of a drawn number: what the table shows is what was planned
FIXED = ("dataset", "extends", "name", "question", "title")  # these name a scenario: another value is another question
Values = Mapping[str, object]


@dataclass(frozen=True)
class Vary:
    """A key of the scenario, and the values it takes."""

    key: str
    values: tuple[object, ...]


@dataclass(frozen=True)
class Range:
    """A key of the scenario that takes numbers from low to high. whole: whole numbers only, as both ends are."""

    key: str
    low: float
    high: float
    whole: bool

    @property
    def text(self) -> str:
        """As people write it."""
        return f"{self.low:.{DIGITS}g}..{self.high:.{DIGITS}g}"

    def at(self, share: float) -> float | int:
        """The number that far (0–1) along."""
        value = float(f"{self.low + share * (self.high - self.low):.{DIGITS}g}")
        return round(value) if self.whole else value


def parse_vary(text: str) -> Vary:
    """KEY=a,b,c as typed: the values are read as a TOML list, and where they are none, one by one as overrides are.
    ScenarioError where it is not so."""
    key, equals, listed = text.partition("=")
    key = key.strip()
    if not equals or not key or not listed.strip():
        raise ScenarioError(_wrong(text, "--vary", "It reads KEY=a,b,c, such as rates.engagement.value=72,144."))
    try:
        values = tomllib.loads(f"values = [{listed}]")["values"]
    except tomllib.TOMLDecodeError:
        values = [parse_override(f"{key}={part}")[1] for part in listed.split(",")]
    if len({repr(value) for value in values}) < len(values):
        raise ScenarioError(_wrong(text, "--vary", "Each value stands once."))
    return Vary(key, tuple(values))


def parse_range(text: str) -> Range:
    """KEY=low..high as typed. ScenarioError where it is not so."""
    key, equals, ends = text.partition("=")
    low, dots, high = (part.strip() for part in ends.partition(".."))
    try:
        found = Range(key.strip(), float(low), float(high), _whole(low) and _whole(high))
    except ValueError:
        found = Range("", 0.0, 0.0, False)
    if not equals or not dots or not found.key or not -math.inf < found.low < found.high < math.inf:
        rule = "It reads KEY=low..high with low below high, such as rates.engagement.value=50..200."
        raise ScenarioError(_wrong(text, "--range", rule))
    return found


def points(varied: Sequence[Vary], ranges: Sequence[Range], cases: int, seed: int) -> tuple[Values, ...]:
    """The values of every case, in order: the grid of `varied`, its last key turning fastest; with ranges, `cases`
    points of one Latin hypercube at every point of the grid, the same ones, so that the grid is compared like with
    like. Same seed, same points. ScenarioError with every key that may not vary, stands twice, or overlaps another."""
    keys = [*(axis.key for axis in varied), *(axis.key for axis in ranges)]
    problems = [
        *(_wrong(key, "--vary", "A sweep is of one dataset and one question.") for key in keys if key in FIXED),
        *(_wrong(key, "--vary", "Each key varies once.") for key in dict.fromkeys(keys) if keys.count(key) > 1),
        *(
            _wrong(key, "--vary", f"It lies within {other}, which varies too.")
            for key in keys for other in keys if key.startswith(f"{other}.")
        ),
    ]  # fmt: skip
    if not keys:
        rule = "A sweep varies something."
        problems.append(Problem("no key varies", "", rule, "Give --vary KEY=a,b,c or --range KEY=low..high."))
    if bool(ranges) != bool(cases):
        problems.append(Problem("--range and --cases go together", "", "Ranges are sampled, so many times."))
    raise_all(ScenarioError, problems)
    drawn: list[dict[str, object]] = [{}]
    if ranges:
        shares = qmc.LatinHypercube(len(ranges), rng=seed).random(cases)
        drawn = [{axis.key: axis.at(float(s)) for axis, s in zip(ranges, row, strict=True)} for row in shares]
    grid = product(*(axis.values for axis in varied))
    return tuple(dict(zip(keys, combination, strict=False)) | row for combination in grid for row in drawn)


def _whole(text: str) -> bool:
    return text.replace("_", "").removeprefix("-").isdigit()


def _wrong(text: str, where: str, rule: str) -> Problem:
    return Problem(f"{text!r} cannot vary so", where, rule)
