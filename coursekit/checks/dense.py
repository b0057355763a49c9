"""Exercises and quiz of chapter 07a."""

import numpy as np

from coursekit import calling
from coursekit.calling import NotYet
from coursekit.checking import Exercise, Quiz, require_function, to_array
from coursekit.checks import SECONDS_FOR_A_MODEL, build, judge_compiled, sums_to_one

_RANDOM = np.random.default_rng(7)


def _layer(p, u):
    return _RANDOM.normal(size=(p, u)).round(1), _RANDOM.normal(size=u).round(1)


_NETWORKS = (
    (_RANDOM.normal(size=(4, 3)).round(1), [_layer(3, 3), _layer(3, 3), _layer(3, 2)]),
    (_RANDOM.normal(size=(3, 2)).round(1), [_layer(2, 2)]),
    (_RANDOM.normal(size=(2, 4)).round(1), [_layer(4, 5), _layer(5, 3)]),
)


def _forward(x, weights, bend=lambda a: np.maximum(0, a), bend_last=False, biases=True):
    for number, (W, b) in enumerate(weights, start=1):
        x = np.dot(x, W) + (b if biases else 0)
        if number < len(weights) or bend_last:
            x = bend(x)
    return x


def _reference_forward(x, weights):
    return _forward(x, weights)


def _count(sizes):
    weights = int(np.dot(sizes[:-1], sizes[1:]))
    return weights + int(np.sum(sizes)) - sizes[0], weights


def _parameters(inputs, outputs, depth, width):
    return _count([inputs, *[width] * depth, outputs])[0]


def _width_for_budget(inputs, outputs, depth, budget):
    """The root of (depth − 1) w² + (inputs + depth + outputs) w + outputs = budget, rounded down."""
    a, b, c = depth - 1, inputs + depth + outputs, outputs - budget
    width = int(-c / b if a == 0 else (-b + np.sqrt(b * b - 4 * a * c)) / (2 * a)) + 1
    while _parameters(inputs, outputs, depth, width) > budget:
        width -= 1
    return width


def _width(inputs, outputs, budget, squares, lines, constant):
    width = 1
    while squares * (width + 1) ** 2 + lines * (width + 1) + constant <= budget:
        width += 1
    return width


def _starting_scale(inputs, units):
    return (2 / inputs) ** 0.5, (6 / (inputs + units)) ** 0.5


_HATS = ((0.0, 2.0, 6.0), (-1.0, 0.0, 1.0), (-3.0, -1.0, -0.5))


def _judge_hat(answer):
    require_function(answer, HAT)
    for left, middle, right in _HATS:
        given = f"For `left={left:g}, middle={middle:g}, right={right:g}`"
        result, _ = calling.call(answer, left, middle, right)
        try:
            (W1, b1), (W2, b2) = result
        except (TypeError, ValueError):
            raise NotYet("I expected two pairs, `[(W1, b1), (W2, b2)]`. Is a `return` missing?") from None
        W1, b1, W2, b2 = (to_array(part).astype("float64") for part in (W1, b1, W2, b2))
        shapes = (W1.shape, b1.shape, W2.shape)
        if shapes != ((1, 3), (3,), (3, 1)) or b2.shape not in ((1,), ()):
            raise NotYet(
                "I expected W1 of shape **(1, 3)**, b1 (3,), W2 (3, 1) and b2 (1,), and got "
                f"{W1.shape}, {b1.shape}, {W2.shape} and {b2.shape}."
            )
        points = np.array([left - 5, left, (left + middle) / 2, middle, (middle + right) / 2, right, right + 5])
        expected = np.interp(points, [left, middle, right], [0, 1, 0])
        got = (np.maximum(0, points[:, None] @ W1 + b1) @ W2 + b2).ravel()
        wrong = np.flatnonzero(~np.isclose(got, expected, atol=1e-5))
        if len(wrong):
            first = wrong[0]
            sentence = _recognise_hat(got, left, middle, right, points)
            raise NotYet(
                f"{given} I expected **{expected[first]:g}** at x = {points[first]:g} and got **{got[first]:.6g}**."
                f"{' ' if sentence else ''}{sentence}",
                sentence,
            )


def _recognise_hat(got, left, middle, right, points):
    rise, fall = 1 / (middle - left), -1 / (right - middle)
    ramps = [np.maximum(0, points - kink) for kink in (left, middle, right)]
    mistakes = {
        "The slope of each piece was used; each weight is the *change* of the slope at its kink.": (rise, fall, 0),
        "It looks as if the third kink was left out: the output goes on falling after `right`.": (rise, fall - rise, 0),
        "It looks as if both sides got the slope 1; it is 1 divided by the width of the side.": (1, -2, 1),
        "It looks as if the hat never comes down: after `middle` it stays at 1.": (rise, -rise, 0),
    }
    for sentence, factors in mistakes.items():
        if np.allclose(got, sum(factor * ramp for factor, ramp in zip(factors, ramps, strict=True)), atol=1e-5):
            return sentence
    if np.allclose(got, -np.interp(points, [left, middle, right], [0, 1, 0]), atol=1e-5):
        return "It is the hat, upside down."
    return ""


