"""Numbers after `≈` may move a little: the comparison itself, through `pytest --nbval`, and in what a build says."""

import os
import re
import shutil
import subprocess
import sys

import nbformat
import pytest

from authoring import approximate, moved, notebooks, robust
from authoring import chapter as chapters
from coursekit import places

TABLE = """\
net         accuracy ≈   loss ≈   units
relu 300         0.853     0.41     300
sigmoid          0.103   2.3026    1000
"""
NO_TITLE = f"{'':12}{'accuracy ≈':>12}\n{'10 layers':12}{0.85:12.2f}\n"
MARKDOWN = "| name | accuracy ≈ | units |\n|---|---|---|\n| relu 6 | 0.85 | 300 |\n"


def row(a, b, pad=">6"):
    return f"loss ≈ {a:{pad}} and ≈ {b:{pad}} %\n"


# stored, fresh, whether they agree
CASES = {
    "two last digits": ("error rate ≈ 52.3 %", "error rate ≈ 52.5 %", True),
    "a tenth is wider": ("error rate ≈ 52.3 %", "error rate ≈ 57.5 %", True),
    "beyond a tenth": ("error rate ≈ 52.3 %", "error rate ≈ 57.6 %", False),
    "two last digits of a small number": ("loss ≈ 0.015", "loss ≈ 0.017", True),
    "three last digits of a small number": ("loss ≈ 0.015", "loss ≈ 0.018", False),
    "downwards": ("loss ≈ 0.015", "loss ≈ 0.012", False),
    "without ≈": ("error rate 52.3 %", "error rate 52.4 %", False),
    "≈ only in the fresh one": ("error rate 52.3 %", "error rate ≈ 52.3 %", False),
    "≈ only in the stored one": ("error rate ≈ 52.3 %", "error rate 52.3 %", False),
    "exponent": ("rate ≈ 1.5e-04", "rate ≈ 1.7e-04", True),
    "another exponent": ("rate ≈ 1.5e-04", "rate ≈ 1.5e-05", False),
    "the same in other figures": ("rate ≈ 1e-04", "rate ≈ 9.5e-05", True),
    "exponent of one digit": ("rate ≈ 3e-05", "rate ≈ 6e-05", False),
    "thousands": ("steps ≈ 12,345 each", "steps ≈ 13,000 each", True),
    "far thousands": ("steps ≈ 12,345 each", "steps ≈ 12.345 each", False),
    "a list is no thousands": ("≈ 1, 2", "≈ 1, 3", False),
    "negative": ("slope ≈ -0.50", "slope ≈ -0.52", True),
    "another sign": ("slope ≈ -0.01", "slope ≈ 0.01", False),
    "a unit directly behind": ("took ≈ 52.3ms, 52.3% of it", "took ≈ 52.4ms, 52.3% of it", True),
    "another unit": ("took ≈ 52.3ms", "took ≈ 52.3us", False),
    "bold": ("rate ≈ **52.3** %", "rate ≈ **52.4** %", True),
    "two in a line": ("≈ 0.50, test ≈ 80 %", "≈ 0.51, test ≈ 81 %", True),
    "the second beyond": ("≈ 0.50, test ≈ 80 %", "≈ 0.51, test ≈ 90 %", False),
    "an exact number beside": ("10 layers ≈ 0.50 of 4", "10 layers ≈ 0.51 of 5", False),
    "the text around": ("training loss ≈ 0.50", "test loss ≈ 0.50", False),
    "the text behind": ("≈ 0.50 in all", "≈ 0.51 in all!", False),
    "another line": ("≈ 0.50\n", "≈ 0.50\n\n", False),
    "no line end": ("≈ 0.50\n", "≈ 0.50", False),
    "nan for a number": ("loss ≈ 0.50", "loss ≈ nan", False),
    "a number for nan": ("loss ≈ nan", "loss ≈ 0.50", False),
    "inf for a number": ("loss ≈ 9e99", "loss ≈ inf", False),
    "nan for nan": ("loss ≈ nan, test ≈ 0.50", "loss ≈ nan, test ≈ 0.51", True),
    "shorter, on the right": (row(9.9, 10.1), row(10.1, 9.9), True),
    "shorter, on the left": (row(9.9, 10.1, "<6"), row(10.1, 9.9, "<6"), True),
    "shorter, without a space": (f"≈{9.9:4}|", f"≈{10.1:4}|", True),
    "shorter and negative": (f"≈{-9.9:5}|", f"≈{-10.1:5}|", True),
    "shorter, unit and padding behind": (f"{'≈ 9.9 %':12}next", f"{'≈ 10.1 %':12}next", True),
    "as long, but another padding": ("loss ≈ 9.8", "loss ≈  9.9", False),
    "shorter, and another text": ("loss ≈  9.9", "lost ≈ 10.1", False),
    "table": (TABLE, TABLE.replace("0.853", "0.901").replace("2.3026", "2.2000"), True),
    "table, shorter": (TABLE.replace("2.3026", "    10"), TABLE.replace("2.3026", "   9.5"), True),
    "table, beyond": (TABLE, TABLE.replace("0.853", "0.953"), False),
    "table, exact column": (TABLE, TABLE.replace("1000", "1001"), False),
    "table, number in a name": (TABLE, TABLE.replace("relu 300", "relu 301"), False),
    "table, header": (TABLE, TABLE.replace("loss", "less"), False),
    "table, sign": (TABLE, TABLE.replace(" 0.853", "-0.853"), False),
    "table, nan": (TABLE, TABLE.replace("0.853", "  nan"), False),
    "table, on the left": ("loss ≈  units\n0.50    3\n", "loss ≈  units\n0.51    3\n", True),
    "table, on the left, exact": ("loss ≈  units\n0.50    3\n", "loss ≈  units\n0.50    4\n", False),
    "below the empty line": (TABLE + "\n" + 16 * " " + "0.853", TABLE + "\n" + 16 * " " + "0.854", False),
    "a second header": (TABLE + "lines ≈  words\n1000     20", TABLE + "lines ≈  words\n1001     20", True),
    "a column without a title": (NO_TITLE, NO_TITLE.replace("0.85", "0.86"), True),
    "a name without a title": (NO_TITLE, NO_TITLE.replace("10 layers", "11 layers"), False),
    "a formula is no header": ("a ≈ b  c\n5  6\n", "a ≈ b  c\n6  6\n", False),
    "a padded nan is no header": ("loss ≈     nan\n   50\n", "loss ≈     nan\n   51\n", False),
    "Markdown": (MARKDOWN, MARKDOWN.replace("0.85", "0.9"), True),
    "Markdown, bold title": (MARKDOWN.replace("accuracy ≈", "**accuracy ≈**"),) * 2 + (True,),
    "Markdown, beyond": (MARKDOWN, MARKDOWN.replace("0.85", "0.95"), False),
    "Markdown, exact column": (MARKDOWN, MARKDOWN.replace("300", "301"), False),
    "Markdown, number in a name": (MARKDOWN, MARKDOWN.replace("relu 6", "relu 7"), False),
    "Markdown, fewer cells": (MARKDOWN, MARKDOWN.replace("| 0.85 ", ""), False),
}


