"""The authoring pipeline on a small chapter of its own."""

import json

import pytest

from authoring import build, lint, moved, notebooks
from authoring import chapter as chapters
from coursekit import manifest, places

SOURCE = """\
# ---
# title: A title
# promise: You will see one cell run.
# built: You ran one cell.
# minutes: 5
# prerequisites: []
# data: []
# articles: [a0 3.1]
# clinic: []
# topic: activations
# ---

# %% [markdown]
# Some text.

# %% tags=["setup"]
import coursekit as ck

print("two", 2)

# %% [markdown]
# Some words before it.
#
# ### Exercise 9.1 · A small share · ●●○ · 4 minutes
# Write `largest_share`.

# %% tags=["exercise"]
def largest_share(layers):
    ### BEGIN SOLUTION
    return 0.25**layers
    ### END SOLUTION

# %% tags=["check"]
ck.check("activations.largest_share", largest_share)
"""


@pytest.fixture
def small(tmp_path, monkeypatch):
    """A function that writes source/90_small.py (with replacements) into an empty course and reads it."""
    for name in ("SOLUTIONS", "CHAPTERS"):
        monkeypatch.setattr(places, name, tmp_path / name.lower())
        (tmp_path / name.lower()).mkdir()
    monkeypatch.setattr(chapters, "SOURCE", tmp_path)
    monkeypatch.setattr(build, "RUNS", tmp_path / "solutions" / "runs.json")

    def write(*changes):
        text = SOURCE
        for old, new in changes:
            assert old in text
            text = text.replace(old, new)
        (tmp_path / "90_small.py").write_text(text, encoding="utf8")
        return chapters.read("90_small")

    return write


def test_a_header_is_read(small):
    header = small().header
    assert (header.title, header.minutes, header.articles, header.ignored) == ("A title", 5, ("a0 3.1",), ())


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (("# ---\n# title", "# title"), ":1: the file must begin with a YAML header"),
        (("# title: A title\n", ""), "`title` is missing"),
        (("minutes: 5", "minutes: soon"), ":5: header key `minutes` must be a whole number"),
        (("one cell run.", "one cell run. And more."), ":3: header key `promise` must be one sentence"),
        (("a0 3.1", "article 3"), ":8: header key `articles` holds 'article 3'"),
        (("data: []", "data: [imagenet]"), ":7: header key `data` names 'imagenet'"),
        (("prerequisites: []", "prerequisites: [77_x]"), ":6: header key `prerequisites` names '77_x'"),
        (("clinic: []", "clinic: [one]"), ":9: header key `clinic` holds 'one'"),
        (("minutes: 5", "minute: 5"), ":5: header key `minute` is not known"),
        (("minutes: 5", "minutes: [5"), "not valid YAML"),
        (("    ### END SOLUTION\n", ""), ":29: the solution that begins here is not closed"),
        (("    ### BEGIN SOLUTION\n", ""), ":30: `### END SOLUTION` without"),
        (("    return", "    ### BEGIN SOLUTION\n    return"), ":30: `### BEGIN SOLUTION` inside the solution"),
        (("### BEGIN SOLUTION", "## BEGIN SOLUTION"), ":29: write exactly"),
        (('tags=["setup"]', 'tags=["set-up"]'), ":16: unknown tag 'set-up'"),
        (('# %% tags=["exercise"]', "# %%"), "tagged `exercise` if, and only if"),
        (("### Exercise 9.1", "### Task 9.1"), "the cell before an exercise must hold"),
        (("A small share · ", ""), "the cell before an exercise must hold `### Exercise 1.1 · A short title · "),
        (("You ran one cell.", "You ran a cell. Twice."), ":4: header key `built` must be one sentence"),
        (('ck.check("activations', 'ck.check("losses'), "a check cell is one line"),
        (('# %% tags=["check"]', "# %%"), "the cell after an exercise must be its check"),
    ],
)
def test_what_is_wrong_is_named_with_file_and_line(small, change, message):
    with pytest.raises(chapters.SourceError) as error:
        small(change)
    assert str(error.value).startswith("90_small.py:")
    assert message in str(error.value)


