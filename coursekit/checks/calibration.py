"""Exercises and quiz of chapter 07b."""

import numpy as np
from scipy import special
from sklearn import metrics

from coursekit.calling import NotYet
from coursekit.checking import Exercise, Quiz
from coursekit.checks import judge_classifier, sums_to_one

_RANDOM = np.random.default_rng(7)
_Y, _NAMED = _RANDOM.integers(0, 4, 60), _RANDOM.integers(0, 4, 60)
_SURE = np.round(_RANDOM.uniform(0.3, 0.99, 50), 3) + 0.0004  # never at the edge of a bin
_RIGHT = _RANDOM.random(50) < _SURE
_LOGITS = np.array([[2.0, 1.0, -1.0], [0.0, 0.0, 3.0]])
_LARGE = np.array([[4000.0, 3998.0, 0.0], [-8000.0, -4000.0, -4001.0]])


def _confusion_matrix(y, predicted, classes):
    return metrics.confusion_matrix(y, predicted, labels=range(classes))


def _calibration_error(confidence, right, count, weighted=True):
    edges = np.linspace(0, 1, count + 1)
    number = np.clip(np.searchsorted(edges, confidence, side="right") - 1, 0, count - 1)
    total = 0.0
    for k in np.unique(number):
        gap = np.mean(right[number == k]) - np.mean(confidence[number == k])
        total += (np.mean(number == k) if weighted else 1 / len(np.unique(number))) * abs(gap)
    return total


def _cool(logits, temperature):
    return special.softmax(np.asarray(logits) / temperature, axis=-1)


def _coverage_for(confidence, right, wanted):
    best, order = 0, sorted(range(len(confidence)), key=lambda index: -confidence[index])
    for answered in range(1, len(order) + 1):
        if sum(right[index] for index in order[:answered]) >= wanted * answered:
            best = answered
    return best / len(order)


def _first_drop(confidence, right, wanted):
    order = np.argsort(-confidence, kind="stable")
    share = np.cumsum(right[order]) / np.arange(1, len(order) + 1)
    return (np.append(share, 0) < wanted).argmax() / len(order)


def _judge_mlp(answer):
    import keras

    x, y = np.random.default_rng(0).random((64, 784), "float32") / 4, np.arange(64) % 10
    x[np.arange(64), y * 70] = 3  # one bright pixel tells the class
    parameters = 784 * 200 + 4 * 200 + 200 * 50 + 4 * 50 + 51 * 10
    network = judge_classifier(answer, (), x, y, classes=10)
    if sums_to_one(np.asarray(network(x))):
        raise NotYet("The rows of the output sum to 1: the last layer has a softmax, and ten logits were asked for.")
    count = network.count_params()
    if count == parameters + 250:
        raise NotYet("It has 250 parameters too many: before batch normalisation use `Dense(units, use_bias=False)`.")
    if count != parameters:
        raise NotYet(f"I expected **{parameters:,}** parameters and got **{count:,}**. Are there 200 and 50 units?")
    if np.allclose(network(x, training=True), network(x, training=True)):
        raise NotYet("Two passes with `training=True` agree: the dropout layers are missing.")
    rate = float(keras.ops.convert_to_numpy(network.optimizer.learning_rate))
    if not np.isclose(rate, 0.004):
        raise NotYet(f"The learning rate should be **0.004** and is **{rate:g}**.")


