"""Run folders: written beside their place, made durable, renamed whole. The old run or the new one, never a half."""

from __future__ import annotations

import ctypes
import hashlib
import json
import os
import platform
import re
import shutil
import sys
import tempfile
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict
from importlib import metadata
from pathlib import Path, PurePath
from typing import IO

from optimiser.domain import DatasetInfo
from optimiser.errors import OutputError, Problem

MANIFEST = "manifest.json"
TIMINGS = "timings.json"
UNHASHED = ("progress.csv", TIMINGS)  # how the work went, which differs each time
HASHING = (
    'sha256 of the bytes of each file; summary.json without its "seconds" line; the files under "unhashed" left out'
)
LIBRARIES = (
    "consortia", "geopandas", "highspy", "jinja2", "matplotlib", "networkx", "numba", "numpy", "pandas",
    "pulp", "pydantic", "pyogrio", "pyproj", "scipy", "shapely", "xlsxwriter",
)  # fmt: skip

_SECONDS_LINE = re.compile(rb'^\s*"seconds":[^\n]*\n', re.MULTILINE)
_AT_FDCWD, _RENAME_EXCHANGE = -100, 2


def refuse_unwritable(out: Path, overwrite: bool = False) -> None:
    """Raise OutputError when the run folder `out` could not be written in the end: call it before hours of work."""
    refuse_existing(out, overwrite)
    above = Path(os.path.realpath(out)).parent
    while not above.exists():
        above = above.parent
    if not above.is_dir():
        raise OutputError(
            Problem(
                f"{above.name} is a file", str(out), "No run can be written inside a file.", "Choose another folder."
            )
        )
    try:
        Path(tempfile.mkdtemp(prefix=f".{out.name}.staging-", dir=above)).rmdir()
    except OSError as fault:
        raise OutputError(
            Problem(
                f"cannot write into {above}: {fault.strerror or fault}",
                str(out),
                mend="Check permissions, or choose another folder.",
            )
        ) from fault


def refuse_existing(out: Path, overwrite: bool = False) -> None:
    """Raise OutputError when `out` holds something that may not be replaced.

    An empty folder may be filled. A run may be replaced with `overwrite`; a folder that is no run never is.
    """
    out = Path(os.path.realpath(out))
    if not out.exists():
        return
    if not out.is_dir():
        raise OutputError(Problem(f"{out.name} is a file", str(out), "A run is a folder.", "Choose another name."))
    if not any(out.iterdir()):
        return
    if not (out / MANIFEST).is_file():
        raise OutputError(
            Problem(
                f"{out.name} is not empty and holds no {MANIFEST}",
                str(out),
                "Only a run folder may be replaced.",
                "Choose another folder.",
            )
        )
    if not overwrite:
        raise OutputError(
            Problem(
                f"{out.name} already holds a run",
                str(out),
                "A finished run is not overwritten unasked.",
                "Give --overwrite, or another --out.",
            )
        )


@contextmanager
def staged(out: Path, overwrite: bool = False) -> Iterator[Path]:
    """Give a sibling folder to write into; on success make it durable and rename it to `out`, on any exception drop it.

    Raises OutputError when `out` holds something that may not be replaced, when another process is writing the same
    run (named by its number), and for every operating-system fault (disk full, read-only, input/output).
    """
    out = Path(os.path.realpath(out))
    try:
        out.parent.mkdir(parents=True, exist_ok=True)
        with locked(out):
            _restore(out)
            refuse_existing(out, overwrite)
            folder = Path(tempfile.mkdtemp(prefix=f".{out.name}.staging-", dir=out.parent))
            try:
                folder.chmod(0o755)
                yield folder
                make_durable(folder)
                _put_in_place(folder, out)
            finally:
                shutil.rmtree(folder, ignore_errors=True)
    except OSError as fault:
        raise OutputError(
            Problem(
                f"cannot write the run: {fault.strerror or fault}",
                str(out),
                "Nothing was published.",
                "Free space or check permissions, then run again.",
            )
        ) from fault


def write_manifest(
    folder: Path,
    *,
    inputs: Mapping[str, str],
    seed: int,
    options: Mapping[str, object],
    solver: Mapping[str, object],
    status: str = "",
    cut_short: Iterable[str] = (),
    warnings: Iterable[str] = (),
    data: DatasetInfo | None = None,
) -> Path:
    """Write manifest.json, the last file of a run: what went in, what came out, and what made it.

    inputs: file name → sha256. options: as given, paths reduced to their last part (local paths never leave).
    solver: gap of the whole; method, status and gap of each part. status: of the whole. cut_short: parts whose work a
    clock or a person ended; the run is reproducible only where there are none. data: what must travel with the data:
    their years, licence, attribution and notes. Outputs are hashed as `HASHING` says.
    """
    outputs = {
        path.relative_to(folder).as_posix(): digest(path)
        for path in sorted(folder.rglob("*"))
        if path.is_file() and path.name not in (MANIFEST, *UNHASHED)
    }
    cut = list(cut_short)
    document = {
        "format": 1,
        "status": status,
        "reproducible": not cut,
        "cut_short": cut,
        "inputs": dict(sorted(inputs.items())),
        "data": None if data is None else {**asdict(data), "notes": list(data.notes)},
        "outputs": outputs,
        "unhashed": [name for name in UNHASHED if (folder / name).is_file()],
        "hashing": HASHING,
        "versions": versions(),
        "seed": seed,
        "options": {key: _without_path(value) for key, value in sorted(options.items())},
        "solver": dict(solver),
        "warnings": list(warnings),
    }
    path = folder / MANIFEST
    path.write_text(json.dumps(document, indent=1, ensure_ascii=False, allow_nan=False) + "\n", encoding="utf-8")
    return path


