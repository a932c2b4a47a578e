"""Wexmark, an invented region: its places, authorities, existing bodies and providers.

Positions are in kilometres from ORIGIN (EPSG:27700), which lies in open sea so that no real place is drawn over.
"""

from __future__ import annotations

from dataclasses import dataclass

ORIGIN = (522_000.0, 462_000.0)
SIZE_KM = 120
REGION = "Wexmark"
PEOPLE = 2_600_000
PRACTICES = 360
SIGNED_PLACE = "Aldersley"
SIGNED_PRACTICES = 14
ISLAND = "Sarnport"
HARBOUR = "Saltmouth"


@dataclass(frozen=True)
class Place:
    """A settlement. spread: standard deviation of its practices' distance along an axis, km. body: existing PCT-like
    body. people: on its practices' lists. giant: size of one very large practice, 0 for none."""

    name: str
    x: float
    y: float
    people: int
    spread: float
    deprivation: float
    over_65: float
    rural: float
    body: str
    giant: int = 0


PLACES = (
    Place("Calderminster", 38.0, 44.0, 222_000, 2.4, 38, 10, 0.0, "5ZA", 38_400),
    Place("Northgate", 36.5, 50.0, 118_000, 1.9, 31, 13, 0.0, "5ZA"),
    Place("Eastfield", 44.5, 45.5, 112_000, 1.9, 35, 12, 0.0, "5ZB"),
    Place("Southbank", 38.0, 38.0, 92_000, 1.7, 30, 14, 0.0, "5ZB"),
    Place("Westholme", 31.0, 43.5, 82_000, 1.7, 17, 17, 0.05, "5ZJ"),
    Place("Oldcastle", 45.5, 53.5, 92_000, 1.8, 21, 16, 0.1, "5ZC"),
    Place("Millbrook", 47.5, 37.5, 100_000, 1.9, 23, 15, 0.05, "5ZB"),
    Place("Harcourt Green", 28.5, 35.5, 90_000, 1.9, 12, 19, 0.1, "5ZJ"),
    Place("Saltmouth", 84.0, 57.0, 214_000, 2.6, 36, 20, 0.05, "5ZF", 31_200),
    Place("Eastering", 86.5, 75.0, 60_000, 1.8, 33, 27, 0.2, "5ZF"),
    Place("Whitsand", 81.0, 94.0, 46_000, 1.7, 29, 29, 0.3, "5ZD"),
    Place("Gull Bay", 86.0, 38.5, 56_000, 1.8, 31, 28, 0.25, "5ZG"),
    Place("Wexbourne", 58.0, 77.0, 168_000, 2.4, 20, 17, 0.15, "5ZE"),
    Place("Aldersley", 27.5, 73.0, 82_000, 1.4, 15, 20, 0.35, "5ZC"),
    Place("Fenwick Cross", 17.0, 57.0, 64_000, 1.7, 19, 19, 0.4, "5ZC"),
    Place("Kelverton", 20.0, 93.0, 70_000, 1.8, 18, 21, 0.45, "5ZD"),
    Place("Stoke Marsham", 43.0, 95.0, 60_000, 1.7, 14, 22, 0.45, "5ZD"),
    Place("Priorsford", 66.0, 95.0, 50_000, 1.6, 16, 21, 0.45, "5ZD"),
    Place("Ottermere", 65.0, 61.0, 64_000, 1.7, 17, 20, 0.35, "5ZE"),
    Place("Marlhaven", 67.0, 22.0, 178_000, 2.4, 34, 17, 0.05, "5ZG"),
    Place("Hartsmere", 61.0, 37.0, 50_000, 1.6, 13, 20, 0.35, "5ZH"),
    Place("Dunsford Regis", 45.0, 20.0, 94_000, 2.0, 18, 19, 0.25, "5ZH"),
    Place("Lamberton", 22.0, 19.0, 76_000, 1.9, 22, 19, 0.35, "5ZJ"),
    Place("Sarnport", 106.0, 36.5, 44_000, 3.2, 25, 28, 0.6, "5ZF"),
)

