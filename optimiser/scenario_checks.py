"""Rules that hold between the keys of a scenario: sizes that nest, shares that sum to one, pins that agree."""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass

from optimiser.scenario_files import Key, nearest
from optimiser.scenario_models import (
    BANDS,
    EACH_SCALE,
    PLACEMENT,
    RATE_KEYS,
    RATES_BY_SCALE,
    REGION,
    RISK_HELD_AT,
    STAND_IN,
    Pin,
    Scale,
    Scenario,
)
from optimiser.scenario_tables import CRITERIA, FORCES, RATE_NAMES

EXISTING = "body "  # how messages call a body of today, before its code


@dataclass(frozen=True)
class Finding:
    """A broken rule and the keys it concerns, the first being the one to show. impossible: no dataset could meet it."""

    keys: tuple[Key, ...]
    what: str
    rule: str = ""
    mend: str = ""
    impossible: bool = False


def findings(scenario: Scenario) -> Iterator[Finding]:
    """Every rule between keys that the scenario breaks."""
    yield from _scales(scenario)
    yield from _sizes(scenario)
    yield from _built_over(scenario)
    yield from _charges(scenario)
    yield from _rates(scenario)
    yield from _shapes(scenario)
    yield from _suppliers(scenario)
    yield from _pin_scales(scenario)
    yield from contradictions(scenario)


def _scales(s: Scenario) -> Iterator[Finding]:
    known, used = tuple(s.scale_tables), s.scales_used
    key: Key = ("scales_used",)
    for name in used:
        if name not in known:
            yield Finding(
                (key,), f"scales_used names {name}, which has no [scale.{name}] table", "", nearest(name, known)
            )
        if name in (PLACEMENT, REGION, RISK_HELD_AT, STAND_IN, "practice", "footprint", "authority", "condition_group"):
            yield Finding((key,), f"a scale cannot be called {name}", "That word has a meaning of its own.")
    if len(set(used)) < len(used):
        yield Finding((key,), f"scales_used names a scale twice: {', '.join(used)}")
    if s.anchor_scale not in used:
        yield Finding(
            (("anchor_scale",), key), f"anchor_scale = {s.anchor_scale}, which is not planned",
            "The anchor is planned first, so it is one of scales_used.", nearest(s.anchor_scale, used),
        )  # fmt: skip
    if s.risk_held_at not in (*known, REGION):
        mend = nearest(s.risk_held_at, (*known, REGION))
        yield Finding((("risk_held_at",),), f"risk_held_at = {s.risk_held_at}, which is no scale", "", mend)


def _sizes(s: Scenario) -> Iterator[Finding]:
    for name, scale in s.scale_tables.items():
        low, high = (("scale", name, end) for end in ("min_patients", "max_patients"))
        if scale.max_patients is not None and scale.min_patients > scale.max_patients:
            what = f"{name}: at least {scale.min_patients:,} and at most {scale.max_patients:,} patients"
            short = scale.min_patients - scale.max_patients
            yield Finding(
                (low, high),
                what,
                f"The least exceeds the most by {short:,}: no body can have such a size.",
                "Lower the one or raise the other.",
                True,
            )
        if None not in (scale.min_bodies, scale.max_bodies) and scale.min_bodies > scale.max_bodies:  # type: ignore[operator]
            keys = (("scale", name, "min_bodies"), ("scale", name, "max_bodies"))
            what = f"{name}: at least {scale.min_bodies} and at most {scale.max_bodies} bodies"
            yield Finding(keys, what, "No number is both.", "", True)
    yield from _order(s)


def _built_over(s: Scenario) -> Iterator[Finding]:
    """A scale is built over the anchor scale or one above it, since the anchor is planned first; only larger ones can
    be asked how many smaller bodies they hold."""
    used = s.scales_used
    for name, scale in s.scale_tables.items():
        if scale.min_members > 1 and name in used[1:] and s.anchor_scale in used and s.members_asked(name) == 1:
            rule = f"Only scales over {s.anchor_scale} (the anchor scale) are built from smaller bodies."
            what = f"{name} cannot be asked for {scale.min_members} smaller bodies"
            yield Finding((("scale", name, "min_members"),), what, rule, "Leave min_members out, or ask for patients.")
        key: Key = ("scale", name, "over")
        if scale.over is not None and scale.over not in s.scale_tables:
            mend = nearest(scale.over, tuple(s.scale_tables))
            yield Finding((key,), f"{name} is built over {scale.over}, which is no scale", "", mend)
        elif scale.over in used and name in used and s.anchor_scale in used:
            least = used.index(s.anchor_scale)
            if not least <= used.index(scale.over) < used.index(name):
                rule = f"It must be smaller than {name}, and {s.anchor_scale} (the anchor scale) or larger."
                yield Finding(
                    (key,), f"{name} cannot be built over {scale.over}", rule, 'Leave out over, or set "none".'
                )


