"""Exercises and quiz of chapter 11d."""

import collections

import numpy as np

from coursekit.calling import NotYet
from coursekit.checking import Exercise, Quiz
from coursekit.checks import build, forward, judge_compiled, judge_loss_of_classes, sums_to_one

_RANDOM = np.random.default_rng(0)
_STATES = _RANDOM.normal(size=(2, 3, 4)).round(2).astype("float32")  # (batch, time, width)
_TABLE = _RANDOM.normal(size=(5, 4)).round(2).astype("float32")  # (characters, width)
_ROWS = np.array([[3.0, 0.0, 0.0], [0.0, 1.0, 0.0], [0.5, 0.5, 0.0], [0.0, 9.0, 9.0]])  # (n, features)
_QUERIES = np.array([[1.0, 0.9, 0.0], [0.1, 2.0, 0.2], [0.0, 1.0, 1.2], [4.0, 0.1, 0.0]])
_TEXT = np.array([[1.0, 1, 0, 0], [0, 0, 1, 1], [1, 1, 1, 0], [0, 0, 0, 1], [0, 1, 1, 1]])
_TEXT = _TEXT / np.linalg.norm(_TEXT, axis=1, keepdims=True)  # (sentences, features)
_OTHER_TEXT = np.eye(3)[[0, 1, 1, 2]]
_ENGLISH, _CHINESE = 12, 17  # sizes of the tables in the check of build_translator


def _n_grams(text, n):
    return collections.Counter(text[start : start + n] for start in range(len(text) - n + 1))


def _shared(said, right, n):
    one, other = _n_grams(said, n), _n_grams(right, n)
    return sum(min(times, other[gram]) for gram, times in one.items())


def _score(said, right, beta=2.0, orders=(1, 2)):
    precision = np.mean([_shared(said, right, n) / max(1, len(said) - n + 1) for n in orders])
    recall = np.mean([_shared(said, right, n) / max(1, len(right) - n + 1) for n in orders])
    return (1 + beta**2) * precision * recall / (beta**2 * precision + recall) if precision + recall else 0.0


def _mean_of_scores(said, right):
    return np.mean([_score(said, right, orders=(n,)) for n in (1, 2)])


def _nearest(queries, rows):
    return np.argmax(queries @ (rows / np.linalg.norm(rows, axis=1, keepdims=True)).T, axis=1)


def _by_distance(queries, rows):
    return np.argmin(np.linalg.norm(queries[:, None] - rows[None], axis=-1), axis=1)


def _tied_logits(states, table):
    return np.einsum("btw,cw->btc", states, table)


def _central(rows):
    cosines = rows @ rows.T
    return int(np.argmax(cosines.sum(axis=1) - np.diag(cosines)))


def _judge_translator(answer):
    random = np.random.default_rng(0)
    words = random.integers(4, _ENGLISH, (16, 6)).astype("int32")
    words[:4, 4:] = 0
    said = np.concatenate([np.ones((16, 1)), words[:, :3] + 4, np.full((16, 1), 2), np.zeros((16, 1))], axis=1)
    x, y = [words, said[:, :-1].astype("int32")], said[:, 1:].astype("int32")
    network = build(answer, _ENGLISH, _CHINESE)
    output = forward(network, x)
    if output.shape == (16, 5, _CHINESE):
        if sums_to_one(output):
            raise NotYet("It puts out probabilities; logits were asked for: the last layer has no activation.")
        _judge_tables(network)
        judge_loss_of_classes(network, y, _CHINESE, ignored=0)
    judge_compiled(network, x, y, (16, 5, _CHINESE), learning_steps=40)
    output = forward(network, x)
    _judge_ties(network, x, output)
    later = x[1].copy()
    later[:, 3:] = 9
    if not np.allclose(forward(network, [words, later])[:, :3], output[:, :3], atol=1e-4):
        raise NotYet("Other characters at places 3 and 4 change the logits of places 0 to 2: it looks into the future.")
    if not np.allclose(forward(network, [np.pad(words, ((0, 0), (0, 3))), x[1]]), output, atol=1e-4):
        raise NotYet("Three zeros behind the English words change the logits: padding is looked at.")
    if np.allclose(forward(network, [np.roll(words, 1, axis=0), x[1]]), output, atol=1e-4):
        raise NotYet("Other English words give the same logits: the decoder never looks at the English sentence.")