def test_the_learner_gets_a_stub_and_locked_checks(small):
    learner = notebooks.learner(notebooks.solution(small()))
    exercise, check = learner.cells[-3:-1]
    assert exercise.source == f"def largest_share(layers):\n    {notebooks.STUB}"
    assert check.metadata["nbgrader"] == {
        "schema_version": 3,
        "grade_id": "check-activations-largest_share",
        "grade": True,
        "points": 2,
        "solution": False,
        "locked": True,
        "task": False,
    }


def test_of_builds_that_did_the_same_work_the_fastest_counts(small):
    for work, seconds, noted in [("1", [30, 6], 36), ("1", [90, 6], 36), ("1", [20, 6], 26), ("2", [90, 6], 96)]:
        build.record("90_small", "a key", work, seconds)
        run = {"key": "a key", "work": work, "seconds": noted, "slowest": noted - 6}
        assert build.read_runs()["90_small"] == run


def test_work_is_what_the_cells_do_and_not_what_stands_around_them(small):
    def works(*changes):
        chapter = small(*changes)
        return notebooks.work(chapter, notebooks.solution(chapter))

    assert works() == works(("Some words before it.", "Other words.")) != works(("return 0.25", "return 0.50"))


def test_a_chapter_is_no_dead_end(small, tmp_path):
    text = SOURCE.replace("A title", "The last").replace("prerequisites: []", "prerequisites: [90_small]")
    (tmp_path / "91_last.py").write_text(text, encoding="utf8")
    first, last = notebooks.solution(small()).cells, notebooks.solution(chapters.read("91_last")).cells
    assert first[0].source.endswith("5 minutes · Before this: none")
    assert last[0].source.endswith("5 minutes · Before this: [90 · A title](90_small.ipynb)")
    assert first[-1].source == "### What you built\n\nYou ran one cell.\n\n**Next:** [91 · The last](91_last.ipynb)"
    assert last[-1].source.endswith("This is the last chapter of the course.")


def test_the_heading_of_an_exercise_begins_a_cell_to_which_links_lead(small):
    cells = notebooks.solution(small()).cells
    (place,) = [i for i, cell in enumerate(cells) if cell.id == manifest.cell_id("activations.largest_share")]
    assert manifest.anchor("activations.largest_share") == f"cell-id={cells[place].id}"
    assert cells[place - 1].source == "Some words before it."
    assert cells[place].source.startswith("### Exercise 9.1 · A small share · ●●○ · 4 minutes\n")
    assert "exercise" in chapters.tags(cells[place + 1])


def test_building_twice_gives_the_same_bytes_and_executes_once(small, capsys):
    small()
    build.build("90_small")
    files = {path: path.read_bytes() for path in places.SOLUTIONS.parent.rglob("*.ipynb")}
    assert len(files) == 2
    build.build("90_small")
    assert capsys.readouterr().out.count("executing") == 1
    build.build("90_small", force=True)
    assert {path: path.read_bytes() for path in files} == files
    stored = json.loads((places.SOLUTIONS / "90_small.ipynb").read_text(encoding="utf8"))
    code = [cell for cell in stored["cells"] if cell["cell_type"] == "code"]
    assert [cell["execution_count"] for cell in code] == [1, 2, 3]


def test_what_the_start_says_is_neither_stored_nor_compared_nor_counted(small):
    chapter = small(("import coursekit as ck\n", "import coursekit as ck\n\nck.start()\n"))
    build.build("90_small")
    stored = notebooks.nbformat.read(places.SOLUTIONS / "90_small.ipynb", as_version=4)
    (start,) = [cell for cell in stored.cells if "ck.start()" in cell.source]
    assert start.outputs == []
    assert start.metadata["tags"] == ["nbval-ignore-output", "setup"]
    assert list(lint.ignored_outputs(chapter, stored)) == []


