"""The documentation keeps its word: commands parse, the quick ones run, links lead somewhere, tables match the code."""

from __future__ import annotations

import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import pytest
import typer

from geodata import compare_tables, option_tables, plan_tables, provider_tables, summary
from geodata.arrangement import Arrangement
from geodata.demo import region
from geodata.publish import publish
from geodata.read import read_dataset
from geodata.write import TABLES
from optimiser import errors
from optimiser.cli import INTERRUPTED, app
from optimiser.compare import Laid, compare
from optimiser.domain import Dataset
from optimiser.scenario import load_scenario, parse_override
from optimiser.scenario_tables import FORCES
from optimiser.scorecard import score
from tests import option_worlds, plans

ROOT = Path(__file__).parents[1]
PAGES = sorted(
    [*ROOT.glob("*.md"), *ROOT.glob("docs/*.md"), *ROOT.glob("scenarios/*.md"), *ROOT.glob("geodata/*/*.md")]
)
MOST_PICTURE_BYTES = 250_000
KNOWN_TOOLS = ("python3", ".", "python -m", "ruff", "mypy", "lint-imports", "echo")


@dataclass(frozen=True)
class Command:
    """One command of a page. code: the exit code that its comment promises, 0 without one."""

    page: str
    words: tuple[str, ...]
    code: int

    def __str__(self) -> str:
        return f"{self.page}: {shlex.join(self.words)}"

    @property
    def quick(self) -> bool:
        """Whether it ends within seconds and needs nothing that an earlier command makes."""
        if self.words[0] == "python":
            return self.code != 0
        verb, rest = self.words[1], self.words[2:]
        return self.code != 0 or (verb in ("validate", "evaluate") and (ROOT / rest[0]).exists())


def commands() -> Iterator[Command]:
    """Every `consortia …` and `python scripts/…` of the pages."""
    for page in PAGES:
        for block in re.findall(r"^```sh\n(.*?)^```", page.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL):
            for line in block.splitlines():
                promised = re.search(r"#\s*(\d+)\s*$", line)
                for part in re.split(r";|&&", line.split("  #")[0]):
                    words = tuple(shlex.split(part, comments=True))
                    if words[:1] == ("consortia",) or (words[:1] == ("python",) and words[1].startswith("scripts/")):
                        where = page.relative_to(ROOT).as_posix()
                        yield Command(where, words, int(promised[1]) if promised else 0)
                    else:
                        assert not words or part.strip().startswith(KNOWN_TOOLS), f"{page.name}: {part}"


OURS = [c for c in commands() if c.words[0] == "consortia"]
SCRIPTS = [c for c in commands() if c.words[0] == "python"]
QUICK = [c for c in commands() if c.quick]


@pytest.fixture(scope="module")
def demo() -> Dataset:
    return read_dataset(region()).dataset


def parse(words: tuple[str, ...]) -> tuple[str, dict]:
    """(command, its parameters) as the command line understands them; raises what it would answer with."""
    command, rest, context = typer.main.get_command(app), list(words), None
    name = "consortia"
    while True:
        context = command.make_context(name, list(rest), parent=context)
        if not hasattr(command, "resolve_command"):
            return name, context.params
        name, command, rest = command.resolve_command(context, rest)


def test_the_pages_have_commands_of_every_kind() -> None:
    assert {c.words[1] for c in OURS} >= {
        "plan",
        "validate",
        "evaluate",
        "graph",
        "options",
        "compare",
        "sweep",
        "import",
    }
    assert {c.code for c in commands()} >= {0, 2, 3, 4, 7}
    assert SCRIPTS
    assert len(QUICK) >= 6


@pytest.mark.parametrize("command", OURS, ids=str)
def test_a_command_is_understood_and_its_scenario_loads(command: Command) -> None:
    name, given = parse(command.words[1:])
    if name in ("plan", "evaluate", "graph", "options", "compare", "sweep") and command.code == 0:
        wanted = given["scenario"]
        overrides = dict(parse_override(text) for text in given["overrides"] or [])
        scenario = load_scenario(ROOT / wanted if wanted.endswith(".toml") else wanted, overrides)
        assert given["data"] or scenario.dataset, "the command names no dataset and its scenario neither"


