"""The page of all chapters, the time that is counted, and progress as one file."""

import json
import re

import filelock
import nbformat
import pytest

import coursekit as ck
from authoring import chapter as chapters
from authoring import notebooks
from coursekit import cards, checking, manifest, places, progress_page, store, workspace

NAME, OTHER = "activations.largest_share", "losses.huber_slope"


@pytest.fixture
def shown(monkeypatch):
    """What was displayed, as (bundle, metadata)."""
    bundles = []
    keep = lambda bundle, metadata=None, raw=True: bundles.append((bundle, metadata))
    monkeypatch.setattr(cards, "display", keep)
    monkeypatch.setattr("IPython.display.display", keep)
    return bundles


@pytest.fixture
def clock(monkeypatch):
    """A clock that a test sets: clock["now"] in seconds."""
    clock = {"now": 1_700_000_000}
    monkeypatch.setattr(store.time, "time", lambda: clock["now"])
    return clock


def test_chapters_are_those_of_the_sources(desk):
    found = manifest.chapters()
    assert [chapter.name for chapter in found] == chapters.names()
    for chapter in found:
        header = chapters.read(chapter.name).header
        assert (chapter.title, chapter.topic) == (header.title, header.topic)
        for kind, names in [(checking.Exercise, chapter.exercises), (checking.Quiz, chapter.questions)]:
            assert [item.name for item in checking.items(chapter.topic, kind)] == list(names)
        assert list(chapter.titles) == list(chapter.exercises)


def test_the_page_tells_what_is_solved_and_where_to_go_on(desk, shown, clock):
    store.STORE.update(NAME, status="correct", tries=1)
    clock["now"] += 600
    store.STORE.update("activations.softmax", status="not yet", tries=1)
    ck.progress()
    text = shown[0][0]["text/markdown"]
    total = sum(len(checking.items(topic, checking.Exercise)) for topic in checking.topics())
    assert f"**1 of {total} exercises solved**, in about 10 min." in text
    assert "| 01 | [Activations](01_activations.ipynb) | 1 of 7 | 0 of 4 | 10 min | 2023-11-14 |" in text
    first = "[exercise 1.1 · The slope of ReLU](01_activations.ipynb#cell-id=exercise-activations-relu_gradient)"
    assert f"**Next step:** {first}, in [01 · Activations](01_activations.ipynb)." in text
    picture, metadata = shown[1]
    assert picture["image/png"].startswith(b"\x89PNG")
    assert f"1 of {total} exercises are solved, in 10 minutes" in metadata["image/png"]["alt"]


def test_a_new_learner_starts_at_the_beginning_and_the_last_step_is_none(desk, shown):
    ck.progress()
    assert "[00 · Start here](00_start_here.ipynb)" in shown[0][0]["text/markdown"].split("| |")[0]
    record = {"status": "correct", "tries": 10, "hints": 3, "mistake": ""}
    everything = {name: record for c in manifest.chapters() for name in c.exercises}
    (desk / "progress.json").write_text(json.dumps({"exercises": everything}), encoding="utf8")
    assert len(store.as_bytes(store.STORE.read_all())) < store.LARGEST / 10
    ck.progress()
    assert "**Next step:** none." in shown[3][0]["text/markdown"]


def test_the_next_step_is_where_the_learner_was_last_or_the_open_chapter_after_it(desk, clock):
    course = manifest.chapters()
    start, first, second, third = course[:4]

    def solve(*chapters):
        for name in [name for chapter in chapters for name in chapter.exercises]:
            clock["now"] += 1
            store.STORE.update(name, status="correct")

    def next_step():
        everything = store.STORE.read_all()
        states = {name: record["status"] for name, record in everything["exercises"].items()}
        return progress_page.next_step(course, states, everything["time"])

    solve(first)  # 00 was left out, 01 is done
    assert f"exercise {second.titles[second.exercises[0]]}" in next_step()
    assert f"in [{second.number} · " in next_step()
    clock["now"] += 1
    store.STORE.update(third.exercises[1], status="correct")
    assert f"exercise {third.titles[third.exercises[0]]}" in next_step()
    solve(second, third, *course[4:])
    assert f"exercise {start.titles[start.exercises[0]]}" in next_step()


