"""Other right answers, and wrong ones with a piece of the message that each must get, for chapter 03."""

import keras
import numpy as np
import tensorflow as tf
from keras import layers, ops


def _shared_tape(w, x):
    w = tf.Variable(w, dtype="float32")
    with tf.GradientTape() as tape:
        loss = w * tf.tanh(w * x)
    return tape.gradient(loss, w)


def _dense_ops(x, W, G):
    x, W, G = (ops.convert_to_tensor(value, "float32") for value in (x, W, G))
    return [ops.matmul(G, ops.transpose(W)), ops.matmul(ops.transpose(x), G), ops.sum(G, axis=0)]


def _dense_tape(x, W, G):
    x, W, b = tf.Variable(x), tf.Variable(W), tf.Variable(np.zeros(W.shape[1]))
    with tf.GradientTape() as tape:
        z = tf.matmul(x, W) + b
    return tuple(tape.gradient(z, [x, W, b], output_gradients=tf.constant(G)))


def _cost_loop(n, sizes):
    total = 0
    for k in range(1, len(sizes)):
        total += n * sizes[k - 1] * sizes[k]
        if k > 1:
            total += n * sizes[k - 1] * sizes[k]
    return total


def _step(W1, b1, W2, b2, x, y, rate, order="right", scale=2.0, slope=True, keep=True):
    h = np.tanh(x @ W1 + b1)
    G2 = scale * (h @ W2 + b2 - y) / len(x)
    new_W2, new_b2 = W2 - rate * (h.T @ G2), b2 - rate * G2.sum(0)
    back = G2 @ (new_W2 if order == "early" else W2).T
    G1 = back * (1 - h * h) if slope else back
    new = W1 - rate * (x.T @ G1), b1 - rate * G1.sum(0), new_W2, new_b2
    return new if keep else (x.T @ G1, G1.sum(0), h.T @ G2, G2.sum(0))


def _step_float32(*arguments):
    return [value.astype("float32") for value in _step(*arguments)]


def _step_tape(W1, b1, W2, b2, x, y, rate):
    weights = [ops.cast(value, "float32") for value in (W1, b1, W2, b2)]
    x, y = ops.cast(x, "float32"), ops.cast(y, "float32")
    with tf.GradientTape() as tape:
        tape.watch(weights)
        output = ops.matmul(ops.tanh(ops.matmul(x, weights[0]) + weights[1]), weights[2]) + weights[3]
        loss = ops.mean(ops.square(output - y))
    return [weight - rate * gradient for weight, gradient in zip(weights, tape.gradient(loss, weights), strict=True)]


def _regression_vector(x, y, W, b):
    residual = x @ W[:, 0] + b[0] - y
    return (2 / len(y) * residual @ x)[:, None], 2 * residual.mean()


def _regression_tape(x, y, W, b):
    W, b = tf.Variable(W), tf.Variable(b)
    with tf.GradientTape() as tape:
        loss = tf.reduce_mean((tf.matmul(x, W)[:, 0] + b - y) ** 2)
    return tape.gradient(loss, [W, b])


def _broadcast_mean(x, y, W, b):
    error = x @ W + b - y
    return 2 * (x.T @ error).mean(axis=1)[:, None] / len(y), np.array([2 * error.mean()])


def _fit(scale="inside", rate=0.1, epochs=10, units=None, optimizer=keras.optimizers.SGD, returned="model"):
    def fit_line(x, y):
        inside = layers.Normalization()
        inside.adapt(x)
        hidden = [layers.Dense(units)] if units else []
        stack = [inside] if scale == "inside" else []
        model = keras.Sequential([keras.Input((3,)), *stack, *hidden, layers.Dense(1)])
        model.compile(optimizer(rate), "mse", steps_per_execution=16)
        inputs = (x - x.mean(axis=0)) / x.std(axis=0) if scale == "before" else x
        model.fit(inputs, y, batch_size=64, epochs=epochs, verbose=0)
        return {"model": model, "prediction": model(x), "nothing": None}[returned]

    return fit_line


def _fit_functional(x, y):
    """Scaled by a Rescaling layer with numbers worked out in NumPy, targets shaped (n, 1), Adam."""
    mean, deviation = x.mean(axis=0), x.std(axis=0)
    inputs = keras.Input((3,))
    scaled = layers.Rescaling((1 / deviation).tolist(), (-mean / deviation).tolist())(inputs)
    model = keras.Model(inputs, layers.Dense(1, bias_initializer=keras.initializers.Constant(y.mean()))(scaled))
    model.compile(keras.optimizers.Adam(0.3), "mean_squared_error", steps_per_execution=32)
    model.fit(x, y.reshape(-1, 1), batch_size=32, epochs=6, verbose=0)
    return model


