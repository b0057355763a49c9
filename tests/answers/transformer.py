"""Other right answers, and wrong ones with a piece of the message that each must get, for chapter 11a."""

import keras
import numpy as np
import tensorflow as tf
from keras import layers, ops


def _split_by_slices(x, heads):
    size = x.shape[-1] // heads
    return [[row[:, head * size : (head + 1) * size] for head in range(heads)] for row in x.astype("float64")]


def _split_keras(x, heads):
    return ops.transpose(ops.reshape(x, (x.shape[0], x.shape[1], heads, -1)), (0, 2, 1, 3))


def _normalise_moments(x, gamma, beta, epsilon):
    mean, variance = ops.moments(ops.convert_to_tensor(x), axes=-1, keepdims=True)
    return gamma * (x - mean) * ops.rsqrt(variance + epsilon) + beta


def _normalise_layer(x, gamma, beta, epsilon):
    layer = layers.LayerNormalization(epsilon=epsilon)
    x = tf.constant(x)[None]
    layer.build(x.shape)
    layer.set_weights([gamma, beta])
    return layer(x)[0]


def _normalise_rows(x, gamma, beta, epsilon):
    rows = x.reshape(-1, x.shape[-1]).astype("float64")
    done = [(row - row.mean()) / (np.mean(row**2) - row.mean() ** 2 + epsilon) ** 0.5 for row in rows]
    return np.reshape(done, x.shape) * gamma + beta


def _count_weights(vocabulary, length, width, hidden, blocks):
    attention = [(width, width), (width,)] * 4
    feed_forward = [(width, hidden), (hidden,), (hidden, width), (width,)]
    block = attention + feed_forward + [(width,)] * 4
    shapes = [(vocabulary, width), (length, width), *block * blocks, (width,), (width,)]
    return sum(int(np.prod(shape)) for shape in shapes)


