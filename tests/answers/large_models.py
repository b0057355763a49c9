"""Other right answers, and wrong ones with a piece of the message that each must get, for chapter 12a."""

import math

import keras
import numpy as np
import tensorflow as tf
from keras import layers, ops


def _widest_by_root(parameters, vocabulary, context, depth):
    linear = vocabulary + context + 13 * depth + 2
    root = (-linear + math.sqrt(linear**2 + 48 * depth * parameters)) / (24 * depth)
    return int((root + 1e-9) // 8) * 8


def _widest_by_halving(parameters, vocabulary, context, depth):
    low, high = 0, 1 << 20
    while high - low > 1:
        middle = (low + high) // 2
        width = 8 * middle
        low, high = (middle, high) if _total(vocabulary, context, width, depth) <= parameters else (low, middle)
    return np.int64(8 * low)


def _total(vocabulary, context, width, depth):
    return (vocabulary + context + 2) * width + depth * (12 * width**2 + 13 * width)


def _search(parameters, vocabulary, context, depth, step=8):
    width = 0
    while _total(vocabulary, context, width + step, depth) <= parameters:
        width += step
    return width


def _fit_lstsq(sizes, losses):
    columns = np.stack([np.ones(len(sizes)), -np.log(sizes)], axis=1)
    start, exponent = np.linalg.lstsq(columns, np.log(losses), rcond=None)[0]
    return np.exp(start), exponent


def _fit_moments(sizes, losses):
    x, y = ops.log(ops.convert_to_tensor(sizes)), ops.log(ops.convert_to_tensor(losses))
    slope = ops.sum((x - ops.mean(x)) * (y - ops.mean(y))) / ops.sum((x - ops.mean(x)) ** 2)
    return ops.exp(ops.mean(y) - slope * ops.mean(x)), -slope


def _gpt(
    width=48, depth=2, causal=True, compiled=True, from_logits=True, last=None, rate=0.003, positions=True, sees=True
):
    def build_to_budget(vocabulary, context, parameters):
        ids = keras.Input((context,), dtype="int32")
        table = layers.ReversibleEmbedding(vocabulary, width)
        x = table(ids)
        if positions:
            x = x + layers.Embedding(context, width)(ops.cumsum(ops.ones_like(ids), axis=1) - 1)
        for _ in range(depth):
            normed = layers.LayerNormalization()(x)
            if sees:
                x = x + layers.MultiHeadAttention(2, width // 2)(normed, normed, use_causal_mask=causal)
            hidden = layers.Dense(4 * width, "relu")(layers.LayerNormalization()(x))
            x = x + layers.Dense(width)(hidden)
        logits = table(layers.LayerNormalization()(x), reverse=True)
        network = keras.Model(ids, layers.Activation(last)(logits) if last else logits)
        if compiled:
            loss = keras.losses.SparseCategoricalCrossentropy(from_logits=from_logits)
            network.compile(keras.optimizers.Adam(rate), loss)
        return network

    return build_to_budget


def _recurrent(vocabulary, context, parameters):
    network = keras.Sequential(
        [
            keras.Input((None,)),
            layers.Embedding(vocabulary, 60),
            layers.GRU(106, return_sequences=True),
            layers.Dense(vocabulary),
        ]
    )
    network.compile("adam", keras.losses.SparseCategoricalCrossentropy(from_logits=True), metrics=["accuracy"])
    return network


def _untied(vocabulary, context, parameters):
    ids = keras.Input((context,), dtype="int32")
    x = layers.Embedding(vocabulary, 42)(ids)
    x = x + layers.Embedding(context, 42)(ops.cumsum(ops.ones_like(ids), axis=1) - 1)
    for _ in range(3):
        x = layers.LayerNormalization()(x + layers.MultiHeadAttention(6, 7)(x, x, use_causal_mask=True))
        x = layers.LayerNormalization()(x + layers.Dense(42)(layers.Dense(128, "gelu")(x)))
    network = keras.Model(ids, layers.Dense(vocabulary)(x))

    def loss(y, logits):
        return tf.nn.sparse_softmax_cross_entropy_with_logits(tf.cast(y, "int32"), logits)

    network.compile(keras.optimizers.AdamW(0.003), loss)
    return network


def _days(parameters, tokens, devices, peak, utilisation, each=6):
    return each * parameters * tokens / (devices * peak * utilisation) / 86_400


RIGHT = {
    "widest": [_widest_by_root, _widest_by_halving],
    "training_days": [
        lambda n, t, d, p, u: np.float64(6) * n * t / np.prod([d, p, u, 24.0, 3_600.0]),
        lambda n, t, d, p, u: tf.constant(n * t / (d * p), "float64") * 6 / (u * 86_400),
    ],
    "cache_bytes": [
        lambda d, w, t, s, b: np.prod([2, d, w, t, s, b], dtype="int64"),
        lambda d, w, t, s, b: sum(2 * w * b for _ in range(d)) * float(t) * s,
    ],
    "fit_power_law": [_fit_lstsq, _fit_moments],
    "build_to_budget": [_untied, _recurrent],
}

WRONG = {
    "widest": [
        (lambda n, v, c, d: _search(n, v, c, d) + 8, "first width over the budget"),
        (lambda n, v, c, d: _search(n, v, c, d, step=1), "multiple of 8"),
        (lambda n, v, c, d: _search(n, 0, 0, d), "expected|tables were left out"),
        (lambda n, v, c, d: _search(n, v, c, 1), "one block was counted"),
        (lambda n, v, c, d: _search(n - 1, v, c, d), "up to and with"),
        (lambda n, v, c, d: print(n), "Is a `return` missing?"),
    ],
    "training_days": [
        (lambda *a: _days(*a, each=2), "only the forward pass"),
        (lambda n, t, d, p, u: _days(n, t, d, p, 1), "multiply it by the utilisation"),
        (lambda *a: 86_400 * _days(*a), "seconds were returned"),
        (lambda n, t, d, p, u: _days(n, t, 1, p, u), "one device"),
    ],
    "cache_bytes": [
        (lambda d, w, t, s, b: d * w * t * s * b, "only the keys"),
        (lambda d, w, t, s, b: 3 * d * w * t * s * b, "query was kept"),
        (lambda d, w, t, s, b: 2 * d * w * t * s, "not bytes"),
        (lambda d, w, t, s, b: 2 * w * t * s * b, "one layer"),
    ],
    "fit_power_law": [
        (lambda x, y: (_fit_lstsq(x, y)[0], -_fit_lstsq(x, y)[1]), "sign of the exponent"),
        (lambda x, y: (np.log(_fit_lstsq(x, y)[0]), _fit_lstsq(x, y)[1]), "undo it with exp"),
        (lambda x, y: _fit_lstsq(x, y)[::-1], "first the coefficient"),
        (lambda x, y: _fit_lstsq(np.exp(x / x.max()), y), "expected"),
        (lambda x, y: _fit_lstsq(x, y)[1], "expected 2 values"),
    ],
    "build_to_budget": [
        (_gpt(50), "too many"),
        (_gpt(24), "unused"),
        (_gpt(causal=False), "sees the future"),
        (_gpt(58, sees=False), "does not look back"),
        (_gpt(last="softmax"), "leave the softmax out"),
        (_gpt(from_logits=False), "from_logits=True"),
        (_gpt(compiled=False), "not compiled"),
        (_gpt(rate=0.0), "does not learn"),
        (lambda vocabulary, context, parameters: print("built"), "return"),
    ],
}
