"""Exercises and quiz of chapter 01."""

import numpy as np
from scipy import special

from coursekit.calling import NotYet
from coursekit.checking import Exercise, Quiz
from coursekit.checks import build, judge_classifier, judge_loss_of_classes, sums_to_one

_LARGE = np.array([-1000.0, -30.0, -1.0, 0.0, 0.5, 30.0, 1000.0])
_ROWS = np.array([[1.0, 2.0, 3.0], [0.0, 0.0, 0.0]])
_WIDE_ROW = np.array([[-1000.0, 0.0, 1000.0]])  # only its largest entry helps
_LARGE_ROWS = np.array([[1000.0, 1001.0, 999.0], [-1000.0, -999.0, -1001.0]])
_TASKS = {"temperature": "linear", "spam": "sigmoid", "digit": "softmax", "tags": "sigmoid"}


def _relu_gradient(x):
    return np.heaviside(x, 0.0)


def _stable_tanh(x):
    return np.tanh(x)


def _softmax(x):
    return special.softmax(x, axis=-1)


def _largest_share(layers):
    return 4.0**-layers


def _dead_units(activations):
    return int((activations.max(axis=0) <= 0).sum())


def _output_activation(task):
    return _TASKS[task]


def _judge_network(answer):
    x = np.random.default_rng(0).random((32, 784), "float32")
    y = np.arange(32) % 10
    if sums_to_one(np.asarray(_untrained(answer, "relu")(x))):
        raise NotYet("The rows of the output sum to 1: the last layer has a softmax, and ten logits were asked for.")
    parameters = (784 + 1) * 64 + (64 + 1) * 64 + (64 + 1) * 10
    if _is_affine(_untrained(answer, "relu"), x):
        raise NotYet("With activation='relu' the network is still one straight line: the activation is not used.")
    if not _is_affine(_untrained(answer, "linear"), x):
        raise NotYet(
            "With activation='linear' the network should be one straight line, and it bends: is an activation fixed in "
            "a layer, or is there one at the output?"
        )
    network = _untrained(answer, "relu")
    if np.shape(network(x)) == (32, 10):
        judge_loss_of_classes(network, y, 10)
    judge_classifier(answer, ("relu",), x, y, classes=10, parameters=parameters)


def _untrained(answer, activation):
    network = build(answer, activation)
    if not callable(network):
        raise NotYet(f"I expected a Keras model and got {type(network).__name__}. Is a `return` missing?")
    return network


def _is_affine(network, x):
    """f(a + b) + f(0) = f(a) + f(b) holds for x W + b, and for nothing that bends."""
    a, b = x[:16], -x[16:]
    values = [np.asarray(network(part)) for part in (a + b, a * 0, a, b)]
    return np.allclose(values[0] + values[1], values[2] + values[3], atol=1e-4)


