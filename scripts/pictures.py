#!/usr/bin/env python3
"""Draw the pictures of the documentation from a fresh plan.

The README's five are the maps, the terminal, the two pages and who commissions what; the method's one is who pays whom.

    python scripts/pictures.py [--scenario demo] [--out docs/pictures]

The two page pictures need Chromium; without it they are left as they are and named at the end.
"""

from __future__ import annotations

import argparse
import contextlib
import io
import shutil
import subprocess
import sys
import tempfile
from collections import Counter
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

import numpy as np  # noqa: E402
from matplotlib.figure import Figure  # noqa: E402
from PIL import Image  # noqa: E402

from geodata.arrangement import Arrangement  # noqa: E402
from geodata.demo import region  # noqa: E402
from geodata.ground import Ground  # noqa: E402
from geodata.maps.figures import figure_bytes  # noqa: E402
from geodata.maps.page import write_map  # noqa: E402
from geodata.maps.provider_drawing import drawing  # noqa: E402
from geodata.maps.provider_picture import picture_bytes  # noqa: E402
from geodata.maps.report import write_report  # noqa: E402
from geodata.plan_tables import capital  # noqa: E402
from geodata.read import read_dataset  # noqa: E402
from optimiser import live, terminal  # noqa: E402
from optimiser.plan import Plan, make_plan  # noqa: E402
from optimiser.scenario import load_scenario  # noqa: E402

MOST_BYTES = 250_000
COLOURS = (192, 128, 64, 32, 16)  # of the palette: fewer until the file is small enough
TILE = 800  # pixels across one map of the four
LINES = 80  # of the terminal shown
INK, PAPER = "#16262f", "#ffffff"


def main() -> int:
    options = arguments().parse_args()
    scenario = load_scenario(options.scenario)
    ground = read_dataset(options.data or region())
    with live.progress() as report:
        plan = make_plan(ground.dataset, scenario, scenario.seed, report=report)
    options.out.mkdir(parents=True, exist_ok=True)
    missing = draw(plan, ground, options.out)
    for name in missing:
        print(f"{name} was not drawn: there is no Chromium here", file=sys.stderr)
    return 0


def arguments() -> argparse.ArgumentParser:
    """The command line."""
    parser = argparse.ArgumentParser(description="Draw the pictures of the documentation from a fresh plan.")
    parser.add_argument("--scenario", default="demo", help="a bundled scenario's name, or a TOML file")
    parser.add_argument("--data", type=Path, help="a dataset folder; the demo region when left out")
    parser.add_argument("--out", type=Path, default=ROOT / "docs" / "pictures", help="folder of the pictures")
    return parser


def draw(plan: Plan, ground: Ground, out: Path) -> list[str]:
    """Write the pictures into a folder; returns the names of those that could not be drawn."""
    save(maps(plan, ground), out / "structure.png")
    save(terminal_screen(plan), out / "terminal.png")
    save(services(plan), out / "services.png")
    shown = drawing(Arrangement.of(plan))
    if shown is not None:
        (out / "providers.svg").write_bytes(picture_bytes(shown, "svg"))
    missing = []
    for name, write, height in (("map", write_map, 900), ("report", write_report, 1200)):
        with tempfile.TemporaryDirectory() as folder:
            page = Path(folder) / f"{name}.html"
            write(plan, ground, page)
            shot = photograph(page, 1280, height)
        if shot is None:
            missing.append(f"{name}.png")
        else:
            save(shot, out / f"{name}.png")
    return missing


