"""Call a learner's function so that whatever it does ends in one readable sentence."""

import builtins
import contextlib
import copy
import dis
import hashlib
import inspect
import io
import linecache
import re
import signal
import threading
import traceback
import types
import warnings

import IPython
import numpy as np

LONGEST = 160  # characters of a learner's message that a verdict quotes
SECONDS = 5.0


class NotYet(Exception):
    """The answer is not right yet; the message says why, in one or two sentences.

    mistake: the sentence of the recognised misconception. given: the failing input as lines of Python.
    expected, got: short texts that can stand beside each other. note: what the message says besides all these.
    """

    def __init__(self, message, mistake="", given="", expected="", got="", note=""):
        super().__init__(message)
        self.mistake, self.given, self.expected, self.got, self.note = mistake, given, expected, got, note


class NotAttempted(Exception):
    """The answer is still the placeholder."""


class NotReady(Exception):
    """The answer uses a name that is not defined, so it could not be tried; the message says what to do."""


class _TimeIsUp(BaseException):
    """Not an Exception, so that `except Exception` in a learner's loop cannot swallow it."""


class _ShortBuffer(io.TextIOBase):
    """Takes what a learner prints: counts it, keeps the beginning."""

    def __init__(self):
        self.start, self.length = "", 0

    def write(self, text):
        self.length += len(text)
        self.start += text[: LONGEST - len(self.start)] if len(self.start) < LONGEST else ""
        return len(text)


def call(function, *arguments, seconds=SECONDS):
    """Return (result, remarks) of `function(*arguments)`; remarks are sentences about prints and warnings.

    Raises NotYet when the function raises, exits, runs longer than `seconds`, or changes its arguments,
    NotAttempted when it is still the placeholder, and NotReady when a name in it is not defined. Python code is
    interrupted where the platform has SIGALRM and the call comes from the main thread; compiled code, and any code on
    Windows, cannot be.
    """
    given = copy.deepcopy(arguments)
    printed = _ShortBuffer()
    names, kept_names = vars(builtins), dict(vars(builtins))
    with (
        warnings.catch_warnings(record=True) as caught,
        np.errstate(over="warn", divide="warn", invalid="warn", under="ignore"),
    ):
        warnings.simplefilter("always")
        try:
            with contextlib.redirect_stdout(printed), contextlib.redirect_stderr(printed), _time_limit(seconds):
                outcome = function(*given)
        except NotImplementedError:
            raise NotAttempted from None
        except BaseException as error:
            if name := undefined_name(error):
                raise NotReady(f"{run_above(name)} Or is the name misspelt?") from None
            raise NotYet(_describe(error, function, seconds)) from None
        finally:
            names.update(kept_names)
            for added in [name for name in names if name not in kept_names]:
                del names[added]
    if outcome is ...:
        raise NotAttempted
    for number, (before, after) in enumerate(zip(arguments, given, strict=True), start=1):
        if isinstance(before, np.ndarray) and not np.array_equal(before, after, equal_nan=before.dtype.kind == "f"):
            raise NotYet(
                f"Your function changed its argument number {number} in place: the caller's array is not the same now. "
                "Compute a new array, e.g. `x = x - 1` in place of `x -= 1`."
            )
    return outcome, _remarks(printed, caught)


def undefined_name(error):
    """Return the name that a NameError misses, or None: for other errors, and for a local name used too early."""
    found = re.search(r"name '(\w+)' is not defined", str(error)) if isinstance(error, NameError) else None
    return found and found[1]


def run_above(name):
    """Return the sentence for a name that no cell has defined yet."""
    return f"`{name}` is not defined: run the cells above first (Run → Run All Above Selected Cell)."


@contextlib.contextmanager
def _time_limit(seconds):
    possible = hasattr(signal, "SIGALRM") and threading.current_thread() is threading.main_thread()
    if not possible:
        yield
        return
    running = True

    def interrupt(number, frame):
        if running:
            raise _TimeIsUp

    previous = signal.signal(signal.SIGALRM, interrupt)
    signal.setitimer(signal.ITIMER_REAL, seconds, 0.2)  # again and again: a bare `except:` may swallow the first
    try:
        yield
    finally:
        running = False
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, previous)


