"""A run folder whole: every file of a plan, staged, checked for what must not leave, put in place in one step."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from geodata import (
    compare_document,
    compare_tables,
    compare_words,
    explained,
    option_tables,
    provider_tables,
    summary,
    write,
)
from geodata.arrangement import Arrangement
from geodata.disclosure import gate, gate_sentences
from geodata.maps.compare_page import draw_comparison, write_comparison
from geodata.maps.cost_picture import cost_curve, curve_bytes
from geodata.maps.explain_page import write_explanation
from geodata.maps.geopackage import write_geopackage
from geodata.maps.option_picture import dots, dots_bytes
from geodata.maps.options_page import write_options
from geodata.maps.page import write_map
from geodata.maps.provider_drawing import drawing
from geodata.maps.provider_picture import picture_bytes
from geodata.maps.report import write_report
from geodata.maps.risk_picture import fan_bytes
from geodata.maps.why_not import write_why_not
from geodata.option_document import document
from geodata.provider_files import write_graphs
from geodata.workbook import write_book, write_workbook
from optimiser.runs import staged, write_manifest

if TYPE_CHECKING:
    from geodata.ground import Ground
    from geodata.laid_plans import Table
    from optimiser.compare import Compared
    from optimiser.conflicts import Conflict
    from optimiser.options import Comparison
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
        write_providers(Arrangement.of(plan), folder)
        if (curve := cost_curve(plan)) is not None:
            for kind in ("svg", "png"):
                (folder / f"cost_curve.{kind}").write_bytes(curve_bytes(curve, kind))
        write_geopackage(plan, ground, folder / "plan.gpkg")
        write_workbook(plan, folder / "plan.xlsx")
        write_map(plan, ground, folder / "map.html")
        write_report(plan, ground, folder / "report.html")
        if plan.risk is not None:
            (folder / "risk_fan.svg").write_bytes(fan_bytes(plan, plan.risk))
        gate(plan, folder)
        write_manifest(
            folder,
            inputs=plan.dataset.sources,
            data=plan.dataset.info,
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


def write_providers(arrangement: Arrangement, folder: Path) -> None:
    """The provider graph: GraphML by scale, provider_shares.csv, provider_power.csv, and the picture where there is
    anything to draw."""
    write_graphs(arrangement, folder)
    for make in (provider_tables.provider_shares, provider_tables.provider_power):
        table = make(arrangement)
        write.write_csv(folder / f"{table.name}.csv", [c.name for c in table.columns], table.rows)
    shown = drawing(arrangement)
    for kind in ("svg", "png") if shown is not None else ():
        (folder / f"provider_graph.{kind}").write_bytes(picture_bytes(shown, kind))


def publish_graph(arrangement: Arrangement, out: Path, options: Mapping[str, object], overwrite: bool = False) -> None:
    """Write the provider graph of a map that nobody optimised into the folder `out`, whole or not at all. Raises
    OutputError."""
    with staged(out, overwrite) as folder:
        write_providers(arrangement, folder)
        write_manifest(
            folder,
            inputs=arrangement.dataset.sources,
            data=arrangement.dataset.info,
            seed=arrangement.scenario.seed,
            options=options,
            solver={},
            status="measured, not optimised",
            warnings=arrangement.dataset.warnings,
        )


def publish_options(found: Comparison, out: Path, options: Mapping[str, object], overwrite: bool = False) -> None:
    """Write the comparison of options into the folder `out`, whole or not at all. Raises OutputError and
    DisclosureError."""
    told = document(found)
    scenario, info = found.scenario, found.dataset.info
    gate_sentences(
        found.dataset,
        [("scenario", scenario.title), *(("warnings", text) for text in found.dataset.warnings),
         *(("dataset.toml:notes", text) for text in info.notes),
         *((f"{o.terms.form}", text) for o in found.options for text in (*o.terms.benefits, *o.terms.risks, *o.notes))],
    )  # fmt: skip
    with staged(out, overwrite) as folder:
        for make in option_tables.TABLES:
            table = make(found)
            write.write_csv(folder / f"{table.name}.csv", [c.name for c in table.columns], table.rows)
        write.write_json(folder / "options.json", summary.plain(told))
        if (shown := dots(found)) is not None:
            for kind in ("svg", "png"):
                (folder / f"options.{kind}").write_bytes(dots_bytes(shown, kind))
        write_options(found, folder / "options.html")
        write_manifest(
            folder,
            inputs=found.dataset.sources,
            data=found.dataset.info,
            seed=found.seed,
            options=options,
            solver={
                "options": {
                    o.terms.form: {"structure_gap": o.structure_gap, "services_gap": o.services_gap}
                    for o in found.options
                }
            },
            status="premature" if found.premature else "compared",
            cut_short=[o.terms.form for o in found.options if o.plan.cut],
            warnings=found.dataset.warnings,
        )


def publish_comparison(
    found: Compared, ground: Ground, out: Path, asked: Mapping[str, object], laid: Table, overwrite: bool = False
) -> None:
    """Write plans side by side into the folder `out`, whole or not at all. laid: the plans as they were read. Raises
    OutputError and DisclosureError."""
    told = compare_document.document(found, laid.notes)
    gate_sentences(
        found.dataset,
        [("scenario", found.scenario.title), *(("plan", plan.name) for plan in found.plans),
         *((f"rule that {plan.name} breaks", text) for plan in found.plans for text in plan.broken),
         *(("warnings", text) for text in found.dataset.warnings),
         *(("dataset.toml:notes", text) for text in found.dataset.info.notes)],
    )  # fmt: skip
    with staged(out, overwrite) as folder:
        tables = [make(found) for make in compare_tables.TABLES]
        for table in tables:
            write.write_csv(folder / f"{table.name}.csv", [c.name for c in table.columns], table.rows)
        write.write_json(folder / "compare.json", summary.plain(told))
        lead = [compare_words.headline(found), compare_words.settled_said(found), *laid.notes]
        write_book(folder / "compare.xlsx", compare_document.title(found), found.dataset.info, lead, tables)
        pictures = draw_comparison(found, ground) if found.scale else {}
        for name, content in pictures.items():
            (folder / name).write_bytes(content)
        write_comparison(found, laid.notes, pictures, folder / "compare.html")
        write_manifest(
            folder,
            inputs={**found.dataset.sources, **laid.inputs},
            data=found.dataset.info,
            seed=found.scenario.seed,
            options=asked,
            solver={},
            status="compared",
            warnings=(*laid.notes, *found.dataset.warnings),
        )


def publish_explanation(
    made: explained.Explained, ground: Ground, out: Path, options: Mapping[str, object], overwrite: bool = False
) -> None:
    """Write the explanation of one practice into the folder `out`, whole or not at all. Raises OutputError and
    DisclosureError."""
    info = made.dataset.info
    gate_sentences(made.dataset, [("scenario", made.scenario.title), ("scenario", made.scenario.question)])
    with staged(out, overwrite) as folder:
        table = explained.alternatives(made)
        write.write_csv(folder / f"{table.name}.csv", [c.name for c in table.columns], table.rows)
        write.write_json(folder / "explain.json", summary.plain(explained.document(made)))
        write_explanation(made, ground, folder / "explain.html")
        write_manifest(
            folder,
            inputs=made.dataset.sources,
            data=info,
            seed=made.scenario.seed,
            options=options,
            solver={},
            status="explained",
            cut_short=made.cut_short,
            warnings=made.dataset.warnings,
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
            data=ground.dataset.info,
            seed=scenario.seed,
            options=options,
            solver={"status": "infeasible", "scales": [conflict.scale for conflict in conflicts]},
        )
    return beside / "why_not.html"