def maps(plan: Plan, ground: Ground) -> Image.Image:
    """One map a scale, two abreast, from large to small."""
    tiles = []
    for scale in reversed(plan.structure.scales):
        tile = Image.open(io.BytesIO(figure_bytes(plan, ground, scale))).convert("RGB")
        tiles.append(tile.resize((TILE, round(tile.height * TILE / tile.width)), Image.Resampling.LANCZOS))
    across = min(2, len(tiles))
    height = max(tile.height for tile in tiles)
    sheet = Image.new("RGB", (across * TILE, -(-len(tiles) // across) * height), PAPER)
    for n, tile in enumerate(tiles):
        sheet.paste(tile, (n % across * TILE, n // across * height))
    return sheet


def terminal_screen(plan: Plan) -> Image.Image:
    """What `consortia plan` prints at its end."""
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed):
        terminal.show(plan, Path("runs") / plan.scenario.name)
    lines = printed.getvalue().strip("\n").splitlines()
    if len(lines) > LINES:
        lines = [*lines[: LINES - 1], "…"]
    figure = Figure(figsize=(8.6, 0.142 * len(lines) + 0.2), facecolor=INK)
    text = "\n".join(lines).replace("$", r"\$")
    figure.text(0.015, 0.99, text, family="monospace", fontsize=8.2, color="#e8eef1", va="top", linespacing=1.25)
    return rendered(figure)


def services(plan: Plan) -> Image.Image:
    """Services × who commissions them, by the share of commissioning bodies; blank without a placement."""
    order = ["practice", *plan.structure.scales, "footprint", "authority", "region", "condition_group"]
    found: dict[str, Counter[str]] = {}
    for row in plan.placement.commissions if plan.placement else ():
        found.setdefault(row.service, Counter())[row.scale] += 1
    used = [scale for scale in order if any(counts[scale] for counts in found.values())]
    names = {service.id: service.name for service in plan.dataset.services}
    shares = np.array([[counts[s] / counts.total() for s in used] for counts in found.values()]).reshape(-1, len(used))
    rows = sorted(range(len(found)), key=lambda k: (int(shares[k].argmax()), -shares[k].max(), k))
    figure = Figure(figsize=(8.6, 0.19 * max(len(rows), 4) + 1.1), layout="constrained", facecolor=PAPER)
    axes = figure.add_subplot()
    axes.imshow(shares[rows], aspect="auto", cmap="Blues", vmin=0, vmax=1)
    labels = {s.name: s.plural for s in plan.scenario.scales}
    axes.set_xticks(range(len(used)), [capital(labels.get(s, s.replace("_", " "))) for s in used], fontsize=8)
    axes.set_yticks(range(len(rows)), [names[list(found)[k]] for k in rows], fontsize=7)
    axes.xaxis.tick_top()
    axes.tick_params(length=0)
    axes.spines[:].set_visible(False)
    axes.set_title("Who commissions what: share of commissioning bodies", loc="left", fontsize=11, color=INK)
    return rendered(figure)


def rendered(figure: Figure) -> Image.Image:
    """A figure as pixels."""
    out = io.BytesIO()
    figure.savefig(out, format="png", dpi=130)
    return Image.open(io.BytesIO(out.getvalue())).convert("RGB")


def photograph(page: Path, width: int, height: int) -> Image.Image | None:
    """The top of a page as a browser shows it; None without Chromium."""
    chromium = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
    if chromium is None:
        return None
    shot = page.with_suffix(".png")
    command = [
        chromium,
        "--headless",
        "--no-sandbox",
        "--disable-gpu",
        "--hide-scrollbars",
        "--virtual-time-budget=3000",
    ]
    command += [f"--user-data-dir={page.parent / 'profile'}", f"--window-size={width},{height}", f"--screenshot={shot}"]
    subprocess.run([*command, page.as_uri()], check=True, capture_output=True, timeout=120)
    return Image.open(io.BytesIO(shot.read_bytes())).convert("RGB")


def save(picture: Image.Image, path: Path) -> None:
    """Write a PNG of at most MOST_BYTES: fewer colours, then fewer pixels, until it fits."""
    while True:
        for colours in COLOURS:
            out = io.BytesIO()
            picture.quantize(colours).save(out, format="PNG", optimize=True)
            if out.tell() <= MOST_BYTES:
                path.write_bytes(out.getvalue())
                return
        picture = picture.resize((picture.width * 3 // 4, picture.height * 3 // 4), Image.Resampling.LANCZOS)


if __name__ == "__main__":
    sys.exit(main())
