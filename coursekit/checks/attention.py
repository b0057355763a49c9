"""Exercises and quiz of chapter 10a."""

import numpy as np

from coursekit.calling import NotYet
from coursekit.checking import Exercise, Quiz
from coursekit.checks import build, forward, judge_compiled

_RANDOM = np.random.default_rng(0)
_QUERY, _KEY = _RANDOM.normal(size=(3, 4)).round(2), _RANDOM.normal(size=(5, 4)).round(2)
_VALUE = _RANDOM.normal(size=(5, 2)).round(2)
_OTHER_KEY = _RANDOM.normal(size=(5, 3)).round(2)
_W_QUERY, _W_KEY = _RANDOM.normal(size=(4, 6)).round(2), _RANDOM.normal(size=(3, 6)).round(2)
_V = _RANDOM.normal(size=6).round(2)
_MASK = np.array([[1, 1, 0, 0, 1], [0, 0, 0, 0, 0], [0, 1, 0, 0, 0]], bool)
_ROWS = np.array([[0.25, 0.25, 0.25, 0.25], [0.5, 0.3, 0.15, 0.05], [0.9, 0.1, 0.0, 0.0]])
_IDS = np.array([[5, 2, 9, 0], [7, 7, 0, 0], [1, 2, 3, 4]])
_WORDS = 40


def _softmax(scores, axis=-1):
    powers = np.exp(scores - scores.max(axis=axis, keepdims=True))
    return powers / powers.sum(axis=axis, keepdims=True)


def _attention_entropy(weights):
    terms = np.zeros(weights.shape)
    terms[weights > 0] = weights[weights > 0] * np.log(weights[weights > 0])
    return -terms.sum(axis=1)


def _allowed(ids):
    places = np.arange(ids.shape[1])
    return (places[:, None] >= places) & (ids[:, None, :] != 0)


def _safe_attention(query, key, value, mask):
    result = np.zeros((len(query), value.shape[1]))
    for i, seen in enumerate(mask):
        if seen.any():
            result[i] = _softmax(key[seen] @ query[i] / np.sqrt(len(query[i]))) @ value[seen]
    return result


def _low_scores(query, key, value, mask):
    return _softmax(np.where(mask, query @ key.T / np.sqrt(query.shape[1]), -1e9)) @ value


def _masked_after(query, key, value, mask):
    return (_softmax(query @ key.T / np.sqrt(query.shape[1])) * mask) @ value


def _not_divided(query, key, value, mask):
    return _safe_attention(query * np.sqrt(query.shape[1]), key, value, mask)


def _additive_scores(query, key, W_query, W_key, v):
    return np.array([[np.tanh(one @ W_query + other @ W_key) @ v for other in key] for one in query])


def _additive_weights(query, key, W_query, W_key, v):
    return _softmax(_additive_scores(query, key, W_query, W_key, v))


def _without_tanh(query, key, W_query, W_key, v):
    return _softmax((query @ W_query @ v)[:, None] + key @ W_key @ v)


def _multiplied(query, key, W_query, W_key, v):
    return _softmax(np.tanh((query @ W_query)[:, None] * (key @ W_key)) @ v)


def _multiplications(n, m, d):
    return 2 * d * (n * d + m * d + n * m)


def _judge_pooling(answer):
    random = np.random.default_rng(0)
    ids = random.integers(2, _WORDS, (32, 7))
    ids[:16, random.integers(0, 7, 16)] = 1  # word 1 decides
    y = (ids == 1).any(axis=1, keepdims=True).astype("float32")  # (32, 1)
    network = build(answer, _WORDS, 3)
    output = forward(network, ids)
    table, queries, last = _WORDS * 16, 16 * 3, 3 * 16 + 1
    if output.shape == (32, 1):
        if ((output > 0.2) & (output < 0.8)).all():
            raise NotYet("Untrained, it puts out about 0.5: the last layer has a sigmoid, and a logit was asked for.")
        if network.count_params() == table + 16 + 16 + 1:
            raise NotYet(
                "It has the parameters of one query; with `queries=3` I expected three, and 48 numbers pooled."
            )
        if network.count_params() == table + queries + 3 + last:
            raise NotYet("There are 3 parameters too many: are the queries a dense layer with a bias? They have none.")
    judge_compiled(network, ids, y, (32, 1), table + queries + last, learning_steps=40)
    output = forward(network, ids)
    if not np.allclose(output, forward(network, np.pad(ids, ((0, 0), (0, 6)))), atol=1e-4):
        raise NotYet(
            "Six zeros behind each sentence change the answer: the padding is looked at. Mask the scores, before the "
            "softmax."
        )
    if not np.allclose(output, forward(network, ids[:, ::-1]), atol=1e-4):
        raise NotYet("The words in another order give another answer; attention pooling does not know the order.")
    repeated = np.repeat(ids, 2, axis=1)  # each word twice: the weights halve, the weighted mean stays
    if not np.allclose(output, forward(network, repeated), atol=1e-4):
        raise NotYet(
            "Each word written twice changes the answer, so the weights over the words do not sum to 1. Over which "
            "axis is the softmax? `axis=1` is time."
        )
    _judge_not_the_mean(network)


