"""Other right answers, and wrong ones with a piece of the message that each must get, for chapter 09c."""

import math

import keras
import numpy as np
import tensorflow as tf
from keras import layers, ops


def _encode_by_index(tokens, vocabulary, length):
    row = np.zeros(length, "int32")
    for place, token in enumerate(tokens[:length]):
        row[place] = vocabulary.index(token) if token in vocabulary else 1
    return row


def _encode_lookup(tokens, vocabulary, length):
    lookup = layers.StringLookup(vocabulary=vocabulary[2:], mask_token="", oov_token="[UNK]")
    ids = lookup(tf.constant(tokens, tf.string))[:length]
    return tf.pad(ids, [[0, length - len(ids)]])


def _encode(tokens, vocabulary, length, unknown=1, front=False):
    row = [vocabulary.index(token) if token in vocabulary else unknown for token in tokens][:length]
    zeros = [0] * (length - len(row))
    return zeros + row if front else row + zeros


def _oov_loop(sentences, vocabulary):
    unknown = total = 0
    for sentence in sentences:
        for token in sentence:
            total += 1
            unknown += token not in vocabulary
    return unknown / total


def _last_gather(states, mask):
    lengths = tf.reduce_sum(tf.cast(mask, "int32"), axis=1)
    return tf.gather(tf.constant(states), lengths - 1, batch_dims=1)


def _last_ops(states, mask):
    last = ops.sum(ops.cast(mask, "int32"), axis=1)[:, None, None] - 1
    return ops.take_along_axis(ops.convert_to_tensor(states), ops.broadcast_to(last, (len(states), 1, 1)), axis=1)[:, 0]


def _last_loop(states, mask):
    return [row[int(kept.sum()) - 1].astype("float64") for row, kept in zip(states, mask, strict=True)]


def _mean_keras(vectors, mask):
    return layers.GlobalAveragePooling1D()(ops.convert_to_tensor(vectors), mask=ops.convert_to_tensor(mask))


def _sentiment(recurrent=None, mask=True, last=None, units=1, compiled=True, rate=0.01, from_logits=True, loss=None):
    def build_sentiment(words):
        network = keras.Sequential(
            [
                keras.Input((None,)),
                layers.Embedding(words, 16, mask_zero=mask),
                (recurrent or (lambda: layers.GRU(16)))(),
                layers.Dense(units, last),
            ]
        )
        if compiled:
            cross_entropy = keras.losses.BinaryCrossentropy(from_logits=from_logits)
            network.compile(keras.optimizers.Adam(rate), loss or cross_entropy)
        return network

    return build_sentiment


def _functional(words):
    ids = keras.Input((None,), dtype="int32")
    vectors = layers.Embedding(words, 16)(ids)
    state = layers.LSTM(16)(vectors, mask=ops.not_equal(ids, 0))
    network = keras.Model(ids, layers.Dense(1)(state))
    network.compile(keras.optimizers.Adam(0.01), keras.losses.BinaryCrossentropy(from_logits=True), metrics=["mae"])
    return network


def _softplus_loss(y, logits):
    return ops.mean(ops.softplus(logits) - ops.cast(y, logits.dtype) * logits, axis=-1)


RIGHT = {
    "idf": [
        lambda word, sentences: math.log((1 + len(sentences)) / (1 + len([s for s in sentences if word in s]))) + 1,
        lambda word, sentences: (
            1 - ops.log((1 + ops.sum([float(word in s) for s in sentences])) / (1 + len(sentences)))
        ),
    ],
    "encode": [_encode_by_index, _encode_lookup],
    "oov_share": [
        _oov_loop,
        lambda sentences, vocabulary: 1 - tf.reduce_mean([float(t in vocabulary) for s in sentences for t in s]),
    ],
    "last_real_state": [_last_gather, _last_ops, _last_loop],
    "masked_mean": [
        _mean_keras,
        lambda vectors, mask: np.einsum("ntd,nt->nd", vectors.astype("float64"), mask / mask.sum(axis=1)[:, None]),
        lambda vectors, mask: np.mean(vectors, axis=1, where=mask[:, :, None]),
    ],
    "build_sentiment": [_functional, _sentiment(lambda: layers.LSTM(16), loss=_softplus_loss)],
}