CONSORTIA = {
    "5ZA": "Calderminster Central and North",
    "5ZB": "Calderminster East and Millbrook",
    "5ZC": "Aldersdale",
    "5ZD": "North Wold and Whitsand",
    "5ZE": "Wexbourne and Ottermere",
    "5ZF": "Saltmouth, Eastering and Sarn",
    "5ZG": "Marlhaven and Gull Bay",
    "5ZH": "Dunsford and Hartsmere",
    "5ZJ": "Lamberton, Harcourt and Westholme",
}
ALLIANCES = {
    "QZ1": ("Calderminster cluster", ("5ZA", "5ZB")),
    "QZ2": ("Wexshire cluster", ("5ZC", "5ZD", "5ZE")),
    "QZ3": ("Coastal cluster", ("5ZF", "5ZG")),
    "QZ4": ("South and West cluster", ("5ZH", "5ZJ")),
}
AGENCY = ("0ZA", "Wexmark Commissioning Support")
FINANCES = {  # body of today → how far above its fair share its budget is, and what it carries over, parts of a budget
    "5ZA": (0.034, -0.011),
    "5ZB": (0.021, 0.0),
    "5ZC": (-0.018, 0.004),
    "5ZD": (-0.042, 0.002),
    "5ZE": (-0.009, 0.0),
    "5ZF": (0.012, -0.019),
    "5ZG": (-0.027, -0.006),
    "5ZH": (0.008, 0.003),
    "5ZJ": (-0.015, 0.0),
}
BUDGET_PER_HEAD = 1_436  # £, as the catalogue's services add up to
WISHES = (  # who, service, scale, strength, note: scales that every scenario plans where they are firm
    ("5ZA", "S18", "region", "firm", "One ambulance service for everybody"),
    ("5ZA", "S20", "footprint", "soft", "Our hospital serves the east of the city too"),
    ("5ZB", "S20", "region", "soft", ""),
    ("5ZC", "S24", "alliance", "soft", ""),
    ("5ZC", "S40", "authority", "soft", "With the county, which does the social care"),
    ("5ZD", "S04", "practice", "firm", "Prescribing belongs with whoever prescribes"),
    ("5ZF", "S28", "consortium", "soft", "The coast keeps its own stroke unit"),
    ("5ZF", "S05", "locality", "soft", ""),
    ("5ZG", "S32", "consortium", "soft", ""),
    ("5ZJ", "S25", "footprint", "soft", ""),
    ("Z81001", "S18", "footprint", "firm", "With the neighbouring city alone"),
    ("Z83006", "S10", "locality", "soft", "One of us is a dermatologist"),
)


@dataclass(frozen=True)
class Council:
    """A lower-tier authority; a unitary is its own parent. anchors: (x, y, radius km): land goes to the nearest anchor,
    measured from its radius."""

    code: str
    name: str
    parent: str
    anchors: tuple[tuple[float, float, float], ...]


COUNCILS = (
    Council("Z06000001", "Calderminster", "Z06000001",
            ((38, 44, 4), (36.5, 50, 3.5), (44.5, 45.5, 3), (38, 38, 3), (31, 43.5, 3))),
    Council("Z06000002", "Saltmouth", "Z06000002", ((84, 57, 6), (86.5, 66, 3))),
    Council("Z06000003", "Isle of Sarn", "Z06000003", ()),
    Council("Z07000001", "North Wold", "Z10000001", ((20, 93, 5), (43, 95, 5), (62, 98, 5), (81, 97, 3))),
    Council("Z07000002", "Aldersdale", "Z10000001", ((27.5, 73, 5), (17, 57, 5), (45.5, 54.5, 3.5), (33, 58, 3))),
    Council("Z07000003", "Wexbourne", "Z10000001", ((58, 77, 7), (65, 61, 4), (86.5, 77, 5))),
    Council("Z07000004", "Calder Vale", "Z10000002", ((28.5, 35.5, 4), (47.5, 36.5, 4), (22, 19, 5),
            (45, 20, 5), (38, 29, 4), (17, 42, 4))),
    Council("Z07000005", "Marl Coast", "Z10000002", ((67, 22, 6), (61, 36.5, 5), (86, 38.5, 5))),
)  # fmt: skip
COUNTIES = {"Z10000001": "Wexshire", "Z10000002": "Marlshire"}
ISLAND_COUNCIL = "Z06000003"


