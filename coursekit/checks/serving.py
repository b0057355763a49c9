"""Exercises and quiz of chapter 15b."""

import copy
import json
import math

import numpy as np

from coursekit import calling
from coursekit.calling import NotYet
from coursekit.checking import Exercise, Quiz
from coursekit.checks import build, forward, judge_compiled, sums_to_one

_RANDOM = np.random.default_rng(0)
_TIMES = _RANDOM.exponential(10, 11).round(2)
_MORE = _RANDOM.exponential(10, 150).round(2)
_METRICS = [
    "# HELP batch_pictures Pictures in one run of a network",
    "# TYPE batch_pictures histogram",
    'batch_pictures_bucket{le="1.0",model="digits"} 40.0',
    'batch_pictures_bucket{le="2.0",model="digits"} 70.0',
    'batch_pictures_bucket{le="4.0",model="digits"} 75.0',
    'batch_pictures_bucket{le="+Inf",model="digits"} 75.0',
    'batch_pictures_count{model="digits"} 75.0',
    'batch_pictures_sum{model="digits"} 118.0',
    'network_seconds_bucket{model="digits",le="0.0003"} 12.0',
    'network_seconds_bucket{model="digits",le="0.003"} 74.0',
    'network_seconds_bucket{model="digits",le="+Inf"} 75.0',
    'network_seconds_count{model="digits"} 75.0',
]


def _percentile(values, q):
    return sorted(values)[math.ceil(q * len(values) / 100) - 1]


def _mean_latency(rate, service):
    busy = rate * service / 1000
    return service * (1 + busy / (2 * (1 - busy))) if busy < 1 else math.inf


def _buckets(lines, name):
    """Limits and running totals of a histogram."""
    chosen = [line for line in lines if line.startswith(f"{name}_bucket{{")]
    limits = [float(line.split('le="')[1].split('"')[0]) for line in chosen]
    return np.array(limits), np.array([float(line.rsplit(" ", 1)[1]) for line in chosen])


def _bucket_counts(lines, name):
    limits, totals = _buckets(lines, name)
    return limits, np.diff(totals, prepend=0)


def _monthly_price(peak, rate, utilisation, hour):
    return 720 * hour * math.ceil(peak / (rate * utilisation))


def _judge_v2_request(answer):
    for pictures in (np.zeros((1, 28, 28, 1), "float32"), _RANDOM.random((2, 28, 28, 1)).astype("float32")):
        _judge_one_request(pictures, calling.call(answer, pictures)[0])


def _judge_one_request(pictures, request):
    if request is None:
        raise NotYet("Your function returned nothing (None). Is a `return` missing?")
    if isinstance(request, str):
        raise NotYet("I expected the dict itself, before `json.dumps`, and got a text.")
    if not isinstance(request, dict) or not isinstance(request.get("inputs"), list):
        raise NotYet('I expected a dict with a list under `"inputs"`.')
    if len(request["inputs"]) != 1 or not isinstance(request["inputs"][0], dict):
        raise NotYet('I expected one dict in the list under `"inputs"`.')
    image = request["inputs"][0]
    for key in ("name", "datatype", "shape", "data"):
        if key not in image:
            raise NotYet(f"The input has no `{key!r}`; it has {sorted(image)}.")
    for key, expected in (("name", "image"), ("datatype", "FP32")):
        if image[key] != expected:
            raise NotYet(f"`{key!r}`: I expected **{expected}** and got **{calling.shorten(str(image[key]), 40)}**.")
    try:
        json.dumps(request)
    except (TypeError, ValueError) as error:
        raise NotYet(
            f"`json.dumps` refuses it: `{calling.shorten(str(error))}`. `.tolist()` makes Python numbers of an array."
        ) from None
    if list(image["shape"]) != list(pictures.shape):
        raise NotYet(f"`'shape'`: I expected **{list(pictures.shape)}** and got **{list(image['shape'])}**.")
    data = image["data"]
    if not isinstance(data, list) or len(data) != pictures.size or any(isinstance(one, list) for one in data):
        raise NotYet(f"`'data'` must be a flat list of {pictures.size:,} numbers: `.ravel()` before `.tolist()`.")
    if not np.allclose(data, pictures.ravel(), atol=1e-4):
        raise NotYet("`'data'` does not hold the pictures' numbers row by row.")