def test_the_to_do_list_links_each_exercise_to_the_cell_of_its_heading(desk, shown):
    store.STORE.update(NAME, status="correct", tries=1)
    ck.progress("activations")
    bundle, _ = shown[0]
    assert "1 of 7 exercises solved, 0 of 4 questions right" in bundle["text/plain"]
    assert "| ✓ | 1.4 · The largest share | correct |" in bundle["text/plain"]
    linked = re.findall(r"\| \[([^\]]+)\]\(#cell-id=([\w-]+)\) \|", bundle["text/markdown"])
    solved = notebooks.solution(chapters.read("01_activations"))
    headings = {cell.id: cell.source.splitlines()[0] for cell in solved.cells}
    assert len(linked) == 7
    for title, cell_id in linked:
        assert headings[cell_id].startswith(f"### Exercise {title} · ●")


def test_links_lead_to_the_learners_copy_from_where_the_notebook_is(desk, shown, monkeypatch, tmp_path):
    (desk / "02_losses.ipynb").unlink()
    (desk / "mine" / "deep").mkdir(parents=True)
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    for folder, link in [
        (desk, "[Activations](01_activations.ipynb)"),
        (desk / "mine" / "deep", "[Activations](../../01_activations.ipynb)"),
        (elsewhere, "| Activations |"),
    ]:
        monkeypatch.chdir(folder)
        ck.progress()
        text = shown[-3][0]["text/markdown"]
        assert link in text
        assert "| Losses |" in text  # there is no copy
        assert "](" in text or folder == elsewhere


def test_two_chapters_used_in_turn_count_no_time_twice(desk, clock):
    for number in range(11):
        store.STORE.update((NAME, OTHER)[number % 2], hints=1)
        clock["now"] += 60
    times = store.STORE.read_all()["time"]
    assert [times[topic]["seconds"] for topic in ("activations", "losses")] == [300, 300]


def test_a_clock_that_was_wrong_does_no_lasting_harm(desk, clock):
    clock["now"] += 10**8
    store.STORE.update(OTHER, hints=1)
    clock["now"] -= 10**8
    for _ in range(3):
        store.STORE.update(NAME, hints=1)
        clock["now"] += 60
    times = store.STORE.read_all()["time"]
    assert times["activations"]["seconds"] == 120
    assert max(spent["last"] for spent in times.values()) <= clock["now"]


def test_breaks_are_not_counted(desk, clock):
    for gap in (0, 60, store.PAUSE + 1, 30, -500):
        clock["now"] += gap
        store.STORE.update(NAME, hints=1)
    store.STORE.update(OTHER, hints=1)
    times = store.STORE.read_all()["time"]
    assert times == {
        "activations": {"seconds": 90, "last": clock["now"]},
        "losses": {"seconds": 0, "last": clock["now"]},
    }


def test_the_page_is_laid_into_workspace(desk):
    page = nbformat.read(desk / "progress.ipynb", as_version=4)
    nbformat.validate(page)
    assert page.cells[1].source.endswith("ck.progress()")
    (desk / "progress.ipynb").write_text("mine", encoding="utf8")
    assert workspace.lay_out() == []
    assert (desk / "progress.ipynb").read_text(encoding="utf8") == "mine"


def test_progress_goes_from_one_machine_to_another(desk, shown, clock, tmp_path):
    store.STORE.update(NAME, status="correct", tries=4)
    store.STORE.update(OTHER, status="not yet", tries=1, mistake="A sentence.")
    ck.export_progress(tmp_path / "from_home.json", learner="Kim")
    assert store.read_file(tmp_path / "from_home.json")["learner"] == "Kim"
    (desk / "progress.json").unlink()
    store.STORE.update(NAME, status="not yet", tries=7, mistake="Another.")
    store.STORE.update("losses.best_constant", status="correct")
    clock["now"] += 100
    for _ in range(2):  # twice changes nothing
        ck.import_progress(tmp_path / "from_home.json")
    records = store.STORE.read()
    assert (records[NAME]["status"], records[NAME]["tries"]) == ("correct", 7)
    assert records[OTHER] == {"status": "not yet", "tries": 1, "mistake": "A sentence."}
    assert records["losses.best_constant"]["status"] == "correct"
    kept = sorted(desk.glob("progress.2*.json"), key=lambda path: len(path.name))
    assert len(kept) == 2
    assert json.loads(kept[0].read_text(encoding="utf8"))["exercises"][NAME]["status"] == "not yet"


