"""Parameters, guesses, claims and guards of a chapter: each rule finds what it is there for."""

import nbformat
import pytest

from authoring import chapter as chapters
from authoring import experiments, notebooks


def cells(*marked):
    """Code cells from (tags, source) pairs, the set-up first."""
    return [
        nbformat.v4.new_code_cell(source, metadata={"tags": tags.split()})
        for tags, source in [("setup", "import coursekit as ck"), *marked]
    ]


CLAIM = '# What came out\nck.claim("It holds", loss < 1, measured={"loss": loss}, fixed=("EPOCHS",))'
GOOD = [
    ("parameters", "SEED = 0\nEPOCHS = 5  # of the training\nHIDDEN = (256, 128)"),
    ("guess", 'ck.guess("size", "How large?", low=0, high=2)'),
    ("", "loss = train(SEED, EPOCHS, HIDDEN)"),
    ("conclusion", '# What came out\nck.reveal("size", loss)\n' + CLAIM.partition("\n")[2]),
    ("guard", "assert 0.4 < loss < 0.6"),
    ("figure", 'ck.show(figure, alt="…")'),
]
REPEATS = {"SEED": [1, 2, 3, 4], "EPOCHS": [15], "HIDDEN": [[8]]}


def test_a_good_chapter_has_no_problem():
    assert list(experiments.problems(cells(*GOOD), REPEATS)) == []
    assert experiments.parameters(cells(*GOOD)) == {"SEED": 0, "EPOCHS": 5, "HIDDEN": (256, 128)}
    assert experiments.claims(cells(*GOOD)) == [experiments.Claim(4, "It holds", ("EPOCHS",))]


def changed(place, cell):
    return [*GOOD[:place], cell, *GOOD[place + 1 :]]


SPOILT = [
    ([GOOD[1], GOOD[0], *GOOD[2:]], "directly after the set-up"),
    ([*GOOD, GOOD[0]], "one cell tagged `parameters`"),
    (changed(0, ("parameters", "SEED = 0\nEPOCHS = 2 * 5")), "only lines `NAME = literal`"),
    (changed(0, ("parameters", "SEED = 0\nepochs = 5")), "only lines `NAME = literal`"),
    ([*GOOD, ("", "EPOCHS = 3")], "EPOCHS is assigned again"),
    ([*GOOD, ("", "for SEED in range(3):\n    pass")], "SEED is assigned again"),
    (changed(4, ("guard", "low = 0.4\nassert low < loss")), "holds only asserts"),
    (changed(1, ("", GOOD[1][1])), "ck.guess stands in a cell tagged `guess`"),
    (changed(1, ("guess", GOOD[1][1] + "\nprint(1)")), "one call of ck.guess"),
    (changed(1, ("", "pass")), "nobody is asked for the guess 'size'"),
    (changed(3, ("conclusion", CLAIM)), "the guess 'size' is never revealed"),
    ([*GOOD, ("", 'ck.reveal("size", 1)')], "ck.reveal stands in a cell tagged `conclusion`"),
    (changed(3, ("conclusion", GOOD[3][1].partition("\n")[2])), "the first line of a cell tagged `conclusion`"),
    ([*GOOD, ("conclusion", "# What came out\nx = 1")], "holds only calls of ck.claim and ck.reveal"),
    ([*GOOD, ("", 'ck.claim("More", True, measured={})')], "ck.claim stands in a cell tagged `conclusion`"),
    ([*GOOD, ("conclusion", CLAIM.replace('"It holds"', 'f"It {what}"'))], "a plain text without a full stop"),
    ([*GOOD, ("conclusion", CLAIM.replace("It holds", "It holds."))], "a plain text without a full stop"),
    ([*GOOD, ("conclusion", CLAIM.replace("measured=", "numbers="))], "a condition and `measured`"),
    ([*GOOD, ("conclusion", CLAIM.replace("EPOCHS", "SEED"))], "`fixed` names parameters, never SEED"),
    ([*GOOD, ("conclusion", CLAIM.replace("EPOCHS", "STEPS"))], "`fixed` names parameters, never SEED"),
    ([*GOOD, ("figure", "figure = plt.figure()")], "shows a figure with ck.show"),
]


@pytest.mark.parametrize(("marked", "message"), SPOILT, ids=[message[:40] for _, message in SPOILT])
def test_a_rule_finds_what_it_is_there_for(marked, message):
    assert any(message in problem for _, problem in experiments.problems(cells(*marked), REPEATS))


@pytest.mark.parametrize(
    ("repeats", "message"),
    [
        (REPEATS | {"STEPS": [1]}, "'STEPS', which is not in the cell tagged `parameters`"),
        (REPEATS | {"EPOCHS": [5]}, "repeats EPOCHS with the chapter's own value"),
        (REPEATS | {"SEED": [1, 2, 3, 3]}, "with one value twice"),
        (REPEATS | {"SEED": [1, 2, 3]}, "4 other SEED and 2 changed conditions at least"),
        ({"SEED": [1, 2, 3, 4], "EPOCHS": [15]}, "4 other SEED and 2 changed conditions at least"),
        ({}, "claims need `repeats`"),
    ],
)
def test_repeats_are_validated(repeats, message):
    assert any(message in problem for _, problem in experiments.problems(cells(*GOOD), repeats))


def test_sentences_and_guesses_are_unique_in_the_course():
    read = [chapters.read(name) for name in chapters.names()]
    sentences = [claim.sentence for chapter in read for claim in experiments.claims(chapter.notebook.cells)]
    assert len(sentences) == len(set(sentences))
    guessed = [name for chapter in read for name in experiments.guesses(chapter.notebook.cells)]
    assert len(guessed) == len(set(guessed))


def test_guards_are_left_out_of_the_learners_notebook_and_conclusions_are_folded():
    solved = notebooks.solution(chapters.read("01_activations"))
    learner = notebooks.learner(solved)
    kinds = {tag: [c for c in learner.cells if tag in chapters.tags(c)] for tag in ("guard", "conclusion", "figure")}
    assert kinds["guard"] == []
    assert any("guard" in chapters.tags(cell) for cell in solved.cells)
    for cell in kinds["conclusion"] + kinds["figure"]:
        assert cell.metadata["jupyter"]["source_hidden"]
        assert cell.metadata["cellView"] == "form"
    assert kinds["conclusion"]
    assert {cell.id for cell in learner.cells} <= {cell.id for cell in solved.cells}
