"""The site in Chromium: built in time and without a warning, complete, readable on a phone and by keyboard, offline."""

import functools
import html.parser
import http.server
import pathlib
import subprocess
import threading
import time
import urllib.parse

import pytest

from authoring import chapter as chapters
from coursekit import places
from tests import test_browser

pytestmark = pytest.mark.book
browser = test_browser.browser  # the fixture
SITE = places.ROOT / "build" / "book"
SECONDS = 120
PHONE, DESKTOP = {"width": 390, "height": 844}, {"width": 1280, "height": 900}


@pytest.fixture(scope="module")
def site():
    """The site, built anew; yields its pages, as paths relative to it."""
    if SITE.exists():
        subprocess.run(["rm", "-r", SITE], check=True)
    began = time.perf_counter()
    done = subprocess.run(["make", "book"], cwd=places.ROOT, capture_output=True, text=True)
    seconds = time.perf_counter() - began
    assert done.returncode == 0, done.stdout + done.stderr
    assert "WARNING" not in done.stdout + done.stderr
    print(f"\nbuilt in {seconds:.0f} s")
    assert seconds < SECONDS
    return sorted(str(path.relative_to(SITE)) for path in SITE.rglob("*.html") if "_static" not in path.parts)


@pytest.fixture(scope="module")
def address(site):
    class Quiet(http.server.SimpleHTTPRequestHandler):
        def log_message(self, *arguments):
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Quiet, directory=str(SITE)))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()


@pytest.fixture
def page(browser, address):
    """A page that notes every request that leaves the site, in page.outside."""
    page = browser.new_page(viewport=DESKTOP)
    page.set_default_timeout(60_000)
    page.outside = []

    def look(route):
        if not route.request.url.startswith((address, SITE.as_uri(), "data:")):
            page.outside.append(route.request.url)
            route.abort()
        else:
            route.continue_()

    page.route("**/*", look)
    yield page
    page.close()


def ready(page):
    """Wait until formulas are drawn and pictures are loaded."""
    page.wait_for_load_state("load")
    page.evaluate("window.MathJax && MathJax.startup ? MathJax.startup.promise : null")


def test_the_pages_are_all_there(site):
    expected = {f"chapters/{name}.html" for name in chapters.names()}
    expected |= {f"{name}.html" for name in ("index", "glossary", "claims", "facts")}
    assert expected <= set(site)


def test_on_a_phone_no_page_is_wider_than_the_screen_and_none_asks_elsewhere(site, page, address):
    page.set_viewport_size(PHONE)
    wide, formulas = {}, 0
    for name in site:
        page.goto(f"{address}/{name}")
        ready(page)
        width = page.evaluate("document.documentElement.scrollWidth")
        if width > PHONE["width"]:
            wide[name] = width
        formulas += page.locator("mjx-container").count()
        left = page.evaluate("document.querySelectorAll('mjx-merror, .math:not(:has(mjx-container))').length")
        assert left == 0, f"{name}: {left} formulas with an error, or not drawn"
        without = page.evaluate("[...document.images].filter(image => image.alt.length < 10).map(image => image.src)")
        assert without == [], name
        broken = page.evaluate("[...document.images].filter(image => image.complete && !image.naturalWidth).length")
        assert broken == 0, name
    assert wide == {}
    assert formulas > 500
    assert page.outside == []


def test_every_chapter_folds_its_solutions_and_leaves_out_what_only_a_notebook_can_do(site):
    for name in chapters.names():
        page = Page((SITE / "chapters" / f"{name}.html").read_text(encoding="utf8"))
        exercises = sum("exercise" in chapters.tags(cell) for cell in chapters.read(name).notebook.cells)
        assert page.text.count("Show a solution") == exercises, name
        if name.startswith("00"):  # which tells how a notebook answers
            continue
        for left_out in ("ck.check(", "ck.progress(", "ck.quiz(", chapters.BEGIN, chapters.END, "not attempted"):
            assert left_out not in page.text, f"{name}: {left_out}"


def test_search_finds_softmax(page, address):
    page.goto(f"{address}/search.html?q=softmax")
    page.locator("#search-results li a").first.wait_for()
    page.get_by_text("Search finished").wait_for()
    found = page.locator("#search-results li a").evaluate_all("links => links.map(link => link.href)")
    assert any("01_activations" in link for link in found)
    page.goto(f"{address}/search.html?q=梯度下降")
    page.locator("#search-results li a[href*='glossary.html']").first.wait_for()
    assert page.outside == []


