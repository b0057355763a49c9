"""Whatever a learner's function does: one readable verdict, the session lives, progress is kept."""

import builtins
import statistics
import sys
import time

import numpy as np
import pytest

import coursekit as ck
from coursekit import calling, checking, exercises
from coursekit.checking import Exercise

SUM = Exercise(
    "test.total",
    hints=("one", "two"),
    reference=lambda x: x.sum(axis=0),
    cases=((np.arange(6.0).reshape(2, 3),),),
)


def endless(x):
    while True:
        try:
            time.sleep(0.001)
        except Exception:
            continue


def endless_with_bare_except(x):
    while True:
        try:
            while True:
                pass
        except:  # noqa: E722
            time.sleep(0.01)
            return x.sum(axis=0) * 0


def prints_many_lines(x):
    for _ in range(300_000):
        print("loss", 0.5)
    return x.sum(axis=0)


def mutates(x):
    x *= 2
    return x.sum(axis=0) / 2


def recursive(x):
    return recursive(x)


def raises_a_huge_message(x):
    raise ValueError("long " * 1_000_000)


def redefines_builtins(x):
    builtins.len = builtins.isinstance = lambda *_: 0
    builtins.made_up = 1
    return x.sum(axis=0)


class Strange:
    def __array__(self, dtype=None, copy=None):
        raise RuntimeError("no array here")

    def __repr__(self):
        raise RuntimeError("no repr either")


HOSTILE = [
    (endless, "not yet", "still running after"),
    (lambda x: sys.exit(0), "not yet", "ends Python"),
    (lambda x: exit(), "not yet", "ends Python"),
    (prints_many_lines, "correct", "It also printed 2,700,000 characters"),
    (mutates, "not yet", "in place"),
    (lambda x: x.sum(axis=0) * np.nan, "not yet", "`nan` or `inf`"),
    (lambda x: x.sum(axis=0) / 0, "not yet", "`nan` or `inf`"),
    (lambda x: "15", "not yet", "the text '15'"),
    (lambda x: {"a": 1}, "not yet", "type dict"),
    (lambda x: Strange(), "not yet", "type Strange"),
    (lambda x: [[1, 2], [3]], "not yet", "2 values"),
    (lambda x: x.sum(), "not yet", "shape"),
    (lambda x: x.sum(axis=0, keepdims=True), "not yet", "shape"),
    (recursive, "not yet", "without end"),
    (raises_a_huge_message, "not yet", "in its line 2"),
    (redefines_builtins, "correct", ""),
    (lambda: 1, "not yet", "TypeError"),
    (lambda x, y: 1, "not yet", "TypeError"),
    (lambda x: print("forgot"), "not yet", "Is a `return` missing?"),
    (np.array([3.0, 5.0, 7.0]), "not yet", "without calling it"),
    (None, "not yet", "without calling it"),
    (..., "not attempted", ""),
]


@pytest.fixture(autouse=True)
def short(monkeypatch):
    monkeypatch.setattr(calling.call, "__defaults__", None)
    monkeypatch.setattr(calling.call, "__kwdefaults__", {"seconds": 3.0})


@pytest.mark.parametrize(("answer", "status", "part"), HOSTILE, ids=range(len(HOSTILE)))
def test_one_readable_verdict(answer, status, part, capsys):
    before = dict(vars(builtins))
    verdict = checking.judge(SUM, answer)
    assert verdict.status == status, verdict.message
    assert part in verdict.message
    assert len(verdict.message) < 600
    assert "\n" not in verdict.message
    assert dict(vars(builtins)) == before
    assert capsys.readouterr().out == ""


def test_a_bare_except_does_not_hold_the_session():
    began = time.perf_counter()
    assert checking.judge(SUM, endless_with_bare_except).status == "not yet"
    assert time.perf_counter() - began < 10


def test_a_name_of_python_that_the_notebook_took_is_named():
    space = {"sum": 3, "np": np}
    exec("def total(x):\n    return sum(x)", space)
    verdict = checking.judge(SUM, space["total"])
    assert "`sum` is no longer Python's own: run `del sum`" in verdict.message


@pytest.mark.parametrize(
    "body", ["...", "pass", '"""A docstring."""', '"""Text."""\n    ...', "raise NotImplementedError"]
)
def test_placeholders_are_not_attempted(body):
    space = {}
    exec(f"def total(x):\n    {body}", space)
    assert checking.judge(SUM, space["total"]).status == "not attempted"


def test_after_a_hostile_answer_progress_is_kept_and_the_next_check_works(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    ck.check("activations.largest_share", lambda layers: sys.exit())
    ck.check("activations.largest_share", lambda layers: 0.25**layers)
    record = exercises.STORE.read()["activations.largest_share"]
    assert (record["status"], record["tries"]) == ("correct", 2)


def test_the_median_verdict_takes_less_than_200_milliseconds():
    seconds = []
    for topic in checking.topics():
        for exercise in checking.items(topic, Exercise):
            if callable(exercise.reference) and exercise.cases:
                checking.judge(exercise, exercise.reference)  # the first call imports
                began = time.perf_counter()
                verdict = checking.judge(exercise, exercise.reference)
                seconds.append(time.perf_counter() - began)
                assert verdict.status == "correct", verdict.message
    assert statistics.median(seconds) < 0.2
