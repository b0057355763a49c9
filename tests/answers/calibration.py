"""Other right answers, and wrong ones with a piece of the message that each must get, for chapter 07b."""

import keras
import numpy as np
import tensorflow as tf
from keras import layers, ops


def _mlp(units=(200, 50), bias=False, rate=0.004, drop=0.2, outputs=10, last=None, compiled=True):
    def build_mlp():
        inputs = x = keras.Input((784,))
        for count in units:
            x = layers.BatchNormalization(momentum=0.9)(layers.Dense(count, use_bias=bias)(x))
            x = layers.Activation("relu")(x)
            x = layers.Dropout(drop)(x) if drop else x
        network = keras.Model(inputs, layers.Dense(outputs, last)(x))
        if compiled:
            network.compile(keras.optimizers.Adam(rate), keras.losses.SparseCategoricalCrossentropy(from_logits=True))
        return network

    return build_mlp


def _coverage(confidence, right, wanted):
    order = np.argsort(-confidence, kind="stable")
    good = np.cumsum(right[order]) / np.arange(1, len(order) + 1) >= wanted - 1e-12
    return float((np.flatnonzero(good)[-1] + 1) / len(order)) if good.any() else 0


def _calibration_error(confidence, right, count):
    number = np.minimum(np.floor(confidence * count), count - 1)
    return sum(
        abs((right[number == k] * 1.0 - confidence[number == k]).sum()) for k in range(count) if (number == k).any()
    ) / len(right)


RIGHT = {
    "build_mlp": [_mlp(), _mlp(drop=0.4)],
    "confusion_matrix": [
        lambda y, predicted, classes: tf.math.confusion_matrix(y, predicted, classes),
        lambda y, predicted, classes: np.eye(classes)[y].T @ np.eye(classes)[predicted],
    ],
    "expected_calibration_error": [
        _calibration_error,
        lambda confidence, right, count: np.float32(_calibration_error(confidence, right, count)),
    ],
    "cool": [
        lambda logits, temperature: ops.softmax(logits / temperature, axis=-1),
        lambda logits, temperature: tf.nn.softmax(tf.cast(logits, "float32") / temperature),
    ],
    "coverage_for": [
        _coverage,
        lambda confidence, right, wanted: max(
            [0]
            + [
                n / len(right)
                for n in range(1, len(right) + 1)
                if np.mean(right[np.argsort(-confidence, kind="stable")[:n]]) >= wanted
            ]
        ),
    ],
}

WRONG = {
    "build_mlp": [
        (_mlp(units=(300, 100)), "200 and 50"),
        (_mlp(bias=True), "use_bias=False"),
        (_mlp(drop=0), "dropout layers are missing"),
        (_mlp(rate=0.001), "0.004"),
        (_mlp(last="softmax"), "ten logits"),
        (_mlp(compiled=False), "not compiled"),
        (_mlp(outputs=1), "outputs of shape"),
        (lambda: print("built"), "return"),
    ],
    "confusion_matrix": [
        (lambda y, predicted, classes: tf.math.confusion_matrix(predicted, y, classes), "changed places"),
        (lambda y, predicted, classes: np.eye(classes)[y].T @ np.eye(classes)[predicted] / len(y), "counts were asked"),
        (lambda y, predicted, classes: np.bincount(y[y == predicted], minlength=classes), "expected the shape"),
        (
            lambda y, predicted, classes: np.diag(np.bincount(y[y == predicted], minlength=classes)),
            "only right answers",
        ),
    ],
    "expected_calibration_error": [
        (lambda confidence, right, count: abs(confidence.mean() - right.mean()), "one bin only"),
        (lambda confidence, right, count: 100 * _calibration_error(confidence, right, count), "in percent"),
        (lambda confidence, right, count: np.mean(np.abs(confidence - right)), "expected"),
        (lambda confidence, right, count: (confidence * count).astype(int), "expected the shape"),
    ],
    "cool": [
        (lambda logits, temperature: ops.softmax(logits * temperature, axis=-1), "multiplied"),
        (lambda logits, temperature: ops.softmax(logits, axis=-1) / temperature, "probabilities were divided"),
        (
            lambda logits, temperature: (
                np.exp(logits / temperature) / np.exp(logits / temperature).sum(axis=-1, keepdims=True)
            ),
            "Subtract the row's maximum",
        ),
        (lambda logits, temperature: ops.softmax(logits, axis=-1), "left out"),
    ],
    "coverage_for": [
        (lambda confidence, right, wanted: np.mean(confidence >= wanted), "count which answers are right"),
        (lambda confidence, right, wanted: _coverage(confidence, right, wanted) * len(right), "their share"),
        (lambda confidence, right, wanted: _coverage(-confidence, right, wanted), "least sure came first"),
        (lambda confidence, right, wanted: np.mean(right), "expected"),
    ],
}