def _fit_by_steps(x, y):
    scaling = layers.Normalization(mean=x.mean(axis=0), variance=x.var(axis=0))
    model = keras.Sequential([keras.Input((3,)), scaling, layers.Dense(1)])
    model.compile(keras.optimizers.SGD(0.2), "mse")
    for _ in range(60):
        model.train_on_batch(x.astype("float32"), y.astype("float32"))
    return model


RIGHT = {
    "shared_weight": [_shared_tape, lambda w, x: ops.tanh(w * x) + w * x / np.cosh(w * x) ** 2],
    "dense_gradients": [_dense_ops, _dense_tape],
    "backward_cost": [
        _cost_loop,
        lambda n, sizes: float(n * (2 * np.dot(sizes[:-1], sizes[1:]) - np.multiply(*sizes[:2]))),
    ],
    "train_step": [_step_float32, _step_tape],
    "regression_gradients": [_regression_vector, _regression_tape],
    "fit_line": [_fit_functional, _fit_by_steps],
}

WRONG = {
    "shared_weight": [
        (lambda w, x: np.tanh(w * x), "only the outer w"),
        (lambda w, x: w * x * (1 - np.tanh(w * x) ** 2), "only the w inside tanh"),
        (lambda w, x: w * np.tanh(w * x), "expected"),
        (lambda w, x: np.tanh(w * x) + w * (1 - np.tanh(w * x) ** 2), "a slope is missing"),
    ],
    "dense_gradients": [
        (lambda x, W, G: (x.T @ G, G.sum(axis=0), G @ W.T), "order is another one"),
        (lambda x, W, G: (G @ W.T, x.T @ G, G.mean(axis=0)), "Paths add"),
        (lambda x, W, G: (G @ W.T, x.T @ G, G), "whole G"),
        (lambda x, W, G: (G @ W.T, G.T @ x, G.sum(axis=0)), "transposed"),
        (lambda x, W, G: (G @ W, x.T @ G, G.sum(axis=0)), "ValueError"),
        (lambda x, W, G: x.T @ G, "expected 3 values"),
    ],
    "backward_cost": [
        (lambda n, sizes: 2 * n * sum(p * u for p, u in zip(sizes, sizes[1:], strict=False)), "nobody needs"),
        (lambda n, sizes: n * sum(p * u for p, u in zip(sizes, sizes[1:], strict=False)), "forward pass"),
        (lambda n, sizes: _cost_loop(1, sizes), "examples were forgotten"),
        (lambda n, sizes: 86_016, "and got **86016**"),
    ],
    "train_step": [
        (lambda *given: _step(*given, order="early"), "W2 was updated before"),
        (lambda *given: _step(*given[:-1], -given[-1]), "goes uphill"),
        (lambda *given: _step(*given, scale=1.0), "factor 2"),
        (lambda *given: _step(*given, slope=False), "slope of tanh"),
        (lambda *given: _step(*given, keep=False), "These are the gradients"),
        (lambda *given: _step(*given)[:2], "expected 4 values"),
    ],
    "regression_gradients": [
        (
            lambda x, y, W, b: (2 * x.T @ (x @ W + b - y) / len(y), 2 * (x @ W + b - y).sum(axis=0) / len(y)),
            "was broadcast",
        ),
        (_broadcast_mean, "a mean hid it"),
        (lambda x, y, W, b: tuple(value / 2 for value in _regression_vector(x, y, W, b)), "factor 2"),
        (lambda x, y, W, b: tuple(value * len(y) for value in _regression_vector(x, y, W, b)), "divide by n"),
        (lambda x, y, W, b: tuple(-value for value in _regression_vector(x, y, W, b)), "sign is turned"),
    ],
    "fit_line": [
        (_fit(scale="before"), "inside the model"),
        (_fit(scale="none"), "nan or infinite"),
        (_fit(rate=1e-3, optimizer=keras.optimizers.Adam), "differ from the closed form"),
        (_fit(units=8), "trainable parameters"),
        (_fit(returned="nothing"), "return"),
        (_fit(returned="prediction"), "expected a Keras model"),
    ],
}
