"""ck.claim, ck.guess and ck.reveal: what a learner sees, and what is kept."""

import json

import matplotlib.pyplot as plt
import pytest

import coursekit as ck
from coursekit import cards, claims, figures, guesses, places, store

SENTENCE = "A test claims something"
REPEATS = [
    {"changed": {"SEED": 1}, "held": True, "measured": {"left": 1.25, "right": 12345.6}},
    {"changed": {"SEED": 2}, "held": True, "measured": {"left": 1.5, "right": 2.0}},
    {"changed": {"EPOCHS": 18}, "held": False, "measured": {"left": 3.0}},
]


@pytest.fixture
def shown(monkeypatch):
    """What was displayed."""
    bundles = []
    monkeypatch.setattr(cards, "display", lambda bundle, metadata=None: bundles.append(bundle))
    return bundles


@pytest.fixture
def repeated(monkeypatch):
    monkeypatch.setattr(claims, "evidence", lambda: {SENTENCE: REPEATS})


def test_a_claim_says_that_it_held_and_in_which_repeats(shown, repeated):
    ck.claim(SENTENCE, 1 < 2, measured={"left": 1, "right": 2})
    line = "Held in 2 of 3 repeats: 2 other seeds, EPOCHS = 18."
    assert shown[0]["text/plain"] == f"✓ {SENTENCE}. {line}"
    page = shown[0]["text/html"]
    assert page.startswith("<details")
    assert f"<b>✓ {SENTENCE}.</b>" in page
    assert "<tr><td>SEED = 1</td><td>✓</td><td>1.25</td><td>12,346</td></tr>" in page
    assert "<tr><td>EPOCHS = 18</td><td>✗</td><td>3</td><td>–</td></tr>" in page


def test_a_claim_that_does_not_hold_says_so_with_its_numbers_and_does_not_raise(shown, repeated):
    ck.claim(SENTENCE, 2 < 1, measured={"left": 2, "right": 0.12345})
    text = shown[0]["text/plain"]
    assert text.startswith(f"✗ {SENTENCE}. It did not come out so here: left 2, right 0.123.")
    assert "held in 2 of 3 repeats" in text


def test_strict_mode_raises(shown, monkeypatch):
    monkeypatch.setenv("COURSEKIT_STRICT", "1")
    ck.claim(SENTENCE, True, measured={"left": 1})
    with pytest.raises(AssertionError, match="left 2"):
        ck.claim(SENTENCE, False, measured={"left": 2})


def test_a_gpu_asks_for_a_report(shown, repeated, monkeypatch):
    monkeypatch.setattr("tensorflow.config.get_visible_devices", lambda kind: ["a GPU"])
    ck.claim(SENTENCE, False, measured={"left": 2})
    assert "run on a CPU, and this is a GPU: please report it" in shown[0]["text/plain"]


def test_the_sentence_is_a_text_on_the_page_and_nothing_else(shown):
    ck.claim("<script>1 < 2</script>", True, measured={"<b>": 1})
    assert "<script>" not in shown[0]["text/html"]


def test_a_repeat_records_its_claims_and_shows_nothing(shown, monkeypatch, tmp_path):
    record = tmp_path / "claims.jsonl"
    monkeypatch.setenv(claims.RECORD, str(record))
    ck.claim(SENTENCE, False, measured={"left": 1}, fixed=("EPOCHS",))
    ck.claim("Another", True, measured={"right": 2})
    lines = [json.loads(line) for line in record.read_text(encoding="utf8").splitlines()]
    assert lines[0] == {"sentence": SENTENCE, "held": False, "measured": {"left": 1.0}, "fixed": ["EPOCHS"]}
    assert lines[1]["held"]
    assert shown == []


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("", True), "its sentence, a text"),
        ((SENTENCE, "yes"), "is True or False, not str"),
        ((SENTENCE, True, ["1"]), "a dict of names and numbers"),
        ((SENTENCE, True, {"left": "many"}), "a dict of names and numbers"),
    ],
)
def test_wrong_arguments_get_a_sentence(arguments, message):
    with pytest.raises(places.CourseError, match=message):
        ck.claim(*arguments)


def test_the_evidence_is_read_from_the_package():
    known = claims.evidence()
    for path in (places.ROOT / "coursekit" / claims.EVIDENCE).glob("*.json"):
        for sentence, claimed in json.loads(path.read_text(encoding="utf8"))["claims"].items():
            assert known[sentence] == claimed["repeats"]


@pytest.fixture
def asked(desk, monkeypatch):
    """Asks a guess and returns its widgets; `desk` keeps what is answered."""
    boxes = []
    monkeypatch.setattr(cards, "display_widget", lambda widget, static: boxes.append((widget, static)))

    def ask(*arguments, **options):
        ck.guess(*arguments, **options)
        return boxes[-1][0].children, boxes[-1][1]

    return ask


def near(name):
    return store.STORE.read_all()["guesses"][name].get("near")


