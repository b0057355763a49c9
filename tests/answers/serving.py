"""Other right answers, and wrong ones with a piece of the message that each must get, for chapter 15b."""

import math
import re

import keras
import numpy as np
import tensorflow as tf
from keras import layers, ops


def _percentile_loop(values, q):
    for value in sorted(values):
        if 100 * sum(other <= value for other in values) >= q * len(values):
            return value
    return None


def _request(pictures, data=None, **changed):
    data = pictures.reshape(-1).tolist() if data is None else data
    return {"inputs": [{"name": "image", "shape": [*pictures.shape], "datatype": "FP32", "data": data} | changed]}


def _valid(request, check_nan=True, check_count=True, most=64, check_size=True, whole=True, numbers=(int, float)):
    if not isinstance(request, dict) or not isinstance(request.get("inputs"), list) or len(request["inputs"]) != 1:
        return False
    image = request["inputs"][0]
    if not isinstance(image, dict) or image.get("name") != "image" or image.get("datatype") != "FP32":
        return False
    shape, data = image.get("shape"), image.get("data")
    if not isinstance(shape, list) or len(shape) != 4 or shape[1:] != [28, 28, 1] or not 1 <= shape[0] <= most:
        return False
    if whole and any(type(number) is not int for number in shape):
        return False
    if not isinstance(data, list) or (check_size and len(data) != 784 * shape[0]):
        return False
    if any(type(value) not in numbers for value in data):
        return False
    if not check_nan:
        return not any(value < 0 or value > 1 for value in data)
    return all(0 <= value <= 1 for value in data)


def _valid_numpy(request):
    try:
        image = request["inputs"][0]
        data = np.array(image["data"])
        return (
            len(request["inputs"]) == 1
            and image["name"] == "image"
            and image["datatype"] == "FP32"
            and list(image["shape"][1:]) == [28, 28, 1]
            and 1 <= image["shape"][0] <= 64
            and np.array(image["shape"]).dtype.kind == "i"
            and not any(isinstance(value, bool) for value in [*image["shape"], *image["data"]])
            and data.dtype.kind in "if"
            and data.shape == (784 * image["shape"][0],)
            and bool(((data >= 0) & (data <= 1)).all())
        )
    except Exception:
        return False


def _latency(rate, service):
    seconds = service / 1000
    busy = rate * seconds
    return float("inf") if busy >= 1 else 1000 * seconds * (2 - busy) / (2 * (1 - busy))


def _lines(lines, name):
    found = re.findall(rf'^{name}_bucket{{.*?le="(.*?)".*?}} (.+)$', "\n".join(lines), re.MULTILINE)
    return [float(limit) for limit, _ in found], [float(total) for _, total in found]


def _buckets_loop(lines, name):
    limits, totals = _lines(lines, name)
    return limits, [one - below for one, below in zip(totals, [0, *totals], strict=False)]


def _model(first=1 / 255, last="softmax", loss="sparse_categorical_crossentropy", compiled=True, rate=0.003, units=10):
    def version_2():
        model = keras.Sequential([keras.Input((28, 28, 1))])
        if first:
            model.add(layers.Rescaling(first))
        for layer in [layers.Conv2D(8, 3, strides=2, activation="relu"), layers.Flatten(), layers.Dense(units, last)]:
            model.add(layer)
        if compiled:
            model.compile(keras.optimizers.Adam(rate), loss)
        return model

    return version_2


def _functional():
    pixels = keras.Input((28, 28, 1), name="image")
    x = layers.Conv2D(16, 3, activation="relu")(pixels / 255.0)
    x = layers.Flatten()(layers.MaxPooling2D()(x))
    model = keras.Model(pixels, layers.Softmax()(layers.Dense(10)(x)))
    model.compile(keras.optimizers.SGD(0.05), keras.losses.SparseCategoricalCrossentropy(), metrics=["accuracy"])
    return model


