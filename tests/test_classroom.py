"""A class of twenty through the real nbgrader: generate, release, fetch, submit, collect, autograde, feedback, export.

Marks are as they must be, no attempt to cheat gains anything, and one bad submission never stops the batch.
"""

import csv
import importlib
import json
import os
import pathlib
import re
import resource
import shutil
import subprocess
import sys

import nbformat
import pytest

from authoring import build
from authoring import chapter as chapters
from authoring.moved import texts
from classroom import layout, overview
from classroom.kernel import VERDICT
from coursekit import checking, places

pytestmark = pytest.mark.classroom
NBGRADER = pathlib.Path(sys.executable).parent / "nbgrader"
SECONDS_A_SUBMISSION, SECONDS_A_CLASS = 25, 360  # of one core, whatever else this machine does
FIRST, LONGEST = "01_activations", 9  # its longest list of wrong answers in tests/answers/
# Of this one a round of wrong answers is graded here; tests/test_hidden.py judges all of them, of all chapters.
OTHER = "04a_gradient_descent"


def exercises(name):
    return [item.name for item in checking.items(chapters.read(name).header.topic, checking.Exercise)]


def points(name):
    """Points of each exercise of a chapter: {exercise: points}."""
    notebook = nbformat.read(places.CHAPTERS / f"{name}.ipynb", as_version=4)
    metas = [cell.metadata["nbgrader"] for cell in notebook.cells if "check" in cell.metadata.get("tags", [])]
    return dict(zip(exercises(name), [meta["points"] for meta in metas], strict=True))


def test_chapters_lead_to_the_folders_of_those_before_and_after():
    cells = layout.assignment("02_losses").cells
    assert "Before this: [01 · Activations](../01_activations/01_activations.ipynb)" in cells[0].source
    assert "[03 · Back-propagation](../03_backpropagation/03_backpropagation.ipynb)" in cells[-1].source


# The submissions. Each function changes a notebook, whose answers are all right, in place, and returns the exercises
# that must count as solved.


def cell_of(notebook, exercise, check=False):
    wanted = ("check-" if check else "") + exercise.replace(".", "-")
    (cell,) = [cell for cell in notebook.cells if cell.metadata.get("nbgrader", {}).get("grade_id") == wanted]
    return cell


def answer_with(notebook, exercise, text):
    cell_of(notebook, exercise).source = text


def all_right(notebook, names):
    return set(names)


def all_blank(notebook, names):
    for name in names:
        blank = nbformat.read(places.CHAPTERS / f"{chapter_of(names)}.ipynb", as_version=4)
        answer_with(notebook, name, cell_of(blank, name).source)
    return set()


def wrong(number):
    """Every exercise gets its wrong answer `number` of tests/answers/ (the last one where it has fewer)."""

    def change(notebook, names):
        for name in names:
            topic, _, function = name.partition(".")
            last = len(importlib.import_module(f"tests.answers.{topic}").WRONG[function]) - 1
            line = f'{function} = WRONG["{function}"][{min(number, last)}][0]'
            answer_with(notebook, name, f"from tests.answers.{topic} import WRONG\n\n{line}")
        return set()

    change.__name__ = f"wrong_{number}"
    return change


def deleted_cells(notebook, names):
    """One check is deleted (its exercise still counts), one exercise, and one exercise with its check."""
    gone = [(names[0], True), (names[1], False), (names[2], False), (names[2], True)]
    for name, check in gone:
        notebook.cells.remove(cell_of(notebook, name, check))
    return set(names) - {names[1], names[2]}


def duplicated_cells(notebook, names):
    for name in names[:2]:
        for check in (False, True):
            cell = cell_of(notebook, name, check)
            twin = nbformat.from_dict(json.loads(json.dumps(cell)) | {"id": f"twin-{len(notebook.cells)}"})
            notebook.cells.insert(notebook.cells.index(cell) + 1, twin)
    return set(names)


def renamed_notebook(notebook, names):
    return set(names)


def broken_json(notebook, names):
    return set()


def prints_its_own_score(notebook, names):
    text = f'def {names[0].partition(".")[2]}(*given):\n    print("100.0")\n\n\nprint("score: 100")\n100.0'
    answer_with(notebook, names[0], text)
    cell_of(notebook, names[1], check=True).source = "2.0"  # in place of the check
    answer_with(notebook, names[1], "import sys\nsys.displayhook = lambda value: None\n2.0")
    return set(names) - {names[0], names[1]}


