"""Rows in the name of a practice, or of a body of today for all its practices: wishes and finances."""

from __future__ import annotations

from geodata.findings import Findings
from geodata.records import Codes, Records
from geodata.schema import FIRM
from optimiser.domain import Finance, Wish

SPEAKERS = "practices.csv, as a practice or a body of today"


def read_wishes(records: Records, practices: Records, services: Codes, findings: Findings) -> tuple[Wish, ...]:
    """Each wish of somebody known for a service that is known. Whether the scale exists is for the scenario to say."""
    people = Codes(SPEAKERS, list(_speakers(records, practices, findings)))
    columns = (records.column(name) for name in ("who", "service", "scale", "strength", "note"))
    known = zip(people.check(records, "who", findings), services.check(records, "service", findings), strict=True)
    return tuple(
        Wish(str(who), str(service), str(scale), strength == FIRM, str(note or ""), line)
        for line, (one, other), who, service, scale, strength, note in zip(records.lines, known, *columns, strict=True)
        if one >= 0 and other >= 0
    )


def read_finances(records: Records, practices: Records, findings: Findings) -> tuple[Finance, ...]:
    """What each practice, or body of today, has and carries over. No practice may be in two rows, which would count its
    money twice."""
    speakers = _speakers(records, practices, findings)
    known = Codes(SPEAKERS, list(speakers)).check(records, "who", findings)
    said: dict[int, int] = {}
    rows = []
    for row, who in enumerate(records.column("who")):
        budget, inherited = records.column("budget")[row], records.column("inherited")[row]
        own = speakers.get(who, frozenset()) if known[row] >= 0 else frozenset()
        twice = [said[practice] for practice in sorted(own) if practice in said]
        if twice:
            findings.problem(
                f"{who!r} holds a practice of line {twice[0]}", records.where(row, "who"),
                "no practice's money counts twice", "give the practices' rows or their body's, not both",
            )  # fmt: skip
        said |= dict.fromkeys(own, records.lines[row])
        if budget is None and inherited is None:
            findings.warn("neither budget nor inherited is given", records.where(row, "budget"))
        rows.append(Finance(str(who), budget, inherited))
    return tuple(rows)


def _speakers(records: Records, practices: Records, findings: Findings) -> dict[str, frozenset[int]]:
    """Code → rows of the practices that it speaks for: practices themselves and bodies of today. A code of two of them
    with different practices is a problem where `records` use it."""
    found: dict[str, set[frozenset[int]]] = {}
    for row, code in enumerate(practices.column("code")):
        found.setdefault(str(code or ""), set()).add(frozenset([row]))
    for heading in (h for h in practices.values if h.startswith("existing_") and not h.endswith("_name")):
        members: dict[str, list[int]] = {}
        for row, code in enumerate(practices.column(heading)):
            members.setdefault(str(code or ""), []).append(row)
        for code, rows in members.items():
            found.setdefault(code, set()).add(frozenset(rows))
    for row, who in enumerate(records.column("who")):
        if len(found.get(str(who), ())) > 1:
            findings.problem(
                f"{who!r} stands for different practices at different scales",
                records.where(row, "who"),
                "whoever is meant is one practice or one body",
                "give its practices a row each",
            )
    return {code: next(iter(sets)) for code, sets in found.items() if code}
