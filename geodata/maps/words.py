"""Numbers as people read them, the same on the map, in the report and in figures."""

from __future__ import annotations

from geodata.summary import percent

SHARES = ("share", "fraction", "0–1")
COUNTS = ("number", "count", "index")
MILLION = 1_000_000
OBSERVED = ("observed", "")
EVIDENCE_NOTES = {
    "disaggregated": "Estimated: known totals spread over practices by a model.",
    "proxy service": "Assumed: another service's flows stand in for this one.",
    "distance only": "Assumed: modelled from distance alone.",
}


def show(value: object, unit: str) -> str:
    """A measure with its unit: shares as percentages, pounds with the sign in front, an en dash for what is missing."""
    if value is None or value == "":
        return "–"
    if not isinstance(value, (int, float)) or isinstance(value, bool):
        return str(value)
    if value != value:
        return "–"
    if unit in SHARES:
        return percent(value)
    return f"{bare(value, unit)} {suffix(unit)}".strip()


def bare(value: object, unit: str) -> str:
    """A measure without the words after it, for a column whose heading says them."""
    if isinstance(value, bool) or not isinstance(value, (int, float)) or value != value or unit in SHARES:
        return show(value, unit)
    return pounds(value) if unit.startswith("£") else _number(value)


def suffix(unit: str) -> str:
    """What follows the number: "per head" of "£ per head", nothing of a share or a count."""
    return "" if unit in SHARES or unit in COUNTS else unit.removeprefix("£").strip()


def pounds(value: float) -> str:
    """£23.40, £4,312, £1.84m: three figures that matter."""
    sign, size = ("−" if value < 0 else ""), abs(value)
    if size >= MILLION:
        return f"{sign}£{size / MILLION:,.2f}m"
    return f"{sign}£{size:,.0f}" if size >= 1_000 or size == 0 else f"{sign}£{size:,.2f}"


def evidence_tag(evidence: str) -> str:
    """ "" for what was observed, else "estimated" or "assumed"."""
    if evidence in OBSERVED:
        return ""
    return "estimated" if evidence == "disaggregated" else "assumed"


def _number(value: float) -> str:
    if float(value).is_integer():
        return f"{value:,.0f}"
    return f"{value:,.0f}" if abs(value) >= 1_000 else f"{value:,.1f}" if abs(value) >= 10 else f"{value:,.2f}"
