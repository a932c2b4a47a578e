"""plan.xlsx, for people who work in spreadsheets: typed columns, frozen headings, notes; no text runs as a formula."""

from __future__ import annotations

import datetime
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import xlsxwriter

from geodata import (
    breakaway_table,
    budget_tables,
    cost_tables,
    force_tables,
    pin_table,
    plan_tables,
    provider_tables,
    risk_tables,
    service_tables,
    summary,
    why_tables,
)
from geodata.arrangement import Arrangement
from geodata.plan_tables import Column, Table

if TYPE_CHECKING:
    from optimiser.domain import DatasetInfo
    from optimiser.plan import Plan

# No clock in any output: the same plan gives the same bytes.
CREATED = datetime.datetime(2000, 1, 1)
FORMATS: Mapping[str, Mapping[str, object]] = {
    "text": {"text_wrap": False},
    "whole": {"num_format": "#,##0"},
    "number": {"num_format": "#,##0.00"},
    "money": {"num_format": "£#,##0"},
    "share": {"num_format": "0.0%"},
    "small money": {"num_format": "£#,##0.00"},
    "heading": {"bold": True, "font_color": "#FFFFFF", "bg_color": "#1D3B53", "text_wrap": True, "valign": "top"},
    "title": {"bold": True, "font_size": 16},
    "lead": {"font_size": 11, "text_wrap": True, "valign": "top"},
    "strong": {"bold": True},
    "quiet": {"font_color": "#52616B", "text_wrap": True, "valign": "top"},
}
WIDEST, NARROWEST = 46, 9
SHEET_NAME_LENGTH = 31
FORBIDDEN_IN_SHEET_NAMES = "[]:*?/\\"


class _Book:
    """The open workbook with its formats: what every sheet needs."""

    def __init__(self, path: Path):
        self.file = xlsxwriter.Workbook(
            str(path), {"strings_to_formulas": False, "strings_to_urls": False, "strings_to_numbers": False}
        )
        self.formats = {name: self.file.add_format(dict(options)) for name, options in FORMATS.items()}
        self._used: set[str] = set()

    def sheet(self, title: str) -> Any:
        """A new sheet; its name cut and numbered where Excel would refuse it."""
        name = "".join(" " if c in FORBIDDEN_IN_SHEET_NAMES else c for c in title).strip("'")[:SHEET_NAME_LENGTH]
        number = 2
        while name.lower() in self._used:
            name = f"{name[: SHEET_NAME_LENGTH - 3]} {number}"
            number += 1
        self._used.add(name.lower())
        sheet = self.file.add_worksheet(name)
        sheet.set_landscape()
        sheet.fit_to_pages(1, 0)
        return sheet