@pytest.mark.parametrize(("stored", "fresh", "agree"), CASES.values(), ids=CASES)
def test_numbers_that_may_move(stored, fresh, agree):
    assert approximate.same(stored, fresh) is agree
    assert approximate.same(stored, stored)
    assert approximate.same(fresh, fresh)


def test_a_cell_may_ask_for_more():
    assert not approximate.same("≈ 100", "≈ 125")
    assert approximate.same("≈ 100", "≈ 125", tolerance=0.3)
    assert not approximate.same("≈ 100", "≈ 131", tolerance=0.3)


def test_moved_numbers_are_yielded_even_inside_their_tolerance():
    stored, fresh = "of 4: ≈ 0.50 and ≈ 80 %\nloss 1\nlast ≈ 7", "of 4: ≈ 0.51 and ≈ 99 %\nloss 2\nlast ≈ 7"
    assert [str(change) for change in approximate.moved(stored, fresh)] == [
        "≈ 0.50 → 0.51",
        "≈ 80 → 99 (beyond its tolerance)",
    ]
    assert next(approximate.moved(stored, fresh)).line == "of 4: ≈ 0.51 and ≈ 99 %"


def cell(code, *outputs, **metadata):
    stored = [
        nbformat.v4.new_output("stream", name="stdout", text=output)
        if isinstance(output, str)
        else nbformat.v4.new_output("display_data", data=output)
        for output in outputs
    ]
    return nbformat.v4.new_code_cell(code, outputs=stored, metadata=metadata, execution_count=1)