def test_from_the_disk_without_a_server_formulas_are_drawn_and_search_finds(page, site):
    page.goto((SITE / "chapters" / "01_activations.html").as_uri())
    ready(page)
    assert page.locator("mjx-container").count() >= 20
    page.goto(f"{(SITE / 'search.html').as_uri()}?q=softmax")
    page.locator("#search-results li a[href*='01_activations']").first.wait_for()
    assert page.outside == []


def test_a_scheme_is_drawn_without_a_server_and_only_its_page_loads_mermaid(page, site):
    loaded = []
    page.on("request", lambda request: loaded.append(request.url))
    page.goto((SITE / "chapters" / "11b_training_a_transformer.html").as_uri())
    drawing = page.locator(".drawing svg").first
    drawing.wait_for()
    assert "memory" in drawing.text_content()
    box = drawing.bounding_box()
    assert box["width"] > 300
    assert box["height"] > 40
    assert any("mermaid.min.js" in url for url in loaded)
    loaded.clear()
    page.goto((SITE / "chapters" / "01_activations.html").as_uri())
    ready(page)
    assert not any("mermaid.min.js" in url for url in loaded)
    assert page.outside == []


def test_chapters_lead_to_those_before_and_after(site):
    page = Page((SITE / "chapters" / "02_losses.html").read_text(encoding="utf8"))
    article = page.text.partition("Before this: ")[2]
    assert article.startswith("01 · Activations")
    assert "Next: 03 · Back-propagation" in article
    assert {"01_activations.html", "03_backpropagation.html"} <= set(page.links)


def test_the_keyboard_reaches_everything(page, address):
    page.goto(f"{address}/chapters/01_activations.html")
    ready(page)
    reached = set()
    for _ in range(400):
        page.keyboard.press("Tab")
        reached.add(
            page.evaluate(
                "(e => e.matches('summary') ? 'fold' : e.matches('input[type=search], .search-button__button, "
                ".search-button-field') ? 'search' : e.matches('nav a') ? 'navigation' : "
                "e.matches('.theme-switch-button') ? 'theme' : '')(document.activeElement)"
            )
        )
        if {"fold", "search", "navigation", "theme"} <= reached:
            break
    assert {"fold", "search", "navigation", "theme"} <= reached
    summary = page.locator("details.hide summary").first
    summary.focus()
    page.keyboard.press("Enter")
    assert page.locator("details.hide").first.get_attribute("open") is not None
    page.keyboard.press("Control+k")
    page.keyboard.type("softmax")
    page.keyboard.press("Enter")
    page.get_by_text("Search finished").wait_for()


class Page(html.parser.HTMLParser):
    """The links, the anchors and the text of a page."""

    def __init__(self, source):
        super().__init__()
        self.links, self.anchors, self.text = [], set(), ""
        self.feed(source)

    def handle_data(self, data):
        self.text += data

    def handle_starttag(self, tag, attributes):
        attributes = dict(attributes)
        self.anchors |= {attributes[key] for key in ("id", "name") if attributes.get(key)}
        self.links += [attributes[key] for key in ("href", "src") if attributes.get(key)]


def test_every_link_inside_leads_somewhere(site):
    pages = {name: Page((SITE / name).read_text(encoding="utf8")) for name in site}
    assert sum(len(page.links) for page in pages.values()) > 1_000
    for name, page in pages.items():
        for link in page.links:
            parts = urllib.parse.urlsplit(link)
            if parts.scheme:
                assert parts.scheme in ("https", "http", "data", "mailto"), f"{name}: {link}"
                continue
            path = urllib.parse.unquote(parts.path)
            target = (SITE / name).parent.joinpath(path).resolve() if path else SITE / name
            target = target / "index.html" if target.is_dir() else target
            assert target.is_file(), f"{name}: {link}"
            inside = str(pathlib.Path(target).relative_to(SITE.resolve()))
            if parts.fragment and inside in pages:
                assert urllib.parse.unquote(parts.fragment) in pages[inside].anchors, f"{name}: {link}"
