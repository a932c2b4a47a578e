"""TOML → validated Scenario: the chain of `extends`, overrides, and every mistake answered in one report."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator, Mapping
from copy import deepcopy
from pathlib import Path
from types import MappingProxyType
from typing import Any

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from optimiser.errors import Infeasible, Problem, ScenarioError
from optimiser.scenario_checks import Finding, findings
from optimiser.scenario_files import Key, Layer, bundled_names, locate, nearest, read_chain
from optimiser.scenario_models import Pin, Rate, Scale, Scenario
from optimiser.scenario_tables import FORCES, RATE_NAMES, SupplierKind

__all__ = ["Pin", "Rate", "Scale", "Scenario", "bundled_names", "laid_over", "load_scenario", "parse_override"]

NOTHING: Mapping[str, object] = MappingProxyType({})


def load_scenario(name_or_path: str | Path, overrides: Mapping[str, object] = NOTHING) -> Scenario:
    """A bundled scenario by its name, or a file by its path, resolved and checked.

    `extends` names a bundled scenario, or a file beside the one that extends it (with its .toml). Tables merge; all
    else replaces what it inherits, and so does where a force is charged, since its shares only make sense together.
    overrides: dotted key → value, applied last, such as {"rates.engagement.value": 144}.
    Raises ScenarioError with every problem found; Infeasible when the only ones are sizes that no body can have.
    """
    layers = read_chain(name_or_path)
    document: dict[str, Any] = {}
    for layer in layers:
        document = _merged(document, {k: v for k, v in layer.values.items() if k != "extends"})
    problems = [p for name, value in overrides.items() for p in _override(document, name, value)]
    document.setdefault("name", Path(layers[-1].name).stem)
    if "name" not in layers[-1].values:
        document["name"] = Path(layers[-1].name).stem
    scenario, more, impossible = _validated(document, layers, overrides)
    problems += more
    if problems:
        raise ScenarioError(*problems, *impossible)
    if impossible:
        raise Infeasible(*impossible)
    assert scenario is not None
    return scenario


def laid_over(scenario: Scenario, values: Mapping[str, Any], where: str) -> Scenario:
    """The scenario that a file with these values would make if it extended this one. where: what the values are called
    in messages. ScenarioError, or Infeasible where sizes are all that is wrong, with every rule that breaks."""
    made = Scenario.model_validate(_merged(scenario.document(), values))
    found = list(findings(made))
    problems = [Problem(f.what, f"{where}: {'.'.join(f.keys[0])}", f.rule, f.mend) for f in found]
    if problems:
        raise (Infeasible if all(f.impossible for f in found) else ScenarioError)(*problems)
    return made


def parse_override(text: str) -> tuple[str, object]:
    """KEY=VALUE as typed: the value is read as TOML, and as text when it is not. ScenarioError without a "="."""
    key, equals, value = text.partition("=")
    if not equals or not key.strip():
        raise ScenarioError(
            Problem(f"{text!r} is no override", rule="It reads KEY=VALUE, such as rates.engagement.value=144.")
        )
    try:
        return key.strip(), tomllib.loads(f"value = {value.strip()}")["value"]
    except tomllib.TOMLDecodeError:
        return key.strip(), value.strip()


def _merged(base: Mapping[str, Any], over: Mapping[str, Any], at: Key = ()) -> dict[str, Any]:
    out = dict(base)
    for key, value in over.items():
        old = out.get(key)
        joins = isinstance(old, Mapping) and isinstance(value, Mapping) and at != ("charged",)
        out[key] = _merged(old, value, (*at, key)) if joins else deepcopy(value)  # type: ignore[arg-type]
    return out


def _override(document: dict[str, Any], name: str, value: object) -> Iterator[Problem]:
    *parents, leaf = name.split(".")
    here: Any = document
    for part in parents:
        here = here.setdefault(part, {}) if isinstance(here, dict) else None
    if isinstance(here, dict) and leaf:
        old = here.get(leaf)
        joins = isinstance(old, Mapping) and isinstance(value, Mapping) and parents != ["charged"]
        here[leaf] = _merged(old, value) if joins else deepcopy(value)  # type: ignore[arg-type]
    else:
        yield Problem(f"cannot set {name}", f"override {name}", f"{'.'.join(parents) or name!r} is not a table.")


def _validated(
    document: dict[str, Any], layers: tuple[Layer, ...], overrides: Mapping[str, object]
) -> tuple[Scenario | None, list[Problem], list[Problem]]:
    """The scenario with the problems of its keys, and those that make it impossible. After bad keys are reported, the
    rules between keys are still checked on what remains, leaving out rules that touch a bad key."""
    problems: list[Problem] = []
    bad: list[Key] = []
    scenario: Scenario | None = None
    try:
        scenario = Scenario.model_validate(document)
    except ValidationError as error:
        details = error.errors(include_url=False)
        absent = [".".join(map(str, d["loc"])) for d in details if d["type"] == "missing" and len(d["loc"]) == 1]
        if absent:
            mend = 'Start the file with extends = "base" to inherit what it does not say.'
            problems.append(Problem(f"keys are missing: {', '.join(absent)}", layers[-1].name, "", mend))
        unknown = {d["loc"][:-1] for d in details if d["loc"][-1] == "[key]"}
        for detail in details:
            if detail["type"] == "missing" and detail["loc"][:-1] in unknown:
                continue
            key = tuple(str(part) for part in detail["loc"] if part != "[key]")
            bad.append(key)
            if not (detail["type"] == "missing" and len(key) == 1):
                problems.append(_problem(detail, key, document, locate(layers, overrides, key)))
        scenario = _repaired(document, bad)
    impossible: list[Problem] = []
    for found in findings(scenario) if scenario else ():
        if not any(_touches(key, b) for key in found.keys for b in bad):
            target = impossible if found.impossible else problems
            target.append(Problem(found.what, _where(found, layers, overrides), found.rule, found.mend))
    return (scenario if not problems and not bad else None), problems, impossible


def _where(found: Finding, layers: tuple[Layer, ...], overrides: Mapping[str, object]) -> str:
    return " and ".join(dict.fromkeys(locate(layers, overrides, key) for key in found.keys))


def _touches(key: Key, bad: Key) -> bool:
    shorter = min(len(key), len(bad))
    return key[:shorter] == bad[:shorter]


def _repaired(document: dict[str, Any], bad: list[Key]) -> Scenario | None:
    """The scenario with bad keys put back to the bundled base's, or dropped; None when that is not enough."""
    repaired = deepcopy(document)
    fallback = read_chain("base")[-1].values
    for key in sorted(set(bad), key=len, reverse=True):
        value: Any = fallback
        here: Any = repaired
        for part in key[:-1]:
            value = value.get(part) if isinstance(value, Mapping) else None
            here = here[int(part)] if isinstance(here, list) else here.get(part) if isinstance(here, Mapping) else None
        if isinstance(here, dict):
            here.pop(key[-1], None)
            if isinstance(value, Mapping) and key[-1] in value:
                here[key[-1]] = value[key[-1]]
        elif key[0] in fallback:
            repaired[key[0]] = fallback[key[0]]
        else:
            repaired.pop(key[0], None)
    try:
        return Scenario.model_validate(repaired)
    except ValidationError:
        return None


