"""Other right answers, and wrong ones with a piece of the message that each must get, for chapter 11b."""

import math

import keras
import numpy as np
import tensorflow as tf
from keras import layers, ops


def _shifted_keras(said):
    said = ops.convert_to_tensor(said)
    return said[:, :-1], said[:, 1:]


def _parameters_from_keras(width):
    attentions = [layers.MultiHeadAttention(2, width // 2) for _ in range(2)]
    for attention in attentions:
        attention.build((None, None, width), (None, None, width))
    block = keras.Sequential([keras.Input((width,)), layers.Dense(4 * width), layers.Dense(width)])
    return sum(layer.count_params() for layer in [*attentions, block]) + 3 * 2 * width


def _rate_by_keras(step, peak, warm_up, total):
    return keras.optimizers.schedules.CosineDecay(0.0, total - warm_up, warmup_target=peak, warmup_steps=warm_up)(step)


def _rate_by_math(step, peak, warm_up, total):
    climbing = peak * step / warm_up
    falling = peak * (1 + math.cos(math.pi * (step - warm_up) / (total - warm_up))) / 2
    return climbing if step <= warm_up else falling


def _loss_keras(logits, targets):
    return keras.losses.SparseCategoricalCrossentropy(from_logits=True, ignore_class=0)(targets, logits)


def _loss_loop(logits, targets):
    losses = []
    for word, right in zip(logits.astype("float64"), targets, strict=True):
        losses += [
            np.log(np.exp(row).sum()) - row[phoneme] for row, phoneme in zip(word, right, strict=True) if phoneme
        ]
    return sum(losses) / len(losses)


def _loss_tf(logits, targets):
    losses = tf.nn.sparse_softmax_cross_entropy_with_logits(targets, logits)
    return tf.reduce_mean(tf.boolean_mask(losses, targets != 0))


def _pair_loop(first, second):
    best = (0, 0)
    for i in range(len(first)):
        for j in range(second.shape[1]):
            if first[i] * second[i, j] > first[best[0]] * second[best]:
                best = (i, j)
    return best


def _pair_by_row(first, second):
    i = int(np.argmax(first * second.max(axis=1)))
    return i, int(second[i].argmax())


def _positions(ids, size):
    places = layers.Embedding(40, 32)(ops.cumsum(ops.ones_like(ids), axis=1) - 1)
    return layers.Embedding(size, 32)(ids) + places


def _speller(
    causal=True, padding=True, cross=True, places=True, last=None, loss=None, rate=0.003, compiled=True, units=0
):
    def build_speller(letters, phonemes):
        read, said = keras.Input((None,), dtype="int32"), keras.Input((None,), dtype="int32")
        mask = ops.not_equal(read, 0)[:, None, :] if padding else None
        x = _positions(read, letters) if places else layers.Embedding(letters, 32)(read)
        x = layers.LayerNormalization()(x + layers.MultiHeadAttention(2, 16)(x, x, attention_mask=mask))
        y = _positions(said, phonemes)
        y = layers.LayerNormalization()(y + layers.MultiHeadAttention(2, 16)(y, y, use_causal_mask=causal))
        if cross:
            y = layers.LayerNormalization()(y + layers.MultiHeadAttention(2, 16)(y, x, attention_mask=mask))
        network = keras.Model([read, said], layers.Dense(phonemes + units, last)(layers.Dense(64, "relu")(y)))
        if compiled:
            masked = keras.losses.SparseCategoricalCrossentropy(from_logits=True, ignore_class=0)
            network.compile(keras.optimizers.Adam(rate), loss or masked)
        return network

    return build_speller


def _recurrent_decoder(letters, phonemes):
    """Right too: nobody asked how the decoder reads its past."""
    read, said = keras.Input((None,), dtype="int32"), keras.Input((None,), dtype="int32")
    memory = layers.Bidirectional(layers.GRU(16, return_sequences=True))(
        layers.Embedding(letters, 32)(read), mask=ops.not_equal(read, 0)
    )
    states = layers.GRU(32, return_sequences=True)(layers.Embedding(phonemes, 32)(said))
    seen = layers.MultiHeadAttention(1, 32)(states, memory, attention_mask=ops.not_equal(read, 0)[:, None, :])
    network = keras.Model([read, said], layers.Dense(phonemes)(layers.Concatenate()([states, seen])))
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True, ignore_class=0)
    network.compile(keras.optimizers.Adam(0.01), loss, metrics=["accuracy"])
    return network


RIGHT = {
    "shifted": [
        _shifted_keras,
        lambda said: [np.array([row[:-1] for row in said]), np.array([row[1:] for row in said])],
    ],
    "decoder_block_parameters": [_parameters_from_keras, lambda width: width * (16 * width + 19)],
    "learning_rate": [_rate_by_keras, _rate_by_math],
    "masked_loss": [_loss_keras, _loss_loop, _loss_tf],
    "likeliest_pair": [_pair_loop, _pair_by_row],
    "build_speller": [_speller(), _recurrent_decoder],
}

WRONG = {
    "shifted": [
        (lambda said: (said[:, 1:], said[:, :-1]), "the two are swapped"),
        (lambda said: (said[:, :-1], said[:, :-1]), "reads what it must say"),
        (lambda said: (said, said[:, 1:]), "expected the shape"),
        (lambda said: said[:, 1:], "expected 2 values"),
    ],
    "decoder_block_parameters": [
        (lambda width: 16 * width**2 + 6 * width, "biases are missing"),
        (lambda width: 12 * width**2 + 15 * width, "only one attention"),
        (lambda width: 14 * width**2 + 17 * width, "the output has one too"),
        (lambda width: 16 * width**2, "expected"),
    ],
    "learning_rate": [
        (lambda step, peak, warm_up, total: peak * step / total, "expected"),
        (
            lambda step, peak, warm_up, total: (
                peak * step / warm_up if step <= warm_up else peak / 2 * (1 + np.cos(np.pi * step / total))
            ),
            "when the warm-up ends",
        ),
        (
            lambda step, peak, warm_up, total: (
                peak if step < warm_up else peak / 2 * (1 + np.cos(np.pi * (step - warm_up) / (total - warm_up)))
            ),
            "the warm-up is missing",
        ),
        (lambda step, peak, warm_up, total: print(step), "Is a `return` missing?"),
    ],
    "masked_loss": [
        (
            lambda logits, targets: keras.losses.SparseCategoricalCrossentropy(from_logits=True)(targets, logits),
            "the padding was counted too",
        ),
        (
            lambda logits, targets: tf.nn.sparse_softmax_cross_entropy_with_logits(targets, logits),
            "expected the shape",
        ),
        (
            lambda logits, targets: ops.mean(
                keras.losses.sparse_categorical_crossentropy(targets, logits, from_logits=True) * (targets != 0)
            ),
            "divided by all places",
        ),
        (
            lambda logits, targets: keras.losses.SparseCategoricalCrossentropy(ignore_class=0)(targets, logits),
            "expected",
        ),
    ],
    "likeliest_pair": [
        (lambda first, second: (first.argmax(), second[first.argmax()].argmax()), "that is greedy"),
        (lambda first, second: np.unravel_index(second.argmax(), second.shape), "the first step was left out"),
        (lambda first, second: (first[:, None] * second).max(), "expected 2 values"),
        (lambda first, second: (first[:, None] * second).argmax(), "expected 2 values"),
    ],
    "build_speller": [
        (_speller(causal=False), "the causal mask is missing"),
        (_speller(padding=False), "padding is looked at"),
        (_speller(cross=False), "never looks at the encoder's output"),
        (_speller(places=False), "the letters have no positions"),
        (_speller(last="softmax"), "it puts out probabilities|It puts out probabilities"),
        (
            _speller(loss=keras.losses.SparseCategoricalCrossentropy(from_logits=True)),
            "the padding is counted",
        ),
        (_speller(units=1), "expected outputs of shape"),
        (_speller(compiled=False), "not compiled"),
        (_speller(rate=0.0), "does not learn"),
        (lambda letters, phonemes: print("built"), "return"),
    ],
}