def _judge_train_classifier(answer):
    from coursekit import data

    (x, y), (x_test, y_test) = data.digits(train=300, test=300, seed=7)
    largest = 65_535
    x, x_test = ((pictures.reshape(-1, 64) / 16 * largest).astype("float32") for pictures in (x, x_test))
    network = build(answer, x, y, largest)
    if not callable(network):
        raise NotYet(f"I expected a Keras model and got {type(network).__name__}. Is a `return` missing?")
    output, _ = calling.call(lambda: np.asarray(network(x_test), "float64"), seconds=SECONDS_FOR_A_MODEL)
    if output.shape == (300, 10):
        _judge_logits(output, y_test)
    parameters = 8_970 + _not_trained(network)
    _judge_learning(network, x, y, parameters)


def _judge_logits(output, y_test):
    if sums_to_one(output):
        raise NotYet("The rows of the output sum to 1: the last layer has a softmax, and ten logits were asked for.")
    if not np.isfinite(output).all():
        raise NotYet("The trained model puts out nan or inf. Are the pixels scaled inside the model?")
    if output.min() >= 0:
        raise NotYet("No output is negative: the last layer has an activation, and ten logits were asked for.")
    shifted = output - output.max(axis=1, keepdims=True)
    losses = np.log(np.exp(shifted).sum(axis=1)) - shifted[np.arange(len(y_test)), y_test]
    if losses.mean() > 10:
        raise NotYet(
            f"On new digits the loss is {losses.mean():,.0f}; guessing has 2.3. The pixels reach 65,535 here: are they "
            "divided by `largest` inside the model?"
        )
    if losses.mean() > np.log(10) / 2:
        raise NotYet(
            f"On new digits the loss is {losses.mean():.2f}; guessing has 2.30, and I expected less than half of it. "
            "Is the model trained, for enough epochs, and are the pixels divided by `largest` once?"
        )


def _not_trained(network):
    """How many numbers a model holds that are no trained parameters (e.g. the means of a Normalization layer)."""
    return sum(int(np.prod(weight.shape)) for weight in getattr(network, "non_trainable_weights", []))


def _judge_learning(network, x, y, parameters):
    """A trained model has little left to learn: shuffle its weights, then check it like a new one."""
    import keras

    if isinstance(network, keras.Model) and getattr(network, "compiled", False):
        for variable in network.trainable_variables:  # forgets what it learned, keeps the sizes
            variable.assign(np.random.default_rng(0).permuted(np.asarray(variable)))
    judge_compiled(network, x, y, (len(x), 10), parameters, learning_steps=30)


HAT = Exercise(
    "dense.hat",
    hints=(
        "Give each unit the form max(0, x − kink): W1 is all ones, b1 is minus the three kinks.",
        "The slope goes 0, rise, fall, 0. W2 holds its changes: rise, fall − rise, −fall, "
        "with rise = 1 / (middle − left) and fall = −1 / (right − middle).",
    ),
    judge=_judge_hat,
)