def test_a_number_is_kept_and_shown_beside_the_measurement(asked, shown):
    (title, slider, keep, told), static = asked("size", "How large?", low=0, high=2)
    assert "How large?" in title.value
    assert static["text/plain"] == "Your guess first: How large? Your number, from 0 to 2."
    slider.value = 0.4
    keep.click()
    assert told.value == "Kept: 0.4. Now run on."
    ck.reveal("size", 0.55)
    assert shown[-1]["text/plain"] == "How large? Measured ≈ 0.55 · Your guess: 0.4. Near."
    ck.reveal("size", 0.65)
    assert shown[-1]["text/plain"].endswith("Your guess: 0.4. Not near: why?")
    assert near("size") is False
    (_, again, *_), _ = asked("size", "How large?", low=0, high=2)
    assert again.value == 0.4


def test_a_wide_scale_counts_powers_of_ten(asked, shown):
    (_, slider, keep, _), _ = asked("ratio", "How many times?", low=1, high=1e9)
    slider.value = 1e5
    keep.click()
    ck.reveal("ratio", 4.9e5)
    assert near("ratio") is True
    ck.reveal("ratio", 4.9e7)
    assert near("ratio") is False


def test_a_choice(asked, shown):
    (_, buttons, keep, told), static = asked("first", "Which is first?", choices=["relu", "tanh"])
    assert static["text/plain"].endswith("Your choice: relu · tanh")
    keep.click()
    assert told.value == "Choose one."
    buttons.value = "tanh"
    keep.click()
    ck.reveal("first", "relu")
    assert shown[-1]["text/plain"] == "Which is first? Measured: relu · Your guess: tanh. Not near: why?"


def test_an_order(asked, shown):
    (_, first, second, third, keep, told), _ = asked("order", "Which order?", order=["a", "b", "c"])
    first.value = second.value = third.value = "a"
    keep.click()
    assert told.value == "Each of them once, please."
    second.value, third.value = "c", "b"
    keep.click()
    ck.reveal("order", {"a": 3, "b": 2, "c": 1})
    assert shown[-1]["text/plain"].startswith("Which order? Measured, the largest first: a ≈ 3, b ≈ 2, c ≈ 1")
    assert near("order") is True  # one pair of neighbours is exchanged
    ck.reveal("order", {"a": 1, "b": 2, "c": 3})
    assert near("order") is False


def test_without_a_guess_nothing_is_blocked(asked, shown):
    asked("size", "How large?", low=0, high=2)
    ck.reveal("size", 0.5)
    assert shown[-1]["text/plain"] == "How large? Measured ≈ 0.5 · You kept no guess."
    assert store.STORE.read_all()["guesses"] == {}


def test_what_is_kept_for_another_question_is_no_guess(asked, shown):
    store.STORE.keep_guess("size", value="tanh")
    asked("size", "How large?", low=0, high=2)
    ck.reveal("size", 0.5)
    assert shown[-1]["text/plain"].endswith("You kept no guess.")


def test_a_question_needs_one_kind_of_answer():
    for options in ({}, {"low": 1, "high": 2, "choices": ["a"]}, {"low": 1}):
        with pytest.raises(places.CourseError, match="one of: low and high, choices, order"):
            ck.guess("size", "How large?", **options)
    with pytest.raises(places.CourseError, match="no guess 'unasked'"):
        ck.reveal("unasked", 1)


def test_the_progress_page_counts_near_guesses(asked, shown, monkeypatch):
    assert guesses.counted({}) == ""
    for name, value in [("near", 0.5), ("far", 2), ("unrevealed", 1)]:
        store.STORE.keep_guess(name, value=value)
        asked(name, "How large?", low=0, high=2)
    ck.reveal("near", 0.5)
    ck.reveal("far", 0.5)
    monkeypatch.setattr(figures, "show", lambda figure, alt: plt.close(figure))
    ck.progress()
    assert "Guesses: near in 1 of 2." in shown[-1]["text/plain"]


def test_guesses_travel_with_the_progress_and_mine_count(desk, shown):
    store.STORE.keep_guess("size", value=0.4, near=True)
    store.STORE.keep_guess("order", value=["a", "b"])
    ck.export_progress("mine.json")
    store.STORE.keep_guess("size", value=0.5, near=False)
    ck.import_progress("mine.json")
    assert store.STORE.read_all()["guesses"] == {
        "size": {"value": 0.5, "near": False},
        "order": {"value": ["a", "b"]},
    }


def test_a_damaged_guess_stops_nothing(desk):
    damaged = {"a": 3, "b": {"value": {}}, "c": {"value": True}, "d": {"value": 1, "near": "yes"}, "E!": {"value": 1}}
    text = json.dumps({"exercises": {}, "guesses": damaged | {"e": {"value": [1]}, "f": {"value": float("inf")}}})
    (desk / "progress.json").write_text(text, encoding="utf8")
    assert store.STORE.read_all()["guesses"] == {"d": {"value": 1}}
