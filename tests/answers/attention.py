"""Other right answers, and wrong ones with a piece of the message that each must get, for chapter 10a."""

import math

import keras
import numpy as np
import tensorflow as tf
from keras import layers, ops
from scipy import special


def _entropy_loop(weights):
    return [-sum(w * math.log(w) for w in row if w > 0) for row in np.asarray(weights)]


def _allowed_loop(ids):
    batch, time = ids.shape
    mask = np.zeros((batch, time, time), bool)
    for b in range(batch):
        for i in range(time):
            for j in range(i + 1):
                mask[b, i, j] = ids[b, j] != 0
    return mask


def _allowed_tensor(ids):
    ones = tf.ones((ids.shape[1], ids.shape[1]), "int32")
    return tf.logical_and(tf.linalg.band_part(ones, -1, 0) > 0, tf.not_equal(ids, 0)[:, None, :])


def _safe_by_keras(query, key, value, mask):
    parts = [ops.convert_to_tensor(part, "float32")[None, :, None] for part in (query, key, value)]
    found = ops.dot_product_attention(*parts, mask=ops.convert_to_tensor(mask)[None, None])[0, :, 0]
    return ops.where(ops.any(ops.convert_to_tensor(mask), axis=1)[:, None], found, 0.0)


def _safe_nan(query, key, value, mask):
    scores = np.where(mask, query @ key.T / math.sqrt(query.shape[1]), -np.inf)
    with np.errstate(invalid="ignore"):
        return np.nan_to_num(special.softmax(scores, axis=1)) @ value


def _without_safety(query, key, value, mask):
    scores = np.where(mask, query @ key.T / np.sqrt(query.shape[1]), -np.inf)
    powers = np.exp(scores - scores.max(axis=1, keepdims=True))
    return powers / powers.sum(axis=1, keepdims=True) @ value


def _overflowing(query, key, value, mask):
    powers = np.exp(query @ key.T / np.sqrt(query.shape[1])) * mask
    return powers / np.maximum(powers.sum(axis=1, keepdims=True), 1e-9) @ value


def _additive_by_keras(query, key, W_query, W_key, v):
    layer = layers.AdditiveAttention()
    q, k = (ops.convert_to_tensor(part, "float32")[None] for part in (query @ W_query, key @ W_key))
    layer.build([q.shape, k.shape, k.shape])
    layer.set_weights([v])
    return layer([q, k, k], return_attention_scores=True)[1][0]


def _additive_loop(query, key, W_query, W_key, v):
    return [special.softmax([np.tanh(q @ W_query + k @ W_key) @ v for k in key]) for q in query]


def _additive(axis=1, tanh=np.tanh, soft=True):
    def additive_weights(query, key, W_query, W_key, v):
        scores = tanh((query @ W_query)[:, None] + (key @ W_key)[None]) @ v
        return special.softmax(scores, axis=axis) if soft else scores

    return additive_weights


class _Pooling(layers.Layer):
    """Learned queries, each with its own softmax over the words."""

    def __init__(self, queries):
        super().__init__()
        self.queries = queries

    def build(self, shape):
        self.query = self.add_weight(shape=(self.queries, shape[-1]))

    def call(self, vectors, real):
        scores = ops.einsum("qd,btd->bqt", self.query, vectors) / vectors.shape[-1] ** 0.5
        weights = ops.softmax(ops.where(real[:, None, :], scores, -1e9), axis=-1)
        return ops.einsum("bqt,btd->bqd", weights, vectors)


def _by_layer(words, queries):
    ids = keras.Input((None,), dtype="int32")
    pooled = _Pooling(queries)(layers.Embedding(words, 16)(ids), ops.not_equal(ids, 0))
    network = keras.Model(ids, layers.Dense(1)(layers.Reshape((queries * 16,))(pooled)))
    network.compile(keras.optimizers.Adam(0.01), keras.losses.BinaryCrossentropy(from_logits=True), metrics=["mae"])
    return network


