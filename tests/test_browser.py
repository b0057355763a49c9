"""The real JupyterLab in headless Chromium: what a learner does with a chapter, and what they see.

Screenshots of a failure lie in build/screenshots/.
"""

import json
import os
import re
import shutil
import socket
import subprocess
import sys
import time
import urllib.request

import nbformat
import pytest

from authoring import reach
from coursekit import manifest, places

pytestmark = pytest.mark.browser
CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
SCREENSHOTS = places.ROOT / "build" / "screenshots"
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
CHAPTER = "01_activations"
EXERCISE = "activations.largest_share"
RUN_ALL = 300  # seconds; the budget of a chapter is tested elsewhere


@pytest.fixture(scope="module")
def lab(tmp_path_factory):
    """A JupyterLab on a copy of the course with a space and an ö in its path."""
    root = tmp_path_factory.mktemp("lab") / "my cöurse"
    for part in ("benchmarks", "chapters", "checkpoints", "coursekit", "datasets", "serving", "solutions"):
        shutil.copytree(places.ROOT / part, root / part, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copytree(places.FETCHED, root / ".data")
    for name in ("HOME", "JUPYTERLAB_SETTINGS_DIR", "JUPYTERLAB_WORKSPACES_DIR", "JUPYTER_RUNTIME_DIR"):
        (root / name).mkdir()
    environment = os.environ | {"PYTHONPATH": str(root), "COURSE_DEVICE": "cpu"}
    environment |= {name: str(root / name) for name in ("HOME", "JUPYTERLAB_SETTINGS_DIR", "JUPYTER_RUNTIME_DIR")}
    environment["JUPYTERLAB_WORKSPACES_DIR"] = str(root / "JUPYTERLAB_WORKSPACES_DIR")
    environment["JUPYTER_CONFIG_PATH"] = str(root / "coursekit")  # with what `make lab` puts into .venv/etc/jupyter
    # JupyterLab draws only the cells in view; let it draw all of them, so that every output can be read.
    settings = root / "JUPYTERLAB_SETTINGS_DIR" / "@jupyterlab" / "notebook-extension"
    settings.mkdir(parents=True)
    (settings / "tracker.jupyterlab-settings").write_text('{"windowingMode": "none"}')
    subprocess.run([sys.executable, "-m", "coursekit.workspace"], cwd=root, env=environment, check=True)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    lab = Lab(root, environment, port)
    lab.start()
    yield lab
    lab.end()


class Lab:
    """The server of JupyterLab on a copied course."""

    def __init__(self, root, environment, port):
        self.root, self.environment, self.port = root, environment, port
        self.workspace = root / "workspace"
        self.address = f"http://localhost:{port}"  # as `make lab` opens it

    def start(self):
        options = ["--no-browser", "--allow-root", f"--port={self.port}", "--IdentityProvider.token="]
        command = [sys.executable, "-m", "jupyterlab", *options, "--ServerApp.root_dir=."]
        with open(self.root / "lab.log", "w") as log:
            self.server = subprocess.Popen(command, cwd=self.workspace, env=self.environment, stdout=log, stderr=log)
        for _ in range(120):
            try:
                urllib.request.urlopen(f"{self.address}/api/status", timeout=1)
                return
            except OSError:
                time.sleep(0.5)
        self.end()
        pytest.fail((self.root / "lab.log").read_text())

    def end(self):
        self.server.terminate()
        self.server.wait(30)


@pytest.fixture(scope="module")
def browser():
    from playwright.sync_api import sync_playwright

    assert CHROMIUM, "Chromium is missing: `apt-get install chromium` (.ci/run does it)"
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield chromium
        chromium.close()


@pytest.fixture(scope="module")
def page(browser, lab):
    page = browser.new_page(viewport={"width": 1280, "height": 1000})
    page.set_default_timeout(120_000)
    yield page
    page.close()


@pytest.fixture(autouse=True)
def screenshot_on_failure(request, page):
    failed = request.session.testsfailed
    yield
    if request.session.testsfailed > failed:
        SCREENSHOTS.mkdir(parents=True, exist_ok=True)
        page.screenshot(path=SCREENSHOTS / f"{re.sub(r'[^a-z0-9_]+', '-', request.node.name)}.png")


class Desk:
    """The open chapter in the browser."""

    def __init__(self, page, address, workspace):
        self.page, self.address, self.workspace = page, address, workspace

    def open(self, chapter):
        self.chapter = chapter
        self.page.goto(f"{self.address}/lab/tree/{chapter}.ipynb?reset")
        self.page.locator(".jp-Notebook .jp-Cell").first.wait_for()
        self.wait_for_kernel()

    def ask(self, path, method="GET"):
        request = urllib.request.Request(
            f"{self.address}/api/{path}", method=method, data=b"" if method == "POST" else None
        )
        cookies = {cookie["name"]: cookie["value"] for cookie in self.page.context.cookies()}
        request.add_header("Cookie", "; ".join(f"{name}={value}" for name, value in cookies.items()))
        request.add_header("X-XSRFToken", cookies.get("_xsrf", ""))
        return json.load(urllib.request.urlopen(request, timeout=60))

    def wait_for_kernel(self, seconds=180):
        """Wait until the chapter's kernel has been idle for two seconds (one of a page that was left may never be)."""
        idle, until = 0, time.monotonic() + seconds
        while idle < 4:
            assert time.monotonic() < until, "the kernel is still busy"
            self.page.wait_for_timeout(500)
            sessions = [one for one in self.ask("sessions") if one["path"].split("/")[-1] == f"{self.chapter}.ipynb"]
            idle = idle + 1 if [one["kernel"]["execution_state"] for one in sessions] == ["idle"] else 0

    def run_all(self):
        """Run all cells and wait for the end; no cell may leave an error or a warning behind."""
        self.page.get_by_role("menuitem", name="Run", exact=True).click()
        self.page.get_by_role("menuitem", name="Run All Cells", exact=True).click()
        waiting = self.page.locator(".jp-Notebook:visible .jp-InputPrompt", has_text="[*]")
        waiting.first.wait_for(state="attached")
        until = time.monotonic() + RUN_ALL
        while waiting.count():
            assert time.monotonic() < until, "cells are still running"
            self.page.wait_for_timeout(500)
        self.wait_for_kernel()
        kinds = ("application/vnd.jupyter.error", "application/vnd.jupyter.stderr")
        assert self.page.locator(", ".join(f"[data-mime-type='{kind}']" for kind in kinds)).all_inner_texts() == []

    def save(self):
        self.page.keyboard.press("Control+S")
        self.page.wait_for_timeout(2_000)

    def cell(self, text):
        return self.page.locator(".jp-Notebook .jp-CodeCell").filter(has_text=text).first

    def write(self, cell, text):
        """Replace the source of a cell."""
        cell.scroll_into_view_if_needed()
        cell.locator(".cm-content").click()
        self.page.keyboard.press("Control+A")
        self.page.keyboard.insert_text(text)

    def run(self, cell):
        cell.scroll_into_view_if_needed()
        cell.locator(".cm-content").click()
        self.page.keyboard.press("Shift+Enter")
        self.wait_for_kernel()

    def output(self, cell):
        return cell.locator(".jp-OutputArea-output").first.inner_text()


@pytest.fixture(scope="module")
def desk(page, lab):
    desk = Desk(page, lab.address, lab.workspace)
    desk.open(CHAPTER)
    return desk


def test_run_all_on_an_untouched_chapter_ends_in_a_to_do_list(desk):
    desk.run_all()
    to_do = desk.output(desk.cell('ck.progress("activations")'))
    assert "0 of 7 exercises solved" in to_do
    assert to_do.count("not attempted") == 7
    assert "not attempted yet" in desk.output(desk.cell(f'ck.check("{EXERCISE}"'))


def test_nobody_asks_for_news(desk):
    assert desk.page.get_by_text("Would you like to").count() == 0


def test_pictures_are_there_sharp_and_whole_with_their_alt_text(desk):
    pictures = desk.page.locator(".jp-OutputArea img:visible")
    assert pictures.count() >= 3
    sizes = pictures.evaluate_all(
        "images => images.map(image => [image.naturalWidth, image.naturalHeight, image.width, image.height])"
    )
    room = desk.page.locator(".jp-OutputArea-output").first.evaluate("area => area.clientWidth")
    for dots_across, dots_down, width, height in sizes:
        assert 300 < 2 * width <= dots_across + 1  # two dots for each pixel, as screens of double density have
        assert width <= room
        assert dots_across / dots_down == pytest.approx(width / height, rel=0.01)
    # JupyterLab gives its pictures no alt attribute, so the sentence stands below them.
    desk.page.locator(".jp-OutputArea small", has_text="Seven activation functions and their slopes").wait_for()


def test_formulas_are_drawn(desk):
    assert desk.page.locator(".jp-MarkdownCell mjx-container").count() >= 5


@pytest.mark.parametrize(
    ("body", "verdict"),
    [("0.25 * layers", "It looks as if the layers were added"), ("0.25**layers", "correct.")],
)
def test_an_answer_gets_its_verdict(desk, body, verdict):
    desk.write(desk.cell("def largest_share"), f"def largest_share(layers):\n    return {body}")
    desk.run(desk.cell("def largest_share"))
    check = desk.cell(f'ck.check("{EXERCISE}"')
    desk.run(check)
    assert verdict in desk.output(check)


def test_a_card_has_buttons_that_work_by_keyboard(desk):
    check = desk.cell('ck.check("activations.softmax"')
    assert "○ activations.softmax · not attempted yet." in check.inner_text()
    for name, told in [("Hint", "Hint 1 of 2:"), ("Hint", "Hint 2 of 2:"), ("Solution", "opens after 3 more tries")]:
        check.get_by_role("button", name=name).focus()
        desk.page.keyboard.press("Enter")
        check.get_by_text(told).first.wait_for()


def test_a_silent_cell_says_how_long_it_runs_and_then_no_more(desk):
    cell = desk.cell("def largest_share")
    before = cell.locator(".cm-content").inner_text()
    desk.write(cell, "import time\n\ntime.sleep(7)")
    desk.page.keyboard.press("Shift+Enter")
    clock = desk.page.get_by_text(re.compile(r"running for \d+ s"))
    clock.wait_for()
    clock.wait_for(state="hidden")
    desk.wait_for_kernel()
    desk.write(desk.cell("time.sleep(7)"), before)


def test_a_slider_changes_its_figure(desk):
    cell = desk.page.locator(".jp-CodeCell").filter(has=desk.page.locator(".widget-image")).first  # its code is folded
    image = cell.locator("img.widget-image, .widget-image img").first
    image.scroll_into_view_if_needed()
    before = image.get_attribute("src")
    cell.locator(".noUi-handle").first.focus()
    desk.page.keyboard.press("ArrowRight")
    desk.wait_for_kernel()
    moved = image.get_attribute("src")
    assert moved != before
    cell.locator("select").first.select_option("relu")
    desk.wait_for_kernel()
    assert image.get_attribute("src") not in (before, moved)


def test_conclusions_are_folded_and_a_claim_opens_its_repeats(desk):
    cell = desk.page.locator(".jp-CodeCell").filter(has_text="some dead ReLU units of the second layer come back").first
    assert "# What came out" in cell.inner_text()
    assert "ck.claim(" not in cell.inner_text()
    claim = cell.locator("details", has_text="some dead ReLU units of the second layer")
    assert re.search(r"Held in (\d+) of \1 repeats: 6 other seeds", claim.inner_text())
    assert not claim.get_by_text("SEED = 1").is_visible()
    claim.locator("summary").focus()
    desk.page.keyboard.press("Enter")
    claim.get_by_text("SEED = 1").wait_for()


def test_a_guess_is_kept_by_keyboard_and_shown_beside_the_measurement(desk):
    cell = desk.cell('ck.guess("last_size"')
    cell.locator(".noUi-handle").focus()
    desk.page.keyboard.press("ArrowRight")
    cell.get_by_role("button", name="Keep my guess").focus()
    desk.page.keyboard.press("Enter")
    cell.get_by_text("Kept: 1.02. Now run on.").wait_for()
    result = desk.page.locator(".jp-CodeCell").filter(has_text="with He's rule? Measured ≈").first
    assert "You kept no guess." in result.inner_text()
    result.locator(".jp-InputPrompt").click()
    desk.page.keyboard.press("Shift+Enter")
    desk.wait_for_kernel()
    result.get_by_text("Your guess: 1.02. Not near: why?").wait_for()
    guesses = json.loads((desk.workspace / "progress.json").read_text(encoding="utf8"))["guesses"]
    assert guesses == {"last_size": {"near": False, "value": 1.02}}


def test_a_click_on_a_choice_gets_its_reason(desk):
    cell = desk.cell('ck.quiz("activations.quarter")')
    cell.get_by_role("button", name="One part in 40").click()
    cell.get_by_text("Slopes multiply.").wait_for()
    cell.get_by_role("button", name="One part in about a million").click()
    cell.get_by_text("correct.", exact=False).first.wait_for()


def test_progress_is_still_there_after_a_reload_and_in_a_new_kernel(desk):
    desk.save()
    (kernel,) = desk.ask("kernels")
    desk.ask(f"kernels/{kernel['id']}/restart", "POST")
    desk.page.reload()
    desk.page.locator(".jp-Notebook .jp-Cell").first.wait_for()
    desk.wait_for_kernel()
    assert "0.25**layers" in desk.cell("def largest_share").locator(".cm-content").inner_text()
    desk.run(desk.cell("ck.start()"))
    progress = desk.cell('ck.progress("activations")')
    desk.run(progress)
    shown = desk.output(progress)
    assert "1 of 7 exercises solved, 1 of 4 questions right" in shown
    assert re.search(r"✓\s+1\.4 · The largest share\s+correct", shown)
    records = json.loads((desk.workspace / "progress.json").read_text(encoding="utf8"))["exercises"]
    assert records[EXERCISE]["status"] == "correct"


def test_file_names_fit_the_side_bar(desk):
    names = desk.page.locator(".jp-DirListing-itemText")
    cut = names.evaluate_all("texts => texts.filter(text => text.scrollWidth > text.clientWidth).length")
    assert cut <= 10 < names.count() / 3  # of a few the end of `.ipynb`


@pytest.fixture
def as_delivered(desk):
    """JupyterLab draws cells when they come into view, as it does for learners."""
    settings = desk.workspace.parent / "JUPYTERLAB_SETTINGS_DIR" / "@jupyterlab" / "notebook-extension"
    tracker = settings / "tracker.jupyterlab-settings"
    text = tracker.read_text()
    tracker.unlink()
    yield
    tracker.write_text(text)


def in_view(desk, text):
    """Wait until the heading with `text` stands in the upper half of the notebook that is shown."""
    heading = desk.page.locator("h3:visible", has_text=text).first
    heading.wait_for()
    for _ in range(40):
        box = heading.bounding_box()
        if box and 0 < box["y"] < 560:
            return
        desk.page.wait_for_timeout(250)
    pytest.fail(f"{text} is not in view: {box}")


def test_the_to_do_list_leads_to_an_exercise_of_the_same_notebook(desk):
    desk.run(desk.cell("ck.start()"))
    to_do = desk.cell('ck.progress("activations")')
    desk.run(to_do)
    to_do.locator("a", has_text="1.5 · Counting dead units").click()
    in_view(desk, "Exercise 1.5 · Counting dead units")
    assert desk.page.locator(".jp-Dialog").count() == 0


def test_chapters_lead_to_those_before_and_after(desk):
    desk.page.locator(".jp-MarkdownCell", has_text="What you built").locator("a", has_text="02 · Losses").click()
    desk.page.locator(".lm-TabBar-tabLabel", has_text="02_losses.ipynb").wait_for()
    before = desk.page.locator(".jp-MarkdownCell:visible", has_text="Before this: ").locator("a", has_text="01 · Act")
    before.click()
    desk.page.locator(".jp-MarkdownCell:visible", has_text="Before this: 00 · Start here").wait_for()


def test_the_page_of_progress_knows_what_was_solved_and_opens_the_next_chapter(desk):
    desk.open("progress")
    cell = desk.cell("ck.progress()")
    desk.run(cell)
    course = manifest.chapters()
    total = sum(len(chapter.exercises) for chapter in course)
    assert f"1 of {total} exercises solved" in cell.inner_text().replace("\xa0", " ")
    cell.locator(".jp-OutputArea small", has_text=f"A bar for each of {len(course)} chapters").wait_for()
    cell.locator("a", has_text="Losses").first.click()
    desk.page.locator(".lm-TabBar-tabLabel", has_text="02_losses.ipynb").wait_for()


def test_the_page_of_progress_leads_to_the_next_exercise_of_a_closed_notebook(desk, as_delivered):
    desk.open("progress")
    desk.run(desk.cell("ck.progress()"))
    link = desk.cell("ck.progress()").locator("a", has_text="exercise ").first
    title = link.inner_text()
    link.click()
    in_view(desk, title)


def test_a_scheme_is_drawn(desk, as_delivered):
    desk.open("11b_training_a_transformer")
    cell = desk.page.locator(".jp-MarkdownCell", has_text="In words: the encoder").first
    cell.scroll_into_view_if_needed()
    drawing = cell.locator("img[src^='data:image/svg']").first
    drawing.wait_for()
    desk.page.wait_for_function("image => image.complete && image.width > 400", arg=drawing.element_handle())


def test_tensorboard_shows_its_curves_inside_the_chapter(desk):
    desk.open("05b_how_sure_is_a_score")
    desk.run_all()
    frame = desk.page.frame_locator("iframe[src^='http://localhost']")
    for curve in ("train", "validation", "epoch_loss"):
        frame.get_by_text(curve, exact=True).first.wait_for()


@pytest.mark.parametrize(
    ("chapter", "topic"), [("12b_a_pretrained_model", "pretrained"), ("11b_training_a_transformer", "seq2seq")]
)
def test_a_chapter_on_fetched_data_and_stored_weights_runs_untouched(desk, chapter, topic):
    desk.open(chapter)
    desk.run_all()
    assert "0 of 6 exercises solved" in desk.output(desk.cell(f'ck.progress("{topic}")'))


SHORT = {  # chapter: the widgets that are tried
    "01_activations": ("ck.quiz(", "ck.explore(", "ck.guess("),
    "02_losses": ("ck.quiz(", "ck.explore("),  # a slider of six states
    "03_backpropagation": ("ck.quiz(", "ck.explore(", "ck.LiveProgress("),
}
DEAD = re.compile("error displaying widget|loading widget|not found", re.IGNORECASE)


class ShortNotebook:
    """Of a chapter the first cell of each widget that is tried, and the cells that these need, in workspace/."""

    def __init__(self, desk, chapter):
        self.desk, self.name = desk, f"short_{chapter}"
        notebook = nbformat.read(places.CHAPTERS / f"{chapter}.ipynb", as_version=4)
        code = {index: cell.source for index, cell in enumerate(notebook.cells) if cell.cell_type == "code"}
        first = {kind: next(index for index in code if kind in code[index]) for kind in SHORT[chapter]}
        chosen = sorted(reach.needed(notebook.cells, {*first.values()}))
        self.place = {kind: chosen.index(index) for kind, index in first.items()}
        notebook.cells = [notebook.cells[index] for index in chosen]
        nbformat.write(notebook, desk.workspace / f"{self.name}.ipynb")

    def cell(self, kind):
        return self.desk.page.locator(".jp-Notebook .jp-Cell").nth(self.place[kind])

    def use(self):
        """Answer the quiz and move the slider: both answer, so they are alive."""
        self.cell("ck.quiz(").locator(".jupyter-button").first.click()
        self.cell("ck.quiz(").get_by_text(re.compile("correct|not yet")).first.wait_for()
        image = self.cell("ck.explore(").locator("img")
        before = image.get_attribute("src")
        self.cell("ck.explore(").locator(".noUi-handle").first.focus()
        self.desk.page.keyboard.press("ArrowRight")
        self.desk.wait_for_kernel()
        assert image.get_attribute("src") != before


@pytest.fixture(scope="module")
def next_day(browser, lab):
    """{chapter: ShortNotebook} on the day after: run, used and saved, then the server was ended and started again."""
    page = browser.new_page(viewport={"width": 1280, "height": 1000})
    page.set_default_timeout(120_000)
    desk = Desk(page, lab.address, lab.workspace)
    notebooks = {chapter: ShortNotebook(desk, chapter) for chapter in SHORT}
    for notebook in notebooks.values():
        desk.open(notebook.name)
        desk.run_all()
        notebook.use()
        desk.save()
        notebook.use()  # what is not saved stays in the open page
        desk.save()
        assert page.locator(".jp-Dialog").all_inner_texts() == []  # such as "the file has changed on disk"
    lab.end()
    lab.start()
    yield notebooks
    page.close()


@pytest.mark.parametrize("chapter", SHORT)
def test_a_notebook_of_yesterday_shows_pictures_and_questions_and_nothing_dead(next_day, chapter):
    notebook = next_day[chapter]
    desk, page = notebook.desk, notebook.desk.page
    desk.open(notebook.name)
    assert DEAD.findall(" ".join(page.locator(".jp-OutputArea-output").all_inner_texts())) == []
    assert page.locator(".jp-OutputArea .jupyter-widgets").count() == 0
    quiz = notebook.cell("ck.quiz(")
    choice = quiz.locator("details").first
    choice.locator("summary").click()
    assert "?" in quiz.locator("b").first.inner_text()
    assert choice.locator("p").is_visible()
    if "ck.guess(" in notebook.place:
        notebook.cell("ck.guess(").get_by_text("Your guess first").wait_for()
    pictures = notebook.cell("ck.explore(").locator("img:visible")
    assert pictures.count() == 1
    shape = pictures.evaluate("image => [image.naturalWidth / image.naturalHeight, image.width / image.height]")
    assert shape[0] == pytest.approx(shape[1], rel=0.01)
    if "ck.LiveProgress(" in notebook.place:  # of the bar nothing, of the training its line
        (line,) = notebook.cell("ck.LiveProgress(").locator(".jp-OutputArea-output").all_inner_texts()
        assert re.search(r"\d epochs · .*≈", line)


@pytest.mark.parametrize("trusted", [True, False])
def test_the_states_of_yesterdays_slider_open_by_key(next_day, trusted):
    notebook = next_day["02_losses"]
    page, path = notebook.desk.page, notebook.desk.workspace / f"{notebook.name}.ipynb"
    if not trusted:  # changed by another program, so JupyterLab takes scripts, names and the like out of its HTML
        path.write_text(path.read_text(encoding="utf8").replace("diabetes", "diabetes "), encoding="utf8")
    notebook.desk.open(notebook.name)
    folds = notebook.cell("ck.explore(").locator("details")
    assert [fold.get_attribute("open") is not None for fold in folds.all()] == [n == 3 for n in range(6)]
    folds.first.locator("summary").focus()
    page.keyboard.press("Enter")
    picture = folds.first.locator("img")
    picture.wait_for()
    assert "slipped = 0" in picture.get_attribute("alt")
    assert folds.nth(3).locator("img").is_visible() != trusted  # without names, one does not close the other
