"""check, hint, solution, quiz, reset, progress; and that nothing which a learner wrote is lost."""

import builtins
import json
import multiprocessing
import shutil

import pytest

import coursekit as ck
from coursekit import cards, checking, places, store, workspace

NAME = "activations.largest_share"


@pytest.fixture
def said(monkeypatch):
    """What was shown to the learner, as plain text."""
    lines = []
    monkeypatch.setattr(cards, "display", lambda bundle, metadata=None: lines.append(bundle["text/plain"]))
    return lines


def right(layers):
    return 0.25**layers


def test_three_verdicts(desk, said):
    ck.check(NAME, ...)
    ck.check(NAME, lambda layers: 0.25 * layers)
    ck.check(NAME, right)
    calls = f'Hint: ck.hint("{NAME}") · Solution: ck.solution("{NAME}")'
    assert said[0] == f"○ {NAME} · not attempted yet.\n{calls}"
    assert said[1] == (
        f"✗ {NAME} · not yet.\nIt looks as if the layers were added: slopes multiply.\n"
        f"input: layers = 2\nexpected: 0.0625\ngot: 0.5\n{calls}"
    )
    assert said[2] == f'✓ {NAME} · correct.\nSolution: ck.solution("{NAME}")'
    record = store.STORE.read()[NAME]
    assert (record["status"], record["tries"], record["mistake"]) == ("correct", 2, "")


def test_strict_mode_raises(desk, said, monkeypatch):
    monkeypatch.setenv("COURSEKIT_STRICT", "1")
    ck.check(NAME, right)
    for answer in (..., lambda layers: 1):
        with pytest.raises(AssertionError, match=NAME):
            ck.check(NAME, answer)


def test_an_unknown_name_gets_the_closest(desk):
    with pytest.raises(
        places.CourseError, match=r"no exercise 'activations.sofmax'. Did you mean 'activations.softmax'"
    ):
        ck.check("activations.sofmax", right)
    with pytest.raises(places.CourseError, match="no exercise 3"):
        ck.check(3, right)
    with pytest.raises(places.CourseError, match="no topic 'cooking'"):
        ck.progress("cooking")


def test_hints_come_one_by_one(desk, said):
    for _ in range(3):
        ck.hint(NAME)
    assert [line[:11] for line in said[:2]] == ["Hint 1 of 2", "Hint 2 of 2"]
    assert said[2] == f"{said[0]}\n\n{said[1]}"
    assert "last" not in said[0]


def test_the_last_hint_promises_no_closed_solution(desk, said):
    ck.hint(NAME)
    for left in ("3 more tries", "2 more tries", "1 more try"):
        ck.hint(NAME)
        assert said[-1].endswith(f"That was the last one. The solution opens after {left}.")
        ck.check(NAME, lambda layers, left=left: int(left[0]))
    ck.hint(NAME)
    assert said[-1].endswith(f'The solution is open: ck.solution("{NAME}") shows it.')
    for path in places.SOLUTIONS.glob("*.ipynb"):
        path.unlink()
    ck.hint(NAME)
    assert said[-1].endswith("That was the last one. This copy of the course holds no solutions; ask your teacher.")


def test_the_solution_opens_after_three_tries(desk, said):
    ck.solution(NAME)
    assert "opens after 3 more tries" in said[-1]
    for answer in (1, 2):
        ck.check(NAME, lambda layers, answer=answer: answer)
    ck.solution(NAME)
    assert "opens after 1 more try." in said[-1]
    ck.check(NAME, lambda layers: 3)
    ck.solution(NAME)
    assert "return 0.25**layers" in said[-1]
    assert "###" not in said[-1]


def test_the_solution_opens_at_once_when_asked(desk, said):
    ck.solution(NAME, now=True)
    assert "return 0.25**layers" in said[-1]


def test_a_handout_holds_no_solutions(desk, said):
    for path in places.SOLUTIONS.glob("*.ipynb"):
        path.unlink()
    ck.solution(NAME, now=True)
    assert said == ["This copy of the course holds no solutions; ask your teacher."]