def write_workbook(plan: Plan, path: Path) -> None:
    """Write plan.xlsx.

    Summary, scorecard beside today's, bodies by scale, practices, placement, the five questions, wishes, the four
    factors, contracts, power with providers, functions, what it costs and for whom, allowances, suppliers, one officer
    for several, budgets, who would be better off elsewhere, insurance risk, its levers and pools, service risk,
    published figures reproduced, assumptions, sensitivity.
    """
    book = _Book(path)
    book.file.set_properties({
        "title": plan.scenario.title,
        "subject": plan.dataset.info.name,
        "comments": plan.dataset.info.attribution,
        "created": CREATED,
    })  # fmt: skip
    with book.file:
        _summary(book, plan)
        _table(book, force_tables.comparison(plan), "Scorecard vs today", hide=("measure",))
        bodies = plan_tables.bodies(plan)
        for scale in reversed(plan.scenario.scales):
            own = tuple(row for row in bodies.rows if row[0] == scale.name)
            _table(book, Table("bodies", "", bodies.columns, own), plan_tables.capital(scale.plural), hide=("scale",))
        for table, title in (
            (pin_table.pins(plan), "Decided beforehand"),
            (plan_tables.practices(plan), "Practices"),
            (service_tables.placement(plan), "Placement"),
            (service_tables.five_questions(plan), "Five questions"),
            (why_tables.wishes_answered(plan), "Wishes"),
            (why_tables.factors(plan), "Four factors"),
            (service_tables.contracts(plan), "Contracts"),
            (provider_tables.provider_power(Arrangement.of(plan)), "Power with providers"),
            (service_tables.functions(plan), "Functions"),
            (cost_tables.costs(plan), "What it costs"),
            (cost_tables.function_costs(plan), "Costs by function"),
            (cost_tables.teams(plan), "Whose teams"),
            (cost_tables.allowances(plan), "Against allowances"),
            (cost_tables.suppliers(plan), "Suppliers compared"),
            (cost_tables.shared_officer(plan), "One officer for several"),
            (budget_tables.budgets(plan), "Budgets"),
            (budget_tables.budget_changes(plan), "Gainers and losers"),
            (breakaway_table.breakaway(plan), "Better off elsewhere"),
            (risk_tables.insurance_risk(plan), "Insurance risk"),
            (risk_tables.risk_levers(plan), "Risk levers"),
            (risk_tables.risk_pools(plan), "Risk pools"),
            (risk_tables.risk_contributions(plan), "Contributions to pools"),
            (risk_tables.service_risk(plan), "Service risk"),
            (risk_tables.service_exposures(plan), "Exposure to providers"),
            (risk_tables.validation(plan), "Published and reproduced"),
            (force_tables.assumptions(plan), "Assumptions"),
            (force_tables.sensitivity(plan), "Sensitivity"),
        ):
            if table is not None:
                _table(book, table, title)


