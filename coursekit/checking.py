"""What an exercise is, and how an answer is compared with its reference."""

import contextlib
import dataclasses
import difflib
import importlib
import pkgutil
from collections.abc import Callable

import numpy as np

from coursekit import calling, checks, places
from coursekit.calling import NotAttempted, NotReady, NotYet
from coursekit.values import as_code, describe_arguments, kind_of, short, show, to_array


@dataclasses.dataclass(frozen=True)
class Exercise:
    """An exercise with its check, which looks at behaviour only.

    name: `topic.function`, e.g. `activations.sigmoid`.
    hints: two sentences or more, from a nudge to nearly the answer.
    reference: a function that is right; its argument names stand in the verdicts. Or the right value itself.
    cases: tuples of arguments on which the answer is compared with the reference.
    mistakes: likely wrong answers: {sentence that names the misconception: the function that has it}.
    judge: for what a comparison cannot tell (models): a function of the answer that raises NotYet with the reason.
    tolerance: largest accepted difference, relative and absolute.
    """

    name: str
    hints: tuple[str, ...]
    reference: object = None
    cases: tuple[tuple, ...] = ()
    mistakes: dict[str, Callable] = dataclasses.field(default_factory=dict)
    judge: Callable | None = None
    tolerance: float = 1e-5


@dataclasses.dataclass(frozen=True)
class Quiz:
    """A question with choices: {choice: (whether it is right, the reason)}."""

    name: str
    question: str
    choices: dict[str, tuple[bool, str]]


@dataclasses.dataclass(frozen=True)
class Verdict:
    """What a check found.

    status: `not attempted`, `not yet` or `correct`. message: all that there is to say, in a sentence or two.
    mistake, given, expected, got, note: its parts, as in NotYet. counts: whether the answer was a try.
    """

    status: str
    message: str = ""
    mistake: str = ""
    given: str = ""
    expected: str = ""
    got: str = ""
    note: str = ""
    counts: bool = True


def find(name, kind):
    """Return the Exercise or Quiz called `name`; raises CourseError with the closest name when there is none."""
    known = {item.name: item for item in items(name.partition(".")[0] if isinstance(name, str) else "", kind)}
    if name in known:
        return known[name]
    every = [item.name for topic in topics() for item in items(topic, kind)]
    close = difflib.get_close_matches(str(name), every, n=1)
    advice = f"Did you mean {close[0]!r}?" if close else "The name stands in the cell below each exercise."
    raise places.CourseError(f"there is no {kind.__name__.lower()} {name!r}. {advice}")


def topics():
    """Names of all topics, sorted."""
    return sorted(module.name for module in pkgutil.iter_modules(checks.__path__))


def items(topic, kind):
    """All exercises or quizzes (`kind`) of a topic, in the order of its chapter."""
    if topic not in topics():
        return []
    module = importlib.import_module(f"coursekit.checks.{topic}")
    return [item for item in module.ITEMS if isinstance(item, kind)]


def judge(exercise, answer):
    """Return the Verdict on `answer`. Never raises, whatever the answer is."""
    try:
        if calling.is_placeholder(answer):
            raise NotAttempted
        remarks = (exercise.judge or _judge_by_cases(exercise))(answer) or []
    except NotAttempted:
        return Verdict("not attempted", counts=False)
    except NotReady as problem:
        return Verdict("not yet", str(problem), counts=False)
    except NotYet as problem:
        parts = (problem.mistake, problem.given, problem.expected, problem.got, problem.note)
        return Verdict("not yet", str(problem), *parts)
    except Exception as error:  # an answer so unusual that the check itself stumbles
        return Verdict("not yet", f"Your answer could not be checked: `{calling.shorten(repr(error))}`.")
    return Verdict("correct", " ".join(remarks))


def _judge_by_cases(exercise):
    def by_cases(answer):
        if not callable(exercise.reference):
            compare(exercise.reference, answer, exercise.tolerance)
            return None
        require_function(answer, exercise)
        outcomes = []
        for case in exercise.cases:
            try:
                outcomes.append(calling.call(answer, *case))
            except NotYet as problem:
                problem.given = as_code(exercise.reference, case)
                raise
        results = [result for result, _ in outcomes]
        for case, result in zip(exercise.cases, results, strict=True):
            try:
                compare(exercise.reference(*case), result, exercise.tolerance)
            except NotYet as problem:
                sentence = recognise(exercise, results)
                message = f"For {describe_arguments(exercise.reference, case)} {problem} {sentence}".strip()
                given = as_code(exercise.reference, case)
                raise NotYet(message, sentence, given, problem.expected, problem.got, problem.note) from None
        return list(dict.fromkeys(remark for _, remarks in outcomes for remark in remarks))

    return by_cases