ITEMS = [
    Exercise(
        "dense.forward",
        hints=(
            "A loop over the pairs: the output of one layer is the input of the next.",
            "`for W, b in weights[:-1]: x = np.maximum(0, x @ W + b)`, then the last pair without the maximum.",
        ),
        reference=_reference_forward,
        cases=_NETWORKS,
        mistakes={
            "It looks as if the last layer has a ReLU too: logits may be negative.": lambda x, weights: _forward(
                x, weights, bend_last=True
            ),
            "It looks as if the hidden layers have no ReLU: the network is one straight line.": lambda x, weights: (
                _forward(x, weights, bend=lambda a: a)
            ),
            "It looks as if the biases were left out.": lambda x, weights: _forward(x, weights, biases=False),
            "It looks as if only the first layer was computed.": lambda x, weights: _forward(x, weights[:1]),
            "It looks as if the hidden layers have tanh; ReLU was asked for.": lambda x, weights: _forward(
                x, weights, bend=np.tanh
            ),
        },
    ),
    Exercise(
        "dense.count",
        hints=(
            "`zip(sizes, sizes[1:])` gives the pairs (inputs, units) of the layers.",
            "Multiplications: the sum of p · u. Parameters: the same, and one bias for each unit: `sum(sizes[1:])`.",
        ),
        reference=_count,
        cases=(([64, 64, 64, 10],), ([784, 300, 100, 10],), ([3, 1],), ([2, 5, 1],)),
        mistakes={
            "It looks as if the biases were left out of the parameters.": lambda sizes: (_count(sizes)[1],) * 2,
            "It looks as if the inputs got biases too; only units have them.": lambda sizes: (
                _count(sizes)[0] + sizes[0],
                _count(sizes)[1],
            ),
            "It looks as if the two numbers are in the other order: parameters first.": lambda sizes: _count(sizes)[
                ::-1
            ],
            "It looks as if the biases were counted as multiplications; they are added.": lambda sizes: (
                (_count(sizes)[0],) * 2
            ),
            "It looks as if the last layer was left out.": lambda sizes: _count(sizes[:-1]),
        },
        tolerance=1e-9,
    ),
    Exercise(
        "dense.width_for_budget",
        hints=(
            "Parameters: (inputs + 1)·w into the first layer, (w + 1)·w for each of the depth − 1 next ones, "
            "(w + 1)·outputs at the end.",
            "Raise w by one while the network of w + 1 units still fits the budget; return w.",
        ),
        reference=_width_for_budget,
        cases=(
            (196, 10, 1, 50_000),
            (196, 10, 2, 50_000),
            (196, 10, 8, 50_000),
            (2, 1, 1, 9),
            (3, 1, 2, 40),
            (3, 1, 2, 41),
            (3, 1, 2, 55),
        ),
        mistakes={
            "It is one too wide: its parameters exceed the budget.": lambda *case: _width_for_budget(*case) + 1,
            "It looks as if a network that uses the budget to the last parameter was refused.": lambda i, o, d, b: (
                _width_for_budget(i, o, d, b - 1)
            ),
            "It looks as if `depth` square layers were counted; between `depth` hidden layers there are depth − 1.": (
                lambda i, o, d, b: _width(i, o, b, d, i + 1 + d + o, o)
            ),
            "It looks as if the biases were left out.": lambda i, o, d, b: _width(i, o, b, d - 1, i + o, 0),
            "It looks as if the depth was left out: that is the width of one hidden layer.": lambda i, o, d, b: (
                _width_for_budget(i, o, 1, b)
            ),
        },
        tolerance=1e-9,
    ),
    Exercise(
        "dense.starting_scale",
        hints=(
            "He: a variance of 2 / inputs. A standard deviation is the root of a variance.",
            "Glorot's limit: the root of 6 / (inputs + units).",
        ),
        reference=_starting_scale,
        cases=((256, 256), (784, 300), (10, 1)),
        mistakes={
            "It looks as if variances were returned; take the roots.": lambda p, u: (2 / p, 6 / (p + u)),
            "For Glorot its standard deviation was returned; an even distribution with that reaches to √(6 / (p + u)).": (
                lambda p, u: (np.sqrt(2 / p), np.sqrt(2 / (p + u)))
            ),
            "It looks as if He's formula got the units; it looks at the inputs.": lambda p, u: (
                np.sqrt(2 / u),
                np.sqrt(6 / (p + u)),
            ),
            "For He its even distribution's limit was returned, √(6 / p); the standard deviation is √(2 / p).": (
                lambda p, u: (np.sqrt(6 / p), np.sqrt(6 / (p + u)))
            ),
            "It looks as if the two numbers are in the other order: He first.": lambda p, u: _starting_scale(p, u)[
                ::-1
            ],
        },
    ),
    HAT,
    Exercise(
        "dense.train_classifier",
        hints=(
            "`layers.Rescaling(1 / largest)` right after `keras.Input((64,))` divides the pixels inside the model.",
            "Three Dense layers: 64, 64, 10 units, ReLU in the first two. Compile with Adam at 0.005 and "
            "`SparseCategoricalCrossentropy(from_logits=True)`; `fit(x, y, batch_size=30, epochs=15, verbose=0)`.",
        ),
        judge=_judge_train_classifier,
    ),
    Quiz(
        "dense.cost",
        "A hidden layer grows from 64 to 128 units; the layers before and after it stay. Its own weights and those of the "
        "next layer become …",
        {
            "… four times as many": (False, "That would need both sides of a matrix to double."),
            "… twice as many": (True, "p · u doubles with u, and so does u · (units of the next layer)."),
            "… the same: only the biases grow": (False, "Each new unit has its own column of weights."),
        },
    ),
    Quiz(
        "dense.alike",
        "All weights of a network start at 0.05, all biases at 0. What will training do?",
        {
            "Nothing, the gradient is 0": (
                False,
                "From zeros the first layer stays. From 0.05 it moves, all units alike.",
            ),
            "Make the units different, slowly": (False, "Measured above: one different unit of 64 at the end."),
            "Move all units of a layer together": (True, "Equal units get equal gradients, so they stay equal."),
        },
    ),
    Quiz(
        "dense.outside",
        "A one-input ReLU network was trained on x from 0 to 10, with all kinks there. What does it say beyond 10?",
        {
            "It goes on as a straight line": (True, "No kink is left, so the slope cannot change."),
            "It levels off at the last value": (
                False,
                "Tanh does that, far out. A ReLU unit that is on stays a straight line.",
            ),
            "What the theorem of universal approximation promises": (False, "It promises nothing outside the range."),
        },
    ),
    Quiz(
        "dense.falling",
        "A program trains for 100 epochs and prints a loss that falls to 0.000. What do you know?",
        {
            "The model is good": (False, "The net above had that loss, and one label for every digit."),
            "The code runs, and the model can fit these examples": (
                True,
                "For more you need held-out data and a baseline.",
            ),
            "The learning rate was right for this task": (False, "One random sample is learned at many rates."),
        },
    ),
]