ITEMS = [
    Exercise(
        "activations.relu_gradient",
        hints=(
            "Left of 0 ReLU is flat, right of 0 it is the line y = x. Which two slopes are these?",
            "`np.where(condition, value_if_true, value_if_false)` works on the whole array.",
        ),
        reference=_relu_gradient,
        cases=((np.array([-2.0, -0.5, 0.5, 3.0]),), (np.array([0.0]),), (np.array([[1.0, -1.0], [0.0, 4.0]]),)),
        mistakes={
            "It looks as if ReLU itself was returned, not its slope.": lambda x: np.maximum(0, x),
            "It looks as if the slope at exactly 0 was taken as 1; here it is 0.": lambda x: (x >= 0) * 1.0,
            "It looks as if the slope at exactly 0 was taken as one half; here it is 0.": lambda x: np.heaviside(
                x, 0.5
            ),
            "It looks as if the sign of x was returned: left of 0 the slope is 0, not −1.": np.sign,
        },
    ),
    Exercise(
        "activations.stable_tanh",
        hints=(
            "For x ≥ 0, dividing by e^x leaves (1 − e^(−2x)) / (1 + e^(−2x)): the exponent is never positive.",
            "Compute with |x|, then give the result its sign: `np.sign(x) * (1 - s) / (1 + s)` with `s = np.exp(...)`.",
        ),
        reference=_stable_tanh,
        cases=((np.array([-2.0, -0.5, 0.0, 0.5, 2.0]),), (_LARGE,)),
        mistakes={
            "It looks as if the sign was lost: tanh of a negative number is negative.": lambda x: np.tanh(np.abs(x)),
            "It looks as if the exponent misses its factor 2.": lambda x: np.tanh(x / 2),
            "The formula is right on paper, but e^1000 overflows. Keep every exponent at 0 or below.": lambda x: (
                (np.exp(x) - np.exp(-x)) / (np.exp(x) + np.exp(-x))
            ),
            "It overflows on the left: exp(−2x) is too large for negative x. Use |x|.": lambda x: (
                (1 - np.exp(-2 * x)) / (1 + np.exp(-2 * x))
            ),
        },
    ),
    Exercise(
        "activations.softmax",
        hints=(
            "After subtracting the largest entry of each row, every exponent is at most 0, so nothing overflows.",
            "`x.max(axis=-1, keepdims=True)` has shape (examples, 1) and is subtracted from each row.",
        ),
        reference=_softmax,
        cases=((_ROWS,), (_LARGE_ROWS,), (_WIDE_ROW,)),
        mistakes={
            "It looks as if the sum runs over all entries; each row must sum to 1 on its own.": lambda x: (
                special.softmax(x)
            ),
            "It looks as if the columns sum to 1; the rows must.": lambda x: special.softmax(x, axis=0),
            "The formula is right on paper, but e^1000 overflows. Subtract the row's maximum first.": lambda x: (
                np.exp(x) / np.exp(x).sum(axis=-1, keepdims=True)
            ),
            "One number is subtracted from all rows: a row far below it becomes 0/0. Take each row's maximum.": (
                lambda x: np.exp(x - x.max()) / np.exp(x - x.max()).sum(axis=-1, keepdims=True)
            ),
            "It looks as if the row's mean is subtracted: an entry far above it still overflows.": lambda x: (
                np.exp(x - x.mean(axis=-1, keepdims=True))
                / np.exp(x - x.mean(axis=-1, keepdims=True)).sum(axis=-1, keepdims=True)
            ),
            "It looks as if the row's smallest entry is subtracted: the others then have positive exponents.": lambda x: (
                np.exp(x - x.min(axis=-1, keepdims=True))
                / np.exp(x - x.min(axis=-1, keepdims=True)).sum(axis=-1, keepdims=True)
            ),
            "It looks as if the division by the sum is missing.": lambda x: np.exp(x - x.max(axis=-1, keepdims=True)),
        },
    ),
    Exercise(
        "activations.largest_share",
        hints=(
            "The largest slope of sigmoid was printed above.",
            "Each layer multiplies by at most a quarter, and the layers multiply each other.",
        ),
        reference=_largest_share,
        cases=((1,), (2,), (10,)),
        mistakes={
            "It looks as if the layers were added: slopes multiply.": lambda layers: 0.25 * layers,
            "It looks as if one layer was counted, however many there are.": lambda layers: 0.25,
            "It looks as if the largest slope was taken as 1/2; sigmoid's is 1/4.": lambda layers: 0.5**layers,
            "It looks as if the quarter was divided by the layers: slopes multiply.": lambda layers: 0.25 / layers,
        },
        tolerance=1e-9,
    ),
    Exercise(
        "activations.dead_units",
        hints=(
            "A unit is a column. It is dead if the whole column is 0.",
            "`np.all(activations == 0, axis=0)` gives True for each dead column; count the True.",
        ),
        reference=_dead_units,
        cases=(
            (np.array([[0.0, 1.0, 0.0], [0.0, 0.0, 2.0], [0.0, 3.0, 0.0]]),),
            (np.array([[0.0, 0.0, 0.0, 0.5], [0.0, 1.0, 0.0, 0.0]]),),
            (np.array([[0.0, 0.0], [0.0, 0.001], [0.0, 0.0]]),),
            (np.ones((4, 5)),),
        ),
        mistakes={
            "It looks as if single zeros were counted; a dead unit is 0 for every example.": lambda a: np.sum(a == 0),
            "It looks as if rows were counted; units are the columns (axis=0).": lambda a: np.sum(
                np.all(a == 0, axis=1)
            ),
            "It looks as if units with any zero were counted; a dead unit is 0 for every example.": lambda a: np.sum(
                np.any(a == 0, axis=0)
            ),
            "It looks as if living units were counted.": lambda a: np.sum(np.any(a != 0, axis=0)),
        },
    ),
    Exercise(
        "activations.build_network",
        hints=(
            "`keras.Sequential([keras.Input((784,)), layers.Dense(64, activation), …, layers.Dense(10)])`",
            '`network.compile("adam", loss)` before `return network`.',
        ),
        judge=_judge_network,
    ),
    Exercise(
        "activations.output_activation",
        hints=(
            "Which of the four tasks has an answer that can be −12.5?",
            "Probabilities that must sum to 1 come from softmax; probabilities that are independent come from sigmoid.",
        ),
        reference=_output_activation,
        cases=tuple((task,) for task in _TASKS),
        mistakes={
            "Softmax makes the 20 tags share one 100 %: but several tags may hold at once.": lambda task: (
                "softmax" if task == "tags" else _TASKS[task]
            ),
            "Ten independent sigmoids need not sum to 1, and a digit is exactly one of ten.": lambda task: (
                "sigmoid" if task == "digit" else _TASKS[task]
            ),
            "Tanh runs from −1 to 1 only: most temperatures are out of its reach.": lambda task: (
                "tanh" if task == "temperature" else _TASKS[task]
            ),
            "Tanh gives negative numbers, and a probability is never negative.": lambda task: (
                "tanh" if task == "spam" else _TASKS[task]
            ),
        },
    ),
    Quiz(
        "activations.collapse",
        "A network has five Dense layers without activation functions. What can it compute?",
        {
            "Nothing that one Dense layer could not compute": (True, "The product of five matrices is one matrix."),
            "More than one layer, less than five with ReLU": (False, "Try it: multiply the five matrices."),
            "Any function, if the layers are wide enough": (
                False,
                "Width does not bend a line. That needs an activation.",
            ),
        },
    ),
    Quiz(
        "activations.quarter",
        "An error passes back through the activations of ten sigmoid layers; the weights neither shrink nor stretch it. How "
        "much of it is left, at most?",
        {
            "One part in 40": (False, "That adds the quarters. Slopes multiply."),
            "All of it, if the learning rate is large": (
                False,
                "The rate multiplies the gradient afterwards, that of every layer alike.",
            ),
            "One part in about a million": (True, "The quarter is taken ten times: 0.25 ** 10 is 1 / 1,048,576."),
        },
    ),
    Quiz(
        "activations.dead",
        "A ReLU unit of the first layer puts out 0 for every training picture. What will more steps of plain gradient "
        "descent on these pictures do to its weights?",
        {
            "Make them smaller": (False, "Steps of size 0 change nothing."),
            "Nothing": (True, "Its slope is 0 for every picture, so its weights get the gradient 0, and pixels stay."),
            "Bring it back slowly": (
                False,
                "In a deeper layer it may come back, when its inputs change. The inputs of the first layer are the pixels.",
            ),
        },
    ),
    Quiz(
        "activations.cure",
        "The published network with sigmoid ended at 10 %. What did training our copy of it show?",
        {
            "It cannot learn, however long it is trained": (
                False,
                "With all three seeds the copy left 10 % in the long run, after some thousands of steps.",
            ),
            "It stays on a long plateau, which fewer layers or Adam shorten": (
                True,
                "In the long run each of our changes left 10 % earlier than the copy did, with all three seeds.",
            ),
            "Only ReLU can learn from these pictures": (
                False,
                "With two layers, or with Adam, sigmoid was far above 10 % after 200 steps.",
            ),
        },
    ),
]