def require_function(answer, exercise):
    """Raise NotYet unless `answer` can be called."""
    if not callable(answer):
        name = exercise.name.partition(".")[2]
        raise NotYet(
            f"I expected the function itself and got {kind_of(answer)}. "
            f'Write `ck.check("{exercise.name}", {name})`, without calling it.'
        )


def recognise(exercise, results):
    """Return the sentence of the misconception that gives the same `results` on all cases, or an empty text."""
    for sentence, wrong in exercise.mistakes.items():
        try:
            with np.errstate(all="ignore"):
                for case, result in zip(exercise.cases, results, strict=True):
                    compare(wrong(*case), result, exercise.tolerance, equal_nan=True)
        except Exception:
            continue
        return sentence
    return ""


def compare(expected, got, tolerance=1e-5, equal_nan=False):
    """Raise NotYet, saying what was expected and what came, unless `got` equals `expected` within `tolerance`."""
    if got is None:
        sentence = "your function returned nothing (None). Is a `return` missing?"
        raise NotYet(sentence, expected=short(expected), got="None", note=f"Y{sentence[1:]}")
    if isinstance(expected, str):
        if not isinstance(got, str) or got.strip().lower() != expected.lower():
            raise _other(expected, calling.shorten(str(got), 60))
        return
    if isinstance(expected, (tuple, list)):
        if not isinstance(got, (tuple, list)) or len(got) != len(expected):
            wanted = f"{len(expected)} values, separated by commas,"
            raise NotYet(f"I expected {wanted} and got {kind_of(got)}.", expected=wanted.rstrip(","), got=kind_of(got))
        for number, (one, other) in enumerate(zip(expected, got, strict=True), start=1):
            with _part(f"value {number} of {len(expected)}"):
                compare(one, other, tolerance, equal_nan)
        return
    if isinstance(expected, dict):
        if not isinstance(got, dict) or set(got) != set(expected):
            wanted = f"a dict with the keys {sorted(expected)}"
            raise NotYet(f"I expected {wanted} and got {kind_of(got)}.", expected=wanted, got=kind_of(got))
        for key in expected:
            with _part(f"the entry {key!r}"):
                compare(expected[key], got[key], tolerance, equal_nan)
        return
    _compare_numbers(np.asarray(expected), to_array(got), tolerance, equal_nan)


@contextlib.contextmanager
def _part(place):
    """Name the place in a larger answer where a comparison fails."""
    try:
        yield
    except NotYet as problem:
        note = f"{place[0].upper()}{place[1:]} is off. {problem.note}".strip()
        message = f"{place} is off: {problem}"
        raise NotYet(message, expected=problem.expected, got=problem.got, note=note) from None


def _other(expected, got, before="", after=""):
    """The NotYet that sets two short texts against each other."""
    message = f"{before}I expected **{expected}** and got **{got}**.{after and ' '}{after}"
    note = f"{before.removesuffix(': ')}. " if before else ""
    return NotYet(message, expected=expected, got=got, note=f"{note}{after}".strip())


def _compare_numbers(expected, got, tolerance, equal_nan):
    if got.shape != expected.shape and not (got.size == expected.size == 1):
        raise NotYet(
            f"I expected the shape **{expected.shape}** and got **{got.shape}**.",
            expected=f"the shape {expected.shape}",
            got=f"the shape {got.shape}",
        )
    expected64, got64 = expected.astype("float64"), got.reshape(expected.shape).astype("float64")
    same = np.isclose(got64, expected64, rtol=tolerance, atol=tolerance, equal_nan=equal_nan)
    if same.all():
        return
    if not np.isfinite(got64).all() and np.isfinite(expected64).all():
        why = "A `nan` or `inf` came up on the way: something overflowed, or was divided by zero."
        raise _other(show(expected), show(got), after=why)
    if expected.size <= 8:
        raise _other(show(expected), show(got))
    where = tuple(int(axis) for axis in np.argwhere(~same)[0])
    place = where[0] if len(where) == 1 else where
    count = f"{np.count_nonzero(~same)} of {same.size} entries differ; the first is entry {place}: "
    raise _other(show(expected[where]), show(got64[where]), before=count)