def test_the_table_of_a_build_marks_them():
    def built(*texts, tolerance=0.1):
        wider = {"approximate": {"tolerance": tolerance, "why": "few examples"}}
        return nbformat.v4.new_notebook(cells=[cell(str(i), text, **wider) for i, text in enumerate(texts)])

    old = built("of 3: ≈ 9.9\n", "of 3\n≈ 0.50\n", "≈ 5 %\n", "same ≈ 1\n", TABLE, {"text/markdown": MARKDOWN})
    changed = TABLE.replace("0.853", "0.873").replace("1000", "1001"), {"text/markdown": MARKDOWN.replace("5 |", "6 |")}
    new = built("of 4: ≈ 10.1\n", "of 3\n≈ 0.90\n", "≈ 5 points\n", "same ≈ 1\n", *changed)
    rows = [
        "cell 0: 3 → 4, ≈ 9.9 → 10.1   in: of 4: ≈ 10.1",
        "cell 1: ≈ 0.50 → 0.90 (beyond its tolerance)   in: ≈ 0.90",
        "cell 2: ≈ 5 %  →  ≈ 5 points",
        "cell 4: ≈ 0.853 → 0.873   in: relu 300         0.873     0.41     300",
        "cell 4: 1000 → 1001   in: sigmoid          0.103   2.3026    1001",
        "cell 5: ≈ 0.85 → 0.86   in: | relu 6 | 0.86 | 300 |",
    ]
    assert moved.table(old, new) == rows
    new.cells[1].metadata["approximate"]["tolerance"] = 0.8
    assert moved.table(old, new)[1] == "cell 1: ≈ 0.50 → 0.90   in: ≈ 0.90"


