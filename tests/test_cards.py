"""Cards: one source, three renderings; buttons where a kernel runs, words where only text is possible."""

import html.parser
import inspect
import os
import subprocess
import sys

import nbclient
import nbformat
import numpy as np
import pytest

import coursekit as ck
from classroom import hidden
from coursekit import calling, cards, checking, exercises, figures, places, store, values

NAME, NEXT = "activations.largest_share", "activations.dead_units"
WRONG = cards.Card(
    NAME,
    "not yet",
    ("It looks as if `x` was **added**.", "a < b & c | d_e_f costs $5 **<i>5</i>**"),
    {"input": "x = '<b>|</b>'\np = '`'", "expected": "0.0625", "got": ""},
    {"Hint": f'ck.hint("{NAME}")'},
    "Exercise-1.5",
)


def test_one_card_in_three_renderings():
    shown = WRONG.bundle()
    assert set(shown) == {"text/html", "text/markdown", "text/plain"}
    assert shown["text/plain"] == (
        f"✗ {NAME} · not yet.\nIt looks as if x was added.\na < b & c | d_e_f costs $5 <i>5</i>\n"
        f"input:\nx = '<b>|</b>'\np = '`'\nexpected: 0.0625\nHint: ck.hint(\"{NAME}\")"
    )
    assert shown["text/markdown"] == (
        "✗ **activations.largest\\_share** · not yet.\n\nIt looks as if `x` was **added**.\n\n"
        "a \\< b \\& c \\| d\\_e\\_f costs \\$5 **\\<i\\>5\\</i\\>**\n\n"
        "| input | expected |\n| ---|--- |\n| `x = '<b>\\|</b>'`<br>`` p = '`' `` | `0.0625` |\n\n"
        f'Hint: `ck.hint("{NAME}")` · [Next exercise](#Exercise-1.5)'
    )


def test_html_escapes_what_a_learner_typed_and_is_well_formed():
    class Reader(html.parser.HTMLParser):
        open, seen = [], set()

        def handle_starttag(self, tag, attributes):
            self.open.append(tag)
            self.seen.add(tag)

        def handle_endtag(self, tag):
            assert self.open.pop() == tag

    reader = Reader()
    reader.feed(WRONG.html())
    assert not reader.open
    assert reader.seen == {"div", "b", "span", "code", "table", "tr", "th", "td", "pre", "a"}
    assert "<b>&lt;i&gt;5&lt;/i&gt;</b>" in WRONG.html()


@pytest.mark.parametrize("status", cards.SIGNS)
def test_a_sign_stands_beside_its_colour_which_is_seen_on_white_and_on_dark(status):
    def light(colour):
        parts = np.array([int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)])
        return np.where(parts <= 0.04045, parts / 12.92, ((parts + 0.055) / 1.055) ** 2.4) @ [0.2126, 0.7152, 0.0722]

    colour = cards.COLOURS[status]
    assert colour in figures.PALETTE
    for ground in ("#ffffff", "#111111"):  # WCAG 2.1: 3 to 1 for what is no text
        assert (max(light(colour), light(ground)) + 0.05) / (min(light(colour), light(ground)) + 0.05) >= 3
    shown = cards.Card(NAME, status).html()
    assert shown.count(colour) == 2
    assert "background" not in shown
    assert f"{cards.SIGNS[status]}</span> {NAME} · {cards.WORDS[status]}." in shown


@pytest.mark.parametrize(
    ("value", "code"),
    [
        (np.array([[1.0, 2.0]]), "np.array([[1.0, 2.0]])"),
        (np.array([0.1, -np.inf, np.nan], "float32"), 'np.array([0.1, -np.inf, np.nan], dtype="float32")'),
        (np.zeros((0, 3)), "np.zeros((0, 3))"),
        (np.array([True, False]), "np.array([True, False])"),
        (np.array(["a'b", "c"]), "np.array([\"a'b\", 'c'])"),
        (np.float64(0.5), "0.5"),
        (float("inf"), "np.inf"),
        ([np.array([1]), (2,), {"a": None}], "[np.array([1]), (2,), {'a': None}]"),
        (np.arange(30), f"np.array({list(range(30))})"),
    ],
)
def test_an_input_is_python(value, code):
    assert values.as_code(lambda x: x, (value,)) == f"x = {code}"
    assert hidden.same(eval(code), value) or value != value


def test_what_is_too_large_or_no_value_is_a_comment():
    case = (np.zeros((5, 8), "float32"), np.tanh, test_an_input_is_python, [1] * 31, "long " * 200)
    lines = values.as_code(lambda x, f, g, numbers, text: x, case).splitlines()
    assert lines[:3] == [
        "# x: an array of shape (5, 8), float32",
        "# f: an object of type ufunc",
        "# g: the function test_an_input_is_python",
    ]
    assert [line[:11] for line in lines[3:]] == ["# numbers: ", "# text: 'lo"]


