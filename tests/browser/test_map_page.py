"""map.html in a real browser: it asks for nothing, draws something, answers, and lets no name run."""

from __future__ import annotations

import io
import re
import shutil
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from geodata.maps.page import write_map
from geodata.maps.report import write_report
from tests import plans

CHROMIUM = next(filter(None, (shutil.which(name) for name in ("chromium", "chromium-browser"))), None)
pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(CHROMIUM is None, reason="needs Chromium (apt-get install chromium)"),
]
MUST_SAY = (
    "Best for these assumptions",
    "The structure is proved within 2.0 % of the best possible",
    "patient lists of 2010",
    "Contains public sector information.",
    "Invented data",
    "Patient flows partly estimated",
    "Only cash may be compared",
)
NAMES = ("Arle Surgery", plans.HOSTILE, "</script><script>document.title='owned'</script>", "Dunster & Co", *"EFGHIJKL")


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("pages")
    plan = plans.plan(names=NAMES)
    write_map(plan, plans.ground(plan.dataset), folder / "map.html")
    write_report(plan, plans.ground(plan.dataset), folder / "report.html")
    return folder


@pytest.fixture(scope="module")
def browser() -> Iterator:
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox", "--disable-gpu"])
        yield browser
        browser.close()


class Page:
    """An open page and everything it asked for or complained of."""

    def __init__(self, browser, path: Path, width: int = 1200, height: int = 900):
        self.page = browser.new_page(viewport={"width": width, "height": height})
        self.page.set_default_timeout(5_000)
        self.requests: list[str] = []
        self.complaints: list[str] = []
        self.page.on("request", lambda request: self.requests.append(request.url))
        self.page.on("console", lambda message: self.complaints.append(message.text))
        self.page.on("pageerror", lambda error: self.complaints.append(str(error)))
        self.page.on("dialog", lambda dialog: (self.complaints.append(f"dialog {dialog.message}"), dialog.dismiss()))
        self.page.goto(path.as_uri())
        self.page.wait_for_timeout(400)

    def picture(self) -> np.ndarray:
        """The map's pixels, height × width × 3."""
        shot = self.page.locator("#map").screenshot()
        return np.asarray(Image.open(io.BytesIO(shot)).convert("RGB")).astype(int)

    def colours(self) -> set[tuple[int, ...]]:
        """Colours that fill at least 2 % of the map."""
        pixels = self.picture().reshape(-1, 3)
        found, counts = np.unique(pixels, axis=0, return_counts=True)
        return {tuple(map(int, c)) for c, n in zip(found, counts, strict=True) if n > 0.02 * len(pixels)}


@pytest.fixture
def map_page(browser, folder) -> Iterator[Page]:
    opened = Page(browser, folder / "map.html")
    yield opened
    opened.page.close()


@pytest.mark.parametrize("name", ["map.html", "report.html"])
def test_nothing_is_asked_for_and_nothing_goes_wrong(browser, folder, name):
    opened = Page(browser, folder / name)
    if name == "map.html":
        opened.page.locator("#scales label").last.click()
        opened.page.mouse.wheel(0, 300)
    outside = [url for url in opened.requests if not url.startswith(("data:", folder.as_uri()))]
    assert outside == []
    assert len([url for url in opened.requests if url.startswith("file:")]) == 1
    assert opened.complaints == []
    opened.page.close()


def test_the_map_is_not_blank_and_neighbours_differ(map_page):
    assert len(map_page.colours()) >= 3  # sea and two consortia


def test_switching_scale_redraws_map_legend_and_table(map_page):
    page = map_page.page
    assert page.locator("#panel h3").inner_text() == "2 consortia"
    before = map_page.colours()
    page.get_by_role("radio", name=re.compile("localities")).check(force=True)
    page.wait_for_timeout(300)
    assert page.locator("#panel h3").inner_text() == "4 localities"
    assert page.locator("#listing tbody tr").count() == 4
    assert len(map_page.colours() - before) >= 2


def test_a_click_on_a_body_opens_its_measures(map_page):
    page = map_page.page
    box = page.locator("#map").bounding_box()
    page.mouse.click(box["x"] + box["width"] * 0.42, box["y"] + box["height"] * 0.42)
    page.wait_for_timeout(200)
    panel = page.locator("#panel").inner_text()
    assert "consortium-01" in panel and "Cash a head" in panel and "£20.68 per head" in panel
    assert "estimated" in panel  # leverage rests on disaggregated flows
    page.get_by_role("button", name="← All consortia").click()
    assert page.locator("#panel h3").inner_text() == "2 consortia"


