"""What the grader decides by itself: which cells an answer needs, which verdict counts, which notebook is meant."""

import copy
import re

import nbformat
import pytest

from authoring import chapter as chapters
from authoring import notebooks
from classroom import grading, layout, overview
from classroom.kernel import VERDICT
from coursekit import places

pytestmark = pytest.mark.classroom
CHAPTER = "01_activations"


def code(notebook):
    return [cell for cell in notebook.cells if cell.cell_type == "code"]


def sources(notebook, indices):
    return "\n".join(notebook.cells[index].source for index in sorted(indices))


@pytest.fixture(scope="module")
def original():
    return layout.assignment(CHAPTER)


@pytest.mark.parametrize("name", chapters.names())
def test_answers_of_every_chapter_need_no_training(name):
    notebook = layout.assignment(name)
    left_out = grading.experiments(notebook, notebook)
    plain = {
        index
        for index, cell in enumerate(notebook.cells)
        if cell.cell_type == "code" and "nbgrader" not in cell.metadata
    }
    needed = sources(notebook, plain - left_out)
    assert "ck.start()" in needed
    assert not re.search(r"^\S.*\.fit\(", needed, re.MULTILINE)  # at most as part of a function that is defined
    assert len(plain - left_out) <= 8


def test_what_a_learner_changed_runs_and_so_does_what_it_uses(original):
    changed = copy.deepcopy(original)
    training = next(
        i for i, cell in enumerate(changed.cells) if "accuracy[name] = 100 * network.evaluate" in cell.source
    )
    changed.cells[training].source += "\nprint(accuracy)"
    left_out = grading.experiments(changed, original)
    assert training not in left_out
    assert "def build_classifier" in sources(changed, set(range(training)) - left_out)


@pytest.mark.parametrize(
    "use", ["accuracy", "[accuracy[name] for name in elementwise]", "(lambda: accuracy)()", "%time accuracy"]
)
def test_what_an_answer_uses_runs(original, use):
    answered = copy.deepcopy(original)
    cell = next(
        cell for cell in answered.cells if cell.metadata.get("nbgrader", {}).get("grade_id") == "activations-dead_units"
    )
    cell.source = f"def dead_units(activations):\n    return {use}" if "%" not in use else use
    answered.cells.append(answered.cells.pop(answered.cells.index(cell)))  # below the experiment
    later = next(i for i, cell in enumerate(answered.cells) if "accuracy[name] = 100 * network.evaluate" in cell.source)
    assert later not in grading.experiments(answered, original)


def check_cell(*outputs):
    cell = nbformat.v4.new_code_cell("check", outputs=list(outputs))
    cell.metadata["nbgrader"] = {"grade_id": "check-activations-softmax", "grade": True, "solution": False, "points": 2}
    return cell


def verdict(token="t", status="correct", exercise="activations.softmax"):
    told = {"exercise": exercise, "status": status, "mistake": "", "token": token}
    return nbformat.v4.new_output("display_data", {VERDICT: told, "text/plain": "x"})


@pytest.mark.parametrize(
    ("outputs", "points"),
    [
        ([verdict()], 2),
        ([verdict(), nbformat.v4.new_output("stream", name="stderr", text="a warning")], 2),
        ([], 0),
        ([verdict(token="guessed")], 0),
        ([verdict(status="not yet")], 0),
        ([verdict(exercise="activations.largest_share")], 0),
        ([nbformat.v4.new_output("execute_result", {"text/plain": "2.0"}, execution_count=1)], 0),
        ([verdict(), nbformat.v4.new_output("error", ename="E", evalue="", traceback=[])], 0),
        ([nbformat.v4.new_output("display_data", {VERDICT: "correct"})], 0),
        ([verdict(), nbformat.v4.new_output("execute_result", {"text/plain": "7.0"}, execution_count=1)], 2),
    ],
)
def test_only_a_signed_verdict_counts(outputs, points):
    from nbgrader import utils

    cell = check_cell(*outputs)
    grading.believe(cell, "t")
    assert utils.determine_grade(cell) == (points, 2)
    assert "token" not in str(cell.outputs)


def answered(count):
    """The notebook of the chapter with its first `count` exercises answered."""
    notebook = layout.assignment(CHAPTER)
    blank = {cell.id: cell for cell in notebooks.learner(notebook).cells}
    exercises = [cell for cell in notebook.cells if "exercise" in cell.metadata.get("tags", [])]
    for cell in exercises[count:]:
        cell.source = blank[cell.id].source
    return notebook