def test_a_quiz_answers_a_click_with_its_reason(desk, monkeypatch):

    shown = []
    monkeypatch.setattr(cards, "in_notebook", lambda: True)
    monkeypatch.setattr(cards, "display_widget", lambda widget, static: shown.append((widget, static)))
    for topic in checking.topics():
        for question in checking.items(topic, checking.Quiz):
            ck.quiz(question.name)
            _, *buttons, verdict = shown[-1][0].children
            choices = {choice.replace("`", ""): judged for choice, judged in question.choices.items()}
            assert sorted(button.description for button in buttons) == sorted(choices)
            solved = False
            for button in buttons:
                is_right, reason = choices[button.description]
                button.click()
                assert verdict.value.startswith("<b>✓ correct.</b>" if is_right else "<b>✗ not yet.</b>")
                assert cards.as_html(reason) in verdict.value
                assert ("stays right" in verdict.value) == (solved and not is_right)
                solved = solved or is_right
                assert store.STORE.read()[question.name]["status"] == ("correct" if solved else "not yet")
            assert question.question in shown[-1][1]["text/plain"]


def test_progress_is_a_to_do_list(desk, said):
    ck.check(NAME, right)
    ck.progress("activations")
    assert "1 of 7 exercises solved, 0 of 4 questions right" in said[-1]
    assert "| ✓ | 1.4 · The largest share | correct |" in said[-1]
    assert "| ○ | 1.3 · Softmax for large numbers | not attempted |" in said[-1]


def test_progress_is_kept_in_workspace_for_every_notebook_but_the_courses_own(
    desk, course, said, monkeypatch, tmp_path
):
    mine, elsewhere = desk / "progress.json", tmp_path / "elsewhere"
    elsewhere.mkdir()
    for here, kept in [
        (desk, mine),
        (course, mine),  # a kernel of VS Code begins there
        (places.DATASETS, mine),
        (places.CHAPTERS, None),
        (places.SOLUTIONS, None),
        (elsewhere, elsewhere / "progress.json"),
    ]:
        monkeypatch.chdir(here)
        ck.check(NAME, right)
        found = set(tmp_path.rglob("progress.json"))
        assert found == ({kept} if kept else set()), here
        if kept:
            assert json.loads(kept.read_text(encoding="utf8"))["exercises"][NAME]["status"] == "correct"
            kept.unlink()


def test_a_verdict_in_words_is_not_kept(desk, said):
    assert ck.verdict(NAME, right) == "correct."
    assert ck.verdict(NAME, lambda layers: ...) == "not attempted."
    told = ck.verdict(NAME, lambda layers: 0.5**layers)
    assert told.startswith("not yet. For layers=")
    assert "**" not in told
    assert said == []
    assert not (desk / "progress.json").exists()


def test_what_was_solved_stays_solved(desk, said):
    ck.check(NAME, right)
    ck.check(NAME, lambda layers: 0.25 * layers)
    assert said[-1].startswith(f"✗ {NAME} · not yet.\nIt looks as if the layers were added")
    assert "You solved this exercise before, and it stays solved." in said[-1]
    record = store.STORE.read()[NAME]
    assert (record["status"], record["tries"], record["mistake"]) == ("correct", 2, "")


def test_the_same_wrong_answer_counts_once(desk, said):
    def added(layers):
        return 0.25 * layers

    def tries():
        return store.STORE.read()[NAME]["tries"]

    for _ in range(3):
        ck.check(NAME, added)
        ck.check(NAME, 0.5)
        ck.check(NAME, [1.0, 2.0])
    assert tries() == 3
    ck.check(NAME, [1.0, 2.0, 3.0])
    assert tries() == 4
    for number in range(20):
        ck.check(NAME, lambda layers, number=number: number + 2)
    assert tries() == 24
    assert len(store.STORE.read()[NAME]["checked"]) == 10


def test_the_same_source_with_another_verdict_is_another_try(desk, said):
    space = {"scale": 2}

    def scaled(layers):
        return space["scale"] * 0.25**layers

    ck.check(NAME, scaled)
    space["scale"] = 3
    ck.check(NAME, scaled)
    assert store.STORE.read()[NAME]["tries"] == 2