def _order(s: Scenario) -> Iterator[Finding]:
    planned = [s.scale_tables[n] for n in s.scales_used if n in s.scale_tables]
    planned = [scale for scale in planned if scale.max_patients is None or scale.min_patients <= scale.max_patients]
    for i, small in enumerate(planned):
        for large in planned[i + 1 :]:
            if large.max_patients is not None and small.min_patients > large.max_patients:
                low, high = ("scale", small.name, "min_patients"), ("scale", large.name, "max_patients")
                least, most = f"at least {small.min_patients:,}", f"at most {large.max_patients:,}"
                what = f"{small.name} ({least}) cannot nest in {large.name} ({most})"
                yield Finding(
                    (low, high, ("scales_used",)),
                    what,
                    "scales_used runs from small to large.",
                    "Reorder the scales or change a bound.",
                )
            elif _range(small) != _range(large) and all(
                a >= b for a, b in zip(_range(small), _range(large), strict=True)
            ):
                keys = (("scales_used",), ("scale", small.name), ("scale", large.name))
                what = f"scales_used puts {small.name} before {large.name}, though its bodies are larger"
                yield Finding(
                    keys, what, "scales_used runs from small to large.", "Reorder the scales or change a bound."
                )


def _range(scale: Scale) -> tuple[float, float]:
    return scale.min_patients, math.inf if scale.max_patients is None else scale.max_patients


def _charges(s: Scenario) -> Iterator[Finding]:
    places = (*s.scale_tables, PLACEMENT, RISK_HELD_AT, STAND_IN)
    for force in FORCES:
        if force not in s.charged:
            yield Finding(
                (("charged", force),),
                f"nothing says where {force} is charged",
                "",
                f'Add charged.{force}, or put "{force}" in forces_off.',
            )
    for force, charge in s.charged.items():
        if charge == EACH_SCALE:
            continue
        key: Key = ("charged", force)
        for place in charge:
            if place not in places:
                yield Finding(
                    ((*key, place),), f"{force} is charged at {place}, which is no scale", "", nearest(place, places)
                )
        stand_in = charge.get(STAND_IN)
        if stand_in is not None and stand_in not in s.scale_tables:
            yield Finding(
                ((*key, STAND_IN),),
                f"{force} stands in at {stand_in}, which is no scale",
                "",
                nearest(stand_in, tuple(s.scale_tables)),
            )
        shares = {place: share for place, share in charge.items() if place != STAND_IN}
        total = sum(shares.values())
        if abs(total - 1) > 1e-9:
            sum_of = " + ".join(f"{share:g}" for share in shares.values()) or "nothing"
            yield Finding(
                (key,),
                f"shares of {force} come to {total:g} ({sum_of})",
                "A force is charged once: its shares sum to 1.",
            )


def _rates(s: Scenario) -> Iterator[Finding]:
    for name in RATE_NAMES:
        if name not in s.rates:
            yield Finding((("rates", name),), f"there is no rate for {name}", "", f"Add [rates.{name}].")
    for name, rate in s.rates.items():
        if rate.low is not None and rate.high is not None and rate.low > rate.high:
            yield Finding(
                (("rates", name, "low"), ("rates", name, "high")),
                f"{name}: low {rate.low:g} exceeds high {rate.high:g}",
            )
        if isinstance(rate.value, dict):
            keys = tuple(s.scale_tables) if name in RATES_BY_SCALE else RATE_KEYS.get(name, ())
            for key in rate.value:
                if key not in keys:
                    mend = nearest(key, keys) if keys else "It takes a single number."
                    yield Finding((("rates", name, "value", key),), f"rate {name} has no entry {key}", "", mend)
        elif name in RATE_KEYS:
            mend = f"It takes a table of {', '.join(RATE_KEYS[name])}."
            yield Finding((("rates", name, "value"),), f"rate {name} is a single number", "", mend)


def _shapes(s: Scenario) -> Iterator[Finding]:
    if s.engagement.e_inf > s.engagement.e0:
        keys: tuple[Key, ...] = (("engagement", "e_inf"), ("engagement", "e0"))
        yield Finding(keys, f"engagement rises with size: e_inf {s.engagement.e_inf} exceeds e0 {s.engagement.e0}")
    if s.contracts.associate_share > s.contracts.lead_share:
        keys = (("contracts", "associate_share"), ("contracts", "lead_share"))
        yield Finding(
            keys, f"associate_share {s.contracts.associate_share} exceeds lead_share {s.contracts.lead_share}"
        )
    low, high = s.disclosure.suppress
    if low > high:
        yield Finding(
            (("disclosure", "suppress"),), f"suppress runs from {low} to {high}", "The smaller count comes first."
        )
    bands = [s.leverage.bands.get(name, -1.0) for name in BANDS]  # type: ignore[call-overload]
    if -1.0 in bands or bands != sorted(bands):
        yield Finding(
            (("leverage", "bands"),), f"bands {s.leverage.bands}", f"All of {', '.join(BANDS)}, in rising order."
        )


