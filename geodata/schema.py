"""The data dictionary: every file of a dataset folder, once. It validates the files and prints their documentation.

A small mechanism of our own rather than pandera: cells must be checked as the text they were written as, with the
line of the file they stand on, before any conversion can lose a leading zero or shift a column; after that little is
left for a data-frame checker to do.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, get_args, get_type_hints

from optimiser.domain import EVIDENCE, Function, Provider

Type = Literal["code", "codes", "text", "whole", "number", "yes/no", "choice", "list"]

PROVIDER_KINDS: tuple[str, ...] = get_args(get_type_hints(Provider)["kind"])
FUNCTION_DELEGABLE: tuple[str, ...] = get_args(get_type_hints(Function)["delegable"])
TIERS = ("lower", "upper")
FIRM = "firm"
STRENGTHS = (FIRM, "soft")
DICTIONARY_FILE = Path("docs") / "data-dictionary.md"


@dataclass(frozen=True)
class Column:
    """A column of a table, a property of a feature or a key of dataset.toml.

    type: "code" and "codes" (several, separated by ";") are text, never numbers. low, high: inclusive limits.
    choices: the allowed values of a "choice" (or of each of "codes"). required: the column must be there and no cell
    may be blank. refers: the file whose key the value must be. name: may hold one "<scale>", for which any scale's
    name may stand. source: who publishes such figures.
    """

    name: str
    type: Type
    description: str
    unit: str = ""
    required: bool = False
    low: float | None = None
    high: float | None = None
    choices: tuple[str, ...] = ()
    refers: str = ""
    source: str = ""

    @property
    def rule(self) -> str:
        """The rule in words, as problems and the documentation give it."""
        kinds = {
            "code": "a code",
            "codes": 'codes separated by ";"',
            "text": "text",
            "whole": "a whole number",
            "number": "a number",
            "yes/no": "yes or no",
            "choice": f"one of {', '.join(self.choices)}",
            "list": "a list of texts",
        }
        words = kinds[self.type]
        if self.type == "codes" and self.choices:
            words = f'some of {", ".join(self.choices)}, separated by ";"'
        if self.low is not None and self.high is not None:
            words += f" from {self.low:g} to {self.high:g}"
        elif self.low is not None:
            words += f" of {self.low:g} or more"
        if self.refers:
            words += f" in {self.refers}"
        return words


@dataclass(frozen=True)
class Table:
    """A file of the dataset folder. key: columns whose values together are unique. required: the file must be there."""

    file: str
    description: str
    columns: tuple[Column, ...]
    key: tuple[str, ...] = ()
    required: bool = False

    def column(self, name: str) -> Column | None:
        """The column that a heading stands for, or None; "existing_pct" stands for "existing_<scale>"."""
        return next((column for column in self._by_length() if _stands_for(name, column.name)), None)

    def _by_length(self) -> Iterator[Column]:
        # The longest pattern first, so that "existing_<scale>_name" is not taken for the scale "<scale>_name".
        return iter(sorted(self.columns, key=lambda column: -len(column.name)))


def _stands_for(heading: str, name: str) -> bool:
    before, pattern, after = name.partition("<scale>")
    if not pattern:
        return heading == name
    return len(heading) > len(before) + len(after) and heading.startswith(before) and heading.endswith(after)


def scale_of(heading: str) -> str:
    """The scale in a heading such as "existing_consortium" or "existing_consortium_name"."""
    return heading.removeprefix("existing_").removesuffix("_name")


_LATITUDE = Column(
    "latitude", "number", "Where it is, WGS84; or give easting and northing", "degrees", source="ONS postcode directory"
)
_LONGITUDE = Column("longitude", "number", "Where it is, WGS84", "degrees", source="ONS postcode directory")
_EASTING = Column(
    "easting",
    "number",
    "Where it is, national grid (EPSG:27700); goes before latitude",
    "m",
    source="OS Code-Point Open",
)
_NORTHING = Column("northing", "number", "Where it is, national grid (EPSG:27700)", "m", source="OS Code-Point Open")

DATASET = Table(
    "dataset.toml",
    "What the data are, when they are from, and under which licence. Travels to every output.",
    (
        Column("name", "text", "Name of the region", required=True),
        Column("price_year", "text", "Year of the prices, such as 2010/11", required=True),
        Column("list_year", "text", "Year of the list sizes", required=True),
        Column("geography_year", "text", "Year of the boundaries", required=True),
        Column("licence", "text", "Licence of the data", required=True),
        Column("attribution", "text", "The words the licence asks for, printed on every map", required=True),
        Column("synthetic", "yes/no", "true when the data are invented"),
        Column("notes", "list", "What a reader must know about the data"),
    ),
    required=True,
)

PRACTICES = Table(
    "practices.csv",
    "One row for each general practice. Coordinates: latitude and longitude, or easting and northing.",
    (
        Column("code", "code", "The practice's code", required=True, source="NHS ODS"),
        Column("name", "text", "The practice's name", required=True, source="NHS ODS"),
        Column("postcode", "text", "Postcode", source="NHS ODS"),
        _LATITUDE,
        _LONGITUDE,
        _EASTING,
        _NORTHING,
        Column(
            "patients",
            "whole",
            "Registered list",
            "people",
            True,
            0,
            source="NHS Digital, patients registered at a GP practice",
        ),
        Column(
            "lower_authority",
            "code",
            "District or unitary authority; blank: found from areas.geojson",
            refers="areas.geojson",
            source="ONS",
        ),
        Column(
            "upper_authority",
            "code",
            "County or unitary authority; blank: found from areas.geojson",
            refers="areas.geojson",
            source="ONS",
        ),
        Column(
            "existing_<scale>", "code", "Code of the body of that scale the practice belongs to today", source="NHS ODS"
        ),
        Column("existing_<scale>_name", "text", "Name of that body", source="NHS ODS"),
        Column(
            "need_index",
            "number",
            "Need per head, 1 = average; blank: 1",
            "ratio",
            low=0,
            source="NHS England allocations",
        ),
        Column(
            "deprivation",
            "number",
            "Index of multiple deprivation, weighted by patients",
            "score",
            low=0,
            high=100,
            source="MHCLG",
        ),
        Column("pct_65plus", "number", "Patients aged 65 and over", "%", low=0, high=100, source="NHS Digital"),
        Column(
            "rural",
            "number",
            "Share of patients in rural areas",
            "fraction",
            low=0,
            high=1,
            source="ONS rural-urban classification",
        ),
        Column("referral_index", "number", "Referrals, 1 = as expected", "ratio", low=0),
        Column("prescribing_index", "number", "Prescribing, 1 = as expected", "ratio", low=0),
        Column("satisfaction_pct", "number", "Patients satisfied", "%", low=0, high=100, source="GP Patient Survey"),
        Column(
            "turnover_pct",
            "number",
            "Turnover: patients who joined the list within the year",
            "%",
            low=0,
            source="NHS Digital, patients registered at a GP practice",
        ),
    ),
    key=("code",),
    required=True,
)

PROVIDERS = Table(
    "providers.csv",
    "One row for each provider of care. A provider without coordinates is located by its flows alone.",
    (
        Column("code", "code", "The provider's code", required=True, source="NHS ODS"),
        Column("name", "text", "The provider's name", required=True, source="NHS ODS"),
        Column("kind", "choice", "What it does", required=True, choices=PROVIDER_KINDS),
        _LATITUDE,
        _LONGITUDE,
        _EASTING,
        _NORTHING,
        Column(
            "income",
            "number",
            "Whole income from all commissioners, those elsewhere included; blank: the sum of its flows",
            "£ a year",
            low=0,
            source="NHS trust accounts",
        ),
        Column("owners", "codes", "Practices that own it", refers="practices.csv"),
    ),
    key=("code",),
    required=True,
)

AREAS = Table(
    "areas.geojson",
    "Local authorities as polygons in longitude and latitude (CRS84), one feature each. Their union is the land. "
    "Where one tier is given, the other has its parent's code, else the same code.",
    (
        Column("code", "code", "The authority's code", required=True, source="ONS"),
        Column("name", "text", "The authority's name", required=True, source="ONS"),
        Column("tier", "choice", "lower (district) or upper (county, unitary)", required=True, choices=TIERS),
        Column("parent", "code", "Upper authority that holds a lower one", source="ONS"),
    ),
    key=("tier", "code"),
    required=True,
)

SERVICES = Table(
    "services.csv",
    "Services to commission. Without this file the bundled catalogue is used.",
    (
        Column("id", "code", "The service's code", required=True),
        Column("name", "text", "The service's name", required=True),
        Column("cases_per_1000", "number", "Cases", "per 1,000 people a year", True, 0),
        Column("cost_per_case", "number", "Mean cost of a case", "£", True, 0),
        Column("case_cv", "number", "Coefficient of variation of a case's cost", "ratio", True, 0),
        Column("natural_scale", "text", "Illustrative scale, for reporting agreement, never to decide"),
        Column("min_population", "whole", "People below which the service is fragile", "people", True, 0),
        Column("tailoring", "whole", "How much local tailoring is worth", "score", True, 0, 3),
        Column("leverage", "whole", "How much weight with the provider matters", "score", True, 0, 3),
        Column("authority_link", "whole", "How closely it works with the local authority", "score", True, 0, 3),
        Column("pathway", "code", "Pathway it is a part of"),
        Column("delegable", "yes/no", "Whether members may hand it to another body", required=True),
        Column("provider_kinds", "codes", "Kinds of provider that deliver it", choices=PROVIDER_KINDS),
        Column("condition_group", "yes/no", "Whether it is for people with one condition; blank: no"),
        Column("provenance", "code", "Mark of where the figures come from; blank: A, assumed"),
        Column("note", "text", "Remark"),
    ),
    key=("id",),
)

FUNCTIONS = Table(
    "functions.csv",
    "Management work, separate from services. Without this file the bundled catalogue is used.",
    (
        Column("id", "code", "The function's code", required=True),
        Column("name", "text", "The function's name", required=True),
        Column("fixed_wte", "number", "Team that every body needs", "whole-time equivalents", True, 0),
        Column(
            "wte_per_100k",
            "number",
            "Team that grows with people",
            "whole-time equivalents per 100,000 people",
            True,
            0,
        ),
        Column("statutory_cost", "number", "Cost where the function is a cost and not a team", "£ a year", True, 0),
        Column("delegable", "choice", "Whether it may be shared or bought", required=True, choices=FUNCTION_DELEGABLE),
        Column("natural_scale", "text", "Illustrative scale, for reporting agreement, never to decide"),
        Column(
            "in_placement", "yes/no", "Whether the placement's contracts already carry its cost per head; blank: no"
        ),
        Column("note", "text", "Remark"),
    ),
    key=("id",),
)

FLOWS = Table(
    "flows.csv",
    "Care given: practice × provider × service. Several rows of one practice, provider and service add up.",
    (
        Column("practice", "code", "Whose patients", required=True, refers="practices.csv"),
        Column("provider", "code", "Who treats them", required=True, refers="providers.csv"),
        Column("service", "code", "For what", required=True, refers="services.csv"),
        Column("activity", "number", "Cases", "a year", True, 0),
        Column("spend", "number", "Spend", "£ a year", True, 0),
        Column("label", "choice", "How well the figure is known", required=True, choices=EVIDENCE),
    ),
)

RELATIONSHIPS = Table(
    "relationships.csv",
    "Who wants to work with whom. Confidential rows steer the search and appear in no output.",
    (
        Column("practice", "code", "Who wishes", required=True, refers="practices.csv"),
        Column("other", "code", "About whom", required=True, refers="practices.csv"),
        Column("strength", "number", "−1 would rather not … 1 wants to", "score", True, -1, 1),
        Column("confidential", "yes/no", "Whether the wish must stay unseen", required=True),
    ),
    key=("practice", "other"),
)

LINKS = Table(
    "links.csv",
    "Pairs of practices to count as neighbours although their catchments do not touch: ferries, bridges, tunnels.",
    (
        Column("from", "code", "One end", required=True, refers="practices.csv"),
        Column("to", "code", "The other end", required=True, refers="practices.csv"),
        Column("kind", "text", "ferry, bridge …"),
        Column("note", "text", "Remark"),
    ),
    key=("from", "to"),
)

CATCHMENTS = Table(
    "catchments.csv",
    "Where the people are who are mostly with a practice, such as the middles of the small areas where it has most of "
    "the registered patients. Its catchment is the land nearest to them; without rows, the land nearest to itself.",
    (
        Column("practice", "code", "The practice", required=True, refers="practices.csv"),
        Column("easting", "number", "Where they are, national grid (EPSG:27700)", "m", True, low=0, high=700_000),
        Column("northing", "number", "Where they are, national grid", "m", True, low=0, high=1_250_000,
               source="NHS England patients by LSOA; ONS population-weighted centroids"),
    ),
)  # fmt: skip

WISHES = Table(
    "wishes.csv",
    "Where practices, or the bodies of today for theirs, would have services commissioned: the answers that a plan "
    "tests. They are printed in the run.",
    (
        Column("who", "code", "Who wishes: a practice's code, or that of a body in an existing_<scale> column", "",
               True, refers="practices.csv"),
        Column("service", "code", "Which service", required=True, refers="services.csv"),
        Column(
            "scale", "code",
            "Where: practice, a scale of the scenario, footprint, authority, region or condition_group", required=True,
        ),
        Column(
            "strength", "choice", "firm: binds where a majority holds it; soft: tested and priced", required=True,
            choices=STRENGTHS,
        ),
        Column("note", "text", "Why, in their words"),
    ),
    key=("who", "service"),
)  # fmt: skip

FINANCES = Table(
    "finances.csv",
    "What practices, or the bodies of today for theirs, have and carry over. What a body has is shared among its "
    "practices by patients and need. Without this file budgets are fair shares alone, and nothing is said of today's.",
    (
        Column("who", "code", "Whose: a practice's code, or that of a body in an existing_<scale> column", "", True,
               refers="practices.csv"),
        Column("budget", "number", "Budget of today, for the services that the plan commissions", "£ a year", low=0,
               source="NHS England allocations; PCT or ICB accounts"),
        Column("inherited", "number", "Carried over: a surplus, or with a minus sign a deficit", "£",
               source="PCT or ICB accounts"),
    ),
    key=("who",),
)  # fmt: skip

BESIDE = ("excluded.csv", "sources.csv", "data-report.html")
"""What imports write beside the tables of a dataset: told of in docs/tutorial.md, read by nobody."""

TABLES = (
    DATASET, PRACTICES, PROVIDERS, AREAS, SERVICES, FUNCTIONS, FLOWS, RELATIONSHIPS, LINKS, CATCHMENTS, WISHES,
    FINANCES,
)  # fmt: skip


def dictionary_markdown() -> str:
    """The documentation of all files, in Markdown: the text of docs/data-dictionary.md."""
    lines = [
        "# Data dictionary",
        "",
        "A dataset is a folder of these files. Printed by `python -m geodata.schema`; do not edit.",
        "",
        "Tables are CSV: UTF-8, commas, one heading row. Codes are text: `00123`, `12E05` and `NA` stay as they are.",
        "Numbers have no thousands separators. A blank cell means unknown; marks such as NaN are refused.",
        "",
        "Other programs read the tables as they are, and so they do those of a run. Keep codes as text:",
        "",
        "```python",
        "import geopandas",
        "import pandas",
        "",
        'practices = pandas.read_csv("DATA/practices.csv", dtype=str)',
        'areas = geopandas.read_file("DATA/areas.geojson")',
        'bodies = pandas.read_csv("RUN/bodies.csv", dtype=str)',
        "```",
        "",
        "```r",
        'practices <- readr::read_csv("DATA/practices.csv", col_types = readr::cols(.default = "c"))',
        'areas <- sf::st_read("DATA/areas.geojson")',
        'consortia <- sf::st_read("RUN/plan.gpkg", layer = "consortium")',
        "```",
        "",
        "In QGIS, drag `areas.geojson` or `plan.gpkg` into a map; add `practices.csv` as delimited text with easting",
        "and northing as its point (EPSG:27700), and every code column as text.",
    ]
    for table in TABLES:
        lines += ["", f"## {table.file}", "", table.description, ""]
        facts = ["required" if table.required else "optional"]
        if table.key:
            facts.append("unique: " + " + ".join(f"`{name}`" for name in table.key))
        lines += [
            f"The file is {'; '.join(facts)}.",
            "",
            "| column | required | rule | unit | meaning | source |",
            "|---|---|---|---|---|---|",
        ]
        for column in table.columns:
            cells = ("yes" if column.required else "", column.rule, column.unit, column.description, column.source)
            lines.append(f"| `{column.name}` | {' | '.join(cells)} |")
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    DICTIONARY_FILE.write_text(dictionary_markdown(), encoding="utf-8")
