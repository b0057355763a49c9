"""Judge an answer on other inputs than those that its check shows: for marks (classroom/kernel.py).

The hidden inputs are the visible ones, moved by a few rules (`moved`), or those of classroom/inputs.py where no rule
fits. Where a check draws its data itself, it draws other data.
"""

import contextlib
import dataclasses
import sys

import numpy as np

from classroom import inputs
from coursekit import checking
from coursekit.checking import Exercise


def judge(name, answer, seed=1):
    """The Verdict on `answer` to the exercise `name`: on the visible inputs, then on hidden ones drawn from `seed`."""
    exercise = checking.find(name, Exercise)
    verdict = checking.judge(exercise, answer)
    if verdict.status != "correct" or name in inputs.CLOSED:
        return verdict
    with other_draws(seed) if exercise.judge else contextlib.nullcontext():
        verdict = checking.judge(dataclasses.replace(exercise, cases=cases(exercise, seed)), answer)
    if verdict.status == "correct":
        return verdict
    return dataclasses.replace(verdict, message=f"On inputs that the chapter does not show: {verdict.message}")


def cases(exercise, seed):
    """The hidden cases of an exercise, as many as the visible ones or more."""
    random = np.random.default_rng(seed)
    if exercise.name in inputs.CASES:
        return tuple(inputs.CASES[exercise.name](random, exercise.cases))
    return tuple(moved(case, random) for case in exercise.cases)


def moved(case, random):
    """Another tuple of arguments of the same kind.

    All numbers with a fraction go through x → sign(x) |x|^g, with one g from 0.8 to 1.25 for the whole case: 0, ±1,
    signs, order, equality and the interval from 0 to 1 stay; rows that sum to 1 are divided by their new sum.
    Where there is none, whole numbers above 1 grow by up to a quarter, and arrays of whole numbers are put into another
    order, all of one length into the same. Where nothing changed so far, the letters of all texts are exchanged, each
    for always the same one. Truth values and functions stay.
    """
    power = random.choice([-1, 1]) * random.uniform(0.05, 0.22)
    bent = tuple(_bend(value, np.exp(power)) for value in case)
    if not same(bent, case):
        return bent
    orders = {}
    reordered = tuple(_reorder(value, orders, random) for value in case)
    return reordered if not same(reordered, case) else _spell(case, int(random.integers(1, 26)))


def _bend(value, power):
    if isinstance(value, np.ndarray) and value.dtype.kind == "f":
        bent = np.sign(value) * np.abs(value) ** power
        sums = value.sum(axis=-1, keepdims=True) if value.ndim else np.zeros(1)
        if value.size and (value >= 0).all() and np.allclose(sums, 1):
            bent = bent / bent.sum(axis=-1, keepdims=True)
        return bent.astype(value.dtype)
    if isinstance(value, float):
        return float(np.sign(value) * abs(value) ** power)
    if type(value) in (list, tuple):
        return type(value)(_bend(item, power) for item in value)
    return value


def _reorder(value, orders, random):
    if isinstance(value, np.ndarray) and value.ndim:
        order = orders.setdefault(len(value), random.permutation(len(value)))
        return value[order]
    if isinstance(value, int) and not isinstance(value, bool) and value > 1:
        return value + int(random.integers(1, max(2, value // 4 + 1)))
    if type(value) in (list, tuple):
        return type(value)(_reorder(item, orders, random) for item in value)
    return value


def _spell(value, step):
    """Letters a to z, A to Z and Chinese characters go `step` places on; equal ones stay equal."""
    if isinstance(value, str):
        return "".join(_next(letter, step) for letter in value)
    if type(value) in (list, tuple):
        return type(value)(_spell(item, step) for item in value)
    return value


def _next(letter, step):
    for first, number in (("a", 26), ("A", 26), ("\u4e00", 20_000)):
        if 0 <= (place := ord(letter) - ord(first)) < number:
            return chr(ord(first) + (place + step) % number)
    return letter


def same(one, other):
    """Whether two arguments, or two cases, are equal in every number; nan equals nan."""
    if isinstance(one, np.ndarray):
        return np.array_equal(one, other, equal_nan=one.dtype.kind == "f")
    if isinstance(one, (list, tuple)):
        return len(one) == len(other) and all(map(same, one, other))
    return bool(one == other) or (one != one and other != other)


@contextlib.contextmanager
def other_draws(seed):
    """While this runs, np.random.default_rng called by a check draws other numbers; called by an answer, the same."""
    original = np.random.default_rng

    def default_rng(start=None):
        caller = sys._getframe(1).f_globals.get("__name__", "")
        shifted = caller.startswith("coursekit.checks") and isinstance(start, int)
        return original([start, seed] if shifted else start)

    np.random.default_rng = default_rng
    try:
        yield
    finally:
        np.random.default_rng = original
