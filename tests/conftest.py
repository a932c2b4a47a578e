"""What tests share: the real English files, a browser, and the rule that a skip is announced by a marker."""

from __future__ import annotations

import os
import shutil
from collections.abc import Generator, Iterator
from pathlib import Path

import pytest
from hypothesis import settings

# The gate must give the same answer twice; run with --hypothesis-profile=default to look further.
settings.register_profile("steady", derandomize=True)
settings.load_profile("steady")

ROOT = Path(__file__).parents[1]
MAY_SKIP = ("england", "browser", "peers", "slow", "dask")


@pytest.fixture(scope="session")
def england_source() -> Path:
    """The folder of real English files (England 2025); for tests marked `england`."""
    folder = Path(os.environ.get("CONSORTIA_ENGLAND") or ROOT.parent / "shared" / "data" / "england-2025")
    if not folder.is_dir():
        pytest.skip("the real English files are absent: set CONSORTIA_ENGLAND to their folder")
    return folder


@pytest.fixture(scope="session")
def chromium() -> str:
    """The path of a Chromium; for tests marked `browser`."""
    found = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
    if found is None:
        pytest.skip("there is no Chromium on this machine")
    return found


@pytest.fixture
def one_thread() -> Iterator[None]:
    """Small worlds cost more to hand out to threads than to price."""
    import numba

    before = numba.get_num_threads()
    numba.set_num_threads(1)
    yield
    numba.set_num_threads(before)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """A skip that no marker announces is a failure: nobody would notice the test had stopped running."""
    report = yield
    if report.skipped and not hasattr(report, "wasxfail") and not any(map(item.get_closest_marker, MAY_SKIP)):
        report.outcome = "failed"
        report.longrepr = f"{item.nodeid} skips without one of the markers {', '.join(MAY_SKIP)}: {report.longrepr}"
    return report
