"""`make sceptic` on a small chapter of its own, and the evidence of the course: none missing, stale or fallen."""

import json

import pytest

from authoring import chapter as chapters
from authoring import notebooks, sceptic
from coursekit import places

MEND = "run `make sceptic`, then `make build`, and commit what they write"
SOURCE = """\
# ---
# title: A title
# promise: You will see one claim.
# built: You saw one claim.
# minutes: 5
# prerequisites: []
# data: []
# articles: []
# clinic: []
# topic: activations
# repeats: {SEED: [1, 2, 3, 4, 5], STEPS: [30, 0], IDLE: [1]}
# ---

# %% tags=["setup"]
import coursekit as ck

# %% tags=["parameters"]
SEED = 0
STEPS = 10
IDLE = 0  # moves nothing

# %%
import numpy as np

walk = np.random.default_rng(SEED).normal(1, 0.1, STEPS)
assert STEPS > 0, "no steps"

# %%
print("no claim needs this cell", 1 / (SEED == 0))

# %%
end = walk.sum()

# %% tags=["conclusion"]
# What came out
ck.claim("The walk goes up", end > 0, measured={"end": end})
ck.claim("The walk is short", end < 20, measured={"end": end})
ck.claim("Ten steps are short", end < 20, measured={"end": end}, fixed=("STEPS",))

# %% tags=["guard"]
assert 9 < end < 11
"""


@pytest.fixture
def small(tmp_path, monkeypatch):
    """A function that writes the chapter, with replacements, and reads it; evidence and partial results lie apart."""
    monkeypatch.setattr(chapters, "SOURCE", tmp_path)
    monkeypatch.setattr(sceptic, "PARTIAL", tmp_path / "partial")
    monkeypatch.setattr(sceptic.notebooks, "evidence", lambda name: tmp_path / "evidence" / f"{name}.json")

    def write(*changes):
        text = SOURCE
        for old, new in changes:
            assert old in text
            text = text.replace(old, new)
        (tmp_path / "90_small.py").write_text(text, encoding="utf8")
        return chapters.read("90_small")

    return write


def test_every_repeat_is_run_counted_and_told(small, capsys):
    chapter = small()
    problems = sceptic.run(chapter)
    evidence = sceptic.stored("90_small")
    up = evidence["claims"]["The walk goes up"]
    assert up["held"]
    assert [repeat["changed"] for repeat in up["repeats"]] == [{"SEED": n} for n in (1, 2, 3, 4, 5)] + [{"STEPS": 30}]
    assert all(repeat["held"] and repeat["measured"]["end"] > 9 for repeat in up["repeats"])
    assert len(evidence["claims"]["Ten steps are short"]["repeats"]) == 5  # its condition is not changed
    assert [missing["changed"] for missing in evidence["stopped"]] == [{"STEPS": 0}]
    assert "no steps in the cell that begins with `import numpy as np`" in evidence["stopped"][0]["why"]
    assert "fell (STEPS = 30): The walk is short" in problems
    assert "tried in only 5 repeats, 6 are asked for: Ten steps are short" in problems
    assert any(line.startswith("STEPS = 0 stopped") for line in problems)
    assert not any("The walk goes up" in line for line in problems)
    assert "   fell: The walk is short" in capsys.readouterr().out
    assert evidence["key"] == sceptic.key(chapter)
    assert set(evidence["versions"]) == {"tensorflow", "keras", "numpy"}
    assert evidence["device"] == "cpu"


def test_it_goes_on_where_it_stopped(small, monkeypatch):
    chapter = small()
    done = []

    def repeat(chapter, changes):
        if len(done) == 3:
            raise KeyboardInterrupt
        done.append(changes)
        measured = {"end": float(len(done))}
        return {"claims": [{"sentence": "The walk goes up", "held": True, "measured": measured, "fixed": []}]}

    monkeypatch.setattr(sceptic, "repeat", repeat)
    with pytest.raises(KeyboardInterrupt):
        sceptic.run(chapter)
    assert sceptic.stored("90_small") is None
    done.append("a later session")
    sceptic.run(chapter)
    assert done == [{}, {"SEED": 1}, {"SEED": 2}, "a later session", *sceptic.repeats(chapter)[3:]]


@pytest.mark.parametrize(
    ("change", "moves"),
    [
        (("You will see one claim.", "You will see a claim."), False),
        (("no claim needs this cell", "this is not a claim"), False),
        (("assert 9 < end", "assert 8 < end"), False),
        (("normal(1, 0.1", "normal(1, 0.2"), True),
        (("STEPS: [30, 0]", "STEPS: [20, 0]"), True),
        (("end < 20", "end < 19"), True),
    ],
)
def test_the_key_follows_what_the_claims_reach(small, change, moves):
    assert (sceptic.key(small()) != sceptic.key(small(change))) == moves


@pytest.mark.parametrize("chapter", sceptic.with_claims(chapters.names()), ids=lambda chapter: chapter.name)
def test_no_evidence_is_missing_stale_or_fallen(chapter):
    evidence = sceptic.stored(chapter.name)
    assert evidence is not None, MEND
    assert evidence["key"] == sceptic.key(chapter), f"stale: {MEND}"
    assert sceptic.problems(evidence) == []
    asked = [claim.sentence for claim in sceptic.cells(chapter)[1]]
    assert list(evidence["claims"]) == asked, MEND


def test_every_evidence_has_its_chapter():
    known = {chapter.name for chapter in sceptic.with_claims(chapters.names())}
    assert {path.stem for path in notebooks.evidence("x").parent.glob("*.json")} == known


def test_rewritten_chapters_have_claims_and_the_list_of_the_others_gets_shorter():
    from authoring import lint

    assert set(lint.not_rewritten()) <= set(chapters.names())
    assert len(lint.not_rewritten()) <= 33  # lower this number with every chapter that is told again
    rewritten = set(chapters.names()) - set(lint.not_rewritten())
    assert rewritten == {chapter.name for chapter in sceptic.with_claims(chapters.names())}


def test_the_handout_and_the_package_hold_the_evidence():
    text = (places.ROOT / "pyproject.toml").read_text(encoding="utf8")
    assert '"evidence/*.json"' in text
    for path in notebooks.evidence("x").parent.glob("*.json"):
        assert json.loads(path.read_text(encoding="utf8"))["claims"]