def test_inputs_of_all_exercises_can_be_pasted_back():
    written = 0
    for topic in checking.topics():
        for exercise in checking.items(topic, checking.Exercise):
            for case in exercise.cases if callable(exercise.reference) else ():
                space = {"np": np}
                code = values.as_code(exercise.reference, case)
                exec(code, space)
                names = list(inspect.signature(exercise.reference).parameters)
                for name, value in zip(names, case, strict=False):
                    if name in space:
                        written += 1
                        assert hidden.same(space[name], value), code
                        assert getattr(space[name], "dtype", None) == getattr(value, "dtype", None) or np.isscalar(
                            value
                        )
                    else:
                        assert f"# {name}: " in code
                        assert not isinstance(value, np.ndarray) or value.size > 30 or value.dtype == object, code
    assert written > 300


@pytest.mark.parametrize(
    ("expected", "got", "parts"),
    [
        (1.0, 2.0, ("1.", "2.", "")),
        ("relu", "tanh", ("relu", "tanh", "")),
        (np.zeros(3), np.zeros(2), ("the shape (3,)", "the shape (2,)", "")),
        (np.zeros(9), np.eye(9)[4], ("0.", "1.", "1 of 9 entries differ; the first is entry 4.")),
        ((1.0, 2.0), (1.0, 3.0), ("2.", "3.", "Value 2 of 2 is off.")),
        ({"a": 1}, {"a": 2}, ("1", "2", "The entry 'a' is off.")),
        ((1.0, 2.0), 3, ("2 values, separated by commas", "an object of type int", "")),
        (1.0, None, ("1.", "None", "Your function returned nothing (None). Is a `return` missing?")),
    ],
)
def test_expected_and_got_are_short_texts_beside_the_sentence(expected, got, parts):
    with pytest.raises(calling.NotYet) as problem:
        checking.compare(expected, got)
    told = problem.value
    assert (told.expected.replace("1.0", "1."), told.got.replace("2.0", "2."), told.note) == parts


def test_a_verdict_has_its_parts_and_a_readable_sentence():
    verdict = checking.judge(checking.find(NAME, checking.Exercise), lambda layers: 0.25 * layers)
    assert verdict.mistake == "It looks as if the layers were added: slopes multiply."
    assert (verdict.given, verdict.expected, verdict.got) == ("layers = 2", "0.0625", "0.5")
    assert verdict.message == f"For `layers=2` I expected **0.0625** and got **0.5**. {verdict.mistake}"
    raising = checking.judge(checking.find(NAME, checking.Exercise), lambda layers: layers / 0)
    assert (raising.given, raising.expected, raising.got) == ("layers = 1", "", "")


@pytest.fixture
def live(desk, monkeypatch):
    """A desk on which widgets are shown: pairs of widget and static bundle."""
    shown = []
    monkeypatch.setattr(cards, "in_notebook", lambda: True)
    monkeypatch.setattr(cards, "display_widget", lambda widget, static: shown.append((widget, static)))
    return shown


def test_buttons_show_hints_and_the_solution_below_the_card(live):
    ck.check(NAME, lambda layers: 0.25 * layers)
    (widget, static) = live[-1]
    card, row, told = widget.children
    hint, solution, _ = row.children
    assert (hint.description, solution.description) == ("Hint", "Solution")
    assert "layers were added" in card.value
    assert "ck.hint(" not in card.value
    assert f'Hint: ck.hint("{NAME}") · Solution: ck.solution("{NAME}")' in static["text/plain"]
    assert set(static) == {"text/html", "text/markdown", "text/plain"}
    hint.click()
    assert told.value.startswith("Hint 1 of 2: ")
    hint.click()
    assert "Hint 2 of 2: " in told.value
    assert "The solution opens after 2 more tries." in told.value
    solution.click()
    assert "opens after 2 more tries" in told.value
    assert "return 0.25" not in told.value
    ck.check(NAME, lambda layers: 0.25**layers)
    (card, row, told), static = live[-1][0].children, live[-1][1]
    solution, _ = row.children
    assert "ck.hint(" not in static["text/plain"]
    solution.click()
    assert "return 0.25**layers" in told.value
    assert store.STORE.read()[NAME]["hints"] == 2


def test_a_button_that_cannot_read_the_progress_says_so(live, monkeypatch):
    ck.check(NAME, lambda layers: 1)
    _, row, told = live[-1][0].children

    def refuse(*_):
        raise places.CourseError("progress.json cannot be read (Permission denied).")

    monkeypatch.setattr(store.Store, "read", refuse)
    row.children[0].click()
    assert told.value == "Problem: progress.json cannot be read (Permission denied)."