@dataclass(frozen=True)
class Seller:
    """A provider. offers: (service ids, pull, reach km): its share of a practice's cases is as pull × exp(−km / reach).
    elsewhere: share of income earned outside the region. at: place it stands at, "" for one that is everywhere.
    owned: how many of the practices nearest to it own it."""

    code: str
    name: str
    kind: str
    at: str
    elsewhere: float
    offers: tuple[tuple[str, float, float], ...]
    owned: int = 0


_GENERAL = "S10 S11 S12 S13 S24"
_EMERGENCY = "S17 S20 S21 S25 S27 S28 S39"
_PLANNED = "S22 S23 S50 S51"
_NETWORK = "S30 S31 S33 S36 S52"
_TERTIARY = "S26 S29 S32 S34 S35 S37 S38 S53"

SELLERS = (
    Seller("RZ1", "Calderminster Teaching Hospitals", "acute", "Calderminster", 0.14,
           ((_GENERAL, 2.2, 11), (_EMERGENCY, 2.0, 9), (_PLANNED, 2.6, 13), (_NETWORK, 6, 22), (_TERTIARY, 10, 30))),
    Seller("RZ2", "Wexbourne County Hospital", "acute", "Wexbourne", 0.06,
           ((_GENERAL, 1.2, 11), (_EMERGENCY, 1.2, 9), (_PLANNED, 1.3, 13), (_NETWORK, 1, 18))),
    Seller("RZ3", "Saltmouth and Coast Hospitals", "acute", "Saltmouth", 0.02,
           ((_GENERAL, 1.3, 11), (_EMERGENCY, 1.2, 9), (_PLANNED, 1.2, 13), (_NETWORK, 1.6, 18),
            ("S26 S29", 1.2, 24))),
    Seller("RZ4", "Marlhaven Infirmary", "acute", "Marlhaven", 0.10,
           ((_GENERAL, 1.1, 11), (_EMERGENCY, 1.1, 9), (_PLANNED, 1.1, 13), (_NETWORK, 1, 18))),
    Seller("RZ5", "Lamberton District Hospital", "acute", "Lamberton", 0.28,
           ((_GENERAL, 0.8, 11), (_EMERGENCY, 0.8, 9), (_PLANNED, 0.7, 13))),
    Seller("RZM", "Calder and Marl Mental Health Partnership", "mental_health", "Southbank", 0.05,
           (("S09 S40 S42 S43 S45 S49", 1.6, 8), ("S41 S44", 2, 25))),
    Seller("RZN", "Wexshire and Coast Mental Health", "mental_health", "Ottermere", 0.09,
           (("S09 S40 S42 S43 S45 S49", 1.4, 9), ("S41", 1, 25))),
    Seller("RZC", "Wexshire Community Health", "community", "Stoke Marsham", 0.04,
           (("S05 S06 S07 S08 S47 S48", 3.2, 9), ("S13 S16 S24 S42 S45 S46", 0.5, 9), ("S10 S50 S51", 0.3, 12))),
    Seller("RZD", "Calder and Marl Community Services", "community", "Millbrook", 0.03,
           (("S05 S06 S07 S08 S47 S48", 1.4, 8), ("S13 S16 S24 S42 S45 S46", 0.3, 8), ("S10 S50 S51", 0.3, 12))),
    Seller("RZX", "Wexmark and Borders Ambulance Service", "ambulance", "Oldcastle", 0.42,
           (("S15 S18 S19", 1, 500),)),
    Seller("NZ1", "Neurological Conditions Alliance", "third_sector", "Priorsford", 0.20, (("S51", 1.2, 60),)),
    Seller("NZ2", "Aldersley Practices Limited", "practice_owned", "Aldersley", 0.0,
           (("S02 S03", 1.5, 4), ("S10", 6, 4), ("S14 S16", 2, 6)), 10),
    Seller("NZ3", "Eastern Calder Primary Care", "practice_owned", "Eastfield", 0.0,
           (("S02 S03", 1.2, 3), ("S10", 2, 3), ("S14 S16", 1.5, 4)), 12),
    Seller("NZ4", "Calder Eye and Surgical Centre", "independent", "Westholme", 0.30,
           (("S11 S12", 0.7, 12), ("S22 S23", 0.4, 14))),
    Seller("NZ5", "Marl Treatment Centre", "independent", "Hartsmere", 0.15,
           (("S12 S22", 0.5, 12), ("S23", 0.3, 12), ("S07", 0.15, 9))),
    Seller("NZ6", "Harbour Out-of-Hours Care", "independent", "Eastering", 0.05, (("S14", 1.4, 40), ("S19", 0.12, 30))),
    Seller("NZ7", "Kelver Secure Care", "independent", "Kelverton", 0.65, (("S41 S44", 0.9, 60),)),
    Seller("ZZ1", "Community pharmacies", "other", "", 0.0, (("S04", 1, 1),)),
    Seller("ZZ2", "Practices' own enhanced services", "other", "", 0.0, (("S02 S03", 1, 1),)),
    Seller("ZZ3", "Care homes and home care", "other", "", 0.0, (("S46", 1, 1), ("S08", 0.03, 1))),
    Seller("ZZ4", "Personal health budgets", "other", "", 0.0, (("S54", 1, 1),)),
)  # fmt: skip