def digest(path: Path) -> str:
    """sha256 of a file, hexadecimal, as `HASHING` says: how long a run took is no part of what it found."""
    content = path.read_bytes()
    if path.name == "summary.json":
        content = _SECONDS_LINE.sub(b"", content)
    return hashlib.sha256(content).hexdigest()


def versions() -> dict[str, str]:
    """Python's version and that of every library whose figures or files a run holds."""
    found = {"python": platform.python_version()}
    for name in LIBRARIES:
        try:
            found[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            continue
    return found


def make_durable(folder: Path) -> None:
    """fsync every file, then every folder from the innermost out, so that a power cut cannot publish empty files."""
    for root, _, names in os.walk(folder, topdown=False):
        for name in names:
            _fsync(Path(root) / name)
        _fsync(Path(root))


def _fsync(path: Path) -> None:
    if path.is_dir() and sys.platform == "win32":
        return  # Windows cannot open a folder for this
    handle = os.open(path, os.O_RDONLY if sys.platform != "win32" else os.O_RDWR)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _put_in_place(folder: Path, out: Path) -> None:
    """Rename the staged folder to `out`; an older run there is exchanged in one step and then dropped."""
    if not out.exists():
        folder.rename(out)
    elif not any(out.iterdir()):
        out.rmdir()
        folder.rename(out)
    elif not _exchange(folder, out):
        aside = _aside(out)
        out.rename(aside)
        folder.rename(out)
        shutil.rmtree(aside, ignore_errors=True)
    _fsync(out.parent)


def _exchange(one: Path, other: Path) -> bool:
    """Swap two names atomically where the system can (Linux, renameat2); False where it cannot."""
    if not sys.platform.startswith("linux"):
        return False
    swap = getattr(ctypes.CDLL(None, use_errno=True), "renameat2", None)
    if swap is None:
        return False
    return swap(_AT_FDCWD, os.fsencode(one), _AT_FDCWD, os.fsencode(other), _RENAME_EXCHANGE) == 0


def _aside(out: Path) -> Path:
    return out.with_name(f".{out.name}.old")


def _restore(out: Path) -> None:
    """Mend what a killed process left: put an old run back, drop half-written ones. The lock says none is alive."""
    aside = _aside(out)
    if aside.exists():
        if out.exists():
            shutil.rmtree(aside)
        else:
            aside.rename(out)
    prefix = f".{out.name}.staging-"
    for stale in out.parent.iterdir():
        if stale.name.startswith(prefix):
            shutil.rmtree(stale, ignore_errors=True)


@contextmanager
def locked(out: Path) -> Iterator[None]:
    """Hold the lock file beside `out`. The system frees it when its holder dies, so a killed run blocks nobody."""
    path = out.with_name(f".{out.name}.lock")
    while True:
        handle = path.open("a+", encoding="utf-8")
        if not _try_lock(handle):
            handle.seek(1)
            holder = handle.read().strip() or "unknown"
            handle.close()
            raise OutputError(
                Problem(
                    f"{out.name} is being written by process {holder}",
                    str(out),
                    "One run at a time may write a folder.",
                    "Wait for it, or give another --out.",
                )
            )
        if path.exists() and os.path.samestat(os.fstat(handle.fileno()), path.stat()):
            break
        handle.close()  # the last holder removed this file between our opening and our locking it
    try:
        handle.truncate(0)
        handle.write(f" {os.getpid()} on {platform.node()}\n")
        handle.flush()
        yield
    finally:
        path.unlink(missing_ok=True)
        handle.close()


def _try_lock(handle: IO[str]) -> bool:
    """Lock the first byte (Windows) or the file (elsewhere) without waiting; the holder's name follows that byte."""
    try:
        if sys.platform == "win32":
            import msvcrt

            handle.seek(0)
            msvcrt.locking(handle.fileno(), msvcrt.LK_NBLCK, 1)
        else:
            import fcntl

            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    return True


def _without_path(value: object) -> object:
    """A path becomes its last part; anything else stays, as text when JSON has no word for it."""
    if isinstance(value, PurePath):
        return value.name
    if isinstance(value, str) and (PurePath(value).is_absolute() or value.startswith((".", "~"))):
        return PurePath(value).name
    if isinstance(value, Mapping):
        return {str(key): _without_path(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_without_path(item) for item in value]
    return value if isinstance(value, (str, int, float, bool)) or value is None else str(value)