def rewrites_the_check(notebook, names):
    text = """
import os, sys
import numpy as np
import coursekit.checking, coursekit.exercises, classroom.hidden, classroom.kernel
from coursekit.checking import Verdict

os.environ["COURSEKIT_STRICT"] = "0"
ck.check = coursekit.exercises.check = lambda name, answer: print("✓ correct")
coursekit.checking.judge = classroom.hidden.judge = lambda *given, **more: Verdict("correct")
coursekit.checking.compare = classroom.kernel.check = lambda *given, **more: None
np.isclose = np.allclose = lambda *given, **more: np.True_
sys.modules["classroom.kernel"] = sys.modules["classroom.hidden"] = coursekit.exercises
get_ipython().showtraceback = lambda *given, **more: None
"""
    for name in names:
        answer_with(notebook, name, f"{text}\n\ndef {name.partition('.')[2]}(*given):\n    return 42")
    return set()


def forges_a_verdict(notebook, names):
    """A display of its own in place of a verdict; and a function that leaves by the back door."""
    text = """
from IPython.display import display
shown = {"exercise": "NAME", "status": "correct", "mistake": "", "token": ""}
get_ipython().events.register("post_run_cell", lambda result: display({"MIME": shown}, raw=True))


class Equal(float):
    __eq__ = __lt__ = __le__ = lambda self, other: True


def FUNCTION(*given):
    return Equal(0.123)
"""
    for name in names[:-1]:
        code = text.replace("NAME", name).replace("MIME", VERDICT).replace("FUNCTION", name.partition(".")[2])
        answer_with(notebook, name, code)
    return {names[-1]}


def loops_for_ever(notebook, names):
    """In a function, in a cell, and in a cell that will not be interrupted: three exercises are lost, no more."""
    function = names[0].partition(".")[2]
    answer_with(notebook, names[0], f"def {function}(*given):\n    while True:\n        pass")
    answer_with(notebook, names[1], "while True:\n    pass")
    stubborn = "while True:\n    try:\n        while True:\n            pass\n    except BaseException:\n        pass"
    answer_with(notebook, names[2], stubborn)
    return set(names[3:])


def ends_its_kernel(notebook, names):
    answer_with(notebook, names[0], "import os\n\nos._exit(0)")
    answer_with(notebook, names[1], "exit()")
    return set(names[2:])


ROLES = [all_right, all_blank, *(wrong(number) for number in range(LONGEST)), deleted_cells, duplicated_cells]
ROLES += [renamed_notebook, broken_json, prints_its_own_score, rewrites_the_check, forges_a_verdict]
ROLES += [loops_for_ever, ends_its_kernel]
# They fetch and submit with nbgrader's commands, each of which takes five seconds to start; the others' notebooks are
# laid where it collects.
BY_COMMAND = {"all_right", "renamed_notebook", "broken_json", "wrong_1"}


def chapter_of(names):
    topic = names[0].partition(".")[0]
    return next(name for name in chapters.names() if chapters.read(name).header.topic == topic)


def nbgrader(folder, *arguments, fails=False):
    # A learner's own account would keep what they fetched and submitted; here the folder does.
    environment = os.environ | {"PYTHONPATH": str(places.ROOT), "JUPYTER_DATA_DIR": str(folder / ".jupyter")}
    done = subprocess.run([NBGRADER, *arguments], cwd=folder, env=environment, capture_output=True, text=True)
    assert (done.returncode != 0) == fails, done.stdout + done.stderr
    return done.stdout + done.stderr


