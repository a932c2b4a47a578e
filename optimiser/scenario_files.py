"""Scenario files on disk or bundled: the chain of `extends`, and where each key was written."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from importlib import resources
from importlib.resources.abc import Traversable
from pathlib import Path, PurePosixPath, PureWindowsPath
from typing import Any

from optimiser.errors import Problem, ScenarioError

Key = tuple[str, ...]
MOST_BYTES = 1_000_000
_PART = r"(?:\"[^\"]*\"|'[^']*'|[A-Za-z0-9_-]+)"
_HEADER = re.compile(rf"^\s*(\[\[?)\s*({_PART}(?:\s*\.\s*{_PART})*)\s*\]")
_ENTRY = re.compile(rf"^\s*({_PART}(?:\s*\.\s*{_PART})*)\s*=")


@dataclass(frozen=True)
class Layer:
    """One file of the chain: its values, and the line on which each key was written."""

    name: str
    values: Mapping[str, Any]
    lines: Mapping[Key, int]


def bundled_names() -> tuple[str, ...]:
    """Names of the scenarios that come with the program, sorted."""
    folder = resources.files("scenarios")
    return tuple(sorted(f.name.removesuffix(".toml") for f in folder.iterdir() if f.name.endswith(".toml")))


def read_chain(name_or_path: str | Path) -> tuple[Layer, ...]:
    """The scenario and all it extends, the most basic first. ScenarioError when a file is missing, is not TOML, or an
    `extends` leaves its folder or goes round in a circle."""
    source: Traversable = _top(name_or_path)
    layers: list[Layer] = []
    seen: list[str] = []
    while True:
        identity = str(source.resolve() if isinstance(source, Path) else source)
        if identity in seen:
            chain = " → ".join([layer.name for layer in layers[seen.index(identity) :]] + [source.name])
            raise ScenarioError(Problem(f"extends goes round in a circle: {chain}", _place(layers[-1], ("extends",))))
        seen.append(identity)
        layers.append(_read(source))
        wanted = layers[-1].values.get("extends")
        if wanted is None:
            return tuple(reversed(layers))
        source = _included(source, layers[-1], wanted)


def locate(layers: tuple[Layer, ...], overrides: Mapping[str, object], key: Key) -> str:
    """Where a key was last written: "file:line:key", or the override that set it."""
    dotted = ".".join(key)
    for length in range(len(key), 0, -1):
        part = ".".join(key[:length])
        for name in overrides:
            if name == part or (name.startswith(part + ".") and length > 1) or dotted.startswith(name + "."):
                return f"override {name}"
        for layer in reversed(layers):
            if _holds(layer.values, key[:length]):
                return _place(layer, key)
    return f"{layers[-1].name}:{dotted}"


def nearest(word: str, words: tuple[str, ...]) -> str:
    """A sentence that suggests the nearest known word, or lists what there is."""
    close = get_close_matches(word, words, n=1, cutoff=0.6)
    return f"Did you mean {close[0]}?" if close else f"Known here: {', '.join(sorted(words))}."


def _top(name_or_path: str | Path) -> Traversable:
    text = str(name_or_path)
    as_path = Path(text)
    if isinstance(name_or_path, Path) or as_path.suffix == ".toml" or len(as_path.parts) != 1:
        if as_path.is_file():
            return as_path
        raise ScenarioError(
            Problem(f"there is no scenario file {text}", mend=f"Bundled: {', '.join(bundled_names())}.")
        )
    if text in bundled_names():
        return _bundled(text)
    raise ScenarioError(Problem(f"there is no scenario named {text}", mend=nearest(text, bundled_names())))


def _bundled(name: str) -> Traversable:
    return resources.files("scenarios").joinpath(f"{name}.toml")


def _included(source: Traversable, layer: Layer, wanted: object) -> Traversable:
    """The file that `extends` names: bundled when it is a plain name, else beside the file that includes it."""
    where = _place(layer, ("extends",))
    if not isinstance(wanted, str) or not wanted:
        raise ScenarioError(Problem(f"extends = {wanted!r}", where, "It takes one name or one file name."))
    if not wanted.endswith(".toml"):
        if wanted in bundled_names():
            return _bundled(wanted)
        mend = nearest(wanted, bundled_names()) + " A file of your own is named with its .toml."
        raise ScenarioError(Problem(f"extends {wanted}, which is no bundled scenario", where, mend=mend))
    rule = "A scenario may only extend files in its own folder or below."
    posix, windows = PurePosixPath(wanted), PureWindowsPath(wanted)
    if posix.is_absolute() or windows.drive or windows.root or ".." in windows.parts or wanted.startswith("~"):
        raise ScenarioError(Problem(f"extends {wanted}, which leaves the folder", where, rule, "Copy the file here."))
    if not isinstance(source, Path):
        return _bundled(wanted.removesuffix(".toml"))
    target = source.parent / posix
    if not target.resolve().is_relative_to(source.parent.resolve()):
        raise ScenarioError(
            Problem(f"extends {wanted}, a link that leaves the folder", where, rule, "Copy the file here.")
        )
    if not target.is_file():
        hint = f'The bundled one is extends = "{posix.stem}".' if posix.stem in bundled_names() else ""
        raise ScenarioError(Problem(f"extends {wanted}, which does not exist beside {layer.name}", where, mend=hint))
    return target


def _read(source: Traversable) -> Layer:
    name = source.name
    try:
        raw = source.read_bytes()
        if len(raw) > MOST_BYTES:
            raise ScenarioError(Problem(f"{len(raw):,} bytes is no scenario", name, f"At most {MOST_BYTES:,} bytes."))
        text = raw.decode("utf-8-sig")
        return Layer(name, tomllib.loads(text), _lines(text))
    except OSError as error:
        raise ScenarioError(Problem(f"cannot be read: {error.strerror}", name)) from None
    except UnicodeDecodeError as error:
        row = raw[: error.start].count(b"\n") + 1
        raise ScenarioError(Problem("is not UTF-8", f"{name}:{row}", mend="Save the file as UTF-8.")) from None
    except RecursionError:
        raise ScenarioError(Problem("is nested too deep", name)) from None
    except tomllib.TOMLDecodeError as error:
        found = re.search(r"^(.*) \(at line (\d+), column (\d+)\)$", str(error))
        what, where = (found[1], f"{name}:{found[2]}:{found[3]}") if found else (str(error), name)
        raise ScenarioError(Problem(f"is not TOML: {what}", where)) from None


def _split(dotted: str) -> Key:
    return tuple(part.strip("\"'") for part in re.findall(_PART, dotted))


def _lines(text: str) -> dict[Key, int]:
    """Dotted key → line. Keys inside inline tables share their table's line; array tables are numbered from 0."""
    lines: dict[Key, int] = {}
    counts: dict[Key, int] = {}
    table: Key = ()
    for number, line in enumerate(text.splitlines(), start=1):
        if header := _HEADER.match(line):
            table = _split(header[2])
            if header[1] == "[[":
                counts[table] = counts.get(table, -1) + 1
                table = (*table, str(counts[table]))
            lines.setdefault(table, number)
        elif entry := _ENTRY.match(line):
            lines.setdefault((*table, *_split(entry[1])), number)
    return lines


def _holds(values: Any, key: Key) -> bool:
    for part in key:
        if isinstance(values, Mapping) and part in values:
            values = values[part]
        elif isinstance(values, list) and part.isdigit() and int(part) < len(values):
            values = values[int(part)]
        else:
            return False
    return True


def _place(layer: Layer, key: Key) -> str:
    for length in range(len(key), 0, -1):
        if key[:length] in layer.lines:
            return f"{layer.name}:{layer.lines[key[:length]]}:{'.'.join(key)}"
    return f"{layer.name}:{'.'.join(key)}"