@pytest.mark.parametrize(
    ("files", "taken"),
    [
        ({f"{CHAPTER}.ipynb": 3}, None),
        ({"my homework.ipynb": 3}, "my homework.ipynb"),
        ({f"{CHAPTER} (1).ipynb": 0}, f"{CHAPTER} (1).ipynb"),
        ({f"{CHAPTER}.ipynb": 0, f"{CHAPTER}-Copy1.ipynb": 3}, f"{CHAPTER}-Copy1.ipynb"),
        ({f"{CHAPTER}.ipynb": 3, f"{CHAPTER}-Copy1.ipynb": 3}, None),
        ({f"{CHAPTER}.ipynb": 3, f"{CHAPTER}-Copy1.ipynb": 2}, None),
    ],
)
def test_the_best_notebook_of_a_submission_is_graded(files, taken, tmp_path):
    source = tmp_path / "source" / CHAPTER / f"{CHAPTER}.ipynb"
    folder = tmp_path / "submitted" / "ann" / CHAPTER
    for path in (source.parent, folder):
        path.mkdir(parents=True)
    nbformat.write(layout.assignment(CHAPTER), source)
    nbformat.write(layout.assignment("02_losses"), folder / "another chapter.ipynb")
    (folder / "broken.ipynb").write_text("{")
    for name, count in files.items():
        nbformat.write(answered(count), folder / name)
    before = {path.name: path.read_bytes() for path in folder.iterdir()}
    paths = [str(path) for path in sorted(folder.glob("*.ipynb"))]
    for _ in range(2):  # the second time there is nothing to do
        grading.begin(assignment=CHAPTER, student="*", notebooks=paths)
        after = {path.name: path.read_bytes() for path in folder.iterdir()}
        assert after[source.name] == before[taken or source.name]
        assert set(before.values()) == set(after.values())  # nothing is lost
        assert len(after) == len(before) + bool(taken)
        assert str(folder / source.name) in paths


def test_a_submission_that_changed_is_graded_again(tmp_path):
    submitted, graded = tmp_path / "submitted" / "ann" / CHAPTER, tmp_path / "autograded" / "ann" / CHAPTER
    for folder in (submitted, graded):
        folder.mkdir(parents=True)
        (folder / f"{CHAPTER}.ipynb").write_text("first")
    grading.forget_what_changed(tmp_path)
    assert graded.exists()  # nobody knows what it was made of
    grading.end(assignment=CHAPTER, student="*", notebooks=[str(submitted / f"{CHAPTER}.ipynb")])
    grading.forget_what_changed(tmp_path)
    assert graded.exists()
    (submitted / f"{CHAPTER}.ipynb").write_text("better")
    grading.forget_what_changed(tmp_path)
    assert not graded.exists()


def test_a_course_folder_is_never_overwritten(tmp_path):
    lines = layout.lay_out(tmp_path)
    assert sum("written" in line for line in lines) == len(chapters.names()) + 3
    assert layout.lay_out(tmp_path) == []
    mine = tmp_path / "source" / CHAPTER / f"{CHAPTER}.ipynb"
    mine.write_text("my own version", encoding="utf8")
    (tmp_path / "nbgrader_config.py").write_text("mine", encoding="utf8")
    (line,) = layout.lay_out(tmp_path)
    assert "left as it is" in line
    assert mine.read_text(encoding="utf8") == "my own version"
    assert (tmp_path / "nbgrader_config.py").read_text(encoding="utf8") == "mine"
    assert (tmp_path / "newer" / mine.name).read_text(encoding="utf8") == notebooks.as_text(layout.assignment(CHAPTER))


def test_an_overview_of_nothing_is_empty(tmp_path, capsys):
    results, problems = overview.from_nbgrader(tmp_path)
    assert problems == ["Nothing is graded yet: the course folder has no gradebook.db."]
    assert overview.from_progress(tmp_path)[1] == []
    assert list(overview.solved(results).columns) == []
    assert len(overview.mistakes(results)) == 0
    overview.picture(results, "losses")
    assert "there is nothing" in capsys.readouterr().out


def test_hidden_tests_stand_in_the_teachers_notebook_alone():
    for path in places.CHAPTERS.glob("*.ipynb"):
        text = path.read_text(encoding="utf8")
        assert "HIDDEN TESTS" not in text
        assert "classroom" not in text
    assert "### BEGIN HIDDEN TESTS" in notebooks.as_text(layout.assignment(CHAPTER))
