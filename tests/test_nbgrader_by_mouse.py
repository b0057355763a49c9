"""nbgrader with the mouse, in the real JupyterLab: a teacher's Formgrader and a learner's Assignment List.

How the page looked at the end of each test is in build/screenshots/.
"""

import contextlib
import os
import subprocess
import sys
import urllib.request

import pytest

from classroom import overview
from coursekit import places
from tests import test_browser, test_classroom
from tests.test_hub import wait_until
from tests.test_serving import free_port

pytestmark = pytest.mark.classroom
browser = test_browser.browser  # the fixture


@pytest.fixture
def school(tmp_path):
    """A class that nobody has touched yet."""
    return test_classroom.School(tmp_path / "my cöurse")


@contextlib.contextmanager
def lab(browser, folder, name):
    """JupyterLab in `folder`, open in the browser; yields its page, and keeps a screenshot as `name`.png."""
    port, own = free_port(), folder.parent / "jupyter"
    environment = os.environ | {"PYTHONPATH": str(places.ROOT), "JUPYTER_DATA_DIR": str(folder / ".jupyter")}
    for setting in ("JUPYTERLAB_SETTINGS_DIR", "JUPYTERLAB_WORKSPACES_DIR", "JUPYTER_RUNTIME_DIR"):
        environment[setting] = str(own / setting)
    options = ["--no-browser", "--allow-root", f"--port={port}", "--IdentityProvider.token="]
    page = browser.new_page(viewport={"width": 1400, "height": 1000})
    page.set_default_timeout(120_000)
    own.mkdir()
    with open(own / "lab.log", "w") as log:
        command = [sys.executable, "-m", "jupyterlab", *options]
        server = subprocess.Popen(command, cwd=folder, env=environment, stdout=log, stderr=log)
    address = f"http://localhost:{port}"

    def answers():
        try:
            return urllib.request.urlopen(f"{address}/api/status", timeout=1)
        except OSError:
            return None

    try:
        wait_until(answers, 60, (own / "lab.log").read_text)
        page.goto(f"{address}/lab")
        yield page
    finally:
        test_browser.SCREENSHOTS.mkdir(parents=True, exist_ok=True)
        page.screenshot(path=test_browser.SCREENSHOTS / f"{name}.png")
        page.close()
        server.terminate()
        server.wait(30)


def choose(page, item):
    page.get_by_role("menuitem", name="Nbgrader", exact=True).click()
    page.get_by_role("menuitem", name=item, exact=True).click()


def press(frame, row, sign):
    """Click the sign of a row and close the message, which must say that it went well."""
    frame.locator("tr", has_text=row).locator(f".glyphicon-{sign}").click()
    frame.locator("#success-modal .modal-title").wait_for()
    frame.locator("#success-modal").get_by_role("button", name="OK").click()
    frame.locator("#success-modal").wait_for(state="detached")


def test_a_teacher_grades(browser, school):
    name = test_classroom.FIRST
    with lab(browser, school.course, "formgrader") as page:
        choose(page, "Formgrader")
        grade(page.frame_locator("iframe"), school, name, test_classroom.points(name))


def grade(frame, school, name, points):
    exercise, total = next(iter(points)), sum(points.values())
    press(frame, name, "education")  # generate
    press(frame, name, "cloud-upload")  # release
    for role in (test_classroom.all_right, test_classroom.wrong(0)):
        school.submit(name, role)
    press(frame, name, "cloud-download")  # collect
    frame.locator("tr", has_text=name).get_by_role("link", name="2", exact=True).click()
    for student, score in (("all_right", total), ("wrong_0", 0)):
        press(frame, student, "flash")  # autograde
        frame.locator("tr", has_text=student).get_by_text(f"{score} / {total}").wait_for()
    # The teacher reads what was wrong, and lets one exercise count all the same.
    frame.get_by_role("link", name="Manual Grading").click()
    for heading in ("Assignment ID", "Notebook ID"):
        frame.locator("table", has_text=heading).get_by_role("link", name=name).click()
    frame.locator("tr", has_text=f"0 / {total}").get_by_role("link", name="Submission").click()
    frame.get_by_role("heading", name="01 · Activations").wait_for()
    frame.get_by_text("It looks as if ReLU itself was returned").first.wait_for()
    check = frame.locator(".nbgrader_cell", has_text=f"check-{exercise.replace('.', '-')}").first
    check.get_by_role("button", name="Full credit").click()
    check.locator(".score-saved").wait_for()
    for _ in range(2):
        assert school.scores() == {(name, "all_right"): total, (name, "wrong_0"): points[exercise]}
        test_classroom.nbgrader(school.course, "autograde", name, "--student", "wrong_0", "--force")  # changes nothing
    results, _ = overview.from_nbgrader(school.course)
    assert set(results[results.learner == "wrong_0"].query("status == 'correct'").exercise) == {exercise}


def test_a_learner_fetches_validates_and_submits(browser, school):
    name = "00_start_here"
    school.release(name)
    folder = school.learner("ada")
    with lab(browser, folder, "assignment-list") as page:
        choose(page, "Assignment List")
        page.get_by_role("button", name="Fetch").click()
        page.get_by_role("button", name=name).click()  # now it is among the downloaded ones
        page.get_by_text("Validate").click()
        said = page.locator(".jp-Dialog")
        said.get_by_text("AssertionError: start.line: not attempted.").wait_for()  # a blank chapter is not solved
        said.get_by_role("button", name="Ok").click()
        page.get_by_role("button", name="Submit").click()
        page.get_by_role("button", name="Fetch Feedback").wait_for()
    test_classroom.nbgrader(school.course, "collect", name)
    (student,) = (school.course / "submitted").iterdir()
    submitted = (student / name / f"{name}.ipynb").read_bytes()
    assert submitted == (school.course / "release" / name / f"{name}.ipynb").read_bytes()
