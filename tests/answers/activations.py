"""Other right answers, and wrong ones with a piece of the message that each must get, for chapter 01."""

import keras
import numpy as np
import tensorflow as tf
from keras import layers, ops


def _network(units=(64, 64), outputs=10, last=None, compiled=True, fixed=None, rate=1e-3, logits=True):
    def build_network(activation):
        hidden = [layers.Dense(unit, fixed or activation) for unit in units]
        network = keras.Sequential([keras.Input((784,)), *hidden, layers.Dense(outputs, last)])
        if compiled:
            loss = keras.losses.SparseCategoricalCrossentropy(from_logits=logits)
            network.compile(keras.optimizers.Adam(rate), loss)
        return network

    return build_network


def _functional(activation):
    inputs = keras.Input((784,))
    hidden = layers.Activation(activation)(layers.Dense(64)(inputs))
    hidden = layers.Activation(activation)(layers.Dense(64)(hidden))
    network = keras.Model(inputs, layers.Dense(10)(hidden))
    network.compile("sgd", keras.losses.SparseCategoricalCrossentropy(from_logits=True), metrics=["accuracy"])
    return network


def _relu_tape(x):
    x = tf.constant(x)
    with tf.GradientTape() as tape:
        tape.watch(x)
        y = tf.nn.relu(x)
    return tape.gradient(y, x)


def _tanh_overflow(x):
    return (np.exp(x) - np.exp(-x)) / (np.exp(x) + np.exp(-x))


def _softmax_less(x, number):
    powers = np.exp(x - number)
    return powers / powers.sum(axis=-1, keepdims=True)


RIGHT = {
    "relu_gradient": [lambda x: (x > 0).astype("float32"), _relu_tape],
    "stable_tanh": [lambda x: ops.tanh(x), lambda x: 2 * ops.sigmoid(2 * ops.cast(x, "float32")) - 1],
    "softmax": [lambda x: ops.softmax(x, axis=-1), lambda x: tf.nn.softmax(tf.cast(x, "float32")).numpy()],
    "largest_share": [lambda layers: 1 / 4**layers, lambda layers: np.prod([0.25] * layers)],
    "dead_units": [lambda a: int((a.sum(axis=0) == 0).sum()), lambda a: ops.sum(ops.max(a, axis=0) == 0)],
    "build_network": [_functional, _network(rate=3e-3)],
    "output_activation": [
        lambda task: "softmax" if task == "digit" else "linear" if task == "temperature" else "sigmoid",
        lambda task: ["linear", "sigmoid", "softmax", "sigmoid"][["temperature", "spam", "digit", "tags"].index(task)],
    ],
}

WRONG = {
    "relu_gradient": [
        (lambda x: np.maximum(x, 0), "ReLU itself was returned"),
        (lambda x: np.where(x >= 0, 1, 0), "slope at exactly 0 was taken as 1"),
        (lambda x: np.sign(x), "sign of x was returned"),
        (lambda x: float(x.flat[0] > 0), "expected the shape"),
        (lambda x: 1.0 if x > 0 else 0.0, "raised `ValueError"),
    ],
    "stable_tanh": [
        (_tanh_overflow, "e^1000 overflows"),
        (lambda x: (1 - np.exp(-2 * x)) / (1 + np.exp(-2 * x)), "overflows on the left"),
        (lambda x: (1 - np.exp(-2 * np.abs(x))) / (1 + np.exp(-2 * np.abs(x))), "the sign was lost"),
        (lambda x: print(np.tanh(x)), "Is a `return` missing?"),
    ],
    "softmax": [
        (lambda x: np.exp(x) / np.exp(x).sum(axis=-1, keepdims=True), "e^1000 overflows"),
        (lambda x: np.exp(x - x.max()) / np.exp(x - x.max()).sum(), "each row must sum to 1"),
        (lambda x: np.exp(x) / np.exp(x).sum(axis=-1), "shape mismatch|operands|overflows|expected"),
        (lambda x: ops.softmax(x, axis=0), "columns sum to 1"),
        (lambda x: np.exp(x - x.max(axis=-1, keepdims=True)), "division by the sum is missing"),
        (lambda x: _softmax_less(x, x.mean(axis=-1, keepdims=True)), "row's mean is subtracted"),
        (lambda x: _softmax_less(x, x.min(axis=-1, keepdims=True)), "row's smallest entry is subtracted"),
    ],
    "largest_share": [
        (lambda layers: 0.25 * layers, "slopes multiply"),
        (lambda layers: 0.25, "one layer was counted"),
        (lambda layers: 0.5**layers, "sigmoid's is 1/4"),
        (lambda layers: 1.0, "expected **0.25** and got **1.**"),
    ],
    "dead_units": [
        (lambda a: (a == 0).sum(), "single zeros were counted"),
        (lambda a: np.all(a == 0, axis=1).sum(), "units are the columns"),
        (lambda a: np.any(a == 0, axis=0).sum(), "units with any zero"),
        (lambda a: np.all(a == 0, axis=0), "expected the shape"),
        (lambda a: np.sum(a.mean(axis=0) < 0.02), "expected **1** and got **2**"),
    ],
    "build_network": [
        (_network(last="softmax"), "ten logits were asked for"),
        (_network(last="relu"), "is there one at the output?"),
        (_network(fixed="relu"), "it bends"),
        (_network(fixed="linear"), "the activation is not used"),
        (_network(units=(64,)), "parameters"),
        (_network(compiled=False), "not compiled"),
        (_network(outputs=1), "outputs of shape"),
        (_network(rate=0.0), "does not learn"),
        (_network(logits=False), "SparseCategoricalCrossentropy(from_logits=True"),
        (lambda activation: print("built"), "return"),
    ],
    "output_activation": [
        (
            lambda task: "softmax" if task in ("digit", "tags") else "linear" if task == "temperature" else "sigmoid",
            "20 tags",
        ),
        (lambda task: "sigmoid", "linear"),
        (lambda task: {"temperature": "tanh", "digit": "softmax"}.get(task, "sigmoid"), "out of its reach"),
        (lambda task: ["linear"], "linear"),
    ],
}