def _suppliers(s: Scenario) -> Iterator[Finding]:
    weights = s.suppliers.weights
    total = sum(weights.values())
    if set(weights) != set(CRITERIA) or abs(total - 1) > 1e-9:
        what = f"weights of the rubric for suppliers come to {total:g} over {', '.join(weights)}"
        yield Finding((("suppliers", "weights"),), what, f"All of {', '.join(CRITERIA)}, and they sum to 1.")


def _pin_scales(s: Scenario) -> Iterator[Finding]:
    for i, pin in enumerate(s.pins):
        if pin.scale not in s.scales_used:
            rule = "It is declared but not planned." if pin.scale in s.scale_tables else ""
            key: Key = ("pins", str(i), "scale")
            yield Finding((key,), f"pin {i + 1} is at {pin.scale}", rule, nearest(pin.scale, s.scales_used))


def contradictions(s: Scenario) -> Iterator[Finding]:
    """Pins that cannot all be kept. Practices tied at a scale are tied at every larger one, so a pin that parts them
    there contradicts; so does a tie, at a frozen body's scale or a smaller one, between its practices and others.
    Existing bodies are known by their codes only: give pins that name practices instead to look inside them.
    """
    for scale in s.scales_used:
        here = [(i, pin) for i, pin in enumerate(s.pins) if pin.scale == scale]
        ties = _ties([(i, pin) for i, pin in enumerate(s.pins) if pin.scale in s.within(scale)])
        bodies = {_anchor(pin): i for i, pin in here if pin.kind == "fixed" and pin.body}
        for i, pin in here:
            if pin.kind == "frozen":
                yield from _breaches(s, i, ties)
                continue
            if pin.kind == "apart":
                pairs = [(a, b) for n, a in enumerate(pin.practices) for b in pin.practices[n + 1 :]]
            elif pin.kind == "forbidden":
                pairs = [(practice, _anchor(pin)) for practice in pin.practices]
            else:
                continue
            for a, b in pairs:
                if (chain := _chain(ties, a, b)) is not None:
                    yield _contradiction(s, scale, a, b, [*chain, i])
                    break
        named = list(bodies)
        for n, one in enumerate(named):
            for other in named[n + 1 :]:
                if (chain := _chain(ties, one, other)) is not None:
                    yield _contradiction(s, scale, one, other, chain)


def _ties(pins: list[tuple[int, Pin]]) -> dict[str, list[tuple[str, int]]]:
    """Practice → those it is tied to, each with the number of the pin that says so."""
    ties: dict[str, list[tuple[str, int]]] = {}
    for i, pin in pins:
        if pin.kind in ("together", "frozen"):
            pairs = [(pin.practices[0], other) for other in pin.practices[1:]]
        else:
            pairs = [(practice, _anchor(pin)) for practice in pin.practices] if pin.kind == "fixed" else []
        for a, b in pairs:
            ties.setdefault(a, []).append((b, i))
            ties.setdefault(b, []).append((a, i))
    return ties


def _breaches(s: Scenario, frozen: int, ties: dict[str, list[tuple[str, int]]]) -> Iterator[Finding]:
    """Ties that reach out of a frozen body; the first for each pin that makes them. Two frozen bodies that overlap are
    found at the second."""
    pin = s.pins[frozen]
    blamed = {i for i, p in enumerate(s.pins) if i >= frozen and p.kind == "frozen" and p.scale == pin.scale}
    for practice in pin.practices:
        for other, entry in ties.get(practice, ()):
            if other not in pin.practices and not other.startswith(EXISTING) and entry not in blamed:
                blamed.add(entry)
                yield _contradiction(s, pin.scale, practice, other, [entry, frozen])


def _anchor(pin: Pin) -> str:
    return pin.with_ or f"{EXISTING}{pin.body} ({pin.scale})"


def _chain(ties: dict[str, list[tuple[str, int]]], start: str, end: str) -> list[int] | None:
    """The entries that tie start to end, fewest first; None when nothing does."""
    reached: dict[str, list[int]] = {start: []}
    queue = deque([start])
    while queue:
        here = queue.popleft()
        if here == end:
            return reached[here]
        for other, entry in ties.get(here, ()):
            if other not in reached:
                reached[other] = [*reached[here], entry]
                queue.append(other)
    return None


def _contradiction(s: Scenario, scale: str, a: str, b: str, entries: list[int]) -> Finding:
    unique = list(dict.fromkeys(entries))
    said = "; ".join(f"pin {i + 1} ({called(s.pins[i])})" for i in unique)
    keys = tuple(("pins", str(i)) for i in reversed(unique))
    rule = "Nobody joins or leaves a frozen body." if any(s.pins[i].kind == "frozen" for i in unique) else ""
    return Finding(keys, f"pins contradict each other over {a} and {b} at {scale}: {said}", rule, "Drop one of them.")


def called(pin: Pin, most: int = 6) -> str:
    """A pin in a few words: "together at locality: A, B". most: practices to list."""
    rest = len(pin.practices) - most
    who = ", ".join(pin.practices[:most]) + (f" and {rest} more" if rest > 0 else "")
    return f"{pin.kind} at {pin.scale}: {pin.name or who or f'{EXISTING}{pin.body}'}"
