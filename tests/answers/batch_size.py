"""Other right answers, and wrong ones with a piece of the message that each must get, for chapter 05c."""

import keras
import numpy as np
import tensorflow as tf
from keras import layers, ops

_LOSS = keras.losses.SparseCategoricalCrossentropy(from_logits=True)


def _train(
    rate=lambda batch: 0.1 * batch / 16, units=64, outputs=10, last=None, epochs=1, optimizer=None, size=None, fit=True
):
    def train_scaled(x, y, batch):
        network = keras.Sequential([keras.Input((784,)), layers.Dense(units, "relu"), layers.Dense(outputs, last)])
        network.compile((optimizer or keras.optimizers.SGD)(rate(batch)), _LOSS)
        if fit:
            network.fit(x, y, batch_size=size or batch, epochs=epochs, verbose=0)
        return network

    return train_scaled


def _functional(x, y, batch):
    inputs = keras.Input((784,))
    network = keras.Model(inputs, layers.Dense(10)(layers.Activation("relu")(layers.Dense(64)(inputs))))
    network.compile(keras.optimizers.SGD(learning_rate=batch / 160), "sparse_categorical_crossentropy")
    network.compile(keras.optimizers.SGD(learning_rate=batch / 160), _LOSS, metrics=["accuracy"])
    network.fit(tf.data.Dataset.from_tensor_slices((x, y)).shuffle(len(x), seed=0).batch(batch), verbose=0)
    return network


def _by_steps(x, y, batch):
    network = keras.Sequential([keras.Input((784,)), layers.Dense(64), layers.ReLU(), layers.Dense(10)])
    network.compile(keras.optimizers.SGD(0.00625 * batch), _LOSS)
    order = np.random.default_rng(0).permutation(len(x))
    for begin in range(0, len(x), batch):
        part = order[begin : begin + batch]
        network.train_on_batch(x[part], y[part])
    return network


def _distances(gradients):
    full = sum(gradients) / len(gradients)
    return np.mean([np.linalg.norm(one - full) ** 2 for one in gradients]) / np.linalg.norm(full) ** 2


def _joined(gradients, sizes):
    total = 0
    for gradient, size in zip(gradients, sizes, strict=True):
        total = total + size * gradient
    return total / sum(sizes)


RIGHT = {
    "range_rate": [
        lambda step, steps, lowest, highest: (
            10 ** (np.log10(lowest) + (np.log10(highest) - np.log10(lowest)) * step / (steps - 1))
        ),
        lambda step, steps, lowest, highest: ops.logspace(np.log10(lowest), np.log10(highest), steps, dtype="float64")[
            step
        ],
    ],
    "steps_made": [
        lambda examples, batch, passes: len(range(0, examples, batch)) * passes,
        lambda examples, batch, passes: ops.ceil(examples / batch) * passes,
    ],
    "equal_noise": [
        lambda gradients: (
            tf.reduce_sum(tf.math.reduce_variance(gradients, axis=0))
            / tf.reduce_sum(tf.reduce_mean(gradients, axis=0) ** 2)
        ),
        _distances,
    ],
    "accumulate": [
        _joined,
        lambda gradients, sizes: ops.sum(ops.expand_dims(sizes / sizes.sum(), 1) * gradients, axis=0),
    ],
    "scaled_rate": [
        lambda rate, batch, new_batch, rule: (
            rate * np.power(new_batch / batch, {"linear": 1, "square root": 0.5}[rule])
        ),
        lambda rate, batch, new_batch, rule: float(
            ops.sqrt(np.float64(new_batch / batch)) * rate if rule == "square root" else new_batch * (rate / batch)
        ),
    ],
    "train_scaled": [_functional, _by_steps],
}

WRONG = {
    "range_rate": [
        (lambda step, steps, lowest, highest: np.linspace(lowest, highest, steps)[step], "equal amounts"),
        (lambda step, steps, lowest, highest: lowest * (highest / lowest) ** (step / steps), "divide by steps − 1"),
        (lambda step, steps, lowest, highest: np.geomspace(highest, lowest, steps)[step], "wrong way"),
        (lambda step, steps, lowest, highest: np.geomspace(lowest, highest, steps), "expected"),
    ],
    "steps_made": [
        (lambda examples, batch, passes: examples // batch * passes, "smaller batch of each pass was dropped"),
        (lambda examples, batch, passes: int(np.ceil(examples * passes / batch)), "joined before cutting"),
        (lambda examples, batch, passes: examples / batch * passes, "round up"),
        (lambda examples, batch, passes: int(np.ceil(examples / batch)), "one pass was counted"),
        (lambda examples, batch, passes: (examples // batch + 1) * passes, "One step too many"),
    ],
    "equal_noise": [
        (lambda gradients: np.sqrt(_distances(gradients)), "a root was taken"),
        (lambda gradients: 1 / _distances(gradients), "upside down"),
        (lambda gradients: (gradients**2).sum(1).mean() / (gradients.mean(0) ** 2).sum(), "squared lengths"),
        (lambda gradients: gradients.var(0).mean() / (gradients.mean(0) ** 2).sum(), "mean was taken over all entries"),
        (lambda gradients: gradients.var(0) / gradients.mean(0) ** 2, "expected the shape"),
    ],
    "accumulate": [
        (lambda gradients, sizes: np.mean(gradients, axis=0), "weigh by the sizes"),
        (lambda gradients, sizes: np.sum(gradients, axis=0), "The gradients were added"),
        (lambda gradients, sizes: sizes @ gradients, "not divided"),
        (lambda gradients, sizes: sizes @ gradients / len(gradients), "not by the number of parts"),
        (lambda gradients, sizes: np.average(gradients, weights=None), "expected the shape"),
    ],
    "scaled_rate": [
        (lambda rate, batch, new_batch, rule: rate * new_batch / batch, "both give the linear rate"),
        (lambda rate, batch, new_batch, rule: rate * (new_batch / batch) ** 0.5, "both give the square-root rate"),
        (
            lambda rate, batch, new_batch, rule: rate * (batch / new_batch) ** (1 if rule == "linear" else 0.5),
            "larger batch gets a larger rate",
        ),
        (
            lambda rate, batch, new_batch, rule: rate * (new_batch / batch) ** (0.5 if rule == "linear" else 1),
            "rules are exchanged",
        ),
        (lambda rate, batch, new_batch, rule: rate, "expected **0.8** and got **0.1**"),
    ],
    "train_scaled": [
        (_train(rate=lambda batch: 0.1), "not scaled"),
        (_train(rate=lambda batch: 0.1 * (batch / 16) ** 0.5), "square-root rule"),
        (_train(rate=lambda batch: 0.1 * 16 / batch), "divided by the factor"),
        (_train(optimizer=keras.optimizers.Adam), "plain SGD"),
        (_train(size=32), "batch_size"),
        (_train(epochs=2), "**6**"),
        (_train(fit=False), "**0**"),
        (_train(units=32), "50,890"),
        (_train(last="softmax"), "ten logits"),
        (lambda x, y, batch: print("trained"), "return"),
    ],
}
