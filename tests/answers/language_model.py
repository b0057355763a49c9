"""Other right answers, and wrong ones with a piece of the message that each must get, for chapter 11c."""

import math

import keras
import numpy as np
import tensorflow as tf
from keras import layers, ops


def _pieces_loop(ids, length):
    x, y, start = [], [], 0
    while start + length < len(ids):
        x.append(ids[start : start + length].tolist())
        y.append(ids[start + 1 : start + length + 1].tolist())
        start += length
    return np.array(x), np.array(y)


def _pieces_tf(ids, length):
    number = (len(ids) - 1) // length
    return tf.reshape(ids[:-1][: number * length], (-1, length)), tf.reshape(ids[1:][: number * length], (-1, length))


def _min_p_loop(p, share):
    kept = [value if value >= share * max(p) else 0.0 for value in p.tolist()]
    return [value / sum(kept) for value in kept]


def _min_p_ops(p, share):
    p = ops.convert_to_tensor(p)
    kept = ops.where(p >= share * ops.max(p), p, 0.0)
    return kept / ops.sum(kept)


def _gpt(
    tie="reverse", causal=True, places=True, norms=3, loss=True, rate=0.01, softmax=False, compiled=True, bias=False
):
    def build_tied(symbols, length, width, heads):
        def norm(x, number):
            return layers.LayerNormalization()(x) if number <= norms else x

        ids = keras.Input((length,), dtype="int32")
        table = layers.ReversibleEmbedding(symbols, width)
        x = table(ids)
        if places:
            x = x + layers.Embedding(length, width)(ops.cumsum(ops.ones_like(ids), axis=1) - 1)
        normed = norm(x, 1)
        x = x + layers.MultiHeadAttention(heads, width // heads)(normed, normed, use_causal_mask=causal)
        x = x + layers.Dense(width)(layers.Dense(4 * width, "relu")(norm(x, 2)))
        x = norm(x, 3)
        if tie == "dense":
            logits = layers.Dense(symbols, use_bias=bias)(x)
        elif tie == "copied":
            logits = ops.matmul(x, ops.transpose(table.embeddings))
        elif tie == "einsum":
            logits = ops.einsum("ntd,sd->nts", x, table.embeddings)
        else:
            logits = table(x, reverse=True)
        network = keras.Model(ids, ops.softmax(logits) if softmax else logits)
        if compiled:
            network.compile(keras.optimizers.Adam(rate), keras.losses.SparseCategoricalCrossentropy(from_logits=loss))
        return network

    return build_tied


class Tied(keras.Model):
    """A right answer as a subclass."""

    def __init__(self, symbols, length, width, heads):
        super().__init__()
        self.symbols, self.places = layers.Embedding(symbols, width), layers.Embedding(length, width)
        self.attention = layers.MultiHeadAttention(heads, width // heads)
        self.norms = [layers.LayerNormalization() for _ in range(3)]
        self.thinking = keras.Sequential([layers.Dense(4 * width, "relu"), layers.Dense(width)])

    def call(self, ids):
        time = ops.shape(ids)[1]
        x = self.symbols(ids) + self.places(ops.arange(time))
        normed = self.norms[0](x)
        x = x + self.attention(normed, normed, attention_mask=ops.tri(time, dtype="bool")[None])
        x = x + self.thinking(self.norms[1](x))
        return ops.matmul(self.norms[2](x), ops.transpose(self.symbols.embeddings))


def _subclass(symbols, length, width, heads):
    network = Tied(symbols, length, width, heads)
    network(np.ones((1, length), "int32"))
    network.compile(keras.optimizers.Adam(0.01), keras.losses.SparseCategoricalCrossentropy(from_logits=True))
    return network


RIGHT = {
    "perplexity": [
        lambda probabilities: math.exp(-sum(math.log(p) for p in probabilities) / len(probabilities)),
        lambda probabilities: ops.power(2.0, -ops.mean(ops.log2(ops.convert_to_tensor(probabilities, "float32")))),
        lambda probabilities: np.prod(probabilities) ** (-1 / len(probabilities)),
    ],
    "pieces": [_pieces_loop, _pieces_tf],
    "min_p": [_min_p_loop, _min_p_ops],
    "cache_bytes": [
        lambda texts, length, width, blocks, bytes_each: (
            sum(2 * np.zeros((texts, length, width), "int8").nbytes for _ in range(blocks)) * bytes_each
        ),
        lambda *sizes: 2.0 * math.prod(sizes),
    ],
    "build_tied": [_subclass, _gpt("einsum"), _gpt(rate=0.003), _gpt()],
}

WRONG = {
    "perplexity": [
        (lambda probabilities: -np.mean(np.log2(probabilities)), "bits were returned"),
        (lambda probabilities: 2 ** -np.mean(np.log(probabilities)), "were mixed"),
        (lambda probabilities: 1 / np.mean(probabilities), "average their logarithms"),
        (lambda probabilities: 2 ** np.mean(np.log2(probabilities)), "minus sign"),
        (lambda probabilities: -np.log2(probabilities), "expected the shape"),
    ],
    "pieces": [
        (lambda ids, length: (ids[: len(ids) // length * length].reshape(-1, length),) * 2, "shape|expected"),
        (lambda ids, length: _pieces_loop(ids, length)[::-1], "changed places"),
        (lambda ids, length: (_pieces_loop(ids, length)[0],) * 2, "one place later"),
        (lambda ids, length: _pieces_loop(ids, length)[0], "expected 2 values"),
        (
            lambda ids, length: tuple(_pieces_loop(ids, length)[0][:, part] for part in (slice(0, -1), slice(1, None))),
            "expected the shape",
        ),
    ],
    "min_p": [
        (lambda p, share: p * (p >= share * p.max()), "not divided by its sum"),
        (lambda p, share: p * (p >= share) / np.sum(p * (p >= share)), "expected|threshold"),
        (lambda p, share: (p >= share * p.max()) / np.sum(p >= share * p.max()), "proportions stay"),
        (lambda p, share: p[p >= share * p.max()] / p[p >= share * p.max()].sum(), "expected the shape"),
    ],
    "cache_bytes": [
        (
            lambda texts, length, width, blocks, bytes_each: texts * length * width * blocks * bytes_each,
            "only the keys",
        ),
        (lambda texts, length, width, blocks, bytes_each: 2 * texts * length * width * bytes_each, "blocks were"),
        (lambda texts, length, width, blocks, bytes_each: 2 * length * width * blocks * bytes_each, "number of texts"),
        (lambda texts, length, width, blocks, bytes_each: 3 * texts * length * width * blocks * bytes_each, "queries"),
    ],
    "build_tied": [
        (_gpt("dense"), "second table|must come from the table|output is tied|found 2"),
        (_gpt("dense", bias=True), "dense layer makes the logits"),
        (_gpt("copied"), "copies the numbers once"),
        (_gpt(causal=False), "causal mask"),
        (_gpt(places=False), "table of places"),
        (_gpt(norms=2), "One layer norm"),
        (_gpt(softmax=True), "probabilities already"),
        (_gpt(loss=False), "from_logits=True"),
        (_gpt(rate=0.0), "does not learn"),
        (_gpt(compiled=False), "not compiled"),
        (lambda symbols, length, width, heads: print("built"), "return"),
    ],
}