def _pooling(bias=False, one=False, masked=True, axis=1, last=None, compiled=True, units=1, mean=False):
    def build_pooling(words, queries):
        ids = keras.Input((None,), dtype="int32")
        real = ops.not_equal(ids, 0)[:, :, None]
        vectors = layers.Embedding(words, 16)(ids)
        scores = layers.Dense(1 if one else queries, use_bias=bias)(vectors) / 4
        weights = layers.Softmax(axis=axis)(scores, mask=real if masked else None)
        if mean:
            weights = ops.cast(real, "float32") + 0 * weights
            weights = weights / ops.sum(weights, axis=1, keepdims=True)
        parts = [ops.sum(weights[:, :, q : q + 1] * vectors, axis=1) for q in range(1 if one else queries)]
        pooled = ops.concatenate(parts, axis=-1)
        network = keras.Model(ids, layers.Dense(units, last)(pooled))
        if compiled:
            network.compile(keras.optimizers.Adam(0.01), keras.losses.BinaryCrossentropy(from_logits=not last))
        return network

    return build_pooling


RIGHT = {
    "attention_entropy": [
        _entropy_loop,
        lambda weights: special.entr(weights).sum(axis=-1),
        lambda weights: -tf.reduce_sum(tf.math.xlogy(weights, weights), axis=-1),
    ],
    "allowed": [_allowed_loop, _allowed_tensor],
    "safe_attention": [_safe_by_keras, _safe_nan],
    "additive_weights": [_additive_by_keras, _additive_loop],
    "multiplications": [
        lambda n, m, d: n * d * d + m * d * d + m * d * d + n * m * d + n * m * d + n * d * d,
        lambda n, m, d: ops.sum(ops.array([2 * n * d * d, 2 * m * d * d, 2 * n * m * d])),
    ],
    "build_pooling": [_by_layer, _pooling()],
}

WRONG = {
    "attention_entropy": [
        (lambda weights: -(weights * np.log(weights)).sum(axis=-1), "`nan` or `inf`"),
        (lambda weights: special.entr(weights).sum(axis=-1) / np.log(2), "base 2"),
        (lambda weights: -special.entr(weights).sum(axis=-1), "never negative"),
        (lambda weights: special.entr(weights).sum(axis=0), "down the columns|shape"),
        (lambda weights: special.entr(weights).mean(axis=-1), "in place of the sum"),
    ],
    "allowed": [
        (lambda ids: ids != 0, "expected the shape"),
        (lambda ids: np.tri(ids.shape[1], dtype=bool) & (ids != 0)[:, :, None], "not among the keys"),
        (lambda ids: np.triu(np.ones((4, 4), bool)) & (ids != 0)[:, None, :], "turned around"),
        (lambda ids: np.repeat(np.tri(4, dtype=bool)[None], len(ids), axis=0), "padding is not hidden"),
        (lambda ids: ~_allowed_loop(ids), "exchanged"),
    ],
    "safe_attention": [
        (_without_safety, "nan"),
        (_overflowing, "nan|overflow"),
        (
            lambda q, k, v, m: special.softmax(np.where(m, q @ k.T / np.sqrt(q.shape[1]), -1e9), axis=1) @ v,
            "got the mean of all values",
        ),
        (
            lambda q, k, v, m: (special.softmax(q @ k.T / np.sqrt(q.shape[1]), axis=1) * m) @ v,
            "behind the softmax",
        ),
        (lambda q, k, v, m: _safe_nan(q * np.sqrt(q.shape[1]), k, v, m), "root of d is missing"),
    ],
    "additive_weights": [
        (_additive(soft=False), "without the softmax"),
        (_additive(axis=0), "down the columns"),
        (_additive(tanh=lambda x: x), "tanh is missing"),
        (lambda q, k, W_query, W_key, v: special.softmax(q @ W_query @ (k @ W_key).T, axis=1), "expected"),
    ],
    "multiplications": [
        (lambda n, m, d: 4 * n * d * d + 2 * n * m * d, "key and value have m"),
        (lambda n, m, d: 2 * n * m * d, "projections are missing"),
        (lambda n, m, d: 2 * (n + m) * d * d + n * m * d, "not the weighted means"),
        (lambda n, m, d: n * m, "expected"),
    ],
    "build_pooling": [
        (_pooling(masked=False), "padding is looked at"),
        (_pooling(axis=-1), "sum to 1|padding is looked at"),
        (_pooling(bias=True), "have none"),
        (_pooling(one=True), "one query"),
        (_pooling(last="sigmoid"), "sigmoid"),
        (_pooling(compiled=False), "not compiled"),
        (_pooling(units=2), "outputs of shape"),
        (_pooling(mean=True), "plain mean"),
    ],
}