SHOW = "from IPython.display import display\ndisplay({'text/markdown': %r, 'text/plain': 'a table'}, raw=True)"
HTML = "from IPython.display import display\ndisplay({'text/html': %r, 'text/plain': 'a table'}, raw=True)"
IMAGE = '<img src="data:image/png;base64,%s" alt="a line">'
WIDER = {"tolerance": 0.3, "why": "forty examples"}
SETTING = "import os, sys\nprint(os.environ['COURSE_DEVICE'], os.environ['COURSEKIT_STRICT'], sys.executable)"
# What each cell prints, what is stored of it, whether it passes.
PLANTED = {
    "unmoved": (cell("print('loss ≈ 0.50 of 3')", "loss ≈ 0.50 of 3\n"), True),
    "inside": (cell("print('loss ≈ 0.52 of 3')", "loss ≈ 0.50 of 3\n"), True),
    "beyond": (cell("print('loss ≈ 0.59 of 3')", "loss ≈ 0.50 of 3\n"), False),
    "exact": (cell("print('loss ≈ 0.52 of 4')", "loss ≈ 0.50 of 3\n"), False),
    "text": (cell("print('lost ≈ 0.52 of 3')", "loss ≈ 0.50 of 3\n"), False),
    "nan": (cell("print('loss ≈', float('nan'))", "loss ≈ 0.50\n"), False),
    "wider": (cell("print('loss ≈ 0.63')", "loss ≈ 0.50\n", approximate=WIDER), True),
    "beyond the wider": (cell("print('loss ≈ 0.66')", "loss ≈ 0.50\n", approximate=WIDER), False),
    "table": (cell(f"print({TABLE.replace('0.853', '0.873')!r}, end='')", TABLE), True),
    "table, beyond": (cell(f"print({TABLE.replace('0.853', '0.953')!r}, end='')", TABLE), False),
    "table, exact column": (cell(f"print({TABLE.replace('1000', '1001')!r}, end='')", TABLE), False),
    "Markdown": (
        cell(SHOW % MARKDOWN.replace("0.85", "0.86"), {"text/markdown": MARKDOWN, "text/plain": "a table"}),
        True,
    ),
    "Markdown, beyond": (
        cell(SHOW % MARKDOWN.replace("0.85", "0.99"), {"text/markdown": MARKDOWN, "text/plain": "a table"}),
        False,
    ),
    "result": (cell("'loss ≈ 0.52'", {"text/plain": "'loss ≈ 0.50'"}), True),
    "HTML": (cell(HTML % "≈ 0.52", {"text/html": "≈ 0.50", "text/plain": "a table"}), False),
    "pictures in HTML": (
        cell(
            HTML % f"<p>a</p>{IMAGE % 'iVBO+/='}", {"text/html": f"<p>a</p>{IMAGE % 'AAAA'}", "text/plain": "a table"}
        ),
        True,
    ),
    "text between pictures": (
        cell(
            HTML % f"<p>b</p>{IMAGE % 'iVBO+/='}", {"text/html": f"<p>a</p>{IMAGE % 'AAAA'}", "text/plain": "a table"}
        ),
        False,
    ),
    "another stream": (cell("import sys\nprint('loss ≈ 0.50', file=sys.stderr)", "loss ≈ 0.50\n"), False),
    "one output more": (cell("print('≈ 0.50')\n'≈ 0.50'", "≈ 0.50\n"), False),
    "setting": (cell(SETTING, f"cpu 1 {sys.executable}\n"), True),
}
MOVED = [
    ("inside", "≈ 0.50 → 0.52   in: loss ≈ 0.52 of 3"),
    ("beyond", "≈ 0.50 → 0.59 (beyond its tolerance)   in: loss ≈ 0.59 of 3"),
    ("wider", "≈ 0.50 → 0.63   in: loss ≈ 0.63"),
    ("beyond the wider", "≈ 0.50 → 0.66 (beyond its tolerance)   in: loss ≈ 0.66"),
    ("table", "≈ 0.853 → 0.873   in: relu 300         0.873     0.41     300"),
    ("table, beyond", "≈ 0.853 → 0.953 (beyond its tolerance)   in: relu 300         0.953     0.41     300"),
    ("Markdown", "≈ 0.85 → 0.86   in: | relu 6 | 0.86 | 300 |"),
    ("Markdown, beyond", "≈ 0.85 → 0.99 (beyond its tolerance)   in: | relu 6 | 0.99 | 300 |"),
    ("result", "≈ 0.50 → 0.52   in: 'loss ≈ 0.52'"),
]


@pytest.fixture(scope="module")
def planted(tmp_path_factory):
    """A folder like the course, with a notebook of the planted cells; its kernel is one that no machine has."""
    root = tmp_path_factory.mktemp("planted")
    shutil.copy(places.ROOT / "conftest.py", root)
    kernel = {"kernelspec": {"name": "nowhere", "display_name": "nowhere", "language": "python"}}
    (root / "solutions").mkdir()
    cells = [cell for cell, _ in PLANTED.values()]
    nbformat.write(nbformat.v4.new_notebook(cells=cells, metadata=kernel), root / "solutions" / "planted.ipynb")
    return root


def run_pytest(root, *options):
    """What plain pytest says in the folder `root`, without the settings of the tests."""
    environment = {key: value for key, value in os.environ.items() if not key.startswith("COURSE")}
    return subprocess.run(
        [sys.executable, "-m", "pytest", *options],
        cwd=root,
        env=environment | {"PYTHONPATH": str(places.ROOT)},
        capture_output=True,
        text=True,
    ).stdout


@pytest.fixture(scope="module")
def said(planted):
    return run_pytest(planted, "--nbval", "-rpf", "--rootdir", str(planted), "solutions")