def test_an_option_that_does_not_exist_is_noticed() -> None:
    with pytest.raises(Exception, match="--nope"):
        parse(("plan", "demo", "--nope"))
    with pytest.raises(Exception, match="frob"):
        parse(("frob",))


@pytest.mark.parametrize("command", SCRIPTS, ids=str)
def test_a_script_has_the_options_it_is_given(command: Command) -> None:
    said = run((*command.words[:2], "--help"))
    assert said.returncode == 0, said.stderr
    for option in (word.split("=")[0] for word in command.words if word.startswith("--")):
        assert option in said.stdout


@pytest.mark.parametrize("command", QUICK, ids=str)
def test_a_quick_command_ends_as_the_page_says(command: Command) -> None:
    said = run(command.words)
    assert said.returncode == command.code, said.stderr
    assert "Traceback" not in said.stderr
    assert said.stderr if command.code else said.stdout


def run(words: tuple[str, ...]) -> subprocess.CompletedProcess[str]:
    ours = ["-m", "optimiser.cli", *words[1:]] if words[0] == "consortia" else list(words[1:])
    return subprocess.run([sys.executable, *ours], cwd=ROOT, capture_output=True, text=True, timeout=120, check=False)


def test_the_quick_start_is_two_blocks_that_stand_alone() -> None:
    section = (ROOT / "README.md").read_text(encoding="utf-8").split("## Quick start")[1].split("\n## ")[0]
    first, second = re.findall(r"^```sh\n(.*?)^```", section, re.MULTILINE | re.DOTALL)[:2]
    for block in (first, second):
        assert block.startswith("python3 -m venv .venv\n. .venv/bin/activate\n")
    assert "consortia plan demo" in first
    assert "pytest" in second
    assert second.strip().splitlines()[-1] in (ROOT / ".ci" / "run").read_text(encoding="utf-8")


@pytest.mark.parametrize("page", PAGES, ids=lambda p: p.relative_to(ROOT).as_posix())
def test_every_relative_link_leads_somewhere(page: Path) -> None:
    for target in links(page):
        path, _, anchor = target.partition("#")
        found = (page.parent / path).resolve() if path else page
        assert found.exists(), f"{page.name} links to {target}"
        assert found.is_relative_to(ROOT), f"{page.name} links out of the project: {target}"
        if anchor:
            assert anchor in anchors(found), f"{page.name} links to {target}"


def links(page: Path) -> list[str]:
    text = re.sub(r"^```.*?^```", "", page.read_text(encoding="utf-8"), flags=re.MULTILINE | re.DOTALL)
    return [t for t in re.findall(r"\]\(([^)\s]+)\)", text) if not re.match(r"[a-z]+:", t)]


@cache
def anchors(page: Path) -> set[str]:
    """What a page's headings are called in links."""
    headings = re.findall(r"^#+ (.+)$", page.read_text(encoding="utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", h.lower()).strip().replace(" ", "-") for h in headings}


def test_the_pictures_of_the_readme_are_small() -> None:
    pictures = [ROOT / target for target in links(ROOT / "README.md") if target.endswith(".png")]
    assert len(pictures) == 5
    for picture in pictures:
        assert 5_000 < picture.stat().st_size < MOST_PICTURE_BYTES, picture.name


def test_every_exit_code_is_explained() -> None:
    text = (ROOT / "docs" / "exit-codes.md").read_text(encoding="utf-8")
    kinds = [
        kind for kind in vars(errors).values() if isinstance(kind, type) and issubclass(kind, errors.ConsortiaError)
    ]
    codes = {kind.exit_code for kind in kinds if kind is not errors.ConsortiaError} | {0, INTERRUPTED}
    assert {int(code) for code in re.findall(r"^\| (\d+) \|", text, re.MULTILINE)} == codes


def test_every_force_stands_in_the_method() -> None:
    text = (ROOT / "docs" / "method.md").read_text(encoding="utf-8")
    assert not [force for force in FORCES if f"| {force}" not in text]