VILLAGE_FIRST = (
    "Ash", "Black", "Bram", "Calver", "Cold", "Dray", "East", "Elms", "Farn", "Gors", "Hasel", "Holm", "Ivy",
    "Kings", "Lang", "Lark", "Mickle", "Nether", "Oak", "Over", "Pens", "Quern", "Rams", "Sedge", "Skel", "Thorn",
    "Upper", "Wend", "Whin", "Yarrow",
)  # fmt: skip
VILLAGE_LAST = (
    "beck", "bourne", "by", "combe", "den", "field", "ford", "ham", "ley", "mere", "stow", "thorpe", "ton", "wick",
)  # fmt: skip
STREETS = (
    "Abbey Road", "Albion Street", "Ash Grove", "Bank Street", "Beacon Hill", "Beech House", "Bishop's Gate",
    "Bridge Street", "Castle Street", "Cedar House", "Chapel Lane", "Church Street", "Cornmarket", "Cross Keys",
    "Dock Road", "Drovers Way", "Elm Bank", "Fairfield", "Ferry Lane", "Field House", "Forge Lane", "Foundry Road",
    "Gas Street", "George Street", "Grange Road", "Green Lane", "Guildhall", "Hawthorn", "Heath Road",
    "High Street", "Hill Rise", "Holly Bank", "Hope Street", "Ivy Lodge", "Jubilee", "Kiln Lane", "Lady Well",
    "Larch House", "Lime Tree", "Long Row", "Manor Road", "Market Place", "Meadow View", "Mill Lane",
    "Minster Yard", "Moor Lane", "Nelson Street", "Northfield", "Oak Tree", "Old Bakery", "Old School", "Orchard",
    "Paddock", "Parade", "Park Lane", "Pier Road", "Pinfold", "Priory", "Quay Side", "Queen Street",
    "Railway Terrace", "Rectory Lane", "Riverside", "Rope Walk", "Rowan House", "Saddlers", "School Lane",
    "Silver Street", "Spring Gardens", "Station Road", "Stone Cross", "Sycamore", "Tanners Row", "The Green",
    "Tithe Barn", "Tower Street", "Union Street", "Victoria Road", "Viaduct", "Walnut Tree", "Water Lane",
    "Weavers", "Well Street", "West Street", "Wharf Road", "White House", "Willow", "Windmill", "Woodside",
    "Yew Tree",
)  # fmt: skip
KINDS = ("Surgery", "Medical Centre", "Medical Practice", "Health Centre", "Group Practice")
