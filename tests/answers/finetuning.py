"""Other right answers, and wrong ones with a piece of the message that each must get, for chapter 12c."""

import re

import keras
import numpy as np
import tensorflow as tf
from keras import layers, ops


def _merged_by_loop(kernel, a, b, alpha):
    total = kernel.astype("float64")
    for column, row in zip(a.T, b, strict=True):
        total = total + alpha / a.shape[1] * np.outer(column, row)
    return total


def _count_loop(shapes, rank):
    total = 0
    for inputs, outputs in shapes:
        total += inputs * rank
        total += rank * outputs
    return total


def _kept_by_keras(before, after, k):
    def nearest(vectors):
        cosines = ops.matmul(vectors, ops.transpose(vectors)) - 5 * ops.eye(len(vectors), dtype=vectors.dtype)
        return ops.convert_to_numpy(ops.top_k(cosines, k)[1])

    return np.mean([np.isin(one, other).mean() for one, other in zip(nearest(before), nearest(after), strict=True)])


def _kept_by_distance(before, after, k):
    tables = []
    for vectors in (before, after):
        distance = np.linalg.norm(vectors[:, None] - vectors[None], axis=-1)
        np.fill_diagonal(distance, np.inf)
        table = np.zeros(distance.shape)
        np.put_along_axis(table, np.argsort(distance, axis=1)[:, :k], 1, axis=1)
        tables.append(table)
    return float((tables[0] * tables[1]).sum() / (k * len(before)))


def _kept_with_itself(before, after, k):
    first, second = (np.argsort(-(part @ part.T), axis=1)[:, :k] for part in (before, after))
    return np.mean([len(set(one) & set(other)) / k for one, other in zip(first, second, strict=True)])


def _functional(base):
    base.trainable = False
    x = keras.Input(base.input_shape[1:])
    network = keras.Model(x, layers.Dense(1)(base(x, training=False)))
    network.compile(keras.optimizers.Adam(0.01), keras.losses.BinaryCrossentropy(from_logits=True))
    return network


def _by_weights(base):
    for weight in base.weights:
        weight.trainable = False
    network = keras.Model(base.input, layers.Dense(1, kernel_initializer="zeros")(base.output))
    network.compile(keras.optimizers.Adam(0.01), keras.losses.BinaryCrossentropy(from_logits=True), metrics=["mae"])
    return network


def _probe(frozen=True, last=None, loss=None, rate=0.01, units=1, compiled=True, hidden=False):
    def build_probe(base):
        base.trainable = not frozen
        network = keras.Sequential([base, *([layers.Dense(7)] if hidden else []), layers.Dense(units, last)])
        if compiled:
            cross_entropy = keras.losses.BinaryCrossentropy(from_logits=True)
            network.compile(keras.optimizers.Adam(rate), loss or cross_entropy)
        return network

    return build_probe


def _without_base(base):
    network = keras.Sequential([keras.Input(base.input_shape[1:]), layers.Dense(1)])
    network.compile(keras.optimizers.Adam(0.01), keras.losses.BinaryCrossentropy(from_logits=True))
    return network


def _repeated_by_dict(titles):
    first = {}
    found = []
    for place, title in enumerate(titles):
        if first.setdefault(re.sub(r"[\W_]", "", title.casefold()), place) != place:
            found.append(place)
    return found


def _repeated_by_counts(titles):
    plain = ["".join(re.findall("[a-z0-9]", title.lower())) for title in titles]
    return np.flatnonzero([plain[:place].count(title) > 0 for place, title in enumerate(plain)])


RIGHT = {
    "merged": [
        _merged_by_loop,
        lambda kernel, a, b, alpha: ops.add(kernel, ops.matmul(a, b) * (alpha / a.shape[-1])),
        lambda kernel, a, b, alpha: tf.constant(kernel) + tf.linalg.matmul(a * alpha, b) / len(b),
    ],
    "lora_parameters": [
        _count_loop,
        lambda shapes, rank: sum(np.zeros((i, rank)).size + np.zeros((rank, o)).size for i, o in shapes),
    ],
    "neighbours_kept": [_kept_by_keras, _kept_by_distance],
    "build_probe": [_functional, _by_weights],
    "repeated": [_repeated_by_dict, _repeated_by_counts],
}

WRONG = {
    "merged": [
        (lambda kernel, a, b, alpha: kernel + a @ b, "factor alpha / rank is missing"),
        (lambda kernel, a, b, alpha: kernel + alpha * a @ b, "not divided by the rank"),
        (lambda kernel, a, b, alpha: alpha / len(b) * a @ b, "without the kernel"),
        (lambda kernel, a, b, alpha: kernel + b @ a, "raised `ValueError"),
        (lambda kernel, a, b, alpha: print(kernel), "Is a `return` missing?"),
    ],
    "lora_parameters": [
        (lambda shapes, rank: sum(i * o for i, o in shapes), "they are frozen"),
        (lambda shapes, rank: sum(i + o for i, o in shapes), "the rank was left out"),
        (lambda shapes, rank: rank * sum(i * o for i, o in shapes), "thin matrices are added up"),
        (lambda shapes, rank: rank * (shapes[0][0] + shapes[0][1]), "I expected"),
    ],
    "neighbours_kept": [
        (_kept_with_itself, "its own neighbour"),
        (lambda before, after, k: 100 * _kept_by_distance(before, after, k), "I expected"),
        (lambda before, after, k: k * _kept_by_distance(before, after, k), "not their share"),
        (lambda before, after, k: np.mean(np.sum(before * after, axis=1)), "I expected"),
    ],
    "build_probe": [
        (_probe(frozen=False), "weights of `base` changed"),
        (_probe(last="sigmoid"), "last layer without activation"),
        (_probe(loss="mse"), "BinaryCrossentropy(from_logits=True)"),
        (_probe(units=2), "outputs of shape"),
        (_probe(compiled=False), "not compiled"),
        (_probe(rate=0.0), "does not learn"),
        (_probe(hidden=True), "trainable numbers"),
        (_without_base, "does not read `base`"),
        (lambda base: base, "`base` itself"),
        (lambda base: print(base.name), "return"),
    ],
    "repeated": [
        (lambda titles: [p for p, t in enumerate(titles) if t in titles[:p]], "I expected"),
        (
            lambda titles: [p for p, t in enumerate(titles) if t.lower() in [o.lower() for o in titles[:p]]],
            "punctuation and spaces still count",
        ),
        (lambda titles: [place + 1 for place in _repeated_by_dict(titles)], "counted from 1"),
        (lambda titles: len(_repeated_by_dict(titles)), "I expected"),
    ],
}