QUIET = "time.sleep(1.5)\nprint(1)"
TELLING = "for step in range(5):\n    time.sleep(0.3)\n    print(step, flush=True)"
WITH_A_BAR = "for step in ck.bar(range(3), 'steps'):\n    time.sleep(0.5)"


def test_the_silence_of_a_cell_is_measured(tmp_path):
    cells = [notebooks.nbformat.v4.new_code_cell(code) for code in (QUIET, TELLING, WITH_A_BAR)]
    first = notebooks.nbformat.v4.new_code_cell("import time\n\nimport tqdm.notebook\n\nimport coursekit as ck")
    notebook = notebooks.nbformat.v4.new_notebook(cells=[first, *cells])
    _, quiet, telling, with_a_bar = build.execute(notebook, tmp_path)
    assert 1.5 <= quiet[1] <= quiet[0]
    assert telling[0] >= 1.5 > telling[1]
    assert with_a_bar[0] >= 1.5
    assert with_a_bar[1] == 0
    notebooks.tidy(notebook)
    assert cells[-1].outputs == []  # the bar leaves nothing behind


def test_a_cell_that_is_silent_for_long_is_listed(small, monkeypatch, capsys):
    chapter = small(("import coursekit as ck\n", "import coursekit as ck\n\nck.start()\n"))
    count = len(notebooks.solution(chapter).cells)
    assert notebooks.starts(notebooks.solution(chapter).cells[2])
    silence = [0.0, 0.0, 9.0, 3.1, 2.9] + [0.0] * (count - 5)
    monkeypatch.setattr(build, "execute", lambda *_: [(seconds, seconds) for seconds in silence])
    build.build("90_small")
    advice = [line for line in capsys.readouterr().out.splitlines() if "(advice)" in line]
    assert advice == ["90_small: (advice) cell 3 shows nothing for 3.1 s: print as it goes, or show a bar"]


def test_moved_numbers_are_shown_old_beside_new(small):
    small()
    assert build.build("90_small") == []
    small(('"two", 2', '"two", 3'))
    assert build.build("90_small") == ["cell 2: 2 → 3   in: two 3"]


def test_a_failing_cell_names_its_file(small):
    small(('print("two", 2)', "1 / 0"))
    with pytest.raises(chapters.SourceError, match=r"90_small.py: cell 2 failed(.|\n)*ZeroDivisionError"):
        build.build("90_small")


def test_the_table_of_moved_outputs_matches_cells_by_their_code():
    def notebook(*cells):
        outputs = [[{"output_type": "stream", "name": "stdout", "text": text}] for _, text in cells]
        return notebooks.nbformat.v4.new_notebook(
            cells=[
                notebooks.nbformat.v4.new_code_cell(code, outputs=[notebooks.nbformat.from_dict(o[0])])
                for (code, _), o in zip(cells, outputs, strict=True)
            ]
        )

    old = notebook(("a", "loss 0.50 acc 0.8\n"), ("b", "same\n"))
    new = notebook(("new", "1\n"), ("a", "loss 0.51 acc 0.8\n"), ("b", "same\n"))
    assert moved.table(old, new) == ["cell 1: 0.50 → 0.51   in: loss 0.51 acc 0.8"]


def test_a_new_benchmark_asks_for_the_chapters_that_show_it(course):
    def keys():
        read = {name: chapters.read(name) for name in ("01_activations", "08b_convolutional_networks")}
        return {name: notebooks.key(chapter, notebooks.solution(chapter)) for name, chapter in read.items()}

    before, path = keys(), places.BENCHMARKS / "fashion_mnist.json"
    path.write_text(path.read_text(encoding="utf8").replace('"seed": 0', '"seed": 1'), encoding="utf8")
    after = keys()
    assert [name for name in before if before[name] != after[name]] == ["08b_convolutional_networks"]
