"""Other right answers, and wrong ones with a piece of the message that each must get, for chapter 11d."""

import keras
import numpy as np
import tensorflow as tf
from keras import layers, ops


def _grams(text, n):
    return ["".join(letters) for letters in zip(*[text[start:] for start in range(n)], strict=False)]


def _shared_by_striking_out(said, right, n):
    left, common = _grams(right, n), 0
    for gram in _grams(said, n):
        if gram in left:
            left.remove(gram)
            common += 1
    return common


def _shared_by_counting(said, right, n):
    one, other = _grams(said, n), _grams(right, n)
    return sum(min(one.count(gram), other.count(gram)) for gram in set(one))


def _score(beta=2, swap=False, singles=False, guard=True):
    def chrf_score(said, right):
        if swap:
            said, right = right, said
        sums = [0.0, 0.0]
        for n in [1] if singles else [1, 2]:
            common = _shared_by_striking_out(said, right, n)
            for place, text in enumerate([said, right]):
                sums[place] += common / len(_grams(text, n)) if _grams(text, n) else 0
        precision, recall = (value / (1 if singles else 2) for value in sums)
        if guard and (precision == 0 or recall == 0):
            return 0
        return (1 + beta**2) / (1 / precision + beta**2 / recall)

    return chrf_score


def _score_numpy(said, right):
    common = np.array([_shared_by_counting(said, right, n) for n in (1, 2)])
    precision = (common / np.maximum(1, [len(said), len(said) - 1])).mean()
    recall = (common / np.maximum(1, [len(right), len(right) - 1])).mean()
    return np.float32(5 * precision * recall / max(4 * precision + recall, 1e-12))


def _nearest_sklearn(queries, rows):
    from sklearn.metrics.pairwise import cosine_similarity

    return cosine_similarity(queries, rows).argmax(axis=1)


def _nearest_loop(queries, rows):
    def cosine(one, other):
        return one @ other / np.sqrt((one @ one) * (other @ other))

    return [max(range(len(rows)), key=lambda place: cosine(query, rows[place])) for query in queries]


def _nearest_keras(queries, rows):
    return ops.argmax(ops.matmul(queries, ops.transpose(ops.normalize(rows, axis=-1))), axis=-1)


def _central_loop(rows):
    means = []
    for number, row in enumerate(rows):
        means.append(np.mean([row @ other for place, other in enumerate(rows) if place != number]))
    return np.argmax(means)


def _by_hand(english, chinese, copied=False, out_only=False):
    """Right too: an Embedding whose table is used again by hand, and normalisation behind the addition.

    copied: the mistake that `ops.transpose` is computed at once, from the table as it was at the start.
    """
    read, said = keras.Input((None,), dtype="int32"), keras.Input((None,), dtype="int32")
    mask = ops.not_equal(read, 0)[:, None, :]
    table, places = layers.Embedding(chinese, 32), layers.Embedding(20, 32)
    memory = layers.Embedding(english, 32)(read) + places(ops.cumsum(ops.ones_like(read), axis=1) - 1)
    into = layers.Embedding(chinese + 1, 32) if out_only else table
    table(said)
    y = into(said) + places(ops.cumsum(ops.ones_like(said), axis=1) - 1)
    y = layers.LayerNormalization()(y + layers.MultiHeadAttention(2, 16)(y, y, use_causal_mask=True))
    y = layers.LayerNormalization()(y + layers.MultiHeadAttention(2, 16)(y, memory, attention_mask=mask))
    y = layers.Dense(32)(y)
    if copied:
        logits = ops.matmul(y, ops.transpose(table.embeddings))
    else:
        logits = ops.einsum("btw,cw->btc", y, table.embeddings)
    network = keras.Model([read, said], logits)
    network.compile("adam", keras.losses.SparseCategoricalCrossentropy(from_logits=True, ignore_class=0))
    network.optimizer.learning_rate = 0.01
    return network