class School:
    """A course folder, and the learners' folders beside it."""

    def __init__(self, root):
        self.root, self.course, self.expected = root, root / "class", {}
        layout.lay_out(self.course)

    def learner(self, student):
        folder = self.root / student
        folder.mkdir(exist_ok=True)
        if not (folder / "nbgrader_config.py").exists():
            text = (self.course / "for_learners" / "nbgrader_config.py").read_text(encoding="utf8")
            (folder / "nbgrader_config.py").write_text(text, encoding="utf8")
        return folder

    def release(self, name):
        nbgrader(self.course, "generate_assignment", name)
        nbgrader(self.course, "release_assignment", name)

    def hand_in(self, name, role):
        """Answer as `role` does, right into the folder of collected submissions."""
        path = self.course / "submitted" / role.__name__ / name / f"{name}.ipynb"
        path.parent.mkdir(parents=True)
        shutil.copy(self.course / "release" / name / path.name, path)
        self.answer(name, role, path)

    def submit(self, name, role):
        """Fetch, answer as `role` does, submit: by nbgrader's own commands."""
        student = role.__name__
        folder = self.learner(student)
        nbgrader(folder, "fetch_assignment", name)
        path = folder / name / f"{name}.ipynb"
        self.answer(name, role, path)
        if role is broken_json:
            path.write_text(path.read_text(encoding="utf8")[:-500], encoding="utf8")
        if role is renamed_notebook:
            path.rename(path.with_name("my homework.ipynb"))
            refused = nbgrader(folder, "submit", name, "--student", student, fails=True)
            assert "missing notebooks" in refused
            nbgrader(folder, "submit", name, "--student", student, "--ExchangeSubmit.strict=False")
        else:
            nbgrader(folder, "submit", name, "--student", student)

    def answer(self, name, role, path):
        notebook = nbformat.read(path, as_version=4)
        solved = nbformat.read(places.SOLUTIONS / path.name, as_version=4)
        for exercise in exercises(name):
            answer_with(notebook, exercise, cell_of(solved, exercise).source)
        self.expected[name, role.__name__] = role(notebook, exercises(name))
        nbformat.write(notebook, path)

    def grade(self, name, *options, fails=False):
        """Autograde. Returns (what nbgrader said, seconds of one core, those of its kernels with them)."""
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        said = nbgrader(self.course, "autograde", name, *options, fails=fails)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        return said, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime

    def scores(self):
        """{(assignment, student): score} as nbgrader exports them."""
        nbgrader(self.course, "export", "--to", "grades.csv")
        with open(self.course / "grades.csv", encoding="utf8", newline="") as file:
            return {(row["assignment"], row["student_id"]): float(row["score"]) for row in csv.DictReader(file)}


@pytest.fixture(scope="module")
def school(tmp_path_factory):
    return School(tmp_path_factory.mktemp("school") / "my cöurse")


@pytest.fixture(scope="module")
def graded(school):
    """The class of twenty, graded on chapter 01: (school, what autograde said, its seconds)."""
    school.release(FIRST)
    for role in ROLES:
        hand_in = school.submit if role.__name__ in BY_COMMAND else school.hand_in
        hand_in(FIRST, role)
    nbgrader(school.course, "collect", FIRST)
    return school, *school.grade(FIRST, fails=True)  # one submission is no notebook


def test_a_class_of_twenty_is_graded_in_six_minutes(graded):
    _, said, seconds = graded
    print(f"\nautograde: {seconds:.0f} s of one core for {len(ROLES)} submissions")
    assert len(ROLES) == 20
    assert seconds <= SECONDS_A_CLASS
    assert re.findall(r"error processing assignment '\w+' for student '(\w+)'", said) == ["broken_json"]


def test_marks_are_as_they_must_be(graded):
    school, _, _ = graded
    worth, scores = points(FIRST), school.scores()
    expected = {key: sum(worth[name] for name in solved) for key, solved in school.expected.items() if key[0] == FIRST}
    assert {key: score for key, score in scores.items() if key[0] == FIRST} == expected
    assert expected[FIRST, "all_right"] == sum(worth.values()) > 0 == expected[FIRST, "all_blank"]


def test_the_released_notebook_is_the_chapter(graded):
    school, _, _ = graded
    released = nbformat.read(school.course / "release" / FIRST / f"{FIRST}.ipynb", as_version=4)
    chapter = nbformat.read(places.CHAPTERS / f"{FIRST}.ipynb", as_version=4)
    # Each chapter lies in a folder of its own, and the links know it.
    in_folders = [re.sub(r"\]\((\w+)\.ipynb\)", r"](../\1/\1.ipynb)", cell.source) for cell in chapter.cells]
    assert [cell.source for cell in released.cells] == in_folders
    assert "](../02_losses/02_losses.ipynb)" in released.cells[-1].source


def test_grading_changes_no_cell(graded):
    """A graded notebook is the submission, with outputs; what the grader itself ran in its kernel leaves no trace."""
    school, _, _ = graded
    for role in (all_right, wrong(0), loops_for_ever):
        before, after = (
            nbformat.read(school.course / step / role.__name__ / FIRST / f"{FIRST}.ipynb", as_version=4).cells
            for step in ("submitted", "autograded")
        )
        hidden = layout.HIDDEN.partition("{")[0]
        assert [cell.source for cell in before] == [
            cell.source.rpartition(f"{layout.HIDDEN.splitlines()[-1]}\n")[2] for cell in after
        ]
        assert sum(hidden in cell.source for cell in after) == len(exercises(FIRST))


def test_a_submission_costs_seconds(graded):
    school, _, _ = graded
    _, seconds = school.grade(FIRST, "--student", "all_right", "--force")
    assert seconds <= SECONDS_A_SUBMISSION


