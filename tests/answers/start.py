"""Other right answers, and wrong ones with a piece of the message that each must get, for chapter 00."""

import keras
import numpy as np
import tensorflow as tf
from keras import ops


def _loop(x):
    rows = []
    for row in np.asarray(x, "float32"):
        rows.append([value / row.sum() for value in row])
    return rows


RIGHT = {
    "line": [
        lambda x, w, b: ops.add(ops.multiply(ops.cast(x, "float32"), w), b),
        lambda x, w, b: tf.constant(x) * w + b,
        lambda x, w, b: [w * value + b for value in x],
    ],
    "row_shares": [
        lambda x: keras.utils.normalize(ops.convert_to_numpy(x), axis=1, order=1),
        lambda x: tf.constant(x) / tf.reduce_sum(tf.constant(x), axis=1, keepdims=True),
        lambda x: (x.T / x.sum(axis=1)).T,
        _loop,
    ],
}

WRONG = {
    "line": [
        (lambda x, w, b: x * w, "b was left out"),
        (lambda x, w, b: x * b + w, "w and b changed places"),
        (lambda x, w, b: (x + b) * w, "before the multiplication"),
        (lambda x, w, b: print(x * w + b), "Is a `return` missing?"),
        (lambda x, w, b: x[0] * w + b, "expected the shape"),
        (lambda x: x, "TypeError"),
    ],
    "row_shares": [
        (lambda x: x / x.sum(axis=1), "keepdims is missing"),
        (lambda x: x / x.sum(), "all entries were summed"),
        (lambda x: ops.divide(x, ops.sum(x, axis=0)), "columns sum to 1"),
        (lambda x: x / x.max(axis=1, keepdims=True), "divided by its maximum"),
        (lambda x: x / x.mean(axis=1, keepdims=True), "divided by its mean"),
        (lambda x: x.sum(axis=1), "expected the shape"),
    ],
}
