"""Numbers as people read them, the same on the map, in the report and in figures."""

from __future__ import annotations

from optimiser.wording import percent

SHARES = ("share", "fraction")
COUNTS = ("number", "count", "index", "ratio", "0–1")
YES_NO = "yes = 1"
BANDS = "band:"
MILLION = 1_000_000
EVIDENCE_TAGS = {  # the start of an evidence label → the tag, and what it means
    "observed": ("", ""),
    "modelled": ("modelled", "From the risk model or the function table."),
    "disaggregated": ("estimated", "Known totals spread over practices by a model."),
    "assumed": ("assumed", "Rests on an assumption, or on flows that are assumed."),
    "proxy service": ("assumed", "Another service's flows stand in for this one."),
    "distance only": ("assumed", "Modelled from distance alone."),
    "no flows": ("no flows", "The dataset has no flows for this."),
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
    if unit == YES_NO:
        return "yes" if value else "no"
    if unit.startswith(BANDS):
        bands = dict(part.strip().split(" ", 1) for part in unit.removeprefix(BANDS).split(","))
        return bands.get(f"{value:.0f}", "–")
    return f"{bare(value, unit)} {suffix(unit)}".strip()


def bare(value: object, unit: str) -> str:
    """A measure without the words after it, for a column whose heading says them."""
    if isinstance(value, bool) or not isinstance(value, (int, float)) or value != value or _in_words(unit):
        return show(value, unit)
    return pounds(value) if unit.startswith("£") else _number(value)


def suffix(unit: str) -> str:
    """What follows the number: "per head" of "£ per head", nothing of a share or a count."""
    return "" if _in_words(unit) or unit in COUNTS else unit.removeprefix("£").strip()


def pounds(value: float) -> str:
    """£23.40, £4,312, £1.84m: three figures that matter."""
    sign, size = ("−" if value < 0 else ""), abs(value)
    if size >= MILLION:
        return f"{sign}£{size / MILLION:,.2f}m"
    return f"{sign}£{size:,.0f}" if size >= 1_000 or size == 0 else f"{sign}£{size:,.2f}"


def figure(value: float, unit: str) -> str:
    """A figure of a study in its own unit: "%" is already a percentage, counts keep a decimal where they are small."""
    if unit == "£":
        return f"£{value:,.0f}"
    if unit == "£ a head":
        return f"£{value:,.2f}"
    return f"{value:,.2f} %" if unit == "%" else f"{value:,.2f}" if unit == "ratio" else f"{value:,.1f}"


def evidence_tag(evidence: str) -> tuple[str, str]:
    """The tag of a figure and what it means: none for what was observed; an unknown label is its own tag."""
    for label, tag in EVIDENCE_TAGS.items():
        if evidence.startswith(label):
            return tag
    return (evidence, "")


def _in_words(unit: str) -> bool:
    return unit in SHARES or unit == YES_NO or unit.startswith(BANDS)


def _number(value: float) -> str:
    if float(value).is_integer():
        return f"{value:,.0f}"
    return f"{value:,.0f}" if abs(value) >= 1_000 else f"{value:,.1f}" if abs(value) >= 10 else f"{value:,.2f}"
