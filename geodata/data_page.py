"""data-report.html and sources.csv: what a dataset made of official files is worth, beside its tables."""

from __future__ import annotations

from pathlib import Path

from markupsafe import Markup

from geodata.maps.template import asset, environment, policy
from geodata.official.data_report import DataReport
from geodata.official.england_dataset import ATTRIBUTION, LICENCE
from geodata.write import write_csv

SOURCES = ("file", "format", "vintage", "rows", "left_out", "remarks", "sha256", "licence")


def write_data_report(found: DataReport, name: str, folder: Path) -> None:
    """Write both files into a folder."""
    style = f"{asset('templates/page.css')}\n{asset('templates/report.css')}"
    page = environment().get_template("data.html.j2").render(
        name=name, found=found, made=found.made, attribution=ATTRIBUTION, licence=LICENCE,
        policy=policy(style=style), style=Markup(style),
    )  # fmt: skip
    (folder / "data-report.html").write_text(page, encoding="utf-8", newline="\n")
    rows = [
        (f.name, f.format, f.vintage, f.rows, "; ".join(f"{count} rows: {reason}" for reason, count in f.dropped),
         "; ".join(f.said), f.sha256, LICENCE if f.key else "")
        for f in found.files
    ]  # fmt: skip
    write_csv(folder / "sources.csv", SOURCES, rows)
