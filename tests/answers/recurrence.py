"""Other right answers, and wrong ones with a piece of the message that each must get, for chapter 09a."""

import keras
import numpy as np
import tensorflow as tf
from keras import layers, ops


def _simple_rnn_keras(x, W, U, b):
    layer = layers.SimpleRNN(len(b), return_sequences=True)
    layer.build(x.shape)
    layer.set_weights([W, U, b])
    return layer(ops.cast(x, "float32"))


def _simple_rnn_ops(x, W, U, b):
    states = [ops.zeros((x.shape[0], len(b)), dtype="float64")]
    for t in range(x.shape[1]):
        states.append(ops.tanh(ops.matmul(x[:, t], W) + ops.matmul(states[-1], U) + b))
    return ops.stack(states[1:], axis=1)


def _bptt_tape(x, w, u):
    u = tf.constant(u, tf.float64)
    with tf.GradientTape() as tape:
        tape.watch(u)
        h = tf.constant(0.0, tf.float64)
        for value in x:
            h = w * value + u * h
    return tape.gradient(h, u) if len(x) > 1 else 0.0


def _bptt_forward(x, w, u):
    h = slope = 0.0
    for value in x:
        slope, h = h + u * slope, w * value + u * h
    return slope


def _bptt_last(x, w, u):
    h = before = 0.0
    for value in x:
        before, h = h, w * value + u * h
    return before


def _bptt_sum(x, w, u):
    h = total = 0.0
    for value in x:
        total += h
        h = w * value + u * h
    return total


def _memory(
    cell=layers.LSTM, units=32, forget=5.0, outputs=10, last=None, compiled=True, rate=3e-3, length=None, **options
):
    def build_memory():
        layer = cell(units, **options)
        network = keras.Sequential([keras.Input((length, 8)), layer, layers.Dense(outputs, last)])
        if forget is not None:
            W, U, b = layer.get_weights()
            b[..., units : 2 * units] = forget
            layer.set_weights([W, U, b])
        if compiled:
            network.compile(keras.optimizers.Adam(rate), keras.losses.SparseCategoricalCrossentropy(from_logits=True))
        return network

    return build_memory


RIGHT = {
    "simple_rnn": [_simple_rnn_keras, _simple_rnn_ops],
    "bptt": [_bptt_tape, _bptt_forward],
    "parameters": [
        lambda kind, inputs, units: {
            "simple": units * (inputs + units + 1),
            "lstm": 4 * units * (inputs + units + 1),
            "gru": 3 * units * (inputs + units + 2),
        }[kind],
        lambda kind, n, u: (n * u + u * u + (2 if kind == "gru" else 1) * u) * {"simple": 1, "lstm": 4, "gru": 3}[kind],
    ],
    "forget_bias": [
        lambda steps, share: float(tf.math.log(share ** (1 / steps)) - tf.math.log(1 - share ** (1 / steps))),
        lambda steps, share: -np.log(np.exp(-np.log(share) / steps) - 1),
    ],
    "build_memory": [_memory(layers.SimpleRNN, forget=None), _memory(forget=8.0, rate=0.01)],
    "mean_squared_error": [
        lambda prediction, target: np.mean(np.square(np.ravel(prediction) - np.reshape(target, np.size(prediction)))),
        lambda prediction, target: (
            ops.mean(ops.square(ops.reshape(prediction, (-1,)) - ops.reshape(target, (np.size(prediction),))))
            if np.size(prediction) == np.size(target)
            else _refuse()
        ),
    ],
}


def _refuse():
    raise ValueError("sizes differ")


WRONG = {
    "simple_rnn": [
        (lambda x, W, U, b: np.tanh(x @ W + b), "never reached the next step"),
        (lambda x, W, U, b: _simple_rnn_ops(x, W, U.T, b), "`U` was transposed"),
        (lambda x, W, U, b: ops.convert_to_numpy(_simple_rnn_ops(x, W, U, b))[:, -1], "only the last state"),
        (lambda x, W, U, b: ops.swapaxes(_simple_rnn_ops(x, W, U, b), 0, 1), "(time, examples, units)"),
        (lambda x, W, U, b: x @ U, "raised `ValueError"),
    ],
    "bptt": [
        (_bptt_last, "only the last step"),
        (_bptt_sum, "did not pass the later steps"),
        (lambda x, w, u: u * _bptt_forward(x, w, u), "once too often"),
        (lambda x, w, u: len(x) * u, "expected"),
    ],
    "parameters": [
        (lambda kind, n, u: u * (n + u + 1) * {"simple": 1, "lstm": 4, "gru": 3}[kind], "Keras gives it two"),
        (
            lambda kind, n, u: u * (n + u + (2 if kind == "gru" else 1)) * {"simple": 1, "lstm": 3, "gru": 3}[kind],
            "its candidate needs weights",
        ),
        (
            lambda kind, n, u: u * (n + (2 if kind == "gru" else 1)) * {"simple": 1, "lstm": 4, "gru": 3}[kind],
            "U were forgotten",
        ),
        (lambda kind, n, u: u * (n + u) * {"simple": 1, "lstm": 4, "gru": 3}[kind], "biases were forgotten"),
    ],
    "forget_bias": [
        (lambda steps, share: share ** (1 / steps), "gate itself was returned"),
        (lambda steps, share: np.log(share / (1 - share)), "one step was meant"),
        (lambda steps, share: np.log(share ** (-1 / steps) - 1), "sign is turned"),
        (lambda steps, share: np.log(share) / steps, "logarithm of the gate"),
    ],
    "build_memory": [
        (_memory(forget=None), "gradient falls"),
        (_memory(layers.GRU, forget=None), "gradient falls"),
        (_memory(units=16), "32 units"),
        (_memory(last="softmax"), "ten logits"),
        (_memory(compiled=False), "not compiled"),
        (_memory(outputs=1), "outputs of shape"),
        (_memory(layers.SimpleRNN, forget=None, rate=0.0), "does not learn"),
        (_memory(layers.SimpleRNN, forget=None, return_sequences=True), "outputs of shape"),
    ],
    "mean_squared_error": [
        (
            lambda prediction, target: ((prediction - target) ** 2).mean(),
            "each prediction was compared with each target|raised `ValueError",
        ),
        (lambda prediction, target: ((prediction.ravel() - target.ravel()) ** 2).sum(), "expected"),
        (lambda prediction, target: ((prediction.ravel() - target.ravel()) ** 2).mean(), "expected a `ValueError`"),
        (lambda prediction, target: np.abs(prediction.ravel() - target.ravel()).mean(), "expected"),
    ],
}
