"""Other right answers, and wrong ones with a piece of the message that each must get, for chapter 10b."""

import functools

import keras
import numpy as np
import tensorflow as tf
from keras import layers, ops

LOSS = keras.losses.SparseCategoricalCrossentropy


def _pair_numpy(sounds, start, end, length):
    row = np.zeros(length + 1, "int32")
    row[0], row[1 : len(sounds) + 1] = start, sounds
    target = row[1:].copy()
    target[len(sounds)] = end
    return row[:-1], target


def _pair_tensor(sounds, start, end, length):
    rows = tf.constant([[start, *sounds], [*sounds, end]])
    given, target = tf.pad(rows, [[0, 0], [0, length - len(sounds) - 1]])
    return given, target


def _distance_recursive(one, other):
    @functools.cache
    def table(i, j):
        if not i or not j:
            return i + j
        same = one[i - 1] == other[j - 1]
        return min(table(i - 1, j) + 1, table(i, j - 1) + 1, table(i - 1, j - 1) + (not same))

    return table(len(one), len(other))


def _distance_tensorflow(one, other):
    signs = {sign: number for number, sign in enumerate(dict.fromkeys([*one, *other]))}
    rows = [tf.sparse.from_dense(tf.constant([[signs[sign] + 1 for sign in row]], tf.int32)) for row in (one, other)]
    return tf.edit_distance(*rows, normalize=False)[0]


def _distance_short(one, other):
    return sum(a != b for a, b in zip(one, other, strict=False))


def _rates_numpy(answers, several, distance):
    best = [
        min(((distance(answer, one), number, len(one)) for number, one in enumerate(right)))
        for answer, right in zip(answers, several, strict=True)
    ]
    edits, _, lengths = np.array(best, "float64").T
    return edits.sum() / lengths.sum(), np.mean(edits > 0)


def _rates_membership(answers, several, distance):
    edits = length = right_words = 0
    for answer, right in zip(answers, several, strict=True):
        found = [distance(answer, one) for one in right]
        edits += min(found)
        length += len(right[found.index(min(found))])
        right_words += list(answer) in [list(one) for one in right]
    return ops.array(edits / length), ops.array(1 - right_words / len(answers))


def _first_only(answers, several, distance):
    return _rates_numpy(answers, [right[:1] for right in several], distance)


def _greedy_while(step, state, start, end, longest):
    answer = [start]
    while answer[-1] != end and len(answer) <= longest:
        scores, state = step(answer[-1], state)
        answer.append(int(tf.argmax(scores)))
    return [token for token in answer[1:] if token != end]


def _greedy_recursive(step, state, start, end, longest):
    if not longest:
        return []
    scores, state = step(start, state)
    token = int(np.asarray(scores).argmax())
    return [] if token == end else [token, *_greedy_recursive(step, state, token, end, longest - 1)]


def _greedy(forget=False, stuck=False, keep=False):
    def greedy(step, state, start, end, longest):
        answer, token = [], start
        for _ in range(longest):
            scores, new = step(start if stuck else token, state)
            state = state if forget else new
            token = int(np.argmax(scores))
            if token == end and not keep:
                break
            answer.append(token)
            if token == end:
                break
        return answer

    return greedy


def _forward_loop(weights):
    places = [max(range(len(row)), key=lambda letter: row[letter]) for row in weights]
    return sum(now >= before for before, now in zip(places, places[1:], strict=False)) / (len(places) - 1)


def _attentive(letters, sounds):
    read, said = keras.Input((None,), dtype="int32"), keras.Input((None,), dtype="int32")
    real = ops.not_equal(read, 0)
    memory, state = layers.GRU(32, return_sequences=True, return_state=True)(
        layers.Embedding(letters, 16)(read), mask=real
    )
    query = layers.GRU(32, return_sequences=True)(layers.Embedding(sounds, 16)(said), initial_state=state)
    context = layers.MultiHeadAttention(1, 32)(query, memory * 1.0, attention_mask=real[:, None, :])
    network = keras.Model([read, said], layers.Dense(sounds)(ops.concatenate([query, context], axis=-1)))
    network.compile(keras.optimizers.Adam(0.01), LOSS(from_logits=True, ignore_class=0))
    return network


def _masked_loss(y, logits):
    each = ops.sparse_categorical_crossentropy(y, logits, from_logits=True)
    real = ops.cast(ops.not_equal(y, 0), logits.dtype)
    return ops.sum(each * real) / ops.sum(real)


