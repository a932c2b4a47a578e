"""The samples of real published files; tests that need them are marked `england` and say so when they are absent."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.conftest import ROOT


@pytest.fixture(scope="session")
def samples() -> Path:
    """The folder of published files as downloaded: CONSORTIA_OFFICIAL, or beside the real English files."""
    named, england = os.environ.get("CONSORTIA_OFFICIAL"), os.environ.get("CONSORTIA_ENGLAND")
    beside = Path(england).parent if england else ROOT.parent / "shared" / "data"
    folder = Path(named) if named else beside / "official-formats"
    if not folder.is_dir():
        pytest.skip("the published files are absent: set CONSORTIA_OFFICIAL to their folder")
    return folder