RIGHT = {
    "percentile": [
        _percentile_loop,
        lambda values, q: tf.sort(tf.constant(values))[-int(-q * len(values) // 100) - 1],
    ],
    "v2_request": [
        _request,
        lambda pictures: _request(pictures, [round(float(pixel), 6) for pixel in np.nditer(pictures)]),
    ],
    "is_valid": [_valid, _valid_numpy],
    "mean_latency": [
        _latency,
        lambda rate, service: (
            service + rate * service**2 / (2 * (1000 - rate * service)) if rate * service < 1000 else np.inf
        ),
    ],
    "bucket_counts": [
        _buckets_loop,
        lambda lines, name: [_lines(lines, name)[0], ops.diff(ops.array([0.0, *_lines(lines, name)[1]]))],
    ],
    "monthly_price": [
        lambda peak, rate, utilisation, hour: hour * 24 * 30 * -(-peak // (rate * utilisation)),
        lambda peak, rate, utilisation, hour: tf.math.ceil(peak / (rate * utilisation)) * hour * 720,
    ],
    "version_2": [_functional, _model()],
}

WRONG = {
    "percentile": [
        (lambda values, q: np.percentile(values, q), "between two values"),
        (lambda values, q: values[math.ceil(q * len(values) / 100) - 1], "not sorted"),
        (lambda values, q: np.sort(values)[int(q / 100 * len(values))], "raised `IndexError|expected"),
        (lambda values, q: np.sort(values)[int(np.ceil(q / 100 * len(values))) - 1], "q / 100 was computed first"),
        (lambda values, q: np.mean(values), "expected"),
    ],
    "v2_request": [
        (lambda pictures: _request(pictures, pictures.tolist()), "flat list"),
        (lambda pictures: _request(pictures, pictures.ravel()), "`json.dumps` refuses it"),
        (lambda pictures: _request(pictures, datatype="float32"), "I expected **FP32**"),
        (lambda pictures: _request(pictures, shape=[28, 28, 1]), "`'shape'`"),
        (lambda pictures: {"inputs": _request(pictures)["inputs"][0]}, "a list under"),
        (lambda pictures: str(_request(pictures)), "got a text"),
        (lambda pictures: _request(255 * pictures), "row by row"),
    ],
    "is_valid": [
        (lambda request: _valid(request, check_nan=False), "NaN I expected **False**"),
        (lambda request: _valid(request, most=10_000), "65 pictures I expected **False**"),
        (lambda request: _valid(request, check_size=False), "numbers for one picture I expected **False**"),
        (lambda request: _valid(request, whole=False), "[1.0, 28, 28, 1] I expected **False**"),
        (lambda request: _valid(request, numbers=(int, float, bool)), "`isinstance(True, int)` is True"),
        (lambda request: request["inputs"][0]["name"] == "image", "expected"),
        (lambda request: print("looked"), "return"),
        (lambda request: True, "I expected **False**"),
    ],
    "mean_latency": [
        (
            lambda rate, service: service / (1 - rate * service / 1000) if rate * service < 1000 else np.inf,
            "the 2 below the line is missing",
        ),
        (lambda rate, service: _latency(rate, service) - service, "add the service itself"),
        (lambda rate, service: _latency(1000 * rate, service), "milliseconds were taken for seconds"),
        (
            lambda rate, service: service + rate * service**2 / 2000 / (1 - rate * service / 1000),
            "raised `ZeroDivisionError|expected",
        ),
    ],
    "bucket_counts": [
        (_lines, "running totals"),
        (lambda lines, name: (_lines(lines, name)[0], np.diff(_lines(lines, name)[1])), "first bucket got lost"),
        (lambda lines, name: _buckets_loop(lines, name)[1], "I expected 2 values|expected"),
        (lambda lines, name: _buckets_loop(lines, "batch_pictures"), "expected"),
    ],
    "monthly_price": [
        (lambda peak, rate, utilisation, hour: peak / (rate * utilisation) * hour * 720, "round up"),
        (lambda peak, rate, utilisation, hour: np.ceil(peak / rate) * hour * 720, "utilisation was left out"),
        (lambda peak, rate, utilisation, hour: peak // (rate * utilisation) * hour * 720, "rounded down"),
        (lambda peak, rate, utilisation, hour: np.ceil(peak / (rate * utilisation)) * hour, "one hour"),
        (lambda peak, rate, utilisation, hour: np.ceil(peak * utilisation / rate) * hour * 720, "expected"),
    ],
    "version_2": [
        (_model(first=None), "pixels of 255 reach the layers"),
        (_model(last=None), "no probabilities"),
        (_model(loss="mse"), "Is it `sparse_categorical_crossentropy`?|does not take classes"),
        (_model(compiled=False), "not compiled"),
        (_model(units=5), "outputs of shape"),
        (_model(rate=0.0), "does not learn"),
        (lambda: print("built"), "return"),
    ],
}