def _speller(
    mask=True, joined=True, backwards=False, last=None, compiled=True, ignore=0, whole=True, loss=None, reads=True
):
    def build_speller(letters, sounds):
        read, said = keras.Input((None,), dtype="int32"), keras.Input((None,), dtype="int32")
        state = layers.GRU(32)(layers.Embedding(letters, 16, mask_zero=mask)(read))
        vectors = layers.Embedding(sounds, 16)(said) if reads else layers.Embedding(sounds, 16)(said) * 0
        decoder = layers.GRU(32, return_sequences=whole)
        if backwards:
            decoder = layers.Bidirectional(decoder)
            states = decoder(vectors, initial_state=[state, state])
        else:
            states = decoder(vectors, initial_state=state if joined else ops.zeros_like(state) * state)
        network = keras.Model([read, said], layers.Dense(sounds, last)(states))
        if compiled:
            cross_entropy = loss or LOSS(from_logits=not last, ignore_class=ignore)
            network.compile(keras.optimizers.Adam(0.01), cross_entropy)
        return network

    return build_speller


RIGHT = {
    "teacher_pair": [_pair_numpy, _pair_tensor],
    "edit_distance": [_distance_recursive, _distance_tensorflow],
    "error_rates": [_rates_numpy, _rates_membership],
    "greedy": [_greedy_while, _greedy_recursive],
    "forward_share": [
        _forward_loop,
        lambda weights: tf.reduce_mean(tf.cast(tf.argmax(weights, 1)[1:] >= tf.argmax(weights, 1)[:-1], "float32")),
    ],
    "build_speller": [_attentive, _speller(loss=_masked_loss)],
}

WRONG = {
    "teacher_pair": [
        (lambda s, start, end, n: _pair_numpy(s, start, end, n)[::-1], "exchanged"),
        (lambda s, start, end, n: (_pair_numpy(s, start, end, n)[0],) * 2, "value 2 of 2"),
        (lambda s, start, end, n: ([start, *s], [*s, end]), "expected the shape"),
        (lambda s, start, end, n: _pair_numpy(s, start, 0, n), "has no `end`"),
        (lambda s, start, end, n: _pair_numpy(s, start, end, n)[0], "2 values"),
    ],
    "edit_distance": [
        (_distance_short, "expected"),
        (lambda one, other: abs(len(one) - len(other)), "only the lengths"),
        (lambda one, other: _distance_short(one, other) + abs(len(one) - len(other)), "shifts all that follows"),
        (lambda one, other: len(set(one) ^ set(other)), "expected"),
    ],
    "error_rates": [
        (_first_only, "only the first listed"),
        (lambda a, s, d: _rates_numpy(a, s, d)[::-1], "exchanged"),
        (lambda a, s, d: 100 * np.array(_rates_numpy(a, s, d)), "2 values|expected"),
        (
            lambda a, s, d: (
                np.mean([min(d(one, r) / len(r) for r in right) for one, right in zip(a, s, strict=True)]),
                _rates_numpy(a, s, d)[1],
            ),
            "divide once",
        ),
    ],
    "greedy": [
        (_greedy(forget=True), "began from the first state"),
        (_greedy(stuck=True), "feed the last token back"),
        (_greedy(keep=True), "end is part of the answer"),
        (lambda step, state, start, end, longest: step(start, state)[0], "expected"),
    ],
    "forward_share": [
        (lambda weights: np.mean(np.diff(weights.argmax(axis=1)) > 0), "standing still"),
        (lambda weights: np.mean(np.diff(weights.argmax(axis=1)) < 0), "steps back"),
        (lambda weights: np.mean(np.diff(weights.argmax(axis=0)) >= 0), "axes are exchanged"),
        (lambda weights: np.diff(weights.argmax(axis=1)) >= 0, "expected the shape"),
    ],
    "build_speller": [
        (_speller(mask=False), "padding is read"),
        (_speller(joined=False), "letters make no difference"),
        (_speller(backwards=True), "sees the future"),
        (_speller(last="softmax"), "softmax"),
        (_speller(compiled=False), "not compiled"),
        (_speller(ignore=None), "the padding is counted"),
        (_speller(whole=False), "each step of the decoder"),
        (_speller(reads=False), "sounds so far make no difference"),
    ],
}