def _tables(network):
    return [weight for weight in network.weights if len(weight.shape) == 2 and _CHINESE in tuple(weight.shape)]


def _judge_tables(network):
    tables = _tables(network)
    if len(tables) != 1:
        raise NotYet(
            f"I expected one matrix with a side of {_CHINESE}, the number of characters, and found **{len(tables)}**: "
            "one table serves the characters that come in and go out."
        )


def _judge_ties(network, x, output):
    """Move one character's row of the table: its own logit must follow, and all logits where it was read."""
    (table,) = _tables(network)
    kept = table.numpy()
    for row, others, sentence in [
        (
            5,
            [5],
            "The logit of a character does not follow its row of the table: a copy, or another matrix, goes out. "
            "(`ops.transpose(table)` is computed at once, from the values at the start.)",
        ),
        (1, [6, 7], "The start sign's row of the table changes nothing: the characters come in from another table."),
    ]:
        moved = kept.copy()
        moved[(row,) if kept.shape[0] == _CHINESE else (slice(None), row)] += np.linspace(-1, 1, kept.size // _CHINESE)
        table.assign(moved)
        follows = not np.allclose(forward(network, x)[..., others], output[..., others], atol=1e-5)
        table.assign(kept)
        if not follows:
            raise NotYet(sentence)


ITEMS = [
    Exercise(
        "translation.shared",
        hints=(
            "Count the n-grams of each text with `collections.Counter`. The n-gram at `start` is `text[start:start + n]`.",
            "The smaller of the two counts, for each n-gram, added up: `sum((one & other).values())`.",
        ),
        reference=_shared,
        cases=(
            ("天天好", "天天天", 1),
            ("天天天", "天天好", 1),
            ("天天天", "天天好", 2),
            ("狗咬人", "人咬狗", 2),
            ("天天好人", "人天天好", 2),
            ("狗咬人", "人咬狗", 1),
            ("好", "好", 2),
        ),
        mistakes={
            "It looks as if each n-gram counts once, however often it comes.": lambda said, right, n: len(
                set(_n_grams(said, n)) & set(_n_grams(right, n))
            ),
            "It looks as if an n-gram counts as often as it was said, even more often than it is in the right text.": (
                lambda said, right, n: sum(gram in _n_grams(right, n) for gram in _n_grams(said, n).elements())
            ),
            "It looks as if n-grams must stand at the same place; only how often they come counts.": (
                lambda said, right, n: sum(
                    said[start : start + n] == right[start : start + n]
                    for start in range(min(len(said), len(right)) - n + 1)
                )
            ),
            "It looks as if the last n-gram is left out: there are `len(text) - n + 1`.": lambda said, right, n: (
                _shared(said[:-1], right[:-1], n)
            ),
        },
    ),
    Exercise(
        "translation.chrf_score",
        hints=(
            "For n = 1 and 2: shared n-grams, divided by the number of n-grams of `said` (precision), of `right` (recall). "
            "A text of length l has l − n + 1 of them.",
            "Average the two precisions, the two recalls, then `5 * P * R / (4 * P + R)`. First ask whether P + R is 0.",
        ),
        reference=_score,
        cases=(("他在家", "他不在家"), ("他不在家", "他在家"), ("狗咬人", "人咬狗"), ("好", "很好"), ("天", "人")),
        mistakes={
            "It looks as if β is 1; with β = 2 recall counts more.": lambda said, right: _score(said, right, beta=1.0),
            "It looks as if precision and recall are swapped: recall is the share of the *right* text.": (
                lambda said, right: _score(right, said)
            ),
            "It looks as if the F-score was taken for each n and then averaged; average P and R first.": _mean_of_scores,
            "It looks as if only single characters were counted.": lambda said, right: _score(said, right, orders=(1,)),
            "It looks as if only pairs of characters were counted.": lambda said, right: _score(
                said, right, orders=(2,)
            ),
        },
    ),
    Exercise(
        "translation.nearest",
        hints=(
            "All dot products at once: `queries @ rows.T`, shape `(q, n)`. What is still missing for a cosine?",
            "Divide each row by its length, `np.linalg.norm(rows, axis=1, keepdims=True)`, then `argmax(axis=1)`.",
        ),
        reference=_nearest,
        cases=((_QUERIES, _ROWS), (_QUERIES[:1], _ROWS[:3])),
        mistakes={
            "It looks as if the dot product was used: long rows win. Divide each row by its length.": (
                lambda queries, rows: np.argmax(queries @ rows.T, axis=1)
            ),
            "It looks as if the distance was used; the angle was asked for.": _by_distance,
            "It looks as if the *smallest* cosine was taken.": lambda queries, rows: np.argmin(
                queries @ (rows / np.linalg.norm(rows, axis=1, keepdims=True)).T, axis=1
            ),
            "It looks as if the nearest query was found for each row.": lambda queries, rows: _nearest(rows, queries),
        },
    ),
    Exercise(
        "translation.tied_logits",
        hints=(
            "The logit of a character is the dot product of the state with the row of this character.",
            "`states @ table.T`.",
        ),
        reference=_tied_logits,
        cases=((_STATES, _TABLE), (_STATES[:1, :1], _TABLE[:4])),
        mistakes={
            "It looks as if the logits were divided by √width, as attention's are; here nothing is divided.": (
                lambda states, table: _tied_logits(states, table) / np.sqrt(states.shape[-1])
            ),
            "It looks as if softmax was applied; logits were asked for.": lambda states, table: (
                np.exp(_tied_logits(states, table)) / np.exp(_tied_logits(states, table)).sum(axis=-1, keepdims=True)
            ),
        },
    ),
    Exercise(
        "translation.central",
        hints=(
            "The rows have length 1: `rows @ rows.T` holds all cosines, shape `(sentences, sentences)`.",
            "Add up each row of that table, without the 1 of the sentence with itself, and take the `argmax`.",
        ),
        reference=_central,
        cases=((_TEXT,), (_TEXT[:4],), (_OTHER_TEXT,)),
        mistakes={
            "It looks as if the sentence *least* like the others was taken.": lambda rows: int(
                (rows @ rows.T).sum(axis=1).argmin()
            ),
            "It looks as if the largest single cosine decides; the mean over the others was asked for.": lambda rows: (
                int((rows @ rows.T - 2 * np.eye(len(rows))).max(axis=1).argmax())
            ),
            "It looks as if the sentence with the largest sum of its own TF-IDF was taken.": lambda rows: int(
                rows.sum(axis=1).argmax()
            ),
            "It looks as if you return the cosines; the index of the sentence was asked for.": lambda rows: (
                (rows @ rows.T).sum(axis=1) - 1
            ),
        },
    ),
    Exercise(
        "translation.build_translator",
        hints=(
            "The functions of this chapter do it: embed, attend with `attention_mask` or `use_causal_mask`, feed_forward. "
            "`translator` is the pattern.",
            "`table = layers.ReversibleEmbedding(chinese, 32)`; at the end `table(x, reverse=True)`. Compile with Adam at "
            "0.005 and `SparseCategoricalCrossentropy(from_logits=True, ignore_class=0)`.",
        ),
        judge=_judge_translator,
    ),
    Quiz(
        "translation.score",
        "A system scores chrF 15 % on one sentence. What do you know?",
        {
            "The translation is bad": (False, "It may be good, in other words than the person chose."),
            "It shares few character n-grams with one person's translation": (
                True,
                "That is all that was computed. Over many sentences it compares systems.",
            ),
            "15 % of the words are right": (False, "It mixes shares of single characters and of pairs."),
        },
    ),
    Quiz(
        "translation.baseline",
        "Why is a translator compared with the look-up of the nearest sentence?",
        {
            "The look-up shows which score is possible without any translating": (
                True,
                "A score means little until one knows what a system without any skill gets.",
            ),
            "The look-up is the best system known": (False, "It can never say a sentence that is not in its list."),
            "It gives the upper limit of the score": (False, "The upper limit is 100 %: the person's own words."),
        },
    ),
    Quiz(
        "translation.memory",
        "A translator is far better on training sentences than on new ones. What follows?",
        {
            "The network is too small": (False, "It had room enough for the training sentences."),
            "A part of what it learned is these sentences, not the language": (
                True,
                "Only new sentences tell how much of it is translating.",
            ),
            "The score is wrong": (False, "The same score was used on both parts."),
        },
    ),
    Quiz(
        "translation.tied",
        "What does one table for input and output of the decoder save?",
        {
            "The logits of all characters at each step": (False, "They are computed as before: states times table."),
            "A second matrix with a row for each character": (True, "Characters times width parameters fewer."),
            "The table of the English words": (False, "It is another language, with a table of its own."),
        },
    ),
]