def _describe(error, function, seconds):
    if isinstance(error, _TimeIsUp):
        return f"Your function was still running after {seconds:g} seconds and was stopped. Does a loop never end?"
    if isinstance(error, SystemExit):
        return "Your function ends Python (`sys.exit` or `exit`). Use `return` in its place."
    if isinstance(error, KeyboardInterrupt):
        return "Your function was interrupted before it returned."
    if isinstance(error, RecursionError):
        return "Your function calls itself without end (RecursionError). Which call should be the last?"
    message = shorten(str(error))
    line = _line_in(error, function)
    sentence = f"Your function raised `{type(error).__name__}: {message}`{line}."
    names = getattr(function, "__globals__", {})
    shadowed = [name for name in _BUILTINS if name in names and names[name] is not _BUILTINS[name]]
    if shadowed:
        names = ", ".join(f"`{name}`" for name in sorted(shadowed))
        sentence += f" In this notebook {names} is no longer Python's own: run `del {', '.join(sorted(shadowed))}`."
    return sentence


# IPython itself gives a notebook its own `open`, `exit` and `quit`.
_BUILTINS = {
    name: value
    for name, value in vars(builtins).items()
    if not name.startswith("_") and name not in ("open", "exit", "quit", "display", "get_ipython")
}


def _line_in(error, function):
    code, line = getattr(function, "__code__", None), None
    trace = error.__traceback__
    while trace is not None and code is not None:
        if trace.tb_frame.f_code is code:
            line = trace.tb_lineno - code.co_firstlineno + 1
        trace = trace.tb_next
    return f" in its line {line}" if line else ""


def _remarks(printed, caught):
    remarks = []
    if printed.length:
        first = shorten(printed.start.strip().splitlines()[0] if printed.start.strip() else "blank lines", 60)
        remarks.append(f"It also printed {printed.length:,} characters, beginning with `{first}`; they are not shown.")
    messages = dict.fromkeys(shorten(str(warning.message), 80) for warning in caught)
    remarks += [f"While it ran, this was warned: `{message}`." for message in list(messages)[:2]]
    return remarks


def shorten(text, longest=LONGEST):
    """Return `text` on one line, without backticks, at most `longest` characters."""
    text = " ".join(text.replace("`", "'").split())
    return text if len(text) <= longest else text[: longest - 1] + "…"


def is_placeholder(answer):
    """Whether `answer` is `...`, or a function whose body is nothing but `...`, `pass` or a docstring."""
    if answer is ...:
        return True
    if not isinstance(answer, types.FunctionType):
        return False

    steps = [step for step in dis.get_instructions(answer) if step.opname not in ("RESUME", "NOP")]
    return all(step.opname in ("LOAD_CONST", "RETURN_CONST", "RETURN_VALUE") and step.argval is None for step in steps)


def fingerprint(answer, verdict):
    """Return twelve characters that are the same for the same source text, or the same value, with the same verdict."""
    try:
        content = _content(answer)
    except Exception:  # an answer so unusual that it cannot even be looked at
        content = ""
    return hashlib.sha256(f"{type(answer)} {content} {verdict}".encode(errors="replace")).hexdigest()[:12]


def _content(answer):
    if isinstance(answer, types.FunctionType):
        return inspect.getsource(answer)
    if isinstance(answer, type):
        return "".join(_content(part) for part in vars(answer).values() if isinstance(part, types.FunctionType))
    if isinstance(answer, np.ndarray):
        return f"{answer.shape} {answer.tolist()}"
    return repr(answer) if isinstance(answer, (int, float, str, list, tuple, dict)) else ""


def _explain_undefined_name(shell, kind, error, trace, tb_offset=None):
    """IPython's handler of NameError: one sentence for `ck.check(…)` before its exercise, else the usual traceback."""
    *_, (frame, line) = traceback.walk_tb(trace)
    if "ck.check(" in linecache.getline(frame.f_code.co_filename, line) and undefined_name(error):
        error._render_traceback_ = lambda: [run_above(undefined_name(error))]
    shell.showtraceback((kind, error, trace), tb_offset=tb_offset)


def _install(shell):
    if shell is not None and not shell.custom_exceptions:  # a learner's own handler stays
        shell.set_custom_exc((NameError,), _explain_undefined_name)


_install(IPython.get_ipython())