@pytest.mark.parametrize(
    "record",
    [
        '{"tries": "many", "hints": null, "status": "correct", "mistake": 3}',
        '{"tries": NaN, "hints": -1, "status": ["correct"]}',
        '{"tries": true, "hints": 1e999, "status": {}, "mistake": "half a character: \\ud800"}',
        '{"status": "perfect", "more": [[]]}',
        "{}",
    ],
)
def test_a_record_that_was_damaged_by_hand_stops_nothing(desk, shown, record, tmp_path):
    text = f'{{"exercises": {{"{NAME}": {record}, "\\udfff": {record}}}, "time": {{"activations": {record}}}}}'
    (desk / "progress.json").write_text(text, encoding="utf8")
    ck.progress()
    ck.progress("activations")
    ck.hint(NAME)
    ck.solution(NAME)
    ck.export_progress(tmp_path / "mine.json")
    ck.check(NAME, lambda layers: 0.25 * layers)
    ck.check(NAME, lambda layers: 0.25**layers)
    kept = store.STORE.read()[NAME]
    assert (kept["status"], kept["tries"], kept["hints"]) == ("correct", 2, 1)
    assert set(store.read_file(tmp_path / "mine.json")["exercises"]) == {NAME}


def test_an_export_of_another_version_is_one_sentence(desk, tmp_path):
    ck.export_progress(tmp_path / "mine.json", learner="Kim \n of\tclass " + "x" * 100)
    told = json.loads((tmp_path / "mine.json").read_text(encoding="utf8"))
    assert told["version"] == store.VERSION
    assert told["learner"] == ("Kim of class " + "x" * 100)[:80]
    (tmp_path / "new.json").write_text(json.dumps(told | {"version": 2}), encoding="utf8")
    with pytest.raises(places.CourseError, match=r"new\.json comes from another version of the course"):
        ck.import_progress(tmp_path / "new.json")


def test_what_cannot_be_written_is_one_sentence(desk, tmp_path, monkeypatch):
    ck.export_progress(tmp_path / "mine.json")

    def refuse(*_):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(places, "write_atomically", refuse)
    for action in (
        lambda: ck.export_progress(tmp_path / "other.json"),
        lambda: ck.import_progress(tmp_path / "mine.json"),
        lambda: ck.reset(NAME),
    ):
        with pytest.raises(places.CourseError, match=r"json cannot be written \(Permission denied\)\."):
            action()


def test_a_file_that_somebody_else_holds_is_one_sentence(desk, monkeypatch):
    lock = filelock.FileLock
    monkeypatch.setattr(store.filelock, "FileLock", lambda path, timeout: lock(path, timeout=timeout / 100))
    with (
        lock(desk / ".progress.json.lock"),
        pytest.raises(places.CourseError, match=r"cannot be written \(it is locked\)"),
    ):
        ck.reset(NAME)


def test_an_export_overwrites_nothing(desk, tmp_path):
    (tmp_path / "mine.json").write_text("precious", encoding="utf8")
    with pytest.raises(places.CourseError, match=r"mine.json is there already"):
        ck.export_progress(tmp_path / "mine.json")
    assert (tmp_path / "mine.json").read_text(encoding="utf8") == "precious"
    with pytest.raises(places.CourseError, match="there is no folder"):
        ck.export_progress(tmp_path / "nowhere" / "mine.json")


@pytest.mark.parametrize(
    "content",
    ["", "{", "[]", "3", '{"exercises": []}', '{"exercises": {"a.b": 1}}', "[" * 100_000, "\xff", "x" * 1_100_000],
)
def test_a_bad_file_is_one_sentence_and_changes_nothing(desk, tmp_path, content):
    store.STORE.update(NAME, status="correct")
    before = (desk / "progress.json").read_bytes()
    (tmp_path / "bad.json").write_text(content, encoding="latin1")
    for path in (tmp_path / "bad.json", tmp_path / "missing.json"):
        with pytest.raises(places.CourseError, match=r"bad.json is|missing.json cannot be read"):
            ck.import_progress(path)
    assert (desk / "progress.json").read_bytes() == before


def test_hostile_values_do_no_harm(desk, shown, tmp_path):
    records = {
        NAME: {"status": "correct", "tries": "many", "hints": 1e300, "mistake": ["no"], "more": {"deep": []}},
        "<script>alert(1)</script>": {"status": "correct"},
        OTHER: {"status": "perfect", "mistake": "x" * 10_000},
    }
    times = {"activations": {"seconds": -5, "last": "now"}, "losses": {"seconds": 5, "last": 10}}
    (tmp_path / "odd.json").write_text(json.dumps({"learner": 3, "exercises": records, "time": times}))
    ck.import_progress(tmp_path / "odd.json")
    kept = store.STORE.read_all()
    assert kept["exercises"][NAME] == {"status": "correct"}
    assert set(kept["exercises"]) == {NAME, OTHER}
    assert len(kept["exercises"][OTHER]["mistake"]) == 400
    assert kept["time"] == {"losses": {"seconds": 5, "last": 10}}
    ck.progress()
    assert "script" not in shown[-3][0]["text/markdown"]