def _request(count=1, data=None, **changed):
    data = [0.5] * (784 * count) if data is None else data
    image = {"name": "image", "datatype": "FP32", "shape": [count, 28, 28, 1], "data": data} | changed
    return {"inputs": [{key: value for key, value in image.items() if value is not ...}]}


def _with_one(value):
    return _request(data=[0.5] * 700 + [value] + [0.25] * 83)


_REQUESTS = [
    ("one picture", _request(), True),
    ("64 pictures", _request(64), True),
    ("pixels that are exactly 0 and 1, as whole numbers", _request(data=[0, 1] * 392), True),
    ("one pixel that is NaN", _with_one(math.nan), False),
    ("one pixel that is infinite", _with_one(math.inf), False),
    ("one pixel of -0.1", _with_one(-0.1), False),
    ("one pixel of 1.5", _with_one(1.5), False),
    ("one pixel that is the text '0.5'", _with_one("0.5"), False),
    ("one pixel that is missing (None)", _with_one(None), False),
    ("one pixel that is true", _with_one(True), False),
    ("one pixel that is false", _with_one(False), False),
    ("783 numbers for one picture", _request(data=[0.5] * 783), False),
    ("785 numbers for one picture", _request(data=[0.5] * 785), False),
    ("numbers in nested lists", _request(data=[[0.5] * 28] * 28), False),
    ("65 pictures", _request(65), False),
    ("no picture at all", _request(0, data=[]), False),
    ("-1 pictures", _request(-1, data=[]), False),
    ("the shape [1, 28, 28]", _request(shape=[1, 28, 28]), False),
    ("the shape [1, 784]", _request(shape=[1, 784]), False),
    ("a shape that is a text", _request(shape="1, 28, 28, 1"), False),
    ("a shape that is None", _request(shape=None), False),
    ("the shape [1.0, 28, 28, 1]", _request(shape=[1.0, 28, 28, 1]), False),
    ("the shape [1, 28, 28, 1.0]", _request(shape=[1, 28, 28, 1.0]), False),
    ("the shape [true, 28, 28, 1]", _request(shape=[True, 28, 28, 1]), False),
    ("no data", _request(data=...), False),
    ("data that are None", _request(data=None) | {"inputs": [_request()["inputs"][0] | {"data": None}]}, False),
    ("no name", _request(name=...), False),
    ("another name", _request(name="picture"), False),
    ("the datatype INT64", _request(datatype="INT64"), False),
    ("two inputs", {"inputs": _request()["inputs"] * 2}, False),
    ("no input", {"inputs": []}, False),
    ("an input that is a text", {"inputs": ["image"]}, False),
    ("no key 'inputs'", {"image": [0.5]}, False),
    ("a list in place of the dict", [1, 2, 3], False),
    ("a text in place of the dict", "image", False),
    ("None in place of the dict", None, False),
]


def _parts(request):
    """The numbers of shape and data of a request of ours; nothing where there are none."""
    inputs = request.get("inputs") if isinstance(request, dict) else None
    for image in inputs if isinstance(inputs, list) else []:
        for key in ("shape", "data"):
            part = image.get(key) if isinstance(image, dict) else None
            yield from part if isinstance(part, list) else []


def _judge_is_valid(answer):
    for description, request, expected in _REQUESTS:
        try:
            got = calling.call(answer, copy.deepcopy(request))[0]
        except NotYet as problem:
            raise NotYet(f"For a request with {description}: {problem} It must return False.") from None
        if not isinstance(got, (bool, np.bool_)):
            missing = " Is a `return` missing?" if got is None else ""
            raise NotYet(f"For a request with {description} I expected True or False, got `{got!r:.40}`.{missing}")
        if bool(got) != expected:
            advice = " `0 <= value <= 1` is False for NaN." if "NaN" in description else ""
            if any(isinstance(part, bool) for part in _parts(request)):
                advice = " `isinstance(True, int)` is True; `type(value) in (int, float)` tells them apart."
            raise NotYet(f"For a request with {description} I expected **{expected}** and got **{bool(got)}**.{advice}")


