"""Other right answers, and wrong ones with a piece of the message that each must get, for chapter 12b."""

import re

import keras
import numpy as np
import tensorflow as tf
from keras import layers, ops


def _words_loop(pieces):
    text = ""
    for piece in pieces:
        if piece in {"[CLS]", "[SEP]", "[PAD]"}:
            continue
        text += piece[2:] if piece[:2] == "##" else " " + piece
    return text.strip()


def _count_by_keras(width, hidden):
    x = keras.Input((None, width))
    seen = layers.MultiHeadAttention(1, width)(x, x)
    y = layers.LayerNormalization()(x + seen)
    y = layers.LayerNormalization()(y + layers.Dense(width)(layers.Dense(hidden)(y)))
    return keras.Model(x, y).count_params()


def _cosine_keras(one, other):
    return ops.matmul(ops.normalize(one, axis=-1), ops.transpose(ops.normalize(other, axis=-1)))


def _cosine_loop(one, other):
    return [[float(a @ b) / (float(a @ a) * float(b @ b)) ** 0.5 for b in other] for a in one]


def _place_by_sort(wanted, query, vectors):
    order = sorted(range(len(vectors)), key=lambda row: float(vectors[row] @ query), reverse=True)
    return order.index(wanted) + 1


def _encoder(
    mask=True, mean_mask=True, last=None, loss=None, rate=0.003, compiled=True, feed_forward=True, gelu="gelu", blocks=1
):
    def build_encoder(pieces, width, heads, hidden):
        ids = keras.Input((None,), dtype="int32")
        real = ops.not_equal(ids, 0)
        x = layers.Embedding(pieces, width)(ids)
        for _ in range(blocks):
            keep = {"attention_mask": real[:, None, :]} if mask else {}
            x = layers.LayerNormalization()(x + layers.MultiHeadAttention(heads, width // heads)(x, x, **keep))
            if feed_forward:
                x = layers.LayerNormalization()(x + layers.Dense(width)(layers.Dense(hidden, gelu)(x)))
        x = layers.GlobalAveragePooling1D()(x, mask=real if mean_mask else None)
        network = keras.Model(ids, layers.Dense(1, last)(x))
        if compiled:
            cross_entropy = keras.losses.BinaryCrossentropy(from_logits=True)
            network.compile(keras.optimizers.Adam(rate), loss or cross_entropy)
        return network

    return build_encoder


class Subclass(keras.Model):
    def __init__(self, pieces, width, heads, hidden):
        super().__init__()
        self.table = layers.Embedding(pieces, width)
        self.attention = layers.MultiHeadAttention(heads, width // heads)
        self.norms = [layers.LayerNormalization(epsilon=1e-12), layers.LayerNormalization(epsilon=1e-12)]
        self.feed_forward = [layers.Dense(hidden, keras.activations.gelu), layers.Dense(width)]
        self.logit = layers.Dense(1)

    def call(self, ids):
        real = tf.cast(tf.not_equal(ids, 0), "float32")
        x = self.table(ids)
        x = self.norms[0](x + self.attention(x, x, attention_mask=tf.cast(real, "bool")[:, None, :]))
        x = self.norms[1](x + self.feed_forward[1](self.feed_forward[0](x)))
        mean = tf.reduce_sum(x * real[:, :, None], axis=1) / tf.reduce_sum(real, axis=1, keepdims=True)
        return self.logit(mean)


def _subclassed(*sizes):
    network = Subclass(*sizes)
    network.compile(keras.optimizers.Adam(0.003), keras.losses.BinaryCrossentropy(from_logits=True))
    return network


RIGHT = {
    "to_words": [
        _words_loop,
        lambda pieces: re.sub(r" ##|\[(?:CLS|SEP|PAD)\] ?", "", " ".join(pieces)).strip(),
    ],
    "count_block": [_count_by_keras, lambda width, hidden: (4 * width + 9 + 2 * hidden) * width + hidden],
    "to_file": [
        lambda kernel: tf.transpose(tf.reshape(kernel, (kernel.shape[0], -1))),
        lambda kernel: np.moveaxis(kernel, 0, -1).reshape(-1, kernel.shape[0]).astype("float64"),
        lambda kernel: np.concatenate([kernel[:, head].T for head in range(kernel.shape[1])]),
    ],
    "cosine_table": [_cosine_keras, _cosine_loop],
    "place_of": [
        _place_by_sort,
        lambda wanted, query, vectors: tf.reduce_sum(
            tf.cast(tf.linalg.matvec(vectors, query) >= tf.tensordot(vectors[wanted], query, 1), "int32")
        ),
    ],
    "build_encoder": [_subclassed, _encoder(gelu=keras.activations.gelu)],
}

WRONG = {
    "to_words": [
        (lambda pieces: " ".join(pieces).replace(" ##", ""), "special pieces were kept"),
        (lambda pieces: " ".join(piece for piece in pieces if piece[0] != "["), "signs ##"),
        (lambda pieces: " ".join(p.replace("##", "") for p in pieces if p[0] != "["), "still apart"),
        (lambda pieces: _words_loop(pieces).split(), "I expected **hello unhappy**"),
        (lambda pieces: print(_words_loop(pieces)), "Is a `return` missing?"),
    ],
    "count_block": [
        (lambda width, hidden: 4 * width**2 + 2 * width * hidden + 4 * width, "biases are missing"),
        (lambda width, hidden: 4 * width**2 + 4 * width + 2 * width * hidden + hidden + width, "two normalisations"),
        (lambda width, hidden: 3 * width**2 + 2 * width * hidden + 8 * width + hidden, "output matrix"),
        (lambda width, hidden: 4 * width + 2 * hidden, "I expected"),
    ],
    "to_file": [
        (lambda kernel: kernel.reshape(len(kernel), -1), "transpose is missing"),
        (lambda kernel: kernel.T.reshape(-1, len(kernel)), "heads are mixed"),
        (lambda kernel: kernel.reshape(-1, len(kernel)), "reshape is no transpose"),
        (lambda kernel: kernel.T, "I expected the shape"),
    ],
    "cosine_table": [
        (lambda one, other: one @ other.T, "not divided out"),
        (lambda one, other: one @ other.T / (np.linalg.norm(one) * np.linalg.norm(other)), "each row has its own"),
        (lambda one, other: np.sum(one * other, axis=1), "raised|I expected the shape"),
        (lambda one, other: np.array(_cosine_loop(other, one)), "transposed|I expected the shape"),
    ],
    "place_of": [
        (lambda wanted, query, vectors: _place_by_sort(wanted, query, vectors) - 1, "counted from 0"),
        (lambda wanted, query, vectors: _place_by_sort(wanted, -query, vectors), "smallest cosine came first"),
        (lambda wanted, query, vectors: vectors[wanted] @ query, "I expected"),
        (lambda wanted, query, vectors: np.argsort(-(vectors @ query))[wanted] + 1, "not the place of that row"),
    ],
    "build_encoder": [
        (_encoder(mask=False), "change the answer"),
        (_encoder(mean_mask=False), "change the answer"),
        (_encoder(last="sigmoid"), "last layer without activation"),
        (_encoder(loss="mse"), "BinaryCrossentropy(from_logits=True)"),
        (_encoder(feed_forward=False), "parameters"),
        (_encoder(blocks=2), "parameters"),
        (_encoder(compiled=False), "not compiled"),
        (_encoder(rate=0.0), "does not learn"),
        (lambda pieces, width, heads, hidden: print(pieces), "return"),
    ],
}