def _judge_not_the_mean(network):
    """The answer must not be an affine function of counts: mixtures of two words, (5, 4), against a straight line."""
    words = np.array([[2, 2, 2, 2], [2, 2, 2, 1], [2, 2, 1, 1], [2, 1, 1, 1], [1, 1, 1, 1]])
    curve = forward(network, words)[:, 0]
    if np.allclose(curve, np.linspace(curve[0], curve[-1], 5), atol=1e-4):
        raise NotYet("All words count the same: it is a plain mean. The weights must come from the words by a softmax.")


ITEMS = [
    Exercise(
        "attention.attention_entropy",
        hints=(
            "0 · ln 0 counts as 0, but `np.log(0)` is -inf and 0 times -inf is nan: keep the zeros away from the log.",
            "`np.where(weights > 0, weights, 1)` has ln 1 = 0 in place of the zeros. Sum over the last axis.",
        ),
        reference=_attention_entropy,
        cases=((_ROWS[:1],), (_ROWS[:2],), (_ROWS,), (np.eye(3),)),
        mistakes={
            "It looks as if the minus is missing: an entropy is never negative.": lambda w: -_attention_entropy(w),
            "It looks as if the logarithm has base 2; here it is the natural one.": lambda w: (
                _attention_entropy(w) / np.log(2)
            ),
            "It looks as if the mean over the row was taken in place of the sum.": lambda w: (
                _attention_entropy(w) / w.shape[1]
            ),
            "It looks as if all rows were joined in one number.": lambda w: _attention_entropy(w).mean(),
            "It looks as if the sum ran down the columns; each row is one query.": lambda w: _attention_entropy(w.T),
        },
    ),
    Exercise(
        "attention.allowed",
        hints=(
            "`np.tri(n, dtype=bool)` is True where the column (key) is not behind the row (query).",
            "`(ids != 0)[:, None, :]` has shape (batch, 1, time): the same for every query. Join both with `&`.",
        ),
        reference=_allowed,
        cases=((_IDS[2:],), (_IDS[:1],), (_IDS,)),
        mistakes={
            "It looks as if True and False are exchanged: True means that it may look.": lambda ids: ~_allowed(ids),
            "It looks as if the causal mask is turned around: rows are queries, columns are keys.": lambda ids: (
                np.tri(ids.shape[1], dtype=bool).T & (ids != 0)[:, None, :]
            ),
            "It looks as if a place may not look at itself; only what comes later is the future.": lambda ids: (
                np.tri(ids.shape[1], k=-1, dtype=bool) & (ids != 0)[:, None, :]
            ),
            "It looks as if the padding was hidden among the queries (rows), not among the keys (columns).": (
                lambda ids: np.tri(ids.shape[1], dtype=bool) & (ids != 0)[:, :, None]
            ),
            "It looks as if the padding is not hidden.": lambda ids: (
                np.ones((len(ids), 1, 1), bool) & np.tri(ids.shape[1], dtype=bool)
            ),
            "It looks as if the future is not hidden.": lambda ids: (
                np.ones((ids.shape[1], 1), bool) & (ids != 0)[:, None, :]
            ),
            "It looks as if one mask or the other was enough; both must allow it: `&`.": lambda ids: (
                np.tri(ids.shape[1], dtype=bool) | (ids != 0)[:, None, :]
            ),
        },
    ),
    Exercise(
        "attention.safe_attention",
        hints=(
            "Multiply the powers by the mask **after** the exponential too: then a row without a key has the sum 0.",
            "Divide by `np.maximum(powers.sum(axis=1, keepdims=True), 1e-9)`: 0 / 1e-9 is 0, other rows do not change.",
        ),
        reference=_safe_attention,
        cases=(
            (_QUERY[:1], _KEY, _VALUE, np.ones((1, 5), bool)),
            (_QUERY[::2], _KEY, _VALUE, _MASK[::2]),
            (_QUERY, _KEY, _VALUE, _MASK),
            (_QUERY * 1_000, _KEY, _VALUE, _MASK),
        ),
        mistakes={
            "It looks as if a row without anything to look at got the mean of all values.": _low_scores,
            "It looks as if the mask was applied behind the softmax: the weights left no longer sum to 1.": (
                _masked_after
            ),
            "It looks as if the division by the root of d is missing.": _not_divided,
            "It looks as if the scores were divided by d, not by its root.": lambda q, k, v, m: _safe_attention(
                q / np.sqrt(q.shape[1]), k, v, m
            ),
            "It looks as if the mask was not used.": lambda q, k, v, m: _safe_attention(q, k, v, np.ones_like(m)),
            "It looks as if the mask is turned around: True means that it may look.": lambda q, k, v, m: (
                _safe_attention(q, k, v, ~m)
            ),
        },
    ),
    Exercise(
        "attention.additive_weights",
        hints=(
            "Every query meets every key: `(query @ W_query)[:, None, :] + (key @ W_key)[None, :, :]` is (n, m, hidden).",
            "tanh of that, `@ v` gives the scores (n, m); then softmax over each row.",
        ),
        reference=_additive_weights,
        cases=(
            (_QUERY[:1], _OTHER_KEY, _W_QUERY, _W_KEY, _V),
            (_QUERY, _OTHER_KEY, _W_QUERY, _W_KEY, _V),
            (_QUERY, _OTHER_KEY[:2], _W_QUERY, _W_KEY, _V),
        ),
        mistakes={
            "It looks as if the scores were returned, without the softmax.": _additive_scores,
            "It looks as if the softmax ran down the columns; each row (query) sums to 1.": lambda *arguments: _softmax(
                _additive_scores(*arguments), axis=0
            ),
            "It looks as if the tanh is missing.": _without_tanh,
            "It looks as if query and key were multiplied, not added.": _multiplied,
        },
    ),
    Exercise(
        "attention.multiplications",
        hints=(
            "A product of (a, b) by (b, c) takes a · b · c multiplications. Which projections have n rows, which m?",
            "Query and output: n · d · d each. Key and value: m · d · d each. Scores and means: n · m · d each.",
        ),
        reference=_multiplications,
        cases=((1, 1, 1), (10, 10, 4), (10, 30, 4), (30, 10, 8)),
        mistakes={
            "It looks as if only the scores were counted, and not the weighted means.": lambda n, m, d: (
                2 * d * d * (n + m) + n * m * d
            ),
            "It looks as if the projections are missing.": lambda n, m, d: 2 * n * m * d,
            "It looks as if the output projection is missing.": lambda n, m, d: d * d * (n + 2 * m) + 2 * n * m * d,
            "It looks as if all four projections were counted on n rows; key and value have m.": lambda n, m, d: (
                4 * n * d * d + 2 * n * m * d
            ),
            "It looks as if the output projection was counted on m rows; there is one output for each query.": (
                lambda n, m, d: d * d * (n + 3 * m) + 2 * n * m * d
            ),
        },
    ),
    Exercise(
        "attention.build_pooling",
        hints=(
            "The scores of all queries: `layers.Dense(queries, use_bias=False)(vectors) / 4`, (batch, time, queries). "
            "`layers.Softmax(axis=1)(scores, mask)` wants a mask of the same shape or one that stretches to it.",
            "`ops.matmul(ops.transpose(weights, (0, 2, 1)), vectors)` is (batch, queries, 16); then `layers.Flatten()` "
            "and `layers.Dense(1)`.",
        ),
        judge=_judge_pooling,
    ),
    Quiz(
        "attention.scale",
        "Why are the scores divided by the root of d?",
        {
            "So that the weights sum to 1": (False, "Softmax does that with any scores."),
            "So that their variance does not grow with d and softmax keeps its slope": (
                True,
                "Measured above: as d grows, the entropy falls towards 0 without it, and the slope of softmax with it.",
            ),
            "So that fewer multiplications are needed": (False, "It is one division more for each score."),
        },
    ),
    Quiz(
        "attention.leak",
        "How do you find out whether a causal mask leaks?",
        {
            "Change the future and see whether any earlier output moves": (
                True,
                "Nothing that is hidden may have an effect, however large the change.",
            ),
            "Look at the training loss": (
                False,
                "A leak makes it lower, which looks like success until the model must predict.",
            ),
            "Check that each row of weights sums to 1": (False, "It also sums to 1 when the future is visible."),
        },
    ),
    Quiz(
        "attention.nothing",
        "In Keras's MultiHeadAttention a query may look at no key at all: everything is padding. What does it get?",
        {
            "Zeros": (False, "That would be a good choice; exercise 10a.3 builds it. Keras does something else."),
            "An error": (False, "There is no message at all."),
            "The mean of all values, those of the padding too": (
                True,
                "All scores are equally low, so softmax gives all the same weight.",
            ),
        },
    ),
    Quiz(
        "attention.order",
        "Self-attention without a mask reads the words of a sentence in another order. What comes out?",
        {
            "The same vector for each word, in the new order": (
                True,
                "Permutation equivariance. Order must be added to the input.",
            ),
            "Other vectors, for each word's neighbours have changed": (
                False,
                "Every place looks at all places; the score of a pair does not depend on where they stand.",
            ),
            "The same rows in the old order": (False, "The queries moved too, and each row belongs to its query."),
        },
    ),
    Quiz(
        "attention.cost",
        "A sequence becomes twice as long. What happens to the matrix of weights, and to the steps that must wait?",
        {
            "Twice as large; twice as many steps": (False, "That is the picture of a recurrent layer."),
            "Four times as large; the number of steps stays": (
                True,
                "n² weights, all computed at once: four products in a row at any length.",
            ),
            "Four times as large; four times as many steps": (False, "The larger products do not wait for each other."),
        },
    ),
]
