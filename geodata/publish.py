"""A run folder whole: every file of a plan, staged, checked for what must not leave, put in place in one step."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from geodata import summary, write
from geodata.disclosure import gate
from geodata.maps.geopackage import write_geopackage
from geodata.maps.page import write_map
from geodata.maps.report import write_report
from geodata.maps.why_not import write_why_not
from geodata.workbook import write_workbook
from optimiser.runs import staged, write_manifest

if TYPE_CHECKING:
    from geodata.ground import Ground
    from optimiser.conflicts import Conflict
    from optimiser.plan import Plan
    from optimiser.scenario import Scenario

OPEN_FIRST = ("map.html", "report.html", "plan.xlsx", "summary.json")


def publish(plan: Plan, ground: Ground, out: Path, options: Mapping[str, object], overwrite: bool = False) -> None:
    """Write the run folder `out` whole or not at all.

    ground: the plan's dataset with its shapes. options: what the user asked for, kept in the manifest without local
    paths. Raises OutputError (the folder holds something, or the disk refuses) and DisclosureError (a confidential
    relationship would be revealed); either leaves earlier runs untouched.
    """
    with staged(out, overwrite) as folder:
        write.write_tables(plan, folder)
        write.write_documents(plan, folder)
        write.write_progress(plan, folder)
        write.write_verification(plan, folder)
        write.write_graph(plan, folder)
        write_geopackage(plan, ground, folder / "plan.gpkg")
        write_workbook(plan, folder / "plan.xlsx")
        write_map(plan, ground, folder / "map.html")
        write_report(plan, ground, folder / "report.html")
        gate(plan, folder)
        write_manifest(
            folder,
            inputs=plan.dataset.sources,
            seed=plan.scenario.seed,
            options=options,
            solver={
                "gap": plan.gap,
                "parts": {
                    name: {"method": c.method, "status": c.status, "gap": c.gap} for name, c in plan.proofs.items()
                },
            },
            status=summary.status(plan),
            cut_short=plan.cut,
            warnings=summary.warnings(plan),
        )


def publish_why_not(
    ground: Ground, scenario: Scenario, conflicts: Sequence[Conflict], out: Path, options: Mapping[str, object]
) -> Path:
    """Write why no run can be at `out`, whole or not at all, into a folder beside it; returns the page. An earlier such
    folder is replaced. Raises OutputError; `out` itself is never touched."""
    beside = out.with_name(f"{out.name}-why-not")
    with staged(beside, overwrite=True) as folder:
        write_why_not(ground, scenario, conflicts, folder)
        write_manifest(
            folder,
            inputs=ground.dataset.sources,
            seed=scenario.seed,
            options=options,
            solver={"status": "infeasible", "scales": [conflict.scale for conflict in conflicts]},
        )
    return beside / "why_not.html"