def test_a_name_that_is_not_defined_is_no_try(desk, said):
    for _ in range(2):
        ck.check(NAME, lambda layers: helper(layers))  # noqa: F821
    assert "helper is not defined: run the cells above first (Run → Run All Above Selected Cell)." in said[-1]
    assert store.STORE.read()[NAME] == {"status": "not attempted"}
    ck.check(NAME, lambda layers: 1)
    ck.check(NAME, lambda layers: helper(layers))  # noqa: F821
    record = store.STORE.read()[NAME]
    assert (record["status"], record["tries"]) == ("not yet", 1)


def test_a_local_name_used_too_early_is_the_answers_own_mistake(desk, said):
    def early(layers):
        total += layers  # noqa: F821
        return total

    ck.check(NAME, early)
    assert store.STORE.read()[NAME]["tries"] == 1
    assert "UnboundLocalError" in said[-1]


def test_marks_of_answers_are_cleaned_and_older_files_are_read(desk, said):
    good = [f"{number:012x}" for number in range(12)]
    records = {NAME: {"status": "not yet", "tries": 1}, "activations.softmax": {"checked": [*good, "no", 3, "A" * 12]}}
    (desk / "progress.json").write_text(json.dumps({"exercises": records}), encoding="utf8")
    assert store.STORE.read() == {NAME: records[NAME], "activations.softmax": {"checked": good[-10:]}}
    for damaged in ("text", {"a": 1}, [[]], None):
        records[NAME]["checked"] = damaged
        (desk / "progress.json").write_text(json.dumps({"exercises": records}), encoding="utf8")
        assert "checked" not in store.STORE.read()[NAME]
    ck.check(NAME, lambda layers: 1)
    assert store.STORE.read()[NAME]["tries"] == 2


@pytest.mark.parametrize("text", ["{", "[]", '{"exercises": 3}', '{"exercises": {"a": 1}}', "\xff"])
def test_a_damaged_progress_file_is_set_aside(desk, said, text, capsys):
    (desk / "progress.json").write_text(text, encoding="latin1")
    ck.check(NAME, right)
    assert "was damaged. It is kept as progress.damaged.json" in capsys.readouterr().out
    assert (desk / "progress.damaged.json").read_text(encoding="latin1") == text
    assert store.STORE.read()[NAME]["status"] == "correct"


def test_progress_that_cannot_be_written_is_one_line(desk, said, capsys, monkeypatch):
    def refuse(path, content):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(places, "write_atomically", refuse)
    ck.check(NAME, right)
    assert "Progress could not be kept: progress.json cannot be written (Permission denied)." in capsys.readouterr().out
    assert said[-1].startswith(f"✓ {NAME} · correct.")


def _record(folder, number):
    import os

    os.chdir(folder)
    for i in range(10):
        store.Store().update(f"exercise.{number}.{i}", status="correct")


def test_two_chapters_may_write_at_once(tmp_path):
    context = multiprocessing.get_context("spawn")
    both = [context.Process(target=_record, args=(tmp_path, number)) for number in (1, 2)]
    for process in both:
        process.start()
    for process in both:
        process.join(120)
    records = json.loads((tmp_path / "progress.json").read_text(encoding="utf8"))["exercises"]
    assert len(records) == 20


def test_reset_of_an_exercise_keeps_a_copy(desk, said):
    ck.check(NAME, right)
    ck.reset(NAME)
    assert NAME not in store.STORE.read()
    (kept,) = desk.glob("progress.2*.json")
    assert NAME in json.loads(kept.read_text(encoding="utf8"))["exercises"]
    assert "...  # your code here" in said[-1]


def test_reset_of_a_chapter_keeps_the_learners_notebook(desk, said):
    mine = desk / "01_activations.ipynb"
    mine.write_text("my work", encoding="utf8")
    ck.reset("01_activations")
    (kept,) = desk.glob("01_activations.kept-*.ipynb")
    assert kept.read_text(encoding="utf8") == "my work"
    assert mine.read_bytes() == (places.CHAPTERS / mine.name).read_bytes()


