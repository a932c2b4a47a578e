"""What a sweep's folder says over all its cases: table, page, picture, manifest, each put in place whole."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from geodata.maps.sweep_page import write_sweep
from geodata.maps.sweep_picture import panels, panels_bytes
from geodata.sweep_tables import sweep
from geodata.write import write_csv
from optimiser.runs import write_manifest

if TYPE_CHECKING:
    from geodata.sweep_record import Sweep


def publish_sweep(found: Sweep, out: Path, options: Mapping[str, object]) -> None:
    """Write sweep.csv, sweep.html, sweep.svg and .png where a case has a plan, and manifest.json last. options: what
    the user asked for, without what does not change the result."""
    made = Path(tempfile.mkdtemp(prefix=".results-", dir=out))
    try:
        table = sweep(found)
        write_csv(made / "sweep.csv", [c.name for c in table.columns], table.rows)
        shown = panels(found)
        for kind in ("svg", "png") if shown is not None else ():
            (made / f"sweep.{kind}").write_bytes(panels_bytes(shown, kind))
        write_sweep(found, shown, made / "sweep.html")
        for path in sorted(made.iterdir()):
            path.replace(out / path.name)
    finally:
        shutil.rmtree(made, ignore_errors=True)
    asked = found.asked
    write_manifest(
        out,
        inputs=asked.dataset.sources,
        data=asked.dataset.info,
        seed=asked.seed,
        options=options,
        solver={"bounds": "none: cases are searched, not proved"},
        status="finished" if found.finished else f"unfinished: {len(found.records)} of {len(asked.cases)} cases",
        cut_short=found.cut,
        warnings=asked.dataset.warnings,
    )
