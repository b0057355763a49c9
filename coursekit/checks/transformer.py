"""Exercises and quiz of chapter 11a."""

import numpy as np

from coursekit.calling import NotYet
from coursekit.checking import Exercise, Quiz
from coursekit.checks import build, forward, judge_binary_loss, judge_compiled

_RANDOM = np.random.default_rng(0)
_X = _RANDOM.normal(size=(2, 3, 8)).round(2).astype("float32")  # (batch, time, width)
_GAMMA, _BETA = _RANDOM.normal(size=(2, 8)).round(2).astype("float32")
_MEMORY = _RANDOM.normal(size=(2, 5, 8)).round(2).astype("float32")
_MATRICES = _RANDOM.normal(size=(3, 8, 4)).round(2).astype("float32")  # W_q, W_k, W_v
_WORDS, _LENGTH, _WIDTH, _HEADS = 40, 6, 8, 2


def _split_heads(x, heads):
    return np.stack(np.split(x, heads, axis=-1), axis=1)


def _normalise(x, gamma, beta, epsilon):
    return gamma * (x - x.mean(-1, keepdims=True)) / np.sqrt(x.var(-1, keepdims=True) + epsilon) + beta


def _normalise_with(x, gamma, beta, epsilon, axis=-1, ddof=0, outside=False):
    centred, variance = x - x.mean(axis, keepdims=True), x.var(axis, keepdims=True, ddof=ddof)
    return gamma * centred / (np.sqrt(variance) + epsilon if outside else np.sqrt(variance + epsilon)) + beta


def _encoder_parameters(vocabulary, length, width, hidden, blocks):
    block = 4 * width * width + 9 * width + 2 * width * hidden + hidden
    return (vocabulary + length) * width + blocks * block + 2 * width


def _cross_attention(text, memory, W_q, W_k, W_v):
    return _cross_with(text @ W_q, memory @ W_k, memory @ W_v)


def _cross_with(q, k, v, axis=-1, scale=None):
    scores = np.einsum("bns,bms->bnm", q, k) / (scale or np.sqrt(q.shape[-1]))
    raised = np.exp(scores - scores.max(axis=axis, keepdims=True))
    return np.einsum("bnm,bms->bns", raised / raised.sum(axis=axis, keepdims=True), v)