def test_a_chapter_is_reset_only_in_workspace(desk, monkeypatch):
    monkeypatch.chdir(places.CHAPTERS)
    with pytest.raises(places.CourseError, match="only in workspace/"):
        ck.reset("01_activations")


def test_what_a_learner_wrote_is_never_overwritten(desk):
    mine, theirs = desk / "01_activations.ipynb", places.CHAPTERS / "01_activations.ipynb"
    mine.write_text("my work", encoding="utf8")
    assert workspace.lay_out() == []
    for number, version in [("", "newer"), (".2", "newest")]:
        theirs.write_text(version, encoding="utf8")
        assert workspace.lay_out() == [
            f"01_activations.ipynb: a newer version lies beside yours as 01_activations.new{number}.ipynb"
        ]
        assert (desk / f"01_activations.new{number}.ipynb").read_text(encoding="utf8") == version
    assert workspace.lay_out() == []
    assert mine.read_text(encoding="utf8") == "my work"
    mine.unlink()
    assert workspace.lay_out() == ["01_activations.ipynb: copied"]


def test_a_lost_record_of_what_was_laid_overwrites_nothing(desk):
    mine = desk / "01_activations.ipynb"
    mine.write_text("my work", encoding="utf8")
    (desk / workspace.LAID).write_text("{", encoding="utf8")
    assert workspace.lay_out() == [
        "01_activations.ipynb: a newer version lies beside yours as 01_activations.new.ipynb"
    ]
    assert mine.read_text(encoding="utf8") == "my work"


def kept(desk, name="01_activations.ipynb"):
    """What is kept of a notebook as it was laid, or None."""
    path = desk / workspace.KEPT / name
    return path.read_text(encoding="utf8") if path.exists() else None


def test_each_notebook_is_kept_as_it_was_laid(desk):
    mine, theirs = desk / "01_activations.ipynb", places.CHAPTERS / "01_activations.ipynb"
    first = theirs.read_text(encoding="utf8")
    laid = {path.name: path.read_bytes() for path in desk.glob("*.ipynb")}
    assert {path.name: path.read_bytes() for path in (desk / workspace.KEPT).iterdir()} == laid
    assert workspace.KEPT.startswith(".")  # JupyterLab does not show it
    mine.write_text("my work", encoding="utf8")
    theirs.write_text("newer", encoding="utf8")
    workspace.lay_out()
    assert kept(desk) == first  # what lies beside is not what the learner began with
    mine.write_text("newer", encoding="utf8")  # until the learner takes it
    workspace.lay_out()
    assert kept(desk) == "newer"
    mine.unlink()
    theirs.write_text("newest", encoding="utf8")
    workspace.lay_out()
    assert kept(desk) == mine.read_text(encoding="utf8") == "newest"


def test_an_older_workspace_gets_what_is_known(desk):
    first = (places.CHAPTERS / "01_activations.ipynb").read_text(encoding="utf8")
    for name in ("01_activations", "02_losses", "03_backpropagation"):
        (desk / f"{name}.ipynb").write_text("my work", encoding="utf8")
    (desk / "02_losses.new.ipynb").write_text("newer", encoding="utf8")  # it is not known what the learner's came from
    (places.CHAPTERS / "03_backpropagation.ipynb").write_text("newer", encoding="utf8")
    shutil.rmtree(desk / workspace.KEPT)
    assert workspace.lay_out() == [
        "03_backpropagation.ipynb: a newer version lies beside yours as 03_backpropagation.new.ipynb"
    ]
    assert kept(desk) == first
    assert kept(desk, "02_losses.ipynb") is None
    assert kept(desk, "03_backpropagation.ipynb") is None
    assert kept(desk, workspace.PAGE) == workspace.page().decode()
    assert (desk / "01_activations.ipynb").read_text(encoding="utf8") == "my work"
    assert workspace.lay_out() == []