ITEMS = [
    Exercise(
        "calibration.build_mlp",
        hints=(
            "Take the loop of `course_network` with `(200, 50)`.",
            "`network.compile(keras.optimizers.Adam(0.004), keras.losses.SparseCategoricalCrossentropy(from_logits=True))`.",
        ),
        judge=_judge_mlp,
    ),
    Exercise(
        "calibration.confusion_matrix",
        hints=(
            "Start with `np.zeros((classes, classes), int)` and add 1 for each example.",
            "`matrix[true, named] += 1` in a loop over `zip(y, predicted)`; the true class is the row.",
        ),
        reference=_confusion_matrix,
        cases=((_Y, _NAMED, 4), (_Y[:5], _NAMED[:5], 6), (np.array([1, 1, 0]), np.array([1, 1, 1]), 2)),
        mistakes={
            "It looks as if rows and columns changed places: the true class is the row.": lambda y, named, classes: (
                _confusion_matrix(y, named, classes).T
            ),
            "It looks as if shares were returned; counts were asked for.": lambda y, named, classes: (
                _confusion_matrix(y, named, classes) / len(y)
            ),
            "It looks as if a pair that occurs several times was counted once.": lambda y, named, classes: np.minimum(
                _confusion_matrix(y, named, classes), 1
            ),
            "It looks as if only right answers were counted.": lambda y, named, classes: np.diag(
                np.diag(_confusion_matrix(y, named, classes))
            ),
        },
        tolerance=1e-9,
    ),
    Exercise(
        "calibration.expected_calibration_error",
        hints=(
            "The bin of a confidence c is the whole part of c · count, but at most count − 1.",
            "For each bin that is not empty: its share of all examples, times |mean of right − mean of confidence|.",
        ),
        reference=_calibration_error,
        cases=(
            (_SURE, _RIGHT, 10),
            (np.array([0.65, 0.72, 1.0]), np.array([True, False, True]), 5),
            (np.array([0.95, 0.91, 0.92, 0.23]), np.array([True, True, False, False]), 10),
        ),
        mistakes={
            "It looks as if all bins weigh the same; a bin weighs as much as its share of the examples.": (
                lambda confidence, right, count: _calibration_error(confidence, right, count, weighted=False)
            ),
            "It looks as if there was one bin only: confidence and accuracy are compared bin by bin.": (
                lambda confidence, right, count: abs(np.mean(confidence) - np.mean(right))
            ),
            "It looks as if the answer is in percent; a number from 0 to 1 was asked for.": (
                lambda confidence, right, count: 100 * _calibration_error(confidence, right, count)
            ),
        },
    ),
    Exercise(
        "calibration.cool",
        hints=(
            "Divide by the temperature first; then it is the softmax of chapter 01.",
            "Subtract the row's maximum before `np.exp`: `scaled.max(axis=-1, keepdims=True)`.",
        ),
        reference=_cool,
        cases=((_LOGITS, 2.0), (_LOGITS, 0.5), (_LARGE, 4.0)),
        mistakes={
            "It looks as if the logits were multiplied; a high temperature makes the answer less sure.": (
                lambda logits, temperature: _cool(logits, 1 / temperature)
            ),
            "It looks as if the probabilities were divided; the logits must be, before the softmax.": (
                lambda logits, temperature: _cool(logits, 1.0) / temperature
            ),
            "The formula is right on paper, but e^1000 overflows. Subtract the row's maximum.": (
                lambda logits, temperature: (
                    np.exp(logits / temperature) / np.exp(logits / temperature).sum(axis=-1, keepdims=True)
                )
            ),
            "It looks as if the temperature was left out.": lambda logits, temperature: _cool(logits, 1.0),
        },
    ),
    Exercise(
        "calibration.coverage_for",
        hints=(
            "Sort by confidence, largest first; `np.cumsum` of `right` divided by 1, 2, 3, … is the share so far.",
            "Of all lengths at which that share is at least `wanted`, the largest one counts, divided by all pictures.",
        ),
        reference=_coverage_for,
        cases=(
            (np.array([0.9, 0.5, 0.8, 0.6]), np.array([True, False, True, True]), 0.9),
            (np.array([0.9, 0.8, 0.7, 0.6, 0.5]), np.array([False, True, True, True, False]), 0.75),
            (np.array([0.9, 0.8]), np.array([False, False]), 0.5),
            (_SURE, _RIGHT, 0.8),
        ),
        mistakes={
            "It looks as if the search stopped at the first dip; the share may rise again.": _first_drop,
            "It looks as if the number of pictures was returned; their share was asked for.": (
                lambda confidence, right, wanted: _coverage_for(confidence, right, wanted) * len(right)
            ),
            "It looks as if the least sure came first.": lambda confidence, right, wanted: _coverage_for(
                -confidence, right, wanted
            ),
            "It looks as if confidence was compared with `wanted`; count which answers are right.": (
                lambda confidence, right, wanted: np.mean(confidence >= wanted)
            ),
        },
    ),
    Quiz(
        "calibration.temperature",
        "You divide all logits of a trained network by 1.7. What changes?",
        {
            "Accuracy rises, for the network is less often too sure": (False, "The largest logit stays the largest."),
            "The probabilities, but not one answer": (True, "All get nearer to each other; the order stays."),
            "Nothing: softmax normalises it away": (
                False,
                "Adding a number to all logits does nothing; dividing does.",
            ),
        },
    ),
    Quiz(
        "calibration.meaning",
        "Of the pictures to which a network gives about 0.8, it names 65 % rightly. What is it there?",
        {
            "Too sure": (True, "Its point lies below the diagonal."),
            "Not sure enough": (False, "Then more than 80 % would be right."),
            "Calibrated, for 65 % is well above guessing": (False, "Calibrated means 80 % of them right."),
        },
    ),
    Quiz(
        "calibration.noise",
        "You make a picture that the ReLU network has never met four times as bright. Its confidence, as a rule, …",
        {
            "… falls: the picture is further from all training pictures": (
                False,
                "Nothing in training asked for doubt far from the data; measured above, it rises.",
            ),
            "… stays: softmax always divides 100 % among ten classes": (
                False,
                "It does, but how unequally depends on the differences of the logits, and these grow.",
            ),
            "… rises: far out the network is linear, so the differences of its logits grow": (
                True,
                "And softmax turns a large difference into near certainty. Measured above on noise and on digits.",
            ),
        },
    ),
]