def _judge_encoder(answer):
    random = np.random.default_rng(0)
    ids = random.integers(1, _WORDS, (64, _LENGTH))
    y = (ids[:, :1] > _WORDS // 2).astype("float32")  # (64, 1): the first word decides
    network = build(answer, _WORDS, _LENGTH, _WIDTH, _HEADS)
    untrained = forward(network, ids)
    if untrained.shape == (64, 1):
        _judge_parameters(network)
        _judge_logit(network, ids, untrained)
        judge_binary_loss(network, y)
    judge_compiled(network, ids, y, (64, 1), learning_steps=60)
    output = forward(network, ids)
    if np.allclose(output, forward(network, ids[:, ::-1]), atol=1e-4):
        raise NotYet("Swapped words give the same answer: do the places reach the vectors?")
    _judge_padding(network, ids)


def _judge_parameters(network):
    expected = (_WORDS + _LENGTH) * _WIDTH + 12 * _WIDTH**2 + 13 * _WIDTH + _WIDTH + 1
    got = network.count_params()
    if got == expected:
        return
    reasons = {
        -_LENGTH * _WIDTH: "The table of places is not among them: is it a layer that is called inside the model?",
        -2 * _WIDTH: "One layer norm is missing.",
        2 * _WIDTH: "There is one layer norm too many: post-norm has two.",
        -4 * _WIDTH: "Both layer norms are missing.",
        4 * (_HEADS - 1) * _WIDTH**2 + 3 * (_HEADS - 1) * _WIDTH: (
            "Each head is as wide as the model: `key_dim` is the width of one head, `width // heads`."
        ),
    }
    reason = reasons.get(got - expected, "Count the layers.")
    raise NotYet(f"I expected **{expected:,}** parameters and got **{got:,}**. {reason}")


def _judge_logit(network, ids, before):
    """5 more in the last bias are 5 more in a logit."""
    biases = [w for w in network.trainable_variables if tuple(w.shape) == (1,)]
    if len(biases) != 1:
        raise NotYet("I looked for the one bias of the last layer, shape (1,). Is the last layer `layers.Dense(1)`?")
    kept = np.asarray(biases[0])
    try:
        biases[0].assign(kept + 5)
        after = forward(network, ids)
    finally:
        biases[0].assign(kept)
    if not np.allclose(after, before + 5, atol=1e-3):
        raise NotYet("The last layer has an activation, such as a sigmoid, and a logit was asked for.")


def _judge_padding(network, ids):
    """Whatever the vector of id 0 is, and whatever number of zeros, the answer stays."""
    short = ids.copy()
    short[:, 3:] = 0
    before = forward(network, short)
    tables = [w for w in network.trainable_variables if tuple(w.shape) == (_WORDS, _WIDTH)]
    if len(tables) != 1:
        raise NotYet(f"I looked for one word table of shape {(_WORDS, _WIDTH)} and found {len(tables)}.")
    kept = np.asarray(tables[0])
    try:
        changed = kept.copy()
        changed[0] = np.linspace(-3, 3, _WIDTH)
        tables[0].assign(changed)
        after = forward(network, short)
    finally:
        tables[0].assign(kept)
    if not np.allclose(before, after, atol=1e-4):
        raise NotYet(
            "The vector of id 0 changes the answer: padding is looked at, or averaged in. "
            "The attention needs `attention_mask`, the mean needs `mask`."
        )


ITEMS = [
    Exercise(
        "transformer.split_heads",
        hints=(
            "First cut the last axis in two: `x.reshape(batch, time, heads, width // heads)`.",
            "Then swap axes 1 and 2: `.transpose(0, 2, 1, 3)`. A reshape alone would mix positions with heads.",
        ),
        reference=_split_heads,
        cases=((_X[:1], 2), (_X, 4), (_X, 1), (_X, 8)),
        mistakes={
            "It looks as if one reshape was used: it mixes positions with heads. Reshape, then swap two axes.": (
                lambda x, heads: x.reshape(len(x), heads, x.shape[1], -1)
            ),
            "It looks as if the heads take turns through the width; head 0 gets the first numbers.": lambda x, heads: (
                x.reshape(*x.shape[:2], -1, heads).transpose(0, 3, 1, 2)
            ),
            "It looks as if the axes stand as (batch, time, heads, size); the heads come second.": lambda x, heads: (
                x.reshape(*x.shape[:2], heads, -1)
            ),
            "It looks as if the heads come first; the batch does.": lambda x, heads: np.stack(
                np.split(x, heads, axis=-1)
            ),
        },
    ),
    Exercise(
        "transformer.normalise",
        hints=(
            "Mean and variance over the last axis: `x.mean(axis=-1, keepdims=True)`, `x.var(axis=-1, keepdims=True)`.",
            "`gamma * (x - mean) / np.sqrt(variance + epsilon) + beta`.",
        ),
        reference=_normalise,
        cases=(
            (_X[0, 0], _GAMMA, _BETA, 0.001),
            (_X[0], _GAMMA, _BETA, 0.001),
            (_X, _GAMMA, _BETA, 0.5),
            (_X, np.ones(8), np.zeros(8), 1e-6),
        ),
        mistakes={
            "It looks as if the examples were averaged (axis 0): that is batch normalisation.": (
                lambda x, gamma, beta, epsilon: _normalise_with(x, gamma, beta, epsilon, axis=0)
            ),
            "It looks as if mean and variance were taken over the whole array; each position has its own.": (
                lambda x, gamma, beta, epsilon: _normalise_with(x, gamma, beta, epsilon, axis=None)
            ),
            "It looks as if epsilon was added to the standard deviation; it belongs to the variance.": (
                lambda x, gamma, beta, epsilon: _normalise_with(x, gamma, beta, epsilon, outside=True)
            ),
            "It looks as if the variance was divided by n - 1; here it is n.": (
                lambda x, gamma, beta, epsilon: _normalise_with(x, gamma, beta, epsilon, ddof=1)
            ),
            "It looks as if gamma and beta changed places.": (
                lambda x, gamma, beta, epsilon: _normalise(x, beta, gamma, epsilon)
            ),
            "It looks as if gamma and beta are missing.": (
                lambda x, gamma, beta, epsilon: _normalise(x, 1, 0, epsilon)
            ),
            "It looks as if the square root is missing.": lambda x, gamma, beta, epsilon: (
                gamma * (x - x.mean(-1, keepdims=True)) / (x.var(-1, keepdims=True) + epsilon) + beta
            ),
        },
    ),
    Exercise(
        "transformer.encoder_parameters",
        hints=(
            "A block: four matrices of width · width with biases, width · hidden and back with biases, two norms.",
            "A norm has 2 · width parameters (gamma, beta). The tables have (vocabulary + length) · width.",
        ),
        reference=_encoder_parameters,
        cases=((5_000, 32, 16, 64, 1), (100, 10, 8, 32, 3), (30_522, 512, 384, 1_536, 6)),
        mistakes={
            "It looks as if the last norm is missing.": lambda v, n, d, h, b: (
                _encoder_parameters(v, n, d, h, b) - 2 * d
            ),
            "It looks as if the places have no table.": lambda v, n, d, h, b: (
                _encoder_parameters(v, n, d, h, b) - n * d
            ),
            "It looks as if the biases are missing.": lambda v, n, d, h, b: (
                _encoder_parameters(v, n, d, h, b) - b * (5 * d + h)
            ),
            "It looks as if the norms of the blocks are missing.": lambda v, n, d, h, b: (
                _encoder_parameters(v, n, d, h, b) - 4 * b * d
            ),
            "It looks as if each block has one norm; it has two.": lambda v, n, d, h, b: (
                _encoder_parameters(v, n, d, h, b) - 2 * b * d
            ),
            "It looks as if the output projection of the attention is missing.": lambda v, n, d, h, b: (
                _encoder_parameters(v, n, d, h, b) - b * (d * d + d)
            ),
            "It looks as if the tables were counted for each block.": lambda v, n, d, h, b: (
                _encoder_parameters(v, n, d, h, b) + (b - 1) * (v + n) * d
            ),
        },
    ),
    Exercise(
        "transformer.build_encoder",
        hints=(
            "Places: `ops.cumsum(ops.ones_like(ids), axis=1) - 1`, looked up in `layers.Embedding(length, width)`. "
            "Post-norm: `norm(x + step(x))`.",
            "`real = ops.not_equal(ids, 0)`; the attention gets `attention_mask=real[:, None, :]` and key_dim "
            "`width // heads`, `layers.GlobalAveragePooling1D()(x, mask=real)` takes the mean.",
        ),
        judge=_judge_encoder,
    ),
    Exercise(
        "transformer.cross_attention",
        hints=(
            "Queries from `text`, keys and values from `memory`; then as in self-attention.",
            "`scores = (text @ W_q) @ (memory @ W_k).swapaxes(1, 2) / np.sqrt(size)`, softmax over the last axis, "
            "times `memory @ W_v`.",
        ),
        reference=_cross_attention,
        cases=((_X[:1], _MEMORY[:1], *_MATRICES), (_X, _MEMORY, *_MATRICES), (_X, _X[:, ::-1], *_MATRICES)),
        mistakes={
            "It looks as if the queries came from the memory: each token of the text asks.": (
                lambda text, memory, W_q, W_k, W_v: _cross_attention(memory, text, W_q, W_k, W_v)
            ),
            "It looks as if the memory was not used: that is self-attention of the text.": (
                lambda text, memory, W_q, W_k, W_v: _cross_attention(text, text, W_q, W_k, W_v)
            ),
            "It looks as if the division by the root of the size is missing.": (
                lambda text, memory, W_q, W_k, W_v: _cross_with(text @ W_q, memory @ W_k, memory @ W_v, scale=1.0)
            ),
            "It looks as if the scores were divided by the root of the width; the size of the head counts.": (
                lambda text, memory, W_q, W_k, W_v: _cross_with(
                    text @ W_q, memory @ W_k, memory @ W_v, scale=np.sqrt(text.shape[-1])
                )
            ),
            "It looks as if the scores were divided by the size, not by its root.": (
                lambda text, memory, W_q, W_k, W_v: _cross_with(
                    text @ W_q, memory @ W_k, memory @ W_v, scale=float(W_q.shape[-1])
                )
            ),
            "It looks as if the softmax ran over the queries; each query's weights must sum to 1.": (
                lambda text, memory, W_q, W_k, W_v: _cross_with(text @ W_q, memory @ W_k, memory @ W_v, axis=1)
            ),
            "It looks as if the softmax is missing.": lambda text, memory, W_q, W_k, W_v: (
                np.einsum("bns,bms->bnm", text @ W_q, memory @ W_k) / np.sqrt(W_q.shape[-1]) @ (memory @ W_v)
            ),
        },
    ),
    Quiz(
        "transformer.order",
        "Why did both directions of *man bites dog* give the same vectors before places were added?",
        {
            "The embedding has too few numbers": (
                False,
                "With 8 or 8,000 numbers a bag of words stays a bag of words.",
            ),
            "Each output is a weighted mean over all words, and the weights depend on the words alone": (
                True,
                "Neither scores nor mean use the order. A place must be in the vectors themselves.",
            ),
            "The layer was not trained": (False, "True for any weights: no training makes attention alone see order."),
        },
    ),
    Quiz(
        "transformer.heads",
        "Width 64. How do 8 heads of 8 compare with 1 head of 64?",
        {
            "Eight times as many parameters": (False, "Counted above: 1, 4 and 32 heads cost the same."),
            "The same number of parameters, eight patterns of looking": (
                True,
                "Each head has its own softmax over narrower queries and keys.",
            ),
            "The same result, computed faster": (False, "Eight softmaxes are not one softmax: the outputs differ."),
        },
    ),
    Quiz(
        "transformer.residual",
        "Untrained, 24 blocks with a norm but without residuals: what was wrong?",
        {
            "The numbers exploded": (False, "The norm keeps their size at 1."),
            "The numbers vanished": (False, "The norm keeps their size at 1. Without norm and residual they vanished."),
            "All positions had become nearly the same vector": (
                True,
                "Attention averages positions; without the residual nothing brings the word itself back.",
            ),
        },
    ),
    Quiz(
        "transformer.cross",
        "A decoder has written 4 tokens of a translation, the source has 9. What is the shape of one head's weights in "
        "cross-attention?",
        {
            "(4, 4)": (False, "That is the decoder's self-attention."),
            "(9, 4)": (False, "Rows belong to those who look: the queries come from the decoder."),
            "(4, 9)": (True, "Four queries from the decoder look at nine keys from the encoder; each row sums to 1."),
        },
    ),
]