def _judge_version_2(answer):
    import keras

    keras.utils.set_random_seed(0)
    random = np.random.default_rng(0)
    y = np.arange(40) % 10
    x = random.uniform(0, 60, (40, 28, 28, 1)).astype("float32")
    for picture, label in zip(x, y, strict=True):
        picture[2 * label + 2 : 2 * label + 7] += 190  # a bright bar, higher or lower
    model = build(answer)
    output = forward(model, x)
    if output.shape == (40, 10):
        if not sums_to_one(output):
            raise NotYet("The outputs are no probabilities: the last layer needs `activation='softmax'`.")
        loss = _cross_entropy(output, y)
        if loss > 4:
            raise NotYet(
                f"Untrained, its cross-entropy is {loss:.0f}, and guessing gives {np.log(10):.1f}: it seems that pixels "
                "of 255 reach the layers as they are. Is there a `layers.Rescaling(1 / 255)` in front?"
            )
        if getattr(model, "compiled", False):
            _judge_its_loss(model, y)
    judge_compiled(model, x, y, (40, 10), learning_steps=40)


def _cross_entropy(probabilities, y):
    return -np.log(np.maximum(probabilities[np.arange(len(y)), y], 1e-7)).mean()


def _judge_its_loss(model, y):
    drawn = np.random.default_rng(1).dirichlet(np.ones(10), len(y)).astype("float32")
    try:
        got = calling.call(lambda: float(model.compute_loss(y=y, y_pred=drawn)))[0]
    except NotYet as problem:
        raise NotYet(f"Your loss does not take classes 0 to 9. {problem} Is it the sparse one?") from None
    expected = _cross_entropy(drawn, y)
    if not np.isclose(got, expected, rtol=0.01):
        raise NotYet(
            f"On probabilities of ours the cross-entropy is {expected:.2f}, and your loss gives {got:.2f}. Is it "
            "`sparse_categorical_crossentropy`?"
        )