@pytest.mark.parametrize("asked", ["arle", "p01", "BA1 1", "ba11aa"])
def test_search_finds_a_practice_by_name_code_or_postcode(map_page, asked):
    page = map_page.page
    page.get_by_label("Find a practice").fill(asked)
    assert page.locator("#found button").first.inner_text().startswith("Arle Surgery")
    page.get_by_label("Find a practice").press("Enter")
    assert page.locator("#panel h3").inner_text() == "Arle Surgery"
    assert "practice P01" in page.locator("#panel").inner_text()


def test_search_without_a_hit_says_so(map_page):
    map_page.page.get_by_label("Find a practice").fill("zzz")
    assert "No practice of that name" in map_page.page.locator("#found").inner_text()


def test_hostile_names_are_shown_and_never_run(map_page, browser, folder):
    page = map_page.page
    page.get_by_role("tab", name="Practices").click()
    text = page.locator("#listing").inner_text()
    assert plans.HOSTILE in text and NAMES[2] in text
    page.get_by_label("Find a practice").fill("<script")
    page.locator("#found button").first.click()
    assert page.locator("#panel h3").inner_text() == plans.HOSTILE
    assert page.title().startswith("Westmoor")
    assert page.locator("img").count() == 0
    assert map_page.complaints == []


def test_an_injected_script_would_not_run(map_page):
    page = map_page.page
    page.evaluate(
        "const s = document.createElement('script'); s.textContent = 'window.ran = 1'; document.body.append(s)"
    )
    assert page.evaluate("window.ran") is None
    assert any("Content Security Policy" in text for text in map_page.complaints)


def test_the_table_sorts_both_ways_with_blanks_last(map_page):
    page = map_page.page
    page.get_by_role("radio", name=re.compile("localities")).check(force=True)

    def patients() -> list[int]:
        cells = page.locator("#listing tbody td:nth-child(3)").all_inner_texts()
        return [int(text.replace(",", "")) for text in cells]

    page.get_by_role("button", name="Patients", exact=True).click()
    assert patients() == sorted(patients(), reverse=True)
    assert page.locator("th[aria-sort=descending]").inner_text().startswith("Patients")
    page.get_by_role("button", name="Patients", exact=True).click()
    assert patients() == sorted(patients())
    assert page.locator("th[aria-sort=ascending]").count() == 1


def test_everything_on_the_map_is_in_the_tables(map_page):
    page = map_page.page
    for tab, count in (("Practices", 12), ("Providers", 3), ("Consortia", 2)):
        page.get_by_role("tab", name=tab).click()
        assert page.locator("#listing tbody tr").count() == count


def test_the_keyboard_alone_chooses_scale_body_and_table(map_page):
    page = map_page.page
    page.locator("#scale-1").focus()
    page.keyboard.press("ArrowRight")
    assert page.locator("#panel h3").inner_text() == "4 localities"
    page.locator("#listing tbody button").first.focus()
    page.keyboard.press("Enter")
    assert "Patients" in page.locator("#panel dl").first.inner_text()
    page.locator("#tab-bodies").focus()
    page.keyboard.press("ArrowRight")
    assert page.locator("#tab-practices").get_attribute("aria-selected") == "true"


def test_the_page_fits_a_telephone(browser, folder):
    opened = Page(browser, folder / "map.html", 390, 844)
    assert opened.page.evaluate("document.documentElement.scrollWidth") <= 390
    assert len(opened.colours()) >= 3
    opened.page.close()


def test_the_paper_shows_who_pays_whom_and_says_it_in_words_and_figures(browser, folder):
    """The alternative text holds the picture's figures, and the table beneath has a row for every provider drawn."""
    plan = plans.plan()
    paid = np.bincount(plan.dataset.flows.provider, weights=plan.dataset.flows.spend).max()
    opened = Page(browser, folder / "report.html", 1200)
    picture = opened.page.locator("section:has(#providers) img")
    assert picture.evaluate("image => image.complete && image.naturalWidth > 600 && image.clientWidth > 600")
    said = picture.get_attribute("alt")
    assert "Bands of spending from 2 consortia to 2 providers" in said
    assert f"£{paid / 1e6:,.2f}m a year by 1" in said and "disaggregated" in said
    table = opened.page.locator("section:has(#providers) table").inner_text()
    assert "Westmoor Royal" in table and "Eastmoor General" in table and "as services are placed" in table
    opened.page.close()


def test_the_words_a_reader_must_see_are_there(browser, folder):
    for name in ("map.html", "report.html"):
        opened = Page(browser, folder / name)
        text = opened.page.locator("body").inner_text()
        for part in MUST_SAY:
            assert part in text, (name, part)
        opened.page.close()
