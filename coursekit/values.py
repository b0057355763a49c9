"""Values as text: what an exercise was given, what was expected and what came."""

import inspect

import numpy as np

from coursekit import calling
from coursekit.calling import NotYet


def to_array(value):
    """Return a number, list, NumPy array, Keras or TensorFlow tensor as a NumPy array; raises NotYet for the rest."""
    if type(value).__name__ == "KerasTensor":
        raise NotYet("I expected numbers and got a symbolic Keras tensor. Compute with the values given.")
    try:
        array = np.asarray(value)
    except Exception:
        raise NotYet(f"I expected numbers and got {kind_of(value)}.") from None
    if array.dtype.kind not in "biuf":
        raise NotYet(f"I expected numbers and got {kind_of(value)}.")
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
        lines.append(f"# {name}: {_in_words(value)}" if code is None or len(code) > 800 else f"{name} = {code}")
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


def _in_words(value):
    """A value in a few words."""
    if isinstance(value, np.ndarray):
        return f"an array of shape {value.shape}, {value.dtype.name}"
    if inspect.isfunction(value):
        return f"the function {value.__name__}"
    known = isinstance(value, (str, bytes, list, tuple, dict, set))
    return calling.shorten(repr(value), 60) if known else f"an object of type {type(value).__name__}"


def short(value):
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


def kind_of(value):
    """Return what a value is, in a few words."""
    if isinstance(value, (tuple, list)):
        return f"{len(value)} values"
    if isinstance(value, str):
        return f"the text {calling.shorten(value, 40)!r}"
    return f"an object of type {type(value).__name__}"
