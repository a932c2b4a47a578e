"""A dataset folder written beside its place and renamed whole, so that nobody reads half of one."""

from __future__ import annotations

import json
import shutil
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

import pandas as pd

from optimiser.errors import OutputError, Problem
from optimiser.runs import make_durable

MARK = "dataset.toml"


def refuse(out: Path, overwrite: bool) -> None:
    """Raise OutputError when `out` may not be written: a dataset without overwrite, or anything that is no dataset."""
    if not out.exists():
        return
    if not out.is_dir():
        raise OutputError(Problem(f"{out.name} is a file", str(out), "A dataset is a folder.", "Choose another name."))
    if not any(out.iterdir()):
        return
    if not (out / MARK).is_file():
        rule = "Only a dataset may be replaced."
        raise OutputError(
            Problem(f"{out.name} is not empty and holds no {MARK}", str(out), rule, "Choose another --out.")
        )
    if not overwrite:
        mend = "Give --overwrite, or another --out."
        raise OutputError(Problem(f"{out.name} already holds a dataset", str(out), "", mend))


@contextmanager
def staging(out: Path, overwrite: bool) -> Iterator[Path]:
    """Give a sibling folder to write into; on success rename it to `out`, on any exception drop it.

    Raises OutputError when `out` may not be replaced and for every fault of the operating system.
    """
    try:
        out.parent.mkdir(parents=True, exist_ok=True)
        folder = Path(tempfile.mkdtemp(prefix=f".{out.name}.staging-", dir=out.parent))
        try:
            folder.chmod(0o755)
            yield folder
            make_durable(folder)
            refuse(out, overwrite)
            _put_in_place(folder, out)
        finally:
            shutil.rmtree(folder, ignore_errors=True)
    except OSError as fault:
        raise OutputError(
            Problem(f"cannot write the dataset: {fault.strerror or fault}", str(out), "Nothing was published.")
        ) from fault


def write_csv(path: Path, table: pd.DataFrame) -> None:
    """UTF-8, a header row, line feeds."""
    table.to_csv(path, index=False, encoding="utf-8", lineterminator="\n")


def write_toml(path: Path, values: Mapping[str, str | bool | Sequence[str]]) -> None:
    """Top-level keys with texts, truths and lists of texts."""
    # A JSON string with its non-ASCII characters left alone is a TOML basic string.
    lines = []
    for key, value in values.items():
        if isinstance(value, list | tuple):
            body = "".join(f"    {json.dumps(item, ensure_ascii=False)},\n" for item in value)
            lines.append(f"{key} = [\n{body}]\n" if body else f"{key} = []\n")
        else:
            lines.append(f"{key} = {json.dumps(value, ensure_ascii=False)}\n")
    path.write_text("".join(lines), encoding="utf-8")


def _put_in_place(folder: Path, out: Path) -> None:
    if not out.exists():
        folder.rename(out)
        return
    aside = Path(tempfile.mkdtemp(prefix=f".{out.name}.old-", dir=out.parent))
    out.rename(aside)
    try:
        folder.rename(out)
    except OSError:
        aside.rename(out)
        raise
    shutil.rmtree(aside, ignore_errors=True)
