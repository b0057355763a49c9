"""Exercises and quiz of chapter 03."""

import functools

import numpy as np

from coursekit import calling
from coursekit.calling import NotYet
from coursekit.checking import Exercise, Quiz
from coursekit.checks import SECONDS_FOR_A_MODEL, build

_RANDOM = np.random.default_rng(3)
_DENSE = tuple(
    (_RANDOM.normal(size=(n, p)).round(1), _RANDOM.normal(size=(p, u)).round(1), _RANDOM.normal(size=(n, u)).round(1))
    for n, p, u in [(5, 3, 2), (2, 2, 2), (1, 3, 1)]
)
_STEP = tuple(
    (
        _RANDOM.normal(size=(p, u)).round(1),
        _RANDOM.normal(size=u).round(1),
        _RANDOM.normal(size=(u, 1)).round(1),
        _RANDOM.normal(size=1).round(1),
        _RANDOM.normal(size=(n, p)).round(1),
        _RANDOM.normal(size=(n, 1)).round(1),
        rate,
    )
    for n, p, u, rate in [(5, 3, 2, 0.5), (4, 2, 3, 0.1)]
)
_REGRESSION = tuple(
    (
        _RANDOM.normal(size=(n, p)).round(1),
        _RANDOM.normal(size=n).round(1),
        _RANDOM.normal(size=(p, 1)).round(1),
        _RANDOM.normal(size=1).round(1),
    )
    for n, p in [(5, 3), (6, 2), (1, 2)]
)


def _shared_weight(w, x):
    step = 1e-4
    values = [(w + k * step) * np.tanh((w + k * step) * x) for k in (-2, -1, 1, 2)]
    return float((values[0] - 8 * values[1] + 8 * values[2] - values[3]) / (12 * step))


def _dense_gradients(x, W, G):
    return np.einsum("nu,pu->np", G, W), np.einsum("np,nu->pu", x, G), np.einsum("nu->u", G)


def _backward_cost(n, sizes):
    total = 0
    for number, (inputs, units) in enumerate(zip(sizes[:-1], sizes[1:], strict=True)):
        total += n * inputs * units * (1 if number == 0 else 2)
    return total


def _all_layers_twice(n, sizes):
    return n * sum(2 * p * u for p, u in zip(sizes, sizes[1:], strict=False))


def _forward_cost(n, sizes):
    return n * sum(p * u for p, u in zip(sizes, sizes[1:], strict=False))


def _last_once(n, sizes):
    return _all_layers_twice(n, sizes) - n * sizes[-2] * sizes[-1]


def _train_step(W1, b1, W2, b2, x, y, rate):
    import tensorflow as tf

    weights = [tf.Variable(value) for value in (W1, b1, W2, b2)]
    with tf.GradientTape() as tape:
        hidden = tf.tanh(tf.matmul(x, weights[0]) + weights[1])
        loss = tf.reduce_mean((tf.matmul(hidden, weights[2]) + weights[3] - y) ** 2)
    return tuple(
        weight.numpy() - rate * gradient.numpy()
        for weight, gradient in zip(weights, tape.gradient(loss, weights), strict=True)
    )


def _step_with(W1, b1, W2, b2, x, y, rate, fault):
    h = np.tanh(x @ W1 + b1)
    G2 = (1 if fault == "no two" else 2) * (h @ W2 + b2 - y) / (1 if fault == "sum" else len(y))
    W2_for_pass = W2 - rate * h.T @ G2 if fault == "early" else W2
    G1 = G2 @ W2_for_pass.T * (1 if fault == "no slope" else 1 - h**2)
    gradients = [x.T @ G1, G1.sum(axis=0), h.T @ G2, G2.sum(axis=0)]
    if fault == "gradients":
        return tuple(gradients)
    sign = -1 if fault == "uphill" else 1
    rate = 1 if fault == "no rate" else rate
    return tuple(w - sign * rate * g for w, g in zip([W1, b1, W2, b2], gradients, strict=True))


def _fault(name):
    return functools.partial(_step_with, fault=name)


def _regression_gradients(x, y, W, b):
    residual = np.einsum("np,p->n", x, W[:, 0]) + b[0] - y  # (n,)
    return 2 * np.mean(x * residual[:, None], axis=0)[:, None], np.array([2 * np.mean(residual)])


def _scaled_regression(two=2.0, mean=True, sign=1.0):
    def wrong(x, y, W, b):
        G = sign * two * (x @ W + b - y[:, None]) / (len(y) if mean else 1)
        return x.T @ G, G.sum(axis=0)

    return wrong


def _broadcast_regression(average):
    def wrong(x, y, W, b):
        G = 2 * (x @ W + b - y)  # (n, n)
        if average:
            return (x.T @ G).mean(axis=1, keepdims=True) / len(y), np.array([G.mean()])
        return x.T @ G / len(y), G.sum(axis=0) / len(y)

    return wrong


def _line_data():
    random = np.random.default_rng(5)
    x = np.column_stack([random.uniform(20, 80, 1024), random.uniform(0, 1, 1024), random.uniform(1000, 3000, 1024)])
    return x, x @ np.array([0.5, -20.0, 0.01]) + 7 + random.normal(0, 3, 1024)