def _encoder(
    norms=2,
    positions=True,
    mask=True,
    pool_mask=True,
    size=None,
    last=None,
    from_logits=True,
    rate=0.01,
    pre_norm=False,
    units=1,
    compiled=True,
    zero_mask=False,
):
    def build_encoder(words, length, width, heads):
        def norm(x, number):
            return layers.LayerNormalization()(x) if number <= norms else x

        ids = keras.Input((length,), dtype="int32")
        real = ops.not_equal(ids, 0)
        x = layers.Embedding(words, width, mask_zero=zero_mask)(ids)
        if positions:
            x = x + layers.Embedding(length, width)(ops.cumsum(ops.ones_like(ids), axis=1) - 1)
        attention = layers.MultiHeadAttention(heads, size or width // heads)
        options = {"attention_mask": real[:, None, :]} if mask else {}
        first, second = layers.Dense(4 * width, "relu"), layers.Dense(width)
        if pre_norm:
            normed = norm(x, 1)
            x = x + attention(normed, normed, **options)
            x = x + second(first(norm(x, 2)))
        else:
            x = norm(x + attention(x, x, **options), 1)
            x = norm(x + second(first(x)), 2)
        mean = layers.GlobalAveragePooling1D()(x, mask=real if pool_mask else None)
        network = keras.Model(ids, layers.Dense(units, last)(mean))
        if compiled:
            loss = keras.losses.BinaryCrossentropy(from_logits=from_logits)
            network.compile(keras.optimizers.Adam(rate), loss)
        return network

    return build_encoder


class Written(keras.Model):
    """A right answer as a subclass, places from arange, masks by arithmetic."""

    def __init__(self, words, length, width, heads):
        super().__init__()
        self.words, self.places = layers.Embedding(words, width), layers.Embedding(length, width)
        self.attention = layers.MultiHeadAttention(heads, width // heads)
        self.norms = [layers.LayerNormalization(), layers.LayerNormalization()]
        self.thinking = keras.Sequential([layers.Dense(4 * width, "relu"), layers.Dense(width)])
        self.head = layers.Dense(1)

    def call(self, ids):
        real = ops.cast(ops.not_equal(ids, 0), "float32")[:, :, None]
        x = self.words(ids) + self.places(ops.arange(ids.shape[1]))
        mask = ops.not_equal(ids, 0)[:, None, :]
        x = self.norms[0](x + self.attention(x, x, attention_mask=mask))
        x = self.norms[1](x + self.thinking(x))
        return self.head(ops.sum(x * real, axis=1) / ops.sum(real, axis=1))


def _subclass(words, length, width, heads):
    network = Written(words, length, width, heads)
    network(np.ones((1, length), "int32"))
    network.compile("adam", keras.losses.BinaryCrossentropy(from_logits=True))
    network.optimizer.learning_rate = 0.01
    return network


def _cross_ops(text, memory, W_q, W_k, W_v):
    q, k, v = (ops.matmul(*pair)[:, :, None] for pair in [(text, W_q), (memory, W_k), (memory, W_v)])
    return ops.dot_product_attention(q, k, v)[:, :, 0]


def _cross_layer(text, memory, W_q, W_k, W_v):
    layer = layers.MultiHeadAttention(1, W_q.shape[-1], use_bias=False)
    layer.build(text.shape, memory.shape)
    size = W_q.shape[-1]
    output = np.eye(size, text.shape[-1])[None]  # (1, size, width): keeps the head's numbers
    layer.set_weights([W_q[:, None], W_k[:, None], W_v[:, None], output])
    return layer(text, memory)[:, :, :size]


def _cross_loop(text, memory, W_q, W_k, W_v):
    results = []
    for one, other in zip(text.astype("float64"), memory.astype("float64"), strict=True):
        rows = []
        for query in one @ W_q:
            raised = np.exp(other @ W_k @ query / len(query) ** 0.5)
            rows.append((raised / raised.sum()) @ other @ W_v)
        results.append(rows)
    return np.array(results)


def _cross(text, memory, W_q, W_k, W_v, axis=-1, scale=None):
    weights = ops.softmax(text @ W_q @ (memory @ W_k).swapaxes(1, 2) / (scale or W_q.shape[-1] ** 0.5), axis=axis)
    return ops.matmul(weights, memory @ W_v)


RIGHT = {
    "split_heads": [_split_by_slices, _split_keras],
    "normalise": [_normalise_moments, _normalise_layer, _normalise_rows],
    "encoder_parameters": [
        _count_weights,
        lambda v, n, d, h, b: ops.convert_to_tensor(d * (v + n + 2 + b * (4 * d + 9 + 2 * h)) + b * h),
    ],
    "build_encoder": [_subclass, _encoder(zero_mask=True), _encoder(rate=0.001)],
    "cross_attention": [_cross_ops, _cross_layer, _cross_loop],
}

WRONG = {
    "split_heads": [
        (lambda x, heads: x.reshape(x.shape[0], heads, x.shape[1], -1), "mixes positions with heads"),
        (lambda x, heads: x.reshape(*x.shape[:2], heads, -1), "the heads come second"),
        (lambda x, heads: np.array(np.split(x, heads, axis=2)), "the batch does"),
        (lambda x, heads: x.reshape(*x.shape[:2], -1, heads).transpose(0, 3, 1, 2), "take turns"),
        (lambda x, heads: np.split(x, heads), "raised|expected"),
    ],
    "normalise": [
        (lambda x, gamma, beta, epsilon: gamma * (x - x.mean()) / np.sqrt(x.var() + epsilon) + beta, "whole array"),
        (
            lambda x, gamma, beta, epsilon: gamma * (x - x.mean(0)) / np.sqrt(x.var(0) + epsilon) + beta,
            "batch normalisation|expected",
        ),
        (
            lambda x, gamma, beta, epsilon: (
                gamma * (x - x.mean(-1, keepdims=True)) / (x.std(-1, keepdims=True) + epsilon) + beta
            ),
            "belongs to the variance",
        ),
        (
            lambda x, gamma, beta, epsilon: (
                (x - x.mean(-1, keepdims=True)) / np.sqrt(x.var(-1, keepdims=True) + epsilon)
            ),
            "gamma and beta are missing",
        ),
        (lambda x, gamma, beta, epsilon: (x - x.mean(-1)) / x.std(-1), "raised|expected"),
    ],
    "encoder_parameters": [
        (lambda v, n, d, h, b: (v + n) * d + b * (4 * d * d + 9 * d + 2 * d * h + h), "last norm"),
        (lambda v, n, d, h, b: v * d + b * (4 * d * d + 9 * d + 2 * d * h + h) + 2 * d, "places have no table"),
        (lambda v, n, d, h, b: (v + n) * d + b * (4 * d * d + 4 * d + 2 * d * h) + 2 * d, "biases are missing"),
        (lambda v, n, d, h, b: (v + n) * d + b * (12 * d * d + 13 * d) + 2 * d + b, "expected"),
    ],
    "build_encoder": [
        (_encoder(positions=False), "table of places"),
        (_encoder(norms=1), "One layer norm is missing"),
        (_encoder(norms=0), "Both layer norms"),
        (_encoder(size=8), "Each head is as wide as the model"),
        (_encoder(mask=False), "padding is looked at"),
        (_encoder(pool_mask=False), "padding is looked at"),
        (_encoder(last="sigmoid"), "a logit was asked for"),
        (_encoder(from_logits=False), "Is it BinaryCrossentropy(from_logits=True)"),
        (_encoder(compiled=False), "not compiled"),
        (_encoder(rate=0.0), "does not learn"),
        (_encoder(units=2), "outputs of shape"),
        (lambda words, length, width, heads: print("built"), "return"),
    ],
    "cross_attention": [
        (lambda text, memory, *W: _cross(memory, text, *W), "came from the memory|expected the shape"),
        (lambda text, memory, *W: _cross(text, text, *W), "memory was not used"),
        (lambda text, memory, *W: _cross(text, memory, *W, scale=1.0), "division by the root"),
        (lambda text, memory, *W: _cross(text, memory, *W, axis=1), "ran over the queries"),
        (lambda text, memory, *W: _cross(text, memory, *W, scale=8**0.5), "size of the head counts"),
        (lambda text, memory, W_q, W_k, W_v: _cross(text, memory, W_q, W_k, W_v) @ W_v.T, "expected the shape"),
    ],
}
