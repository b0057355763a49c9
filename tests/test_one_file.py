"""The one HTML file of chapter 15a, made by the chapter's own cells, in headless Chromium without a network."""

import numpy as np
import pytest

from authoring import chapter as chapters
from tests.test_browser import CHROMIUM, FLAGS

pytestmark = pytest.mark.browser
CELLS = ("import base64", "def network(", "report = ck.data", "ARITHMETIC = ", "ANSWER = ", "PAGE = ")


@pytest.fixture(scope="module")
def cells(tmp_path_factory):
    """What the chapter's names stand for after the cells that make the page; the page lies in cells["place"]."""
    import coursekit as ck

    ck.start()
    space = {"ck": ck, "place": tmp_path_factory.mktemp("page")}
    sources = [cell.source for _, cell in chapters.read("15a_saving_a_model").cells()]
    for beginning in CELLS:
        (source,) = [source for source in sources if source.lstrip().startswith(beginning)]
        exec(source, space)
    return space


@pytest.fixture
def page(cells):
    from playwright.sync_api import sync_playwright

    assert CHROMIUM, "Chromium is missing: `apt-get install chromium` (.ci/run does it)"
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        page = chromium.new_context(offline=True).new_page()
        page.errors = []
        page.on("pageerror", lambda error: page.errors.append(str(error)))
        page.goto((cells["place"] / "clothes.html").as_uri())
        yield page
        chromium.close()


def test_the_page_agrees_with_keras_and_says_so(page, cells):
    said = page.locator("#check").inner_text()
    assert float(said.split(":")[1]) < 1e-4, said
    for number, wanted in enumerate(cells["wanted"][:10]):
        got = page.evaluate(f"classify(DATA.pictures[{number}].map((grey) => grey / 255))")
        assert np.allclose(got, wanted, atol=1e-5)
    assert page.errors == []


def test_each_button_names_the_class(page, cells):
    buttons = page.get_by_role("button")
    assert buttons.count() == 10
    for number, wanted in enumerate(cells["wanted"][:10]):
        buttons.nth(number).click()
        expected = f"{cells['class_names'][wanted.argmax()]}, {100 * wanted.max():.1f} %"
        assert page.locator("#answer").inner_text() == expected
    assert page.errors == []