def _judge_fit_line(answer):
    import keras

    x, y = _line_data()
    columns = np.column_stack([x, np.ones(len(x))])
    line = columns @ np.linalg.lstsq(columns, y, rcond=None)[0]
    model = build(answer, x, y)
    if not isinstance(model, keras.Model):
        raise NotYet(f"I expected a Keras model and got {type(model).__name__}. Is a `return` missing?")
    parameters = sum(int(np.prod(variable.shape)) for variable in model.trainable_variables)
    if parameters != 4:
        raise NotYet(f"One Dense(1) on three columns has **4** trainable parameters, and I count **{parameters}**.")
    got = _predict(model, x)
    if got.shape != (1024, 1):
        raise NotYet(
            f"For inputs of shape {x.shape} I expected predictions of shape **(1024, 1)**, got **{got.shape}**."
        )
    gap = _gap(got, line, y)
    if not np.isfinite(gap):
        raise NotYet(
            "The predictions are nan or infinite. Columns up to 3,000 make the steps explode: scale them first."
        )
    if gap <= 0.05:
        return
    scaled = (x - x.mean(axis=0)) / x.std(axis=0)
    if _gap(_predict(model, scaled), line, y) <= 0.05:
        raise NotYet(
            "The model is right on columns that were scaled before, but it must take them as they are: "
            "put `layers.Normalization()` inside the model."
        )
    slopes = _predict(model, scaled * 0 + x.mean(axis=0))
    untrained = "It gives nearly the same as no training would. " if abs(slopes[0, 0]) < 0.1 * abs(y.mean()) else ""
    raise NotYet(
        f"Its predictions differ from the closed form by **{gap:.2g}** deviations of y; 0.05 would do. {untrained}"
        "Are the columns scaled inside the model, and are there enough steps of a good size?"
    )


def _predict(model, x):
    return calling.call(lambda: np.asarray(model(x.astype("float32"))), seconds=SECONDS_FOR_A_MODEL)[0]


def _gap(prediction, line, y):
    """Root mean square difference from the closed form, in deviations of y."""
    return float(np.sqrt(np.mean((prediction[:, 0].astype("float64") - line) ** 2)) / y.std())