ITEMS = [
    Exercise(
        "serving.percentile",
        hints=(
            "Sort; then `q * len(values) / 100`, rounded up, is the place, counted from 1. Multiply first, then divide.",
            "`np.sort(values)[int(np.ceil(q * len(values) / 100)) - 1]`.",
        ),
        reference=_percentile,
        cases=(
            (_TIMES, 50),
            (_TIMES, 99),
            (_TIMES, 10),
            (np.array([4.0, 1.0, 3.0, 2.0]), 50),
            (_MORE, 95),
            (_TIMES, 100),
            *((np.arange(1, 101), q) for q in (7, 14, 28, 55, 56)),
        ),
        mistakes={
            "It looks as if q / 100 was computed first: in floats 7 / 100 * 100 is a little more than 7.": lambda values, q: (
                sorted(values)[math.ceil(q / 100 * len(values)) - 1]
            ),
            "It looks as if a point between two values was taken; this percentile is one of the values.": np.percentile,
            "It looks as if the values were not sorted first.": lambda values, q: values[
                math.ceil(q * len(values) / 100) - 1
            ],
            "It looks as if the place is one too high: places count from 0.": lambda values, q: sorted(values)[
                min(math.ceil(q * len(values) / 100), len(values) - 1)
            ],
            "It looks as if the place was rounded down.": lambda values, q: sorted(values)[
                max(math.floor(q * len(values) / 100) - 1, 0)
            ],
        },
    ),
    Exercise(
        "serving.v2_request",
        hints=(
            "`pictures.ravel().tolist()` is a flat list of Python numbers; `list(pictures.shape)` is the shape.",
            '`{"inputs": [{"name": "image", "datatype": "FP32", "shape": …, "data": …}]}`.',
        ),
        judge=_judge_v2_request,
    ),
    Exercise(
        "serving.is_valid",
        hints=(
            "Look at everything inside `try`, and return False for KeyError, TypeError and ValueError.",
            "`all(type(value) in (int, float) and 0 <= value <= 1 for value in data)`, and the length before that; "
            "`type(number) is int` for each number of the shape.",
        ),
        judge=_judge_is_valid,
    ),
    Exercise(
        "serving.mean_latency",
        hints=(
            "The utilisation is `rate * service / 1000`: requests a second times seconds each.",
            "Return `np.inf` from 1 on, else `service + utilisation * service / (2 * (1 - utilisation))`.",
        ),
        reference=_mean_latency,
        cases=((500, 1.0), (100, 8.0), (900, 1.1), (1000, 1.0), (3000, 2.0)),
        mistakes={
            "It looks as if the 2 below the line is missing (that is the queue with random service times).": (
                lambda rate, service: (
                    service + rate * service**2 / 1000 / (1 - rate * service / 1000)
                    if rate * service < 1000
                    else math.inf
                )
            ),
            "It looks as if only the wait was returned; add the service itself.": lambda rate, service: (
                _mean_latency(rate, service) - service
            ),
            "It looks as if milliseconds were taken for seconds in the utilisation.": lambda rate, service: (
                _mean_latency(1000 * rate, service)
            ),
        },
    ),
    Exercise(
        "serving.bucket_counts",
        hints=(
            'The limit stands between the quotes behind `le=`: `re.search(r\'le="([^"]+)"\', line)[1]`; `float` knows '
            "`+Inf`.",
            "The counts run up: `np.diff(totals, prepend=0)` takes each minus the one below.",
        ),
        reference=_bucket_counts,
        cases=((_METRICS, "batch_pictures"), (_METRICS, "network_seconds"), (_METRICS[:4], "batch_pictures")),
        mistakes={
            "It looks as if the running totals were returned; subtract the bucket below.": _buckets,
            "It looks as if the first bucket got lost in the subtraction.": lambda lines, name: (
                _buckets(lines, name)[0],
                np.diff(_buckets(lines, name)[1]),
            ),
        },
    ),
    Exercise(
        "serving.monthly_price",
        hints=(
            "One machine may be used for `rate * utilisation` requests a second; round the number of machines up.",
            "`np.ceil(peak / (rate * utilisation)) * hour * 24 * 30`.",
        ),
        reference=_monthly_price,
        cases=((1_000, 400, 0.6, 0.1), (100, 900, 0.5, 0.25), (10_000, 730, 0.7, 1.5)),
        mistakes={
            "It looks as if parts of a machine were rented; round up.": lambda peak, rate, utilisation, hour: (
                720 * hour * peak / (rate * utilisation)
            ),
            "It looks as if the utilisation was left out.": lambda peak, rate, utilisation, hour: _monthly_price(
                peak, rate, 1, hour
            ),
            "It looks as if the machines were rounded down.": lambda peak, rate, utilisation, hour: (
                720 * hour * (peak // (rate * utilisation))
            ),
            "It looks as if the price of one hour was returned; 30 days have 720.": lambda *given: (
                _monthly_price(*given) / 720
            ),
            "It looks as if the price of one day was returned.": lambda *given: _monthly_price(*given) / 30,
        },
    ),
    Exercise(
        "serving.version_2",
        hints=(
            "`keras.Input((28, 28, 1))`, `layers.Rescaling(1 / 255)`, a `Conv2D`, `Flatten`, `Dense(10, 'softmax')`.",
            "`model.compile(keras.optimizers.Adam(0.003), 'sparse_categorical_crossentropy')`, then return it.",
        ),
        judge=_judge_version_2,
    ),
    Quiz(
        "serving.batching",
        "When does joining requests into batches pay?",
        {
            "Always: fewer runs are less work": (
                False,
                "In the simulation, with 100 requests a second, p99 got worse: each waited for companions that did not come.",
            ),
            "When a run has a large fixed part and many requests come": (
                True,
                "The fixed part is shared. Look at both curves of the chapter: the steeper one has the larger fixed part.",
            ),
            "When few requests come": (False, "Then there is nothing to join, and the patience is lost time."),
        },
    ),
    Quiz(
        "serving.utilisation",
        "A server works 50 % of the time. The rate grows by 80 %. What happens to the waiting time?",
        {
            "It grows by 80 %": (False, "Waiting goes with rho / (1 - rho), not with the rate."),
            "It stays: the server still keeps up": (False, "It keeps up, but the bunches get longer."),
            "It grows ninefold": (True, "From 0.5 / 0.5 = 1 to 0.9 / 0.1 = 9 times half a service time."),
        },
    ),
    Quiz(
        "serving.nan",
        "A client sends a picture with a NaN in it. What should happen?",
        {
            "The network raises an error, which becomes a status of 500": (
                False,
                "LiteRT computed on it without complaint.",
            ),
            "The server replaces NaN by 0 and answers": (False, "The client would never hear of its bug."),
            "The server refuses with a status of 4xx and a sentence": (
                True,
                "The request is at fault, the client learns why, and the network is not asked.",
            ),
        },
    ),
    Quiz(
        "serving.histogram",
        'A metrics page says `le="1.0"` 40, `le="2.0"` 70, `le="+Inf"` 75. How many runs had more than 2 pictures?',
        {
            "5": (True, "75 in all, 70 of them with at most 2."),
            "75": (False, "Buckets count everything up to their limit: 75 are all runs."),
            "145": (False, "Buckets hold each other; adding them counts runs twice."),
        },
    ),
]
