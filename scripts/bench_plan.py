"""A whole plan measured: every scale's gap and what of it nesting adds, services, and the time.

python scripts/bench_plan.py southwest            structure and services of real practices
python scripts/bench_plan.py england --no-services --time-limit 900
"""

from __future__ import annotations

import argparse
import resource
import sys
import time
from dataclasses import replace
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from bench_cases import Absent, real

from optimiser.domain import Flows, joint_gap
from optimiser.plan import make_plan
from optimiser.scenario import load_scenario

REGIONS = {"southwest": "Y58", "southeast": "Y59", "england": ""}


def main() -> int:
    """Print the table of one plan; 0, or 3 where the data are absent."""
    parser = argparse.ArgumentParser(description="Measure a whole plan on real practices.")
    parser.add_argument("region", choices=REGIONS)
    parser.add_argument("--services", action=argparse.BooleanOptionalAction, default=True)
    parser.add_argument("--time-limit", type=float, default=None)
    parser.add_argument("--seed", type=int, default=1)
    asked = parser.parse_args()
    try:
        dataset = real(REGIONS[asked.region])
    except Absent as why:
        print(why, file=sys.stderr)
        return 3
    if not asked.services:
        dataset = replace(dataset, services=(), flows=Flows.none())
    scenario = load_scenario("base", {"sensitivity.rates": []})
    began = time.perf_counter()
    plan = make_plan(dataset, scenario, asked.seed, time_limit=asked.time_limit)
    seconds = time.perf_counter() - began
    print("| scale | bodies | £ a year | gap | of it search | of it nesting |\n|---|--:|--:|--:|--:|--:|")
    for name, proof in plan.certificates.items():
        nesting = plan.nesting(name) / proof.objective
        print(
            f"| {name} | {len(plan.structure.bodies[name])} | {proof.objective:,.0f} | {proof.gap:.3%} "
            f"| {proof.gap - nesting:.3%} | {nesting:.3%} |"
        )
    scales = plan.certificates.values()
    cost = sum(c.objective for c in scales)
    nesting = sum(map(plan.nesting, plan.certificates)) / cost
    gap = joint_gap(scales)
    print(f"| all scales | | {cost:,.0f} | {gap:.3%} | {gap - nesting:.3%} | {nesting:.3%} |")
    if plan.placement is not None:
        proof = plan.placement.certificate
        print(f"| services, given these bodies | | {proof.objective:,.0f} | {proof.gap:.3%} | | |")
    for k, made in enumerate(plan.rounds, start=1):
        print(f"round {k}: £{made.total:,.0f} a year, {'kept' if made.kept else 'not kept'}")
    stages = ", ".join(f"{stage} {s:.0f} s" for stage, s in plan.seconds.items() if s >= 0.5)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
    print(f"{seconds:.0f} s ({stages}), {peak:.1f} GB; cut short: {', '.join(plan.cut) or 'nothing'}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