def test_a_learner_reads_the_feedback(graded):
    school, _, _ = graded
    nbgrader(school.course, "generate_feedback", FIRST, "--student", "wrong_1")
    nbgrader(school.course, "release_feedback", FIRST, "--student", "wrong_1")
    folder = school.learner("wrong_1")
    nbgrader(folder, "fetch_feedback", FIRST)
    (page,) = (folder / FIRST).rglob(f"{FIRST}.html")
    text = page.read_text(encoding="utf8")
    assert "<title>01_activations</title>" in text
    assert re.search(r"<h1[^>]*>01 · Activations", text)
    assert "the slope at exactly 0 was taken as 1" in text
    assert "Traceback (most" not in text


def test_the_overview_tells_who_solved_what_and_why_not(graded):
    school, _, _ = graded
    notebook = nbformat.read(school.course / "overview.ipynb", as_version=4)
    record = {"status": "not yet", "tries": 2, "mistake": "It looks as if the layers were added: slopes multiply."}
    records = json.dumps({"exercises": {"activations.largest_share": record}})
    (school.course / "progress" / "from home.json").write_text(records, encoding="utf8")
    (school.course / "progress" / "broken.json").write_text("{")
    build.execute(notebook, school.course, strict=False)
    shown = "\n".join(line for cell in notebook.cells if cell.cell_type == "code" for line in texts(cell))
    assert "broken_json: 01_activations could not be graded" in shown
    assert "broken.json" in shown
    outputs = [output for cell in notebook.cells for output in cell.get("outputs", [])]
    assert any("image/png" in output.get("data", {}) for output in outputs)
    results, _ = overview.from_nbgrader(school.course)
    found = {(row.learner, row.exercise): row for row in results.itertuples()}
    for (_, student), solved in school.expected.items():
        if student != "broken_json":
            assert {name for name in exercises(FIRST) if found[student, name].status == "correct"} == solved
    assert {found["all_blank", name].status for name in exercises(FIRST)} == {"not attempted"}
    common = overview.mistakes(results)
    named = {sentence for item in checking.items("activations", checking.Exercise) for sentence in item.mistakes}
    assert len(common) > 10
    assert set(common["mistake"]) <= named
    assert common["learners"].is_monotonic_decreasing
    assert "slopes multiply" in shown


def test_another_chapter_is_graded(school):
    name, roles = OTHER, [all_right, all_blank, wrong(0)]
    school.release(name)
    for role in roles:
        school.hand_in(name, role)
    _, seconds = school.grade(name)
    assert seconds <= SECONDS_A_SUBMISSION * len(roles)
    worth, scores = points(name), school.scores()
    assert scores[name, "all_right"] == sum(worth.values())
    assert {scores[name, role.__name__] for role in roles[1:]} == {0.0}


def test_what_is_laid_by_hand_is_found_and_graded_anew_when_it_changed(tmp_path):
    school, name = School(tmp_path), "04c_choosing_an_optimizer"
    nbgrader(school.course, "generate_assignment", name)
    worth = sum(points(name).values())

    def lay(student, file, role):
        path = school.course / "submitted" / student / name / file
        path.parent.mkdir(parents=True, exist_ok=True)
        notebook = nbformat.read(school.course / "release" / name / f"{name}.ipynb", as_version=4)
        solved = nbformat.read(places.SOLUTIONS / f"{name}.ipynb", as_version=4)
        for exercise in exercises(name) if role is all_right else ():
            answer_with(notebook, exercise, cell_of(solved, exercise).source)
        nbformat.write(notebook, path)
        return path

    lay("copy", f"{name}.ipynb", all_blank)
    lay("copy", f"{name}-Copy1.ipynb", all_right)
    lay("alone", f"{name} (1).ipynb", all_right)
    lay("hiding", f"{name}.ipynb", all_right).with_name("numpy.py").write_text("x = 1\n", encoding="utf8")
    lay("twice", f"{name}.ipynb", all_blank)
    said, _ = school.grade(name)
    assert school.scores() == {
        (name, "copy"): worth,
        (name, "alone"): worth,
        (name, "hiding"): worth,
        (name, "twice"): 0,
    }
    assert f"copy: {name}-Copy1.ipynb is taken for {name}.ipynb" in said
    assert "hiding: numpy.py hides the library numpy" in said
    lay("twice", f"{name}.ipynb", all_right)
    said, _ = school.grade(name)
    assert school.scores()[name, "twice"] == worth
    assert said.count("Skipping existing assignment") == 3
