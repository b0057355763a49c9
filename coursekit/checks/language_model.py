"""Exercises and quiz of chapter 11c."""

import numpy as np

from coursekit.calling import NotYet
from coursekit.checking import Exercise, Quiz
from coursekit.checks import build, forward, judge_compiled, judge_loss_of_classes, sums_to_one

_P = np.array([0.4, 0.05, 0.25, 0.2, 0.1])
_FLAT = np.array([0.3, 0.3, 0.25, 0.15])
_SYMBOLS, _LENGTH, _WIDTH, _HEADS = 20, 12, 16, 4


def _perplexity(probabilities):
    return np.exp(-np.mean(np.log(probabilities)))


def _pieces(ids, length):
    number = (len(ids) - 1) // length
    places = np.arange(number * length).reshape(number, length)
    return ids[places], ids[places + 1]


def _min_p(p, share):
    kept = p * (p >= share * np.max(p))
    return kept / np.sum(kept)


def _keep(p, condition):
    return np.where(condition, p, 0) / np.sum(p[condition])


def _nucleus(p, share):
    order = np.argsort(-p, kind="stable")
    before = np.cumsum(p[order]) - p[order]
    kept = np.zeros(len(p), bool)
    kept[order[(before < share) | (np.arange(len(p)) == 0)]] = True
    return _keep(p, kept)


def _cache_bytes(texts, length, width, blocks, bytes_each):
    return 2 * texts * length * width * blocks * bytes_each


def _judge_tied(answer):
    random = np.random.default_rng(0)
    starts = random.integers(0, _SYMBOLS, (32, 1))
    rows = (starts + 3 * np.arange(_LENGTH + 1)) % _SYMBOLS  # each symbol is the one before plus 3
    ids, y = rows[:, :-1], rows[:, 1:]
    network = build(answer, _SYMBOLS, _LENGTH, _WIDTH, _HEADS)
    untrained = forward(network, ids)
    if untrained.shape == (32, _LENGTH, _SYMBOLS):
        _judge_parameters(network)
        if sums_to_one(untrained):
            raise NotYet("The outputs are probabilities already: leave the softmax out, the loss works from logits.")
        judge_loss_of_classes(network, y, _SYMBOLS)
    judge_compiled(network, ids, y, (32, _LENGTH, _SYMBOLS), learning_steps=40)
    mixed = random.integers(0, _SYMBOLS, (32, _LENGTH))  # of no pattern
    before, changed = forward(network, mixed), mixed.copy()
    changed[:, 6] = (changed[:, 6] + 1) % _SYMBOLS
    moved = np.abs(forward(network, changed) - before).max(axis=(0, 2))  # (time,)
    if moved[:6].max() > 1e-4:
        raise NotYet("A later symbol changes earlier logits: the model sees its own answers. Is the causal mask on?")
    if moved[7:].max() < 1e-4:
        raise NotYet("A symbol changes no later logits: is there attention between the places?")
    same = np.full((1, _LENGTH), 5)
    if np.abs(np.diff(forward(network, same)[0], axis=0)).max() < 1e-4:
        raise NotYet("Twelve equal symbols give twelve equal outputs: do the places reach the vectors?")
    _judge_tie(network)


def _judge_parameters(network):
    expected = (_SYMBOLS + _LENGTH) * _WIDTH + 12 * _WIDTH**2 + 13 * _WIDTH + 2 * _WIDTH
    got = network.count_params()
    reasons = {
        _SYMBOLS * _WIDTH: "A second table of symbols is among them: the last layer must use the first one.",
        (_WIDTH + 1) * _SYMBOLS: "A dense layer makes the logits; they must come from the table of symbols.",
        -2 * _WIDTH: "One layer norm is missing; the last one stands before the logits.",
        -_LENGTH * _WIDTH: "The table of places is not among them: is it a layer that is called inside the model?",
        _SYMBOLS: "The logits have a bias; leave it out.",
    }
    if got != expected:
        reason = reasons.get(got - expected, "Count the layers.")
        raise NotYet(f"I expected **{expected:,}** parameters and got **{got:,}**. {reason}")


