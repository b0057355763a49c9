"""The page of all chapters, the time that is counted, and progress as one file."""

import json

import nbformat
import pytest

import coursekit as ck
from authoring import chapter as chapters
from coursekit import checking, places, progress_page, store, workspace

NAME, OTHER = "activations.largest_share", "losses.huber_slope"


@pytest.fixture
def shown(monkeypatch):
    """What was displayed, as (bundle, metadata)."""
    bundles = []
    monkeypatch.setattr(
        "IPython.display.display", lambda bundle, raw, metadata=None: bundles.append((bundle, metadata))
    )
    return bundles


@pytest.fixture
def clock(monkeypatch):
    """A clock that a test sets: clock["now"] in seconds."""
    clock = {"now": 1_700_000_000}
    monkeypatch.setattr(store.time, "time", lambda: clock["now"])
    return clock


def test_chapters_are_those_of_the_sources(desk):
    found = progress_page.chapters(places.CHAPTERS)
    assert [chapter.name for chapter in found] == chapters.names()
    for chapter in found:
        header = chapters.read(chapter.name).header
        assert (chapter.title, chapter.topic) == (header.title, header.topic)
        for kind, names in [(checking.Exercise, chapter.exercises), (checking.Quiz, chapter.questions)]:
            assert [item.name for item in checking.items(chapter.topic, kind)] == list(names)


def test_the_page_tells_what_is_solved_and_where_to_go_on(desk, shown, clock):
    store.STORE.update(NAME, status="correct", tries=1)
    clock["now"] += 600
    store.STORE.update("activations.softmax", status="not yet", tries=1)
    ck.progress()
    text = shown[0][0]["text/markdown"]
    total = sum(len(checking.items(topic, checking.Exercise)) for topic in checking.topics())
    assert f"**1 of {total} exercises solved**, in about 10 min." in text
    assert "| 01 | [Activations](01_activations.ipynb) | 1 of 7 | 0 of 4 | 10 min | 2023-11-14 |" in text
    assert "exercise `activations.relu_gradient` in [01 · Activations](01_activations.ipynb)" in text
    picture, metadata = shown[1]
    assert picture["image/png"].startswith(b"\x89PNG")
    assert "1 are solved" in metadata["image/png"]["alt"]


def test_a_new_learner_starts_at_the_beginning_and_the_last_step_is_none(desk, shown):
    ck.progress()
    assert "[00 · Start here](00_start_here.ipynb)" in shown[0][0]["text/markdown"].split("| |")[0]
    everything = {name: {"status": "correct"} for c in progress_page.chapters(places.CHAPTERS) for name in c.exercises}
    (desk / "progress.json").write_text(json.dumps({"exercises": everything}), encoding="utf8")
    ck.progress()
    assert "**Next step:** none." in shown[3][0]["text/markdown"]


def test_breaks_are_not_counted(desk, clock):
    for gap in (0, 60, store.PAUSE + 1, 30, -500):
        clock["now"] += gap
        store.STORE.update(NAME, hints=1)
    store.STORE.update(OTHER, hints=1)
    times = store.STORE.read_all()["time"]
    assert times["activations"]["seconds"] == 90
    assert times["losses"]["seconds"] == 0


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


def test_an_export_overwrites_nothing(desk, tmp_path):
    (tmp_path / "mine.json").write_text("precious", encoding="utf8")
    with pytest.raises(places.CourseError, match=r"mine.json is there already"):
        ck.export_progress(tmp_path / "mine.json")
    assert (tmp_path / "mine.json").read_text(encoding="utf8") == "precious"
    with pytest.raises(places.CourseError, match="there is no folder"):
        ck.export_progress(tmp_path / "nowhere" / "mine.json")


@pytest.mark.parametrize(
    "content",
    ["", "{", "[]", "3", '{"exercises": []}', '{"exercises": {"a.b": 1}}', "[" * 100_000, "\xff", "x" * 11_000_000],
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
