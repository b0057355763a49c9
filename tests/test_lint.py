"""Each rule for chapters finds what it is there for, and is content with a good chapter."""

import shutil

import nbformat
import pytest

from authoring import chapter as chapters
from authoring import lint

NAME = "01_activations"


def spoil(path, *changes):
    """Chapter 01 with pieces of its source replaced, read from `path`."""
    text = (chapters.SOURCE / f"{NAME}.py").read_text(encoding="utf8")
    for old, new in changes:
        assert old in text, old
        text = text.replace(old, new)
    (path / f"{NAME}.py").write_text(text, encoding="utf8")
    for before in chapters.read(NAME).header.prerequisites:
        shutil.copy(chapters.SOURCE / f"{before}.py", path)
    return text


SPOILT = [
    (
        lint.cell_length,
        ("import matplotlib.pyplot as plt\n", "import matplotlib.pyplot as plt\n" * 31),
        "a code cell of",
    ),
    (lint.length, ("## Recap\n", "## Recap\n# " + "word " * 2_000), "words; most chapters have 1000 to 2600"),
    (lint.counts, ('# %% tags=["quiz"]\n', "# %%\n"), "0 quiz questions"),
    (lint.setup_cell, ("ck.start()", "ck.start(seed=1)"), "the first code cell"),
    (lint.clinic, ("### 01-2 · ", "### About "), "the clinic has ['01-1']"),
    (lint.clinic, ("## Article clinic", "## Clinic"), "heading `## Article clinic`"),
    (lint.closing, ("## Recap", "## In short"), "heading `## Recap`"),
    (lint.closing, ('ck.progress("activations")', "print()"), "the last cell must be"),
    (lint.exercises_known, ('"activations.softmax"', '"activations.soft"'), "the chapter asks"),
    (lint.exercises_known, ('ck.quiz("activations.dead")', 'ck.quiz("activations.death")'), "has the questions"),
    (lint.figures, ("import keras\n", "import keras\n\nplt.show()\n"), "not with plt.show"),
    (lint.figures, ("import keras\n", "import keras\n\nfigure = plt.figure()\n"), "neither shown"),
    (lint.palette, ('color="black"', 'color="red"'), "colour 'red'"),
    (lint.palette, ('color="black"', 'cmap="jet"'), "colour map 'jet'"),
    (lint.style, ("import keras\n", "from tensorflow import keras\n"), "never tf.keras"),
    (lint.style, ("import keras\n", "import keras\nimport pickle\n"), "no pickle"),
    (lint.plain_words, ("## Recap\n", "## Recap\n# Simply look.\n"), "the word 'Simply'"),
    (lint.exercise_titles, ("The slope of ReLU", "Slope"), "a title has two to five words"),
    (lint.exercise_titles, ("The slope of ReLU", "The largest share"), "is the only one of its kind"),
    (
        lint.drawings,
        ("## Recap\n", "## Recap\n# ```mermaid\n# flowchart LR\n# ```\n#\n# - A.\n"),
        "say the same in words",
    ),
    (lint.code_width, ("import keras\n", f"import keras  # {'x' * 75}\n"), "a line of code of 91 columns"),
    (lint.plain_training, ("import keras\n", "import keras\n\nclass Trainer:\n    pass\n"), "class Trainer"),
    (lint.introduced_terms, ("**epoch** (轮次)", "**epoch**"), "'epoch' is used before it is introduced"),
    (lint.introduced_terms, ("## What a bend buys\n", "## What a bend buys\n# A logit.\n"), "'logit' is used before"),
    (lint.ignored_outputs, ('# %% tags=["quiz"]', '# %% tags=["nbval-ignore-output"]'), "4 outputs are not compared"),
]


@pytest.mark.parametrize(("rule", "change", "message"), SPOILT, ids=lambda value: getattr(value, "__name__", ""))
def test_a_rule_finds_what_it_is_there_for(rule, change, message, tmp_path, monkeypatch):
    spoil(tmp_path, change)
    monkeypatch.setattr(chapters, "SOURCE", tmp_path)
    monkeypatch.setattr(chapters, "_check_tags", lambda chapter: None)
    chapter = chapters.read(NAME)
    assert any(message in line for line in rule(chapter, None))


def stored(*outputs):
    cell = nbformat.v4.new_code_cell("pass", outputs=[nbformat.from_dict(output) for output in outputs])
    return nbformat.v4.new_notebook(cells=[cell])


def stream(text, name="stdout"):
    return stored({"output_type": "stream", "name": name, "text": text})


BAD_OUTPUTS = [
    (lint.stable_outputs, stream("saved in /home/me/model.keras"), "an absolute path"),
    (lint.stable_outputs, stream("<Model at 0x7f55aa001122>"), "a memory address"),
    (lint.stable_outputs, stream("started 12:30:05"), "a clock time"),
    (lint.stable_outputs, stream("on 2026-01-05"), "a date"),
    (lint.stable_outputs, stream("94/94 - 3ms/step"), "a duration"),
    (lint.stable_outputs, stream("━━━━━━━━ done"), "a progress bar"),
    (lint.stable_outputs, stream("mean -0.00"), "a negative zero"),
    (lint.printed_verdicts, stream("attention is better: True"), "a verdict where a number is meant"),
    (lint.printed_verdicts, stream("accuracy between 0.8 and 0.9"), "a verdict where a number is meant"),
    (lint.clean_outputs, stream("careful", name="stderr"), "stderr"),
    (lint.clean_outputs, stored({"output_type": "error", "ename": "E", "evalue": "", "traceback": []}), "traceback"),
    (
        lint.clean_outputs,
        stored({"output_type": "execute_result", "data": {"text/plain": "3"}, "metadata": {}, "execution_count": None}),
        "bare expression",
    ),
    (lint.alt_text, stored({"output_type": "display_data", "data": {"image/png": ""}, "metadata": {}}), "alt text"),
]


@pytest.mark.parametrize(("rule", "solved", "message"), BAD_OUTPUTS)
def test_a_rule_finds_a_bad_output(rule, solved, message):
    chapter = chapters.read(NAME)
    assert any(message in line for line in rule(chapter, solved))
    assert list(rule(chapter, stream("loss 0.50, 10 of 12, -0.05"))) == []


def test_every_rule_has_a_test():
    tested = {rule for rule, *_ in SPOILT} | {rule for rule, *_ in BAD_OUTPUTS}
    assert tested == {*lint.RULES, *lint.NEW, *lint.ADVICE}


def test_new_rules_spare_the_chapters_that_wait_to_be_told_again(monkeypatch):
    chapter, solved = chapters.read(NAME), stream("better: True")
    assert any("printed_verdicts" in line for line in lint.lint(chapter, solved))
    monkeypatch.setattr(lint, "not_rewritten", lambda: [NAME])
    assert not any("printed_verdicts" in line for line in lint.lint(chapter, solved))


def test_the_length_is_advice(tmp_path, monkeypatch, capsys):
    spoil(tmp_path, ("## Recap\n", "## Recap\n# " + "word " * 2_000))
    monkeypatch.setattr(chapters, "SOURCE", tmp_path)
    chapter = chapters.read(NAME)
    assert not any("words" in line for line in lint.lint(chapter, None))
    assert any("words" in line for line in lint.advice(chapter, None))
