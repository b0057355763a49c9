"""A teacher grades with the mouse: nbgrader's Formgrader in the real JupyterLab, started in the class's folder.

How the page looked at the end is in build/screenshots/.
"""

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
NAME = test_classroom.FIRST


@pytest.fixture
def teacher(browser, tmp_path):
    """JupyterLab in the course folder of a class that nobody has touched yet: (school, page)."""
    school, port = test_classroom.School(tmp_path / "my cöurse"), free_port()
    environment = os.environ | {"PYTHONPATH": str(places.ROOT), "JUPYTERLAB_SETTINGS_DIR": str(tmp_path / "settings")}
    environment |= {name: str(tmp_path / name) for name in ("JUPYTERLAB_WORKSPACES_DIR", "JUPYTER_RUNTIME_DIR")}
    options = ["--no-browser", "--allow-root", f"--port={port}", "--IdentityProvider.token="]
    page = browser.new_page(viewport={"width": 1400, "height": 1000})
    page.set_default_timeout(120_000)
    with open(tmp_path / "lab.log", "w") as log:
        command = [sys.executable, "-m", "jupyterlab", *options]
        server = subprocess.Popen(command, cwd=school.course, env=environment, stdout=log, stderr=log)
    address = f"http://localhost:{port}"

    def answers():
        try:
            return urllib.request.urlopen(f"{address}/api/status", timeout=1)
        except OSError:
            return None

    try:
        wait_until(answers, 60, (tmp_path / "lab.log").read_text)
        page.goto(f"{address}/lab")
        yield school, page
    finally:
        test_browser.SCREENSHOTS.mkdir(parents=True, exist_ok=True)
        page.screenshot(path=test_browser.SCREENSHOTS / "formgrader.png")
        page.close()
        server.terminate()
        server.wait(30)


def press(frame, row, sign):
    """Click the sign of a row and close the message, which must say that it went well."""
    frame.locator("tr", has_text=row).locator(f".glyphicon-{sign}").click()
    frame.locator("#success-modal .modal-title").wait_for()
    frame.locator("#success-modal").get_by_role("button", name="OK").click()
    frame.locator("#success-modal").wait_for(state="detached")


def test_a_teacher_grades_by_mouse(teacher):
    school, page = teacher
    points = test_classroom.points(NAME)
    exercise, total = next(iter(points)), sum(points.values())
    page.get_by_role("menuitem", name="Nbgrader", exact=True).click()
    page.get_by_role("menuitem", name="Formgrader", exact=True).click()
    frame = page.frame_locator("iframe")
    press(frame, NAME, "education")  # generate
    press(frame, NAME, "cloud-upload")  # release
    for role in (test_classroom.all_right, test_classroom.wrong(0)):
        school.submit(NAME, role)
    press(frame, NAME, "cloud-download")  # collect
    frame.locator("tr", has_text=NAME).get_by_role("link", name="2", exact=True).click()
    for student, score in (("all_right", total), ("wrong_0", 0)):
        press(frame, student, "flash")  # autograde
        frame.locator("tr", has_text=student).get_by_text(f"{score} / {total}").wait_for()
    # The teacher reads what was wrong, and lets one exercise count all the same.
    frame.get_by_role("link", name="Manual Grading").click()
    for heading in ("Assignment ID", "Notebook ID"):
        frame.locator("table", has_text=heading).get_by_role("link", name=NAME).click()
    frame.locator("tr", has_text=f"0 / {total}").get_by_role("link", name="Submission").click()
    frame.get_by_role("heading", name="01 · Activations").wait_for()
    frame.get_by_text("It looks as if ReLU itself was returned").first.wait_for()
    check = frame.locator(".nbgrader_cell", has_text=f"check-{exercise.replace('.', '-')}").first
    check.get_by_role("button", name="Full credit").click()
    check.locator(".score-saved").wait_for()
    for _ in range(2):
        assert school.scores() == {(NAME, "all_right"): total, (NAME, "wrong_0"): points[exercise]}
        test_classroom.nbgrader(school.course, "autograde", NAME, "--student", "wrong_0", "--force")  # changes nothing
    results, _ = overview.from_nbgrader(school.course)
    assert set(results[results.learner == "wrong_0"].query("status == 'correct'").exercise) == {exercise}