def _problem(detail: ErrorDetails, key: Key, document: Mapping[str, Any], where: str) -> Problem:
    leaf = key[-1]
    if detail["type"] == "extra_forbidden" or "[key]" in detail["loc"]:
        known = (
            RATE_NAMES if key[0] == "rates" and len(key) == 2 else FORCES if key[0] == "charged" else _known(key[:-1])
        )
        homes = [] if leaf in known else _homes(leaf)
        mend = f"It belongs under {' or '.join(homes)}." if homes else nearest(leaf, known)
        return Problem(f"unknown key {leaf}", where, mend=mend)
    if detail["type"] == "missing":
        tables = tuple(name for name in document.get(key[0], {}) if name != key[1]) if len(key) > 2 else ()
        return Problem(f"{'.'.join(key[:-1])} lacks {leaf}", where, mend=nearest(key[1], tables) if tables else "")
    rule = detail["msg"].replace("Input should", "It should")
    return Problem(f"{leaf} = {detail['input']!r}", where, rule[:1].upper() + rule[1:] + ".")


def _tables() -> Iterator[tuple[Key, type[BaseModel]]]:
    """The models that make a scenario, each with the key it sits under ("*" for a name the planner chooses)."""
    yield (), Scenario
    yield ("scale", "*"), Scale
    yield ("rates", "*"), Rate
    yield ("pins", "*"), Pin
    yield ("suppliers", "kinds", "*"), SupplierKind
    for name, field in Scenario.model_fields.items():
        if isinstance(field.annotation, type) and issubclass(field.annotation, BaseModel):
            yield (name,), field.annotation


def _names(model: type[BaseModel]) -> tuple[str, ...]:
    return tuple(field.alias or name for name, field in model.model_fields.items() if not field.exclude)


def _known(parent: Key) -> tuple[str, ...]:
    for key, model in _tables():
        if len(key) == len(parent) and all(k in ("*", p) for k, p in zip(key, parent, strict=True)):
            return _names(model)
    return ()


def _homes(leaf: str) -> list[str]:
    return [f"[{'.'.join(key)}]".replace("*", "<name>") for key, model in _tables() if key and leaf in _names(model)]
