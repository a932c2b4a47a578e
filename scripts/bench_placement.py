#!/usr/bin/env python3
"""Measure the placement of services on a dataset: objective, bound and gap for one structure, found with little work.

    python scripts/bench_placement.py DATASET [--seconds S] [--seed N]

Exit codes: 0 measured; a fault in the dataset or a limit reached ends it as it would end a plan.
"""

from __future__ import annotations

import argparse
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from geodata.read import read_dataset  # noqa: E402
from optimiser.errors import ConsortiaError  # noqa: E402
from optimiser.hierarchy import build  # noqa: E402
from optimiser.partition.budget import Budget  # noqa: E402
from optimiser.placement import place  # noqa: E402
from optimiser.scenario import load_scenario  # noqa: E402

QUICK = Budget(moves=1_500, rounds=25, branches=1, turns=1, gap=0.01)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("dataset", type=Path)
    parser.add_argument("--seconds", type=float, default=120.0, help="for the placement alone (120)")
    parser.add_argument("--seed", type=int, default=1)
    asked = parser.parse_args()
    try:
        dataset, scenario = read_dataset(asked.dataset).dataset, load_scenario("base")
        structure = build(dataset, scenario, asked.seed, QUICK).structure
        began = time.monotonic()
        certificate = place(dataset, scenario, structure, asked.seed, asked.seconds).certificate
    except ConsortiaError as error:
        print(error, file=sys.stderr)
        return error.exit_code
    bodies = len(structure.bodies[scenario.anchor_scale])
    print(f"{len(dataset.services)} services, {bodies} consortia, {time.monotonic() - began:.0f} s")
    print(f"objective {certificate.objective:,.0f}, bound {certificate.bound:,.0f}, gap {certificate.gap:.2%}")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