WRONG = {
    "idf": [
        (
            lambda word, sentences: np.log((1 + len(sentences)) / (1 + sum(s.count(word) for s in sentences))) + 1,
            "once",
        ),
        (
            lambda word, sentences: np.log((1 + len(sentences)) / (1 + sum(word in s for s in sentences))),
            "the 1 behind",
        ),
        (lambda word, sentences: np.log(len(sentences) / sum(word in s for s in sentences)) + 1, "expected|raised"),
        (
            lambda word, sentences: np.log10((1 + len(sentences)) / (1 + sum(word in s for s in sentences))) + 1,
            "base 10",
        ),
        (lambda word, sentences: print(word), "Is a `return` missing?"),
    ],
    "encode": [
        (lambda tokens, vocabulary, length: _encode(tokens, vocabulary, length, unknown=0), "0 is for padding"),
        (lambda tokens, vocabulary, length: _encode(tokens, vocabulary, length, front=True), "put them behind"),
        (lambda tokens, vocabulary, length: _encode(tokens, vocabulary, 99)[: len(tokens)], "expected the shape"),
        (lambda tokens, vocabulary, length: [vocabulary.index(token) for token in tokens], "shape|raised"),
        (lambda tokens, vocabulary, length: tokens, "expected numbers|expected the shape"),
    ],
    "oov_share": [
        (lambda sentences, vocabulary: 1 - _oov_loop(sentences, vocabulary), "known tokens were counted"),
        (lambda sentences, vocabulary: 100 * _oov_loop(sentences, vocabulary), "expected"),
        (
            lambda sentences, vocabulary: np.mean([_oov_loop([s], vocabulary) for s in sentences]),
            "a long sentence has more tokens",
        ),
        (
            lambda sentences, vocabulary: np.mean([t not in vocabulary for t in {t for s in sentences for t in s}]),
            "every occurrence counts",
        ),
    ],
    "last_real_state": [
        (lambda states, mask: states[:, -1], "padding or not"),
        (lambda states, mask: states[np.arange(len(states)), mask.sum(axis=1)], "raised `IndexError|expected"),
        (lambda states, mask: states[np.arange(len(states)), mask.sum(axis=1) - 2], "before the last real one"),
        (lambda states, mask: (states * mask[:, :, None]).sum(axis=1) / mask.sum(axis=1)[:, None], "were averaged"),
        (lambda states, mask: states[mask], "expected the shape"),
    ],
    "masked_mean": [
        (lambda vectors, mask: vectors.mean(axis=1), "averaged in"),
        (lambda vectors, mask: (vectors * mask[:, :, None]).mean(axis=1), "divided by all steps"),
        (lambda vectors, mask: (vectors * mask[:, :, None]).sum(axis=1), "division is missing"),
        (lambda vectors, mask: vectors[mask].mean(axis=0), "expected the shape"),
        (lambda vectors, mask: vectors * mask, "raised `ValueError"),
    ],
    "build_sentiment": [
        (_sentiment(mask=False), "the padding is read"),
        (_sentiment(layers.GlobalAveragePooling1D), "another order"),
        (_sentiment(last="sigmoid"), "the last layer has a sigmoid"),
        (_sentiment(from_logits=False), "Is it BinaryCrossentropy(from_logits=True)?"),
        (_sentiment(loss="mse"), "Is it BinaryCrossentropy(from_logits=True)?"),
        (_sentiment(units=2), "outputs of shape"),
        (_sentiment(compiled=False), "not compiled"),
        (_sentiment(rate=0.0), "does not learn"),
        (lambda words: print("built"), "return"),
    ],
}
