"""What the tests of files about places share: the published samples, and small files found and read."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from geodata.official.format import Read
from geodata.official.formats import FORMATS
from geodata.official.found import Found, look
from geodata.official.recognise import Recognised, recognise
from optimiser.errors import ConsortiaError
from tests.geodata.official.corrupt import HARMLESS, corruptions, outcomes, shortened

SAMPLES = Path(__file__).parents[4] / "shared" / "data" / "official-formats"


def sample(name: str) -> Path:
    """A published file; for tests marked `england`."""
    england = os.environ.get("CONSORTIA_ENGLAND")
    folder = Path(england).parent / "official-formats" if england else SAMPLES
    if not (folder / name).is_file():
        pytest.skip(f"the published file {name} is absent: set CONSORTIA_ENGLAND beside its folder official-formats")
    return folder / name


def found(folder: Path, name: str, content: str | bytes, encoding: str = "utf-8") -> Found:
    """The one table of a file with this content."""
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content if isinstance(content, bytes) else content.encode(encoding))
    tables, unread = look(folder)
    assert len(tables) == 1 and not unread, (tables, unread)
    return tables[0]


def read(table: Found, key: str) -> Read:
    """What a table holds, which must be recognised as this and as nothing else."""
    recognised = recognise(table)
    assert isinstance(recognised, Recognised), recognised
    assert recognised.format.key == key
    assert {form.key for form in FORMATS if form.alike(table) >= 1} == {key}
    return recognised.format.read(table)


def survives(path: Path, folder: Path, key: str) -> None:
    """That every spoiled copy of a file is refused, is not recognised, or is read; harmless changes as the file is."""
    whole = outcomes(shortened(path), path.name, folder)
    assert {form.key for form in FORMATS for table in look(folder)[0] if form.alike(table) >= 1} == {key}
    assert len(whole) == 1 and isinstance(whole[0], Read), whole
    count = 0
    for what, raw, name in corruptions(path, seed=6):
        count += 1
        for result in outcomes(raw, name, folder):
            if isinstance(result, ConsortiaError):
                assert all(problem.what and problem.where for problem in result.problems), what
            elif isinstance(result, Read) and what.removeprefix("its member ") in HARMLESS:
                assert result.frame.reset_index(drop=True).equals(whole[0].frame.reset_index(drop=True)), what
    assert count >= 20