def _translator(
    causal=True, padding=True, cross=True, tied=True, softmax=False, loss=None, rate=0.01, compiled=True, units=0
):
    """A recurrent network; right as it stands, for nobody asked how the decoder reads its past."""

    def build_translator(english, chinese):
        read, said = keras.Input((None,), dtype="int32"), keras.Input((None,), dtype="int32")
        real = ops.not_equal(read, 0)
        reader = layers.Bidirectional(layers.GRU(16, return_sequences=True))
        memory = reader(layers.Embedding(english, 32)(read), mask=real if padding else None)
        table = layers.ReversibleEmbedding(chinese + units, 32)
        states = table(said)
        states = layers.GRU(32, return_sequences=True)(states) if causal else reader(states)
        if cross:
            mask = real[:, None, :] if padding else None
            states += layers.MultiHeadAttention(1, 32)(states, memory, attention_mask=mask)
        states = layers.LayerNormalization()(states)
        logits = table(states, reverse=True) if tied else layers.Dense(chinese)(states)
        network = keras.Model([read, said], ops.softmax(logits) if softmax else logits)
        if compiled:
            masked = keras.losses.SparseCategoricalCrossentropy(from_logits=True, ignore_class=0)
            network.compile(keras.optimizers.Adam(rate), loss or masked)
        return network

    return build_translator


RIGHT = {
    "shared": [_shared_by_striking_out, _shared_by_counting],
    "chrf_score": [_score(), _score_numpy],
    "nearest": [_nearest_sklearn, _nearest_loop, _nearest_keras],
    "tied_logits": [
        lambda states, table: tf.tensordot(states, table, axes=[[2], [1]]),
        lambda states, table: ops.matmul(states, ops.transpose(table)),
        lambda states, table: [[[state @ row for row in table] for state in sentence] for sentence in states],
    ],
    "central": [_central_loop, lambda rows: np.sum(rows @ rows.T, axis=0).argmax()],
    "build_translator": [_by_hand, _translator()],
}

WRONG = {
    "shared": [
        (lambda said, right, n: len(set(_grams(said, n)) & set(_grams(right, n))), "each n-gram counts once"),
        (lambda said, right, n: sum(gram in _grams(right, n) for gram in _grams(said, n)), "as often as it was said"),
        (
            lambda said, right, n: sum(a == b for a, b in zip(_grams(said, n), _grams(right, n), strict=False)),
            "at the same place",
        ),
        (lambda said, right, n: set(_grams(said, n)) & set(_grams(right, n)), "expected"),
    ],
    "chrf_score": [
        (_score(beta=1), "recall counts more"),
        (_score(swap=True), "swapped"),
        (_score(singles=True), "only single characters"),
        (lambda said, right: 100 * _score()(said, right), "expected"),
        (_score(guard=False), "ZeroDivisionError"),
    ],
    "nearest": [
        (lambda queries, rows: (queries @ rows.T).argmax(axis=1), "long rows win"),
        (
            lambda queries, rows: [int(((rows - query) ** 2).sum(axis=1).argmin()) for query in queries],
            "the angle was asked for",
        ),
        (lambda queries, rows: _nearest_sklearn(rows, queries), "for each row"),
        (lambda queries, rows: _nearest_sklearn(queries, rows)[0], "expected the shape"),
    ],
    "tied_logits": [
        (lambda states, table: states @ table, "matmul"),
        (lambda states, table: states @ table.T / 2, "nothing is divided"),
        (lambda states, table: ops.softmax(ops.matmul(states, table.T)), "softmax was applied"),
        (lambda states, table: (states @ table.T).argmax(axis=-1), "expected the shape"),
    ],
    "central": [
        (lambda rows: (rows @ rows.T).sum(axis=1).argmin(), "least"),
        (lambda rows: (rows @ rows.T).sum(axis=1) - 1, "the index of the sentence was asked for"),
        (lambda rows: (rows @ rows.T - np.eye(len(rows))).max(axis=1).argmax(), "the mean over the others"),
        (lambda rows: print(rows.shape), "Is a `return` missing?"),
    ],
    "build_translator": [
        (_translator(tied=False), "one table serves"),
        (lambda english, chinese: _by_hand(english, chinese, copied=True), "a copy, or another matrix"),
        (lambda english, chinese: _by_hand(english, chinese, out_only=True), "come in from another table|one matrix"),
        (_translator(causal=False), "it looks into the future"),
        (_translator(padding=False), "padding is looked at"),
        (_translator(cross=False), "never looks at the English sentence"),
        (_translator(softmax=True), "puts out probabilities"),
        (_translator(loss=keras.losses.SparseCategoricalCrossentropy(from_logits=True)), "the padding is counted"),
        (_translator(units=1), "expected outputs of shape"),
        (_translator(compiled=False), "not compiled"),
        (_translator(rate=0.0), "does not learn"),
        (lambda english, chinese: print("built"), "return"),
    ],
}
