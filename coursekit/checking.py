"""What an exercise is, and how an answer is compared with its reference."""

import contextlib
import dataclasses
import difflib
import importlib
import inspect
import pkgutil
from collections.abc import Callable

import numpy as np

from coursekit import calling, checks, places
from coursekit.calling import NotAttempted, NotReady, NotYet


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
            f"I expected the function itself and got {_kind(answer)}. "
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
        raise NotYet(sentence, expected=_short(expected), got="None", note=f"Y{sentence[1:]}")
    if isinstance(expected, str):
        if not isinstance(got, str) or got.strip().lower() != expected.lower():
            raise _other(expected, calling.shorten(str(got), 60))
        return
    if isinstance(expected, (tuple, list)):
        if not isinstance(got, (tuple, list)) or len(got) != len(expected):
            wanted = f"{len(expected)} values, separated by commas,"
            raise NotYet(f"I expected {wanted} and got {_kind(got)}.", expected=wanted.rstrip(","), got=_kind(got))
        for number, (one, other) in enumerate(zip(expected, got, strict=True), start=1):
            with _part(f"value {number} of {len(expected)}"):
                compare(one, other, tolerance, equal_nan)
        return
    if isinstance(expected, dict):
        if not isinstance(got, dict) or set(got) != set(expected):
            wanted = f"a dict with the keys {sorted(expected)}"
            raise NotYet(f"I expected {wanted} and got {_kind(got)}.", expected=wanted, got=_kind(got))
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


def to_array(value):
    """Return a number, list, NumPy array, Keras or TensorFlow tensor as a NumPy array; raises NotYet for the rest."""
    if type(value).__name__ == "KerasTensor":
        raise NotYet("I expected numbers and got a symbolic Keras tensor. Compute with the values given.")
    try:
        array = np.asarray(value)
    except Exception:
        raise NotYet(f"I expected numbers and got {_kind(value)}.") from None
    if array.dtype.kind not in "biuf":
        raise NotYet(f"I expected numbers and got {_kind(value)}.")
    return array


def show(value):
    """Return numbers as short text: six digits, long arrays shortened."""
    array = np.asarray(value)
    text = np.array2string(array, precision=6, suppress_small=False, threshold=12, edgeitems=3, separator=", ")
    return calling.shorten(text)


def describe_arguments(function, case):
    """Return e.g. `x=[-1, 0, 1], p=0.2` for the arguments of a case."""
    names = list(inspect.signature(function).parameters)
    parts = [f"{name}={_show_argument(value)}" for name, value in zip(names, case, strict=False)]
    return f"`{', '.join(parts)}`" if parts else "this call"


def as_code(function, case):
    """Return the arguments of a case as lines of Python, e.g. `x = np.array([[1.0, 2.0]])`.

    Up to 30 numbers are written out in full; what is larger, and what is no plain value, is told in a comment.
    """
    lines = []
    for name, value in zip(inspect.signature(function).parameters, case, strict=False):
        code = _code(value)
        lines.append(f"# {name}: {_told(value)}" if code is None or len(code) > 800 else f"{name} = {code}")
    return "\n".join(lines)


def _code(value):
    """A value as Python that can be run where NumPy is np, or None."""
    if isinstance(value, np.ndarray):
        return _code_of_array(value)
    if isinstance(value, (float, np.floating)) and not np.isfinite(value):
        return "np.nan" if np.isnan(value) else "np.inf" if value > 0 else "-np.inf"
    if value is None or isinstance(value, (bool, int, float, str, bytes, np.number, np.bool_)):
        return repr(float(value) if isinstance(value, float) else value)
    if type(value) not in (list, tuple, dict) or len(value) > 30:
        return None
    parts = [_code(part) for part in (value if type(value) is not dict else [*value, *value.values()])]
    if None in parts:
        return None
    if type(value) is dict:
        pairs = zip(parts[: len(value)], parts[len(value) :], strict=True)
        return f"{{{', '.join(f'{key}: {part}' for key, part in pairs)}}}"
    inside = ", ".join(parts)
    return f"[{inside}]" if type(value) is list else f"({inside}{',' if len(value) == 1 else ''})"


def _code_of_array(array):
    if array.size > 30 or array.dtype.kind not in "biufU":
        return None
    kind = "" if array.dtype.name in ("float64", "int64", "bool") or array.dtype.kind == "U" else array.dtype.name
    kind = f', dtype="{kind}"' if kind else ""
    return f"np.array({_entries(array)}{kind})" if array.size else f"np.zeros({array.shape}{kind})"


def _entries(part):
    """Nested lists of an array; each number as short as its type allows, so that 0.1 in float32 is 0.1."""
    if np.ndim(part):
        return f"[{', '.join(map(_entries, part))}]"
    if part.dtype.kind == "U":
        return repr(str(part))
    return str(part) if np.isfinite(part) else _code(float(part))


def _told(value):
    """A value in a few words."""
    if isinstance(value, np.ndarray):
        return f"an array of shape {value.shape}, {value.dtype.name}"
    if inspect.isfunction(value):
        return f"the function {value.__name__}"
    known = isinstance(value, (str, bytes, list, tuple, dict, set))
    return calling.shorten(repr(value), 60) if known else f"an object of type {type(value).__name__}"


def _short(value):
    """An expected value of any kind as one short text."""
    try:
        return show(to_array(value))
    except NotYet:
        return calling.shorten(str(value))


def _show_argument(value):
    if isinstance(value, np.ndarray) and value.size > 8:
        return f"an array of shape {value.shape}"
    if callable(value):
        return getattr(value, "__name__", "a function")
    return show(value) if isinstance(value, (np.ndarray, float)) else calling.shorten(repr(value), 60)


def _kind(value):
    if isinstance(value, (tuple, list)):
        return f"{len(value)} values"
    if isinstance(value, str):
        return f"the text {calling.shorten(value, 40)!r}"
    return f"an object of type {type(value).__name__}"
