"""An explanation in plain English. Every figure is one of the explanation's; bodies are called by place, never by the
practices in their names, and no other practice is named.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from optimiser.domain import Dataset
from optimiser.explain import WORTH, Alternative, Explanation, WhyThere
from optimiser.scenario import Scenario
from optimiser.wording import percent

KINDS = {"cash": "cash", "expected_financial": "expected", "notional": "notional"}
FORCES: Mapping[str, str] = {
    "engagement": "GPs' engagement", "likeness": "unlike practices", "insurance": "insurance risk",
    "management": "running the bodies", "coordination": "remoteness of large bodies", "authority": "council boundaries",
    "distance": "distance", "continuity": "leaving today's bodies", "leverage": "weight with providers",
}  # fmt: skip
ALONE = "alone"
HOW = (
    "How it is reckoned: in each alternative the body left, the body joined and those that touch either are formed "
    "anew, at the least cost found, out of smaller bodies kept whole and inside the larger bodies that hold them; all "
    "else is frozen as planned, and services are not placed again. Notional and expected pounds are no cash. A figure "
    "marked assumed rests on a rate that is assumed."
)


def place(name: str, code: str) -> str:
    """A body by its place and code, without the practice that tells it from others of the place."""
    plain = name.split(" (")[0].strip()
    return plain if plain == name else f"{plain}, {code}"


def money(pounds: float) -> str:
    """£ a year, whole."""
    return f"£{abs(pounds):,.0f}"


def called(alternative: Alternative) -> str:
    """The body that an alternative joins."""
    return place(alternative.name, alternative.to) if alternative.to else ALONE


def who(dataset: Dataset, found: Explanation) -> str:
    """The practice, its code and size."""
    p = dataset.practices[found.practice]
    return f"{p.name} ({p.code}), {p.patients:,} patients"


def sentences(dataset: Dataset, scenario: Scenario, found: Explanation) -> Iterator[tuple[str, list[str]]]:
    """(heading, sentences) by scale, small to large."""
    for here in found.scales:
        scale = scenario.scale(here.scale)
        heading = f"{scale.label[:1].upper()}{scale.label[1:]}: {place(here.body.name, here.body.code)}"
        yield heading, list(_at(dataset, scenario, here))


def _at(dataset: Dataset, scenario: Scenario, here: WhyThere) -> Iterator[str]:
    scale, body = scenario.scale(here.scale), here.body
    held = "1 practice" if len(body.members) == 1 else f"{len(body.members):,} practices"
    yield f"{held[:1].upper()}{held[1:]}, {body.patients:,} patients."
    if here.settled:
        yield f"Nothing else is open here: {here.settled}."
        return
    if len(here.group) > 1:
        below = scenario.below(here.scale)
        kept = f"its {scenario.scale(below).label}" if below is not None else "those it is tied to"
        yield f"The practice would move with {kept}, {len(here.group)} practices in all."
    nearest = here.nearest
    if nearest is None:
        yield f"No other {scale.label} is possible for it."
    else:
        yield from _nearest(dataset, scenario, here, nearest)
    others = [a for a in here.alternatives if a is not nearest and a.price is not None]
    if others:
        yield "Beyond that: " + "; ".join(f"{called(a)}, {_more(a)}" for a in others) + "."
    for a in here.alternatives:
        if a.price is None:
            yield f"{_upper(called(a))} cannot be: {forbidden(a)}."
    if here.saved > WORTH:
        yield (
            f"The search left {money(here.saved)} a year: with nothing asked the bodies here could be formed so much "
            "cheaper. Prices count from the plan as it stands."
        )


def forbidden(a: Alternative) -> str:
    """Why an alternative cannot be."""
    if a.too_large:
        return "there are too many bodies around it to form anew"
    why = " and ".join(f"it {rule}" if rule.split()[0] in VERBS else rule for rule in a.broken)
    way = "no way of forming the bodies around it anew was found that keeps the rules"
    return f"{why}, and {way}" if why else way


VERBS = ("would", "leaves", "parts", "joins", "crosses", "makes")


def _nearest(dataset: Dataset, scenario: Scenario, here: WhyThere, a: Alternative) -> Iterator[str]:
    assert a.price is not None
    label = scenario.scale(here.scale).label
    what = f"a {label} by itself" if not a.to else called(a)
    yield f"The nearest alternative, {what}, would cost {_more(a)}."
    for word, sign in (("Dearer", 1), ("Cheaper", -1)):
        parts = sorted(((f, p) for f, p in a.terms.items() if sign * p > WORTH), key=lambda x: -abs(x[1]))
        if parts:
            yield f"{word}: " + "; ".join(f"{FORCES[f]} {money(p)} ({_kind(scenario, f)})" for f, p in parts) + "."
    if a.broken:
        rules = "; ".join(a.broken)
        yield f"The move by itself breaks a rule ({rules}); the price is that of the cheapest way round it."
    if a.moved:
        people = int(dataset.patients[list(a.moved)].sum())
        count = f"{len(a.moved)} other practice" + ("s" if len(a.moved) > 1 else "")
        yield f"{count[:1].upper()}{count[1:]} ({people:,} patients) would change {label} too."
    even = a.break_even
    if even is not None and even.factor is not None:
        way = "lower" if even.factor < 1 else "higher"
        yield (
            f"What would have to change: were the {even.rate} rate {percent(abs(1 - even.factor))} {way}, the "
            "alternative would cost as much as the plan as it stands."
        )
    elif even is not None:
        yield f"What would have to change: no change of the {even.rate} rate alone, which matters most, would do."


def _kind(scenario: Scenario, force: str) -> str:
    rate = scenario.rates[force]  # type: ignore[index]
    return KINDS[rate.kind] + (", assumed" if rate.provenance == "A" else "")


def _more(a: Alternative) -> str:
    assert a.price is not None and a.least is not None
    if a.price < -WORTH:
        return f"{money(a.price)} a year less than the plan, whose search left it"
    said = f"{money(a.price)} a year more"
    if a.proved:
        return said
    return (
        f"{said} (the best found; proved to be at least {money(max(0.0, a.least))})"
        if a.least > WORTH
        else (f"{said} (the best found; that it costs more is not proved)")
    )


def _upper(text: str) -> str:
    return text[:1].upper() + text[1:]