def _judge_tie(network):
    """Doubling the table's row of one symbol that is not read doubles its logits."""
    ids = np.full((1, _LENGTH), 5)
    before = forward(network, ids)[0]
    tables = [w for w in network.trainable_variables if tuple(w.shape) == (_SYMBOLS, _WIDTH)]
    if len(tables) != 1:
        raise NotYet(f"I looked for one table of shape {(_SYMBOLS, _WIDTH)} and found {len(tables)}.")
    kept = np.asarray(tables[0])
    try:
        changed = kept.copy()
        changed[9] *= 2
        tables[0].assign(changed)
        after = forward(network, ids)[0]
    finally:
        tables[0].assign(kept)
    if not np.allclose(after[:, 9], 2 * before[:, 9], atol=1e-3):
        raise NotYet(
            "I doubled a symbol's row in the table, and its logit did not double: is the output tied to it? "
            "(`ops.transpose(table.embeddings)` in a functional model copies the numbers once, at the start.)"
        )


ITEMS = [
    Exercise(
        "language_model.perplexity",
        hints=(
            "First the bits: `-np.mean(np.log2(probabilities))`.",
            "Then 2 to that power. e and the natural logarithm give the same number.",
        ),
        reference=_perplexity,
        cases=(
            (np.array([0.5, 0.25, 0.125]),),
            (np.full(7, 0.1),),
            (np.array([0.9, 0.01, 0.3]),),
            (np.array([1.0, 1.0]),),
        ),
        mistakes={
            "It looks as if the bits were returned; perplexity is 2 to that power.": lambda p: -np.mean(np.log2(p)),
            "It looks as if 2 and the natural logarithm were mixed; take 2 with log2, or e with log.": lambda p: (
                2 ** -np.mean(np.log(p))
            ),
            "It looks as if e and log2 were mixed; take 2 with log2, or e with log.": lambda p: np.exp(
                -np.mean(np.log2(p))
            ),
            "It looks as if the minus sign is missing.": lambda p: 2 ** np.mean(np.log2(p)),
            "It looks as if the sum was taken, not the mean.": lambda p: 2 ** -np.sum(np.log2(p)),
            "It looks as if the probabilities were averaged; average their logarithms.": lambda p: 1 / np.mean(p),
        },
    ),
    Exercise(
        "language_model.pieces",
        hints=(
            "The last id is only ever a target: `(len(ids) - 1) // length` pieces.",
            "x from `ids[: number * length]`, y from `ids[1 : number * length + 1]`, both with `.reshape(number, length)`.",
        ),
        reference=_pieces,
        cases=(
            (np.arange(10, 20), 3),
            (np.array([4, 8, 1, 5, 9, 2, 6]), 3),
            (np.array([4, 8, 1, 5, 9, 2]), 3),
            (np.arange(9)[::-1].copy(), 2),
        ),
        mistakes={
            "It looks as if x and y are the same; y is one place later.": lambda ids, length: (
                _pieces(ids, length)[0],
                _pieces(ids, length)[0],
            ),
            "It looks as if x and y changed places.": lambda ids, length: _pieces(ids, length)[::-1],
            "It looks as if a piece overlaps the one before: each id is an input once.": lambda ids, length: (
                np.lib.stride_tricks.sliding_window_view(ids[:-1], length),
                np.lib.stride_tricks.sliding_window_view(ids[1:], length),
            ),
            "It looks as if the target of the last place comes from the same piece; it is the id behind it.": (
                lambda ids, length: (_pieces(ids, length)[0], np.roll(_pieces(ids, length)[0], -1, axis=1))
            ),
        },
    ),
    Exercise(
        "language_model.min_p",
        hints=(
            "The threshold is `share * p.max()`.",
            "`np.where(p >= threshold, p, 0)`, divided by its sum.",
        ),
        reference=_min_p,
        cases=((_P, 0.3), (_P, 0.5), (_P, 0.0), (_FLAT, 0.9), (_FLAT, 1.0)),
        mistakes={
            "It looks as if the threshold is `share` itself; it is `share` times the largest probability.": (
                lambda p, share: _keep(p, p >= min(share, p.max()))
            ),
            "It looks as if the result was not divided by its sum.": lambda p, share: p * (p >= share * p.max()),
            "It looks as if the likeliest were set to 0; keep those above the threshold.": lambda p, share: (
                p * (p < share * p.max()) / max(np.sum(p * (p < share * p.max())), 1e-30)
            ),
            "It looks as if that is nucleus sampling; here each symbol is compared with the largest.": _nucleus,
            "It looks as if the kept ones became equally likely; their proportions stay.": lambda p, share: (
                (p >= share * p.max()) / np.sum(p >= share * p.max())
            ),
        },
    ),
    Exercise(
        "language_model.cache_bytes",
        hints=(
            "A place of a block leaves one key and one value, each as wide as the model when all heads are counted.",
            "2 · texts · length · width · blocks numbers, times `bytes_each`.",
        ),
        reference=_cache_bytes,
        cases=((1, 64, 64, 2, 4), (32, 1_024, 1_600, 48, 2), (3, 10, 7, 5, 4)),
        mistakes={
            "It looks as if only the keys were counted; values are kept too.": lambda *a: _cache_bytes(*a) // 2,
            "It looks as if the blocks were forgotten; each has its own keys and values.": lambda t, n, d, b, e: (
                _cache_bytes(t, n, d, 1, e)
            ),
            "It looks as if the number of texts was forgotten.": lambda t, n, d, b, e: _cache_bytes(1, n, d, b, e),
            "It looks as if numbers were counted, not bytes.": lambda t, n, d, b, e: _cache_bytes(t, n, d, b, 1),
            "It looks as if queries were kept too; no later pass needs them.": lambda *a: _cache_bytes(*a) * 3 // 2,
            "It looks as if pairs of places were kept; the cache grows with the length, not its square.": (
                lambda t, n, d, b, e: _cache_bytes(t, n * n, d, b, e)
            ),
        },
    ),
    Exercise(
        "language_model.build_tied",
        hints=(
            "`table = layers.ReversibleEmbedding(symbols, width)` is called twice: `table(ids)` and, at the end, "
            "`table(x, reverse=True)`.",
            "One pre-norm block of chapter 11a with `use_causal_mask=True`, one more layer norm, then the logits. "
            "The loss is `keras.losses.SparseCategoricalCrossentropy(from_logits=True)`.",
        ),
        judge=_judge_tied,
    ),
    Quiz(
        "language_model.teacher",
        "Why can one pass train the model at 64 places at once?",
        {
            "Because the causal mask keeps each place from seeing its own answer": (
                True,
                "Checked above: the logits of a place are those of the beginning read alone.",
            ),
            "Because the places are trained one after another, very fast": (
                False,
                "All places go through the same matrices in one pass.",
            ),
            "Because the model writes 64 symbols and is corrected afterwards": (
                False,
                "In training it never sees its own writing: the true symbols are given.",
            ),
        },
    ),
    Quiz(
        "language_model.nucleus",
        "The model is sure: one symbol has probability 0.95. What do top-k with k = 40 and nucleus with 0.9 keep?",
        {
            "Both keep one symbol": (False, "Top-k keeps k, however small their probabilities are."),
            "Top-k keeps 40, the nucleus one": (True, "0.95 alone is at least 0.9: the nucleus adapts."),
            "Top-k keeps one, the nucleus 40": (False, "It is the other way round."),
        },
    ),
    Quiz(
        "language_model.cache",
        "Why need keys and values of earlier places never be computed again while writing?",
        {
            "They hardly change": (
                False,
                "Hardly would not do: in exact arithmetic they do not change at all, and the logits agreed to 0.001.",
            ),
            "The causal mask keeps later symbols out of them": (
                True,
                "A place sees itself and what was before, so nothing that comes later can change it.",
            ),
            "The parameters are frozen": (
                False,
                "They are, but without a causal mask new symbols would still change them.",
            ),
        },
    ),
    Quiz(
        "language_model.baseline",
        "What did the comparison with the counts show?",
        {
            "A GPT always beats counting": (
                False,
                "With each of three seeds the best count needed fewer bits than this GPT.",
            ),
            "Counting beats networks on small texts": (
                False,
                "One size of network cannot show that, and 16 more passes still lowered its bits.",
            ),
            "This GPT, after 16 passes, needed more bits than Kneser–Ney counts of the same text": (
                True,
                "That is what was measured, on the same characters of the test text, with three seeds.",
            ),
        },
    ),
]
