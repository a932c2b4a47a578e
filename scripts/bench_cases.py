"""The registry of benchmark cases: what each is, how its partition problem is made, what is asked of it."""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType

import bench_cpmp
import numpy as np
from bench_generate import generate
from numpy.typing import NDArray

from geodata.read import read_dataset
from optimiser.domain import Dataset
from optimiser.partition.problem import PartitionProblem
from optimiser.scenario import load_scenario
from optimiser.units import scale_problem

ROOT = Path(__file__).resolve().parents[1]
ENGLAND = Path(os.environ.get("CONSORTIA_ENGLAND") or ROOT.parent / "shared" / "data" / "england-2025")
PUBLIC = Path(os.environ.get("CONSORTIA_BENCHMARKS") or ROOT.parent / "shared" / "data" / "benchmarks")
SOUTH_WEST = "Y58"
BASE: Mapping[str, object] = MappingProxyType({})
LOCALITY = {"scale.locality.min_patients": 20_000, "scale.locality.max_patients": 60_000}
TOUCHING = {**LOCALITY, "scale.locality.contiguous": True}


class Absent(Exception):
    """The data of a case are not on this machine; the message says which and how to name their folder."""


@dataclass(frozen=True)
class Target:
    """A gap (fraction) to be proved within so many seconds."""

    gap: float
    seconds: float


@dataclass(frozen=True)
class Instance:
    """A problem, and what other programs need to attack it.

    places: units × 2, km. per_km: £ a patient. borders: (£ a patient who crosses one, a label's number by unit), the
    authorities' first.
    """

    problem: PartitionProblem
    places: NDArray[np.float64]
    per_km: float = 1.0
    borders: tuple[tuple[float, NDArray[np.int64]], ...] = ()

    @property
    def features(self) -> NDArray[np.float64]:
        """units × d, £ a patient: the Manhattan distance of two units is about what one pays in the other's body."""
        # units with different labels differ in two columns, by half the rate in each
        labels = [rate / 2 * np.eye(codes.max() + 1)[codes] for rate, codes in self.borders]
        return np.hstack([self.per_km * self.places, *labels])

    @property
    def districts(self) -> NDArray[np.int64]:
        """The authority of each unit, as a number; all one where no border costs."""
        return self.borders[0][1] if self.borders else np.zeros(self.problem.units, dtype=np.int64)


@dataclass(frozen=True)
class Case:
    """targets: the first is the default, the last is asked for with --long. known: best known objective, if any.
    peers: whether other programs run on it unless methods are named."""

    name: str
    what: str
    targets: tuple[Target, ...]
    make: Callable[[], Instance]
    known: float | None = None
    peers: bool = False


def registry() -> Mapping[str, Case]:
    """Every case by name, in the order of the table."""
    return {case.name: case for case in (*_generated(), *_england(), *_public())}


def _generated() -> Iterator[Case]:
    sizes = {
        200: (Target(0.0018, 20.0),),
        800: (Target(0.0018, 60.0), Target(0.001, 300.0)),
        3000: (Target(0.0025, 180.0),),
        8000: (Target(0.0025, 300.0), Target(0.0015, 900.0)),
    }
    for size, targets in sizes.items():
        yield Case(
            f"generated-{size}",
            f"{size:,} generated practices, consortium scale, contiguous",
            targets,
            lambda size=size: problem_of(generate(size), "consortium"),
            peers=size <= 800,
        )


def _england() -> Iterator[Case]:
    far, wide = (Target(0.0012, 300.0), Target(0.0008, 900.0)), (Target(0.005, 300.0),)
    for prefix, place, region in (("england", "England 2025", ""), ("southwest", "South West 2025", SOUTH_WEST)):
        for name, what, scale, overrides, targets in (
            ("consortium", "consortium scale, contiguous", "consortium", BASE, far),
            ("locality", "localities of 20–60k, reach only", "locality", LOCALITY, (Target(0.003, 300.0),)),
            ("locality-contiguous", "localities of 20–60k, contiguous", "locality", TOUCHING, (Target(0.02, 600.0),)),
            ("alliance", "alliances, contiguous, split authorities charged", "alliance", BASE, wide),
            ("agency", "support agencies, split authorities charged", "agency", BASE, wide),
        ):
            yield Case(
                f"{prefix}-{name}",
                f"{place}, {what}",
                targets,
                lambda region=region, scale=scale, overrides=overrides: problem_of(real(region), scale, overrides),
            )


def _public() -> Iterator[Case]:
    for name, known in bench_cpmp.KNOWN.items():
        large = name.startswith("pr")
        gap, seconds = (0.003, 300.0) if large else (0.0015, 60.0)
        yield Case(
            name,
            "capacitated p-median",
            (Target(gap, seconds),),
            lambda name=name: _median(name),
            known=known,
        )


def problem_of(dataset: Dataset, scale_name: str, overrides: Mapping[str, object] = BASE) -> Instance:
    """The problem of one scale under the base scenario, and the charges that other programs can use."""
    scenario = load_scenario("base", overrides)
    scale = scenario.scale(scale_name)
    made = scale_problem(dataset, scenario, scale)
    labels = {
        "authority": dataset.authority_of(scale.authority_tier),
        "continuity": [p.existing.get(scale_name, "") for p in dataset.practices],
    }
    return Instance(
        made.problem,
        places=dataset.xy[made.first] / 1000,
        per_km=scenario.rate("distance", scale_name),
        borders=tuple((scenario.rate(force, scale_name), _numbers(labels[force], made.first)) for force in labels),
    )


def _numbers(labels: Sequence[str], at: NDArray[np.int64]) -> NDArray[np.int64]:
    return np.unique(np.array(labels)[at], return_inverse=True)[1]


def real(region: str) -> Dataset:
    """Real practices, imported once into the system's temporary folder, by a process of its own for the peak memory."""
    if not (ENGLAND / "practices.csv").is_file():
        raise Absent("the real English files are absent: set CONSORTIA_ENGLAND to their folder")
    mark = hashlib.sha256((ENGLAND / "practices.csv").read_bytes())
    for source in sorted((ROOT / "geodata").rglob("*.py")):
        mark.update(source.read_bytes())
    folder = Path(tempfile.gettempdir()) / "consortia-bench" / f"{region or 'england'}-{mark.hexdigest()[:12]}"
    if not folder.is_dir():
        part = ["--region", region] if region else []
        command = [sys.executable, "-m", "optimiser.cli", "import", "england-open", str(ENGLAND), "--out", str(folder)]
        subprocess.run([*command, *part], cwd=ROOT, check=True, stdout=subprocess.DEVNULL)
    return read_dataset(folder).dataset


def _median(name: str) -> Instance:
    path = bench_cpmp.find(PUBLIC / "cpmp", name)
    if path is None:
        raise Absent(f"no file for {name} in {PUBLIC.name}/cpmp: set CONSORTIA_BENCHMARKS to the benchmarks' folder")
    problem, xy = bench_cpmp.read(path)
    return Instance(problem, xy)