def test_a_reset_chapter_is_kept_as_it_was_laid(desk):
    mine, theirs = desk / "01_activations.ipynb", places.CHAPTERS / "01_activations.ipynb"
    mine.write_text("my work", encoding="utf8")
    theirs.write_text("newer", encoding="utf8")
    ck.reset("01_activations")
    assert kept(desk) == mine.read_text(encoding="utf8") == "newer"
    mine.write_text("my work on the newer one", encoding="utf8")
    assert workspace.lay_out() == []  # the learner has it already


@pytest.mark.parametrize("fails", ["01_activations.ipynb", ".laid/01_activations.ipynb", workspace.LAID])
def test_on_a_full_disk_nothing_wrong_is_kept(desk, monkeypatch, fails):
    """Whatever cannot be written: what is kept of a notebook is what was laid, or there is nothing."""
    mine, theirs = desk / "01_activations.ipynb", places.CHAPTERS / "01_activations.ipynb"
    write, full = places.write_atomically, []

    def writes_if_there_is_room(path, data):
        if full and path.relative_to(desk).as_posix() == fails:
            raise OSError(28, "No space left on device")
        write(path, data)

    monkeypatch.setattr(places, "write_atomically", writes_if_there_is_room)
    mine.unlink()
    theirs.write_text("newer", encoding="utf8")
    full.append(True)
    if fails.startswith(".laid/"):
        told = "What the chapters were laid as could not be kept in .laid/ (No space left on device)."
        assert workspace.lay_out() == ["01_activations.ipynb: copied", told]
    else:
        assert workspace.lay_out()[-1] == (
            "Not every chapter could be laid into workspace/ (No space left on device). What is there is as it was; "
            "mend that and start again."
        )
    assert kept(desk) == (mine.read_text(encoding="utf8") if fails == workspace.LAID else None)
    assert not list(desk.rglob("*.part"))
    full.clear()
    workspace.lay_out()
    assert kept(desk) == mine.read_text(encoding="utf8") == "newer"


@pytest.mark.parametrize("fails", [".kept-", "01_activations.ipynb."])
def test_a_reset_on_a_full_disk_changes_nothing(desk, monkeypatch, fails):
    mine = desk / "01_activations.ipynb"
    mine.write_text("my work", encoding="utf8")
    before = {path.name for path in desk.glob("*")}
    open_file = builtins.open

    def full(path, mode="r", *rest, **options):
        if fails in str(path) and "w" in mode:
            open_file(path, mode).close()  # the name is there, its content finds no room
            raise OSError(28, "No space left on device")
        return open_file(path, mode, *rest, **options)

    monkeypatch.setattr(builtins, "open", full)
    with pytest.raises(places.CourseError, match=r"No space left on device.*Your notebook is as it was"):
        ck.reset("01_activations")
    assert {path.name for path in desk.glob("*")} == before
    assert mine.read_text(encoding="utf8") == "my work"


def test_a_folder_that_cannot_be_written_keeps_nobody_from_working(desk):
    shutil.rmtree(desk / workspace.KEPT)
    (desk / workspace.KEPT).write_text("a file of that name", encoding="utf8")
    for name in ("01_activations", "03_backpropagation"):
        (desk / f"{name}.ipynb").unlink()
    assert workspace.lay_out() == [
        "01_activations.ipynb: copied",
        "03_backpropagation.ipynb: copied",
        "What the chapters were laid as could not be kept in .laid/ (File exists).",
    ]
    ck.reset("02_losses")
    assert (desk / "02_losses.ipynb").read_bytes() == (places.CHAPTERS / "02_losses.ipynb").read_bytes()


def test_the_right_choice_has_no_usual_place(desk, monkeypatch):

    shown = []
    monkeypatch.setattr(cards, "in_notebook", lambda: True)
    monkeypatch.setattr(cards, "display_widget", lambda widget, static: shown.append(widget))
    places_of_right = set()
    for topic in checking.topics():
        for question in checking.items(topic, checking.Quiz):
            ck.quiz(question.name)
            descriptions = [button.description for button in shown[-1].children[1:-1]]
            (right,) = (choice.replace("`", "") for choice, (is_right, _) in question.choices.items() if is_right)
            places_of_right.add(descriptions.index(right))
    assert {0, 1, 2} <= places_of_right