def test_the_pins_of_the_example_are_practices_of_the_demo(demo: Dataset) -> None:
    pins = load_scenario(ROOT / "docs" / "examples" / "signed.toml").pins
    signed = pins[0].practices
    assert len(signed) == 14
    assert sum(demo.practices[demo.index[code]].patients for code in signed) == 82_000
    assert all(code in demo.index for pin in pins for code in (*pin.practices, pin.with_ or signed[0]))


@cache
def section(heading: str) -> set[str]:
    """The names between backticks under a heading of the page on outputs."""
    text = (ROOT / "docs" / "outputs.md").read_text(encoding="utf-8")
    found = re.search(rf"^## {re.escape(heading)}$(.*?)(?=^## |\Z)", text, re.MULTILINE | re.DOTALL)
    assert found, heading
    return set(re.findall(r"`([^`\n]+)`", found[1]))


def general(column: str, scales: tuple[str, ...], anchor: str, own_anchor: bool) -> str:
    """A column's name with <scale> or <anchor> for the names that a scenario chooses."""
    if own_anchor and column in (anchor, f"{anchor}_name"):
        return column.replace(anchor, "<anchor>")
    for scale in scales:
        for name in (scale, f"{scale}_name", f"existing_{scale}", f"existing_{scale}_name"):
            if column == name:
                return column.replace(scale, "<scale>")
    return column


def test_every_column_of_every_table_is_explained() -> None:
    plan = plans.plan()
    bought = Arrangement.of(plan)
    providers = provider_tables.provider_shares(bought), provider_tables.provider_power(bought)
    for table in (*filter(None, (make(plan) for make in TABLES)), *providers):
        said = section(f"{table.name}.csv")
        measured = {m.name for m in (*plan_tables.measures(plan.scorecard), *plan_tables.measures(plan.baseline))}
        for column in (c.name for c in table.columns if c.name.removesuffix("_evidence") not in measured):
            shown = general(column, plan.structure.scales, plan.scenario.anchor_scale, table.name != "practices")
            assert shown in said, f"{table.name}.csv: {shown}"


def test_every_column_of_a_comparison_of_options_is_explained() -> None:
    found = option_worlds.both()
    for table in (make(found) for make in option_tables.TABLES):
        assert {column.name for column in table.columns} <= section(f"{table.name}.csv"), table.name


def test_every_column_of_a_comparison_of_plans_is_explained() -> None:
    plan = plans.plan()
    assert plan.today is not None
    given = Laid("today", "today", plan.today), Laid("plan", "run", plan.structure)
    found = compare(plan.dataset, plan.scenario, given)
    for table in (make(found) for make in compare_tables.TABLES):
        said = section(f"{table.name}.csv")
        measured = {m.name for p in found.plans for m in plan_tables.measures(p.card)}
        for column in (c.name for c in table.columns if c.name.removesuffix("_evidence") not in measured):
            shown = re.sub("^(today|plan)(?=_|$)", "<plan>", column) if column not in said else column
            for scale in plan.structure.scales:
                shown = shown.replace(f"<plan>_{scale}", "<plan>_<scale>")
            assert shown in said, f"{table.name}.csv: {shown}"


def test_every_measure_of_a_body_is_explained() -> None:
    data = plans.dataset()
    built = plans.plan().structure
    card = score(data, load_scenario("base"), built)
    measures = {name for scores in card.bodies.values() for body in scores for name in body.measures}
    assert measures
    assert measures <= section("bodies.csv")


def test_every_key_of_the_summary_is_explained() -> None:
    assert set(summary.summary(plans.plan())) <= section("summary.json")


def test_every_file_of_a_run_is_listed(tmp_path: Path) -> None:
    plan = plans.plan()
    publish(plan, plans.ground(plan.dataset), tmp_path / "run", {})
    written = {path.name for path in (tmp_path / "run").iterdir()}
    text = (ROOT / "docs" / "outputs.md").read_text(encoding="utf-8").split("\n## ")[0]
    listed = set(re.findall(r"`([\w.<>]+\.\w+)`", text))
    by_scale = {name for name in listed if "<scale>" in name}
    of_scales = {name.replace("<scale>", scale) for name in by_scale for scale in plan.structure.scales}
    assert written <= listed | of_scales
    assert listed - by_scale <= written | {"bodies_today.csv", "pins.csv", "wishes_answered.csv"}