def test_next_links_to_the_heading_of_the_next_exercise(live, monkeypatch):
    names = [item.name for item in checking.items("activations", checking.Exercise)]
    monkeypatch.setattr(exercises.manifest, "anchor", lambda name: f"to-{name}")
    ck.check(names[0], ...)
    link = f'<a href="#to-{names[1]}">Next exercise</a>'
    assert live[-1][0].children[1].children[-1].value == link
    assert link in live[-1][1]["text/html"]
    assert f"[Next exercise](#to-{names[1]})" in live[-1][1]["text/markdown"]
    ck.check(names[-1], ...)
    assert "Next" not in live[-1][1]["text/html"]


def test_strict_mode_has_cards_without_buttons(live, monkeypatch):
    monkeypatch.setenv("COURSEKIT_STRICT", "1")
    shown = []
    monkeypatch.setattr(cards, "display", lambda bundle, metadata=None: shown.append(bundle))
    ck.check(NAME, lambda layers: 0.25**layers)
    assert live == []
    assert shown[0]["text/plain"] == f"✓ {NAME} · correct."


def test_printable_keeps_signs_where_it_can():
    text = "✓ a · correct. ≈ 2 → 3 世"
    assert cards.printable(text, "utf8") == text
    assert cards.printable(text, "gbk") == "OK a - correct. ~ 2 -> 3 世"
    assert cards.printable("○ ✗", "ascii") == cards.printable("○ ✗", "gbk") == "-- NO"
    assert cards.printable("half a letter: \ud800", "utf8") == "half a letter: ?"


@pytest.mark.parametrize("encoding", ["gbk", "ascii", "utf8"])
def test_a_script_prints_text(tmp_path, encoding):
    code = (
        "import coursekit as ck\n"
        f"ck.check({NAME!r}, ...)\n"
        f"ck.check({NAME!r}, lambda layers: 0.25 * layers)\n"
        f"ck.check({NAME!r}, lambda layers: 0.25 ** layers)\n"
        f"ck.hint({NAME!r})\n"
        'ck.quiz("activations.quarter")\n'
    )
    environment = os.environ | {"PYTHONPATH": str(places.ROOT), "PYTHONIOENCODING": encoding}
    done = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, env=environment, capture_output=True)
    assert done.returncode == 0, done.stderr
    text = done.stdout.decode(encoding)
    signs = ("○", "✗", "✓") if encoding == "utf8" else ("--", "NO", "OK")
    assert [line.split()[0] for line in text.splitlines() if f" {NAME} " in line] == list(signs)
    assert "expected: 0.0625\ngot: 0.5\n" in text
    assert "Hint 1 of 2: " in text
    assert "{" not in text


def test_in_a_kernel_a_card_is_alive_and_a_missing_name_is_one_sentence(tmp_path, monkeypatch):
    """One kernel, in which each cell is a situation."""
    cells = {
        "set-up": "import coursekit as ck\nck.start()",
        "too early": 'ck.check("activations.softmax", softmax)',
        "other": "1 + softmax",
        "inside": f'def scaled(layers):\n    return softmax\n\nck.check("{NAME}", scaled(2))',
        "answer": f'ck.check("{NAME}", scaled)',
        "local": "def early():\n    y = y + 1\n\nearly()",
        "wrong": f'ck.check("{NAME}", lambda layers: 0.25 * layers)',
        "strict": 'import os\nos.environ["COURSEKIT_STRICT"] = "1"\nck.check("activations.softmax", softmax)',
        "right": f'ck.check("{NAME}", lambda layers: 0.25 ** layers)',
    }
    monkeypatch.setenv("PYTHONPATH", str(places.ROOT))
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(code) for code in cells.values()])
    client = nbclient.NotebookClient(notebook, allow_errors=True, resources={"metadata": {"path": str(tmp_path)}})
    client.execute()
    (tmp_path / "progress.json").read_text(encoding="utf8")
    out = dict(zip(cells, (cell.outputs for cell in notebook.cells), strict=True))
    for cell in ("too early", "strict"):
        (error,) = out[cell]
        assert (error.output_type, error.ename) == ("error", "NameError")
        assert error.traceback == [
            "`softmax` is not defined: run the cells above first (Run → Run All Above Selected Cell)."
        ]
    for cell in ("other", "inside", "local"):
        assert "Traceback" in "".join(out[cell][-1].traceback)
        assert len(out[cell][-1].traceback) > 1
    (answer,) = out["answer"]
    assert "softmax is not defined: run the cells above first" in answer.data["text/plain"]
    (wrong,) = out["wrong"]
    assert set(wrong.data) == {
        "application/vnd.jupyter.widget-view+json",
        "text/html",
        "text/markdown",
        "text/plain",
    }
    (right,) = out["right"]
    assert set(right.data) == {"text/html", "text/markdown", "text/plain"}