@pytest.mark.parametrize("name", PLANTED)
def test_nbval_lets_only_these_numbers_move(name, said):
    number, passes = list(PLANTED).index(name), PLANTED[name][1]
    wanted = "PASSED" if passes else "FAILED"
    assert re.findall(rf"^(PASSED|FAILED) solutions/planted.ipynb::Cell {number}\b", said, re.MULTILINE) == [wanted], (
        said
    )


def test_nbval_lists_each_number_that_moved(said):
    rows = [f"solutions/planted.ipynb::Cell {list(PLANTED).index(name)}: {text}" for name, text in MOVED]
    assert sorted(re.findall(r"^solutions/planted.ipynb::.*→.*$", said, re.MULTILINE)) == sorted(rows)


def test_robust_lists_each_number_that_moved(planted, monkeypatch, capsys):
    monkeypatch.setenv("PYTHONPATH", str(places.ROOT))
    monkeypatch.setattr(places, "SOLUTIONS", planted / "solutions")
    monkeypatch.setattr(places, "ROOT", planted)
    monkeypatch.setattr(sys, "argv", ["robust", "default"])
    with pytest.raises(SystemExit):
        robust.main()
    printed = capsys.readouterr().out
    assert printed.startswith(f"default: {sum(not passes for _, passes in PLANTED.values())} cells moved\n")
    for name, text in MOVED:
        assert f"\n  solutions/planted.ipynb: Cell {list(PLANTED).index(name)}: {text}\n" in printed


def test_the_plain_command_collects_the_solutions_without_the_conftest_of_the_tests():
    said = run_pytest(places.ROOT, "--nbval", "solutions/03_backpropagation.ipynb", "--collect-only", "--trace-config")
    assert "Cell 1" in said
    assert str(places.ROOT / "conftest.py") in said
    assert str(places.ROOT / "tests" / "conftest.py") not in said


@pytest.mark.parametrize(
    ("mark", "wrong"),
    [
        ('approximate={"tolerance": 0.3, "why": "few examples"} tags=["setup"]', None),
        ('approximate={"tolerance": 1, "why": "few examples"}', None),
        ('approximate={"tolerance": 0.05, "why": "few examples"}', "a number from 0.1 to 1 and a reason"),
        ('approximate={"tolerance": 1.5, "why": "few examples"}', "a number from 0.1 to 1 and a reason"),
        ('approximate={"tolerance": true, "why": "few examples"}', "a number from 0.1 to 1 and a reason"),
        ('approximate={"tolerance": "0.3", "why": "few examples"}', "a number from 0.1 to 1 and a reason"),
        ('approximate={"tolerance": 0.3, "why": " "}', "a number from 0.1 to 1 and a reason"),
        ('approximate={"tolerance": 0.3}', "a number from 0.1 to 1 and a reason"),
        ("approximate=0.3", "a number from 0.1 to 1 and a reason"),
        ('[markdown] approximate={"tolerance": 0.3, "why": "few"}', "above a code cell"),
        ('approximate={"tolerance": 0.3, why: "few"}', 'followed by `approximate={"tolerance": 0.3, why: "few"}`'),
        ('aproximate={"tolerance": 0.3}', "followed by `aproximate`; there are"),
    ],
)
def test_a_wider_tolerance_has_a_reason(mark, wrong, tmp_path, monkeypatch):
    header = (
        "title: A\npromise: One.\nbuilt: Two.\nminutes: 5\nprerequisites: []\ndata: []\narticles: []\nclinic: []\n"
        "topic: start\n"
    )
    text = "".join(f"# {line}\n" for line in f"---\n{header}---".splitlines()) + f"\n# %% {mark}\n# text\n"
    (tmp_path / "90_small.py").write_text(text, encoding="utf8")
    monkeypatch.setattr(chapters, "SOURCE", tmp_path)
    if wrong:
        with pytest.raises(chapters.SourceError, match=rf"90_small.py:13: .*{re.escape(wrong)}"):
            chapters.read("90_small")
        return
    solved = notebooks.solution(chapters.read("90_small"))
    assert solved.cells[1].metadata["approximate"]["why"] == "few examples"
    assert "approximate" not in notebooks.learner(solved).cells[1].metadata
