"""A LiteRT network that answers, and the rules for what it may be asked. FastAPI, MLServer and Ray Serve share it.

Needs NumPy and LiteRT alone. LiteRT has no rules of its own for numbers: it computes on NaN, and on pixels of 10,000.
"""

import contextlib
import hashlib
import json
import math
import pathlib

import numpy as np
from ai_edge_litert.interpreter import Interpreter

SHAPE = (28, 28, 1)
MAX_PICTURES = 64  # in one request
EXPORTED = pathlib.Path(__file__).resolve().parent / "exported"
EXPECTED = (
    'one input "image" of shape [n, 28, 28, 1], n from 1 to 64, '
    "datatype FP32 (pixels from 0 to 1) or UINT8 (whole pixels from 0 to 255)"
)


class Refused(Exception):
    """What is wrong with a request, or with a file, in one sentence for the person who sent or started it."""


def verified(path):
    """Return the bytes of a model file whose sha256 is the one in manifest.json beside it, else raise Refused."""
    path = pathlib.Path(path)
    remedy = "Run `make serve` again after you deleted serving/exported/."
    try:
        content = path.read_bytes()
        expected = json.loads((path.parent / "manifest.json").read_text(encoding="utf8"))["files"][path.name]
    except (OSError, ValueError, KeyError):
        raise Refused(f"the model file {path.name} or its sha256 in manifest.json is missing. {remedy}") from None
    if hashlib.sha256(content).hexdigest() != expected:
        raise Refused(f"the model file {path.name} is not the one that was exported: its sha256 differs. {remedy}")
    return content


def checked(datatype, shape, data):
    """Turn numbers that a client sent into pictures.

    datatype: "FP32" or "UINT8". shape: list of int. data: list of numbers, flat or nested, or the array's bytes.
    Returns (n, 28, 28, 1) float32 from 0 to 1; raises Refused with a sentence that says what was expected.
    """
    if datatype not in ("FP32", "UINT8"):
        raise Refused(f"datatype is {datatype}; expected {EXPECTED}.")
    if len(shape) != 4 or tuple(shape[1:]) != SHAPE or shape[0] < 1:
        raise Refused(f"shape is {str(list(shape))[:100]}; expected {EXPECTED}.")
    if shape[0] > MAX_PICTURES:
        raise Refused(f"{shape[0]} pictures are too many for one request; expected {EXPECTED}.")
    array = _array(datatype, data)
    if array.size != math.prod(shape):
        raise Refused(f"data holds {array.size} numbers, shape asks for {math.prod(shape)}; expected {EXPECTED}.")
    if array.dtype != np.uint8:
        _check_range(array, 255 if datatype == "UINT8" else 1)
        if datatype == "UINT8" and np.any(array != np.rint(array)):
            raise Refused(f"data holds fractions; expected {EXPECTED}.")
    pictures = array.astype("float32").reshape(shape)
    return pictures / np.float32(255) if datatype == "UINT8" else pictures


def _check_range(array, most):
    low, high = array.min(), array.max()
    if not (np.isfinite(low) and np.isfinite(high)):  # NaN is passed on by min and max
        raise Refused(f"data holds NaN or infinity; expected {EXPECTED}.")
    if low < 0 or high > most:
        raise Refused(f"pixels go from {low:g} to {high:g}; expected {EXPECTED}.")


def _array(datatype, data):
    """The numbers that were sent, as an array of any shape."""
    if datatype == "UINT8" and isinstance(data, list):
        with contextlib.suppress(TypeError, ValueError):
            data = bytes(data)  # whole numbers from 0 to 255 in a flat list: four times as fast as np.array
    if isinstance(data, bytes):
        width = {"FP32": 4, "UINT8": 1}[datatype]
        if not data or len(data) % width:
            raise Refused(f"data holds {len(data)} bytes; expected {EXPECTED}.")
        return np.frombuffer(data, {"FP32": "<f4", "UINT8": "u1"}[datatype])
    if not isinstance(data, list) or len(data) > MAX_PICTURES * math.prod(SHAPE):
        raise Refused(f"data is no list of numbers, or too long; expected {EXPECTED}.")
    try:
        array = np.array(data)
    except (ValueError, OverflowError):  # lists of unequal length
        array = np.array(None)
    if array.size == 0 or array.dtype.kind not in "iuf":
        raise Refused(f"data must be numbers alone, in lists of equal length; expected {EXPECTED}.")
    return array


class Classifier:
    """A LiteRT file with any number of pictures at a time.

    An interpreter is laid out for one batch size, and to change it costs more than to run it. So there is one for
    1, 2, 4, … 64 pictures each, made when first needed; 21 pictures are looked at as 16, 4 and 1.
    """

    def __init__(self, path):
        self._content = verified(path)
        self._ready = {}
        self._interpreter(1)  # a file that LiteRT cannot read shows itself at start

    def __call__(self, pictures):
        """Return the probabilities (n, 10) float32 of pictures (n, 28, 28, 1) float32 from 0 to 1."""
        parts, done = [], 0
        while done < len(pictures):
            size = min(MAX_PICTURES, 1 << (len(pictures) - done).bit_length() - 1)
            interpreter, to, back = self._interpreter(size)
            interpreter.set_tensor(to, pictures[done : done + size])
            interpreter.invoke()
            parts.append(interpreter.get_tensor(back))
            done += size
        return np.concatenate(parts)

    def _interpreter(self, size):
        if size not in self._ready:
            interpreter = Interpreter(model_content=self._content, num_threads=1)
            to = interpreter.get_input_details()[0]["index"]
            interpreter.resize_tensor_input(to, [size, *SHAPE])
            interpreter.allocate_tensors()
            self._ready[size] = interpreter, to, interpreter.get_output_details()[0]["index"]
        return self._ready[size]