def write_book(path: Path, title: str, info: DatasetInfo, lead: Sequence[str], tables: Sequence[Table]) -> None:
    """A workbook of tables, a sheet each, after a first sheet of sentences (`lead`) and what travels with the data."""
    book = _Book(path)
    book.file.set_properties({"title": title, "subject": info.name, "comments": info.attribution, "created": CREATED})
    with book.file:
        sheet = book.sheet("Summary")
        sheet.hide_gridlines(2)
        sheet.set_column(0, 0, 120)
        sheet.write_string(0, 0, f"{info.name}: {title}", book.formats["title"])
        for row, text in enumerate((*lead, f"Licence: {info.licence}", info.attribution), start=2):
            sheet.write_string(row, 0, text, book.formats["lead"])
            sheet.set_row(row, 16 * (1 + len(text) // 120))
        for table in tables:
            _table(book, table, table.title)


def _summary(book: _Book, plan: Plan) -> None:
    sheet = book.sheet("Summary")
    sheet.hide_gridlines(2)
    sheet.set_column(0, 0, 44)
    sheet.set_column(1, 6, 18)
    formats = book.formats
    sheet.write_string(0, 0, f"{plan.dataset.info.name}: {plan.scenario.title}", formats["title"])
    sheet.merge_range(1, 0, 1, 6, plan.scenario.question, formats["quiet"])
    sheet.merge_range(2, 0, 2, 6, summary.headline(plan), formats["lead"])
    sheet.set_row(2, 34)
    row = 4
    money = summary.money(plan)
    facts: tuple[tuple[str, float, str], ...] = (
        ("Total, £-equivalent a year", plan.objective, "money"),
        ("Bounds of structure and placement, added (conditional)", plan.bound, "money"),
        ("Gap", summary.gap(plan), "share"),
        ("Gap, of the cost that a decision can change", summary.gap_avoidable(plan), "share"),
        ("of which cash", money["cash"], "money"),
        ("of which expected (financial risk)", money["expected"], "money"),
        ("of which notional (a judgement in pounds)", money["notional"], "money"),
        ("Price of nesting one scale in another", plan.price_of_nesting, "money"),
        *((f"Apart, changed by no decision: {name}", pounds, "money") for name, pounds in plan.outside.items()),
    )
    for label, value, kind in facts:
        sheet.write_string(row, 0, label)
        sheet.write_number(row, 1, value, formats[kind])
        row += 1
    row = _block(
        book,
        sheet,
        row + 1,
        ("Scale", "Bodies", "Smallest", "Median", "Largest", "£ a year", "Gap"),
        (
            (plan_tables.capital(s["plural"]), s["bodies"], s["patients"]["smallest"], s["patients"]["median"],
             s["patients"]["largest"], s["objective"], s["gap"])
            for s in summary.summary(plan)["scales"].values()
        ),
        ("text", "whole", "whole", "whole", "whole", "money", "share"),
    )  # fmt: skip
    forces = force_tables.forces(plan)
    row = _block(
        book, sheet, row + 1,
        ("Force", "Kind of money", "£-equivalent a year", "Share of the total", "Of avoidable cost"),
        ((r[1], r[2], r[3], r[4], r[5]) for r in forces.rows), ("text", "text", "money", "share", "share"),
    )  # fmt: skip
    sheet.write_string(row + 1, 0, "Read before use", formats["strong"])
    notes = (
        summary.vintage_line(plan),
        "Totals add cash, expected and notional money; only cash may be compared with an allowance.",
        *((summary.CONDITIONAL,) if plan.placement is not None else ()),
        *summary.warnings(plan),
        *plan.dataset.info.notes,
        f"Licence: {plan.dataset.info.licence}",
        plan.dataset.info.attribution,
    )
    for offset, text in enumerate(notes, start=row + 2):
        sheet.merge_range(offset, 0, offset, 6, "", formats["quiet"])
        sheet.write_string(offset, 0, text, formats["quiet"])
        sheet.set_row(offset, 15 * (1 + len(text) // 140))


def _block(
    book: _Book, sheet: Any, row: int, heads: Iterable[str], rows: Iterable[tuple], kinds: tuple[str, ...]
) -> int:
    for column, head in enumerate(heads):
        sheet.write_string(row, column, head, book.formats["heading"])
    for values in rows:
        row += 1
        for column, (value, kind) in enumerate(zip(values, kinds, strict=True)):
            _cell(book, sheet, row, column, value, kind)
    return row + 1


def _table(book: _Book, table: Table, title: str, hide: tuple[str, ...] = ()) -> None:
    """One table, one sheet: frozen heading and filter, each heading's note as a comment, widths that fit."""
    sheet = book.sheet(title)
    columns = [(n, c) for n, c in enumerate(table.columns) if c.name not in hide]
    units = [str(record.get("unit", "")) for record in table.records()]
    for at, (n, column) in enumerate(columns):
        sheet.write_string(0, at, column.title, book.formats["heading"])
        if column.note:
            sheet.write_comment(0, at, column.note, {"x_scale": 1.4, "y_scale": 0.6})
        for row, values in enumerate(table.rows, start=1):
            _cell(book, sheet, row, at, values[n], _format(column, values[n], units[row - 1]))
        sheet.set_column(at, at, _width(column, [values[n] for values in table.rows]))
    sheet.set_row(0, 48)
    sheet.freeze_panes(1, 2 if len(columns) > 2 else 1)
    sheet.autofilter(0, 0, max(len(table.rows), 1), len(columns) - 1)
    sheet.repeat_rows(0)


def _cell(book: _Book, sheet: Any, row: int, column: int, value: object, kind: str) -> None:
    value = summary.plain(value)
    if value is None:
        sheet.write_blank(row, column, None, book.formats[kind])
    elif isinstance(value, str):
        sheet.write_string(row, column, value, book.formats["text"])
    else:
        sheet.write_number(row, column, value, book.formats[kind])


def _format(column: Column, value: object, unit: str) -> str:
    """The column's format, or where rows carry their own unit, the one that fits it."""
    kind: str = column.kind
    if kind == "number" and unit:
        kind = "share" if unit == "share" else "money" if unit.startswith("£") else "number"
    small = kind == "money" and isinstance(value, float) and abs(value) < 1_000 and not value.is_integer()
    return "small money" if small else kind


def _width(column: Column, values: list[object]) -> float:
    if column.kind != "text":
        return max(13, NARROWEST)
    longest = max((len(str(v)) for v in values if v is not None), default=0)
    return min(max(longest + 2, NARROWEST, min(len(column.title), 16)), WIDEST)
