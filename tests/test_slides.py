"""Slides: made by rule from the chapters, without solutions, and shown by Chromium from a folder, offline."""

import re
import subprocess
import sys

import nbformat
import pytest

from authoring import chapter as chapters
from classroom import slides
from coursekit import places
from tests import test_browser

pytestmark = pytest.mark.classroom
browser = test_browser.browser  # the fixture
SHOWN = ("01_activations", "11a_transformer")
DRAWN = "11b_training_a_transformer"


@pytest.mark.parametrize("name", chapters.names())
def test_a_deck_shows_little_text_at_once_and_no_solutions(name):
    deck = slides.deck(name)
    nbformat.validate(deck)
    sources = [cell.source for cell in deck.cells]
    assert sources[0].startswith(f"# {chapters.read(name).number} · ")
    text = "\n".join(sources)
    assert "SOLUTION" not in text
    assert "ck.check(" not in text
    assert "### References" not in text
    assert ".ipynb)" not in text
    count = sum("exercise" in chapters.tags(cell) for cell in chapters.read(name).notebook.cells)
    assert text.count("...  # your code here") == count
    kinds = {cell.metadata["slideshow"]["slide_type"] for cell in deck.cells}
    assert kinds <= {"slide", "subslide", "-"}
    for cell in deck.cells:
        if cell.cell_type == "markdown":
            paragraphs = re.split(r"\n\n(?!\s)", cell.source)
            assert len(cell.source.split()) <= slides.WORDS or len(paragraphs) <= 2, cell.source


def test_texts_are_cut_at_headings_and_between_paragraphs():
    long = " ".join(["word"] * 70)
    cells = slides._texts(f"# A\n\n{long}\n\n{long}\n\n### B\n\nshort\n\n### References\n\n- a book", room=False)
    assert [cell.metadata["slideshow"]["slide_type"] for cell in cells] == ["slide", "subslide", "subslide"]
    assert cells[2].source == "### B\n\nshort"
    assert slides._texts("short", room=True)[0].metadata["slideshow"]["slide_type"] == "-"


def test_an_unknown_chapter_is_one_sentence():
    command = [sys.executable, "-m", "classroom.slides", "99"]
    done = subprocess.run(command, cwd=places.ROOT, capture_output=True, text=True)
    assert done.returncode == 1
    assert done.stderr.startswith("There is no chapter '99'; there are 00_start_here")


@pytest.fixture(scope="module")
def page(browser):
    subprocess.run([sys.executable, "-m", "classroom.slides", *SHOWN, DRAWN], cwd=places.ROOT, check=True)
    page = browser.new_page(viewport={"width": 1280, "height": 720})
    page.asked, page.failed = [], []
    page.on("request", lambda request: page.asked.append(request.url))
    page.on("requestfailed", lambda request: page.failed.append(request.url))
    yield page
    page.close()


@pytest.mark.parametrize("name", SHOWN)
def test_a_deck_in_chromium(page, name):
    page.goto((slides.FOLDER / f"{name}.html").as_uri())
    page.wait_for_function("window.Reveal && Reveal.isReady()")
    page.evaluate("MathJax.startup.promise")
    assert page.locator("mjx-container").count() >= 20
    assert page.locator("mjx-merror").count() == 0
    assert page.evaluate("[...document.images].filter(image => image.alt.length < 10).length") == 0
    total = page.evaluate("Reveal.getTotalSlides()")
    assert total > 40
    seen = set()
    for _ in range(total):
        indices = page.evaluate("JSON.stringify(Reveal.getIndices())")
        seen.add(indices)
        cut = page.evaluate(
            "(s => s.scrollWidth > s.clientWidth + 2 || (s.scrollHeight > s.clientHeight + 2 "
            "&& getComputedStyle(s).overflowY !== 'auto'))(Reveal.getCurrentSlide())"
        )
        assert not cut, f"{name}: slide {indices} is cut off"
        page.keyboard.press("Space")
    assert len(seen) == total
    page.keyboard.press("ArrowLeft")
    assert page.evaluate("JSON.stringify(Reveal.getIndices())") in seen
    assert page.get_by_text(re.compile("(BEGIN|END) SOLUTION")).count() == 0
    assert [url for url in page.asked if not url.startswith(("file:", "data:", "blob:"))] == []
    assert page.failed == []


def test_a_scheme_is_drawn_from_the_folder(page):
    page.goto((slides.FOLDER / f"{DRAWN}.html").as_uri())
    page.locator(".drawing svg").first.wait_for(state="attached")
    assert "memory" in page.locator(".drawing svg").first.text_content()
    assert page.locator(".drawing .node").first.locator(".row").all_text_contents() == ["letters", "c a t"]
    assert page.locator("pre.mermaid").count() == 0
    assert [url for url in page.asked if not url.startswith(("file:", "data:", "blob:"))] == []
    assert page.failed == []