ITEMS = [
    Exercise(
        "backpropagation.shared_weight",
        hints=(
            "Call the outer w `a` and the inner one `c`: L = a tanh(c x). Take the slope by a, then the slope by c.",
            "By a it is tanh(c x); by c it is a (1 − tanh²(c x)) x. Both are the same w: add the two.",
        ),
        reference=_shared_weight,
        cases=((0.5, 2.0), (-1.0, 0.7), (2.0, -0.3), (1.5, 1.0)),
        mistakes={
            "It looks as if only the outer w was seen: the one inside tanh moves the loss too.": lambda w, x: np.tanh(
                w * x
            ),
            "It looks as if only the w inside tanh was seen: the one in front moves the loss too.": lambda w, x: (
                w * x * (1 - np.tanh(w * x) ** 2)
            ),
            "The two paths were multiplied. Slopes multiply along one path; different paths add.": lambda w, x: (
                np.tanh(w * x) * w * x * (1 - np.tanh(w * x) ** 2)
            ),
            "On the inner path a slope is missing: w is multiplied by x before tanh.": lambda w, x: (
                np.tanh(w * x) + w * (1 - np.tanh(w * x) ** 2)
            ),
        },
    ),
    Exercise(
        "backpropagation.dense_gradients",
        hints=(
            "Write the wanted shape down first: the gradient by x is (n, p), by W (p, u), by b (u,).",
            "`x.T @ G` is (p, n)(n, u) = (p, u). `G.sum(axis=0)` has u entries. For x you need G and `W.T`.",
        ),
        reference=_dense_gradients,
        cases=_DENSE,
        mistakes={
            "The order is another one: by x, by W, by b.": lambda x, W, G: (x.T @ G, G.sum(axis=0), G @ W.T),
            "It looks as if W and x changed places: the order is by x, by W, by b.": lambda x, W, G: (
                x.T @ G,
                G @ W.T,
                G.sum(axis=0),
            ),
            "The bias got the mean over the examples. Paths add: take the sum (a mean is already inside G).": (
                lambda x, W, G: (G @ W.T, x.T @ G, G.mean(axis=0))
            ),
            "The bias got the whole G: one bias serves all examples, so their rows are summed.": lambda x, W, G: (
                G @ W.T,
                x.T @ G,
                G,
            ),
            "The bias was summed along the units (axis=1); the examples are axis 0.": lambda x, W, G: (
                G @ W.T,
                x.T @ G,
                G.sum(axis=1),
            ),
            "The gradient by W came out transposed: it must have the shape of W.": lambda x, W, G: (
                G @ W.T,
                G.T @ x,
                G.sum(axis=0),
            ),
        },
    ),
    Exercise(
        "backpropagation.backward_cost",
        hints=(
            "Each layer of p inputs and u units needs two products, for its W and for its x, each n · p · u multiplications.",
            "In the first layer x is the picture; no layer before it waits for a gradient, so that product is left out.",
        ),
        reference=_backward_cost,
        cases=((32, [64, 32, 10]), (1, [3, 2]), (10, [784, 256, 128, 10])),
        mistakes={
            "It looks as if the first layer was counted twice: nobody needs the gradient by the pictures.": _all_layers_twice,
            "That is the forward pass: going back, the layers after the first need two products each.": _forward_cost,
            "The layer that needs one product only is the first, not the last.": _last_once,
            "It looks as if the n examples were forgotten.": lambda n, sizes: _backward_cost(1, sizes),
        },
        tolerance=1e-9,
    ),
    Exercise(
        "backpropagation.train_step",
        hints=(
            "Forward: h, then ŷ. Backward: `G2 = 2 * (prediction - y) / len(y)`, then `G1 = G2 @ W2.T * (1 - h**2)`.",
            "Both layers get their gradients from the table (x and G1, h and G2). Subtract rate times gradient, all at the end.",
        ),
        reference=_train_step,
        cases=_STEP,
        mistakes={
            "W2 was updated before it carried the gradient back to layer 1. First all gradients, then one update.": _fault(
                "early"
            ),
            "It goes uphill: the gradient points to where the loss grows, so subtract it.": _fault("uphill"),
            "The factor 2 of the square is missing.": _fault("no two"),
            "The sum of the squares was taken; the loss is their mean, so divide by n.": _fault("sum"),
            "The slope of tanh, 1 − h², is missing on the way to layer 1.": _fault("no slope"),
            "These are the gradients. Wanted are the new parameters: old − rate · gradient.": _fault("gradients"),
            "It looks as if the learning rate was not used.": _fault("no rate"),
        },
    ),
    Exercise(
        "backpropagation.regression_gradients",
        hints=(
            "(n, 1) − (n,) is broadcast to (n, n): every prediction minus every target. Give y the shape (n, 1) first.",
            "`G = 2 * (x @ W + b - y.reshape(-1, 1)) / len(y)`, and then the table: `x.T @ G`, and the sum of the rows.",
        ),
        reference=_regression_gradients,
        cases=_REGRESSION,
        mistakes={
            "(n, 1) − (n,) was broadcast to (n, n): give y the shape (n, 1) before you subtract.": _broadcast_regression(
                False
            ),
            "(n, 1) − (n,) was broadcast to (n, n), and a mean hid it: give y the shape (n, 1) first.": _broadcast_regression(
                True
            ),
            "The factor 2 of the square is missing.": _scaled_regression(two=1.0),
            "The sum of the squares was taken; the loss is their mean, so divide by n.": _scaled_regression(mean=False),
            "The sign is turned: the gradient holds prediction − target.": _scaled_regression(sign=-1.0),
        },
    ),
    Exercise(
        "backpropagation.fit_line",
        hints=(
            "As in the training program: `scaling = layers.Normalization()`, `scaling.adapt(x)`, and both layers in a Sequential.",
            '`compile(keras.optimizers.SGD(0.1), "mse")`, then `fit(x, y, batch_size=64, epochs=10, verbose=0)`, then return it.',
        ),
        judge=_judge_fit_line,
    ),
    Quiz(
        "backpropagation.price",
        "Our net had 2,410 parameters. What does one backward pass for all their gradients cost?",
        {
            "Between one and two forward passes": (
                True,
                "1.1 here, for the large first layer needs one product; the other layers need two each.",
            ),
            "2,410 forward passes": (False, "No: each gradient on the way back is used for all that lies before it."),
            "4,820 forward passes": (False, "That is nudging each parameter up and down."),
        },
    ),
    Quiz(
        "backpropagation.shapes",
        "A layer got x of shape (32, 64), and G of shape (32, 10) comes back. What is the gradient of its weights?",
        {
            "`x.T @ G`, of shape (64, 10)": (True, "It has the shape of W, and the product sums over the 32 examples."),
            "`G.T @ x`, of shape (10, 64)": (
                False,
                "That is the transpose: a gradient has the shape of its parameter.",
            ),
            "`x @ G.T`, of shape (32, 32)": (False, "These shapes do not even fit: (32, 64) times (10, 32)."),
        },
    ),
    Quiz(
        "backpropagation.order",
        "Someone updates W2 before it carries the gradient back to layer 1. What did we measure?",
        {
            "A wrong gradient in layer 1, forgiven at a small rate": (
                True,
                "Off by 2, 9 and 19 % at rates 0.1, 0.5 and 1; at 1.5 it did not learn, and the right order did.",
            ),
            "No difference: the order does not matter": (False, "Layer 1 then gets its gradient through the wrong W2."),
            "An error message": (False, "No. All shapes fit, so nothing complains, and that is the danger."),
        },
    ),
    Quiz(
        "backpropagation.step",
        "Which step is good for testing gradients by finite differences in float64?",
        {
            "About 0.00001": (True, "There the error was smallest: neither bending nor rounding counts much."),
            "As small as possible": (False, "Then two nearly equal losses are subtracted, and rounding noise is left."),
            "1": (False, "Over such a distance the loss bends, so the line between two points is not its slope."),
        },
    ),
]
