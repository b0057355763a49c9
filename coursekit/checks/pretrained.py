"""Exercises and quiz of chapter 12b."""

import numpy as np

from coursekit.calling import NotYet
from coursekit.checking import Exercise, Quiz
from coursekit.checks import build, forward, judge_binary_loss, judge_compiled

_RANDOM = np.random.default_rng(0)
_KERNEL = _RANDOM.normal(size=(6, 3, 4)).round(2).astype("float32")  # (inputs, heads, per head)
_VECTORS = _RANDOM.normal(size=(5, 4)).round(2)
_UNIT = _VECTORS / np.linalg.norm(_VECTORS, axis=1, keepdims=True)
_OPPOSITE = np.array([[1.0, 0.0], [-0.8, 0.6], [0.6, 0.8], [0.0, -1.0]])
_SPECIAL = ("[CLS]", "[SEP]", "[PAD]")
_PIECES, _WIDTH, _HEADS, _HIDDEN = 30, 8, 2, 20
_PARAMETERS = _PIECES * _WIDTH + 4 * (_WIDTH**2 + _WIDTH) + 2 * _WIDTH * _HIDDEN + _HIDDEN + _WIDTH + 4 * _WIDTH + 9


def _to_words(pieces):
    words = []
    for piece in pieces:
        if piece.startswith("##") and words:
            words[-1] += piece[2:]
        elif piece not in _SPECIAL:
            words.append(piece)
    return " ".join(words)


def _count_block(width, hidden):
    return 4 * width**2 + 2 * width * hidden + 9 * width + hidden


def _to_file(kernel):
    return np.stack([kernel[:, head, place] for head, place in np.ndindex(kernel.shape[1:])])


def _cosine_table(one, other):
    return one @ other.T / np.outer(np.linalg.norm(one, axis=1), np.linalg.norm(other, axis=1))


def _place_of(wanted, query, vectors):
    return list(np.argsort(-(vectors @ query))).index(wanted) + 1


def _judge_encoder(answer):
    random = np.random.default_rng(0)
    ids = random.integers(1, _PIECES, (32, 5))
    y = (ids == 7).any(axis=1, keepdims=True).astype("float32")
    ids[::3, 0], y[::3] = 7, 1
    network = build(answer, _PIECES, _WIDTH, _HEADS, _HIDDEN)
    output = forward(network, ids)
    if output.shape == (32, 1):
        judge_binary_loss(network, y)
    judge_compiled(network, ids, y, (32, 1), _PARAMETERS, learning_steps=40)
    if ((forward(network, ids) > 0) & (forward(network, ids) < 1)).all():
        raise NotYet(
            "Trained, all its outputs lie between 0 and 1. A logit was asked for: the last layer without activation."
        )
    output, padded = forward(network, ids), forward(network, np.pad(ids, ((0, 0), (0, 4))))
    if not np.allclose(output, padded, atol=1e-4):
        raise NotYet(
            "Four zeros behind each row change the answer. Is padding masked in the attention and in the mean, both?"
        )


ITEMS = [
    Exercise(
        "pretrained.to_words",
        hints=(
            "First leave out the three special pieces. Then a piece that begins with `##` belongs to the word before.",
            '`" ".join(kept)` puts a space before each `##`; `.replace(" ##", "")` takes both away.',
        ),
        reference=_to_words,
        cases=(
            (["[CLS]", "hello", "un", "##hap", "##py", "[SEP]"],),
            (["[CLS]", "a", "fl", "##ur", "##b", "##l", "film", "[SEP]", "[PAD]", "[PAD]"],),
            (["[CLS]", "[SEP]"],),
        ),
        mistakes={
            "It looks as if the special pieces were kept.": lambda pieces: " ".join(pieces).replace(" ##", ""),
            "It looks as if only [CLS] and [SEP] were left out; [PAD] goes too.": lambda pieces: (
                _to_words([piece for piece in pieces if piece != "[PAD]"])
                + "".join(" [PAD]" for piece in pieces if piece == "[PAD]")
            ),
            "It looks as if the pieces of a word are still apart.": lambda pieces: " ".join(
                piece.removeprefix("##") for piece in pieces if piece not in _SPECIAL
            ),
            "It looks as if the signs ## are still there.": lambda pieces: " ".join(
                piece for piece in pieces if piece not in _SPECIAL
            ),
        },
    ),
    Exercise(
        "pretrained.count_block",
        hints=(
            "Query, key, value and output: each has width · width weights and width biases.",
            "Feed-forward: width · hidden + hidden, then hidden · width + width. Each normalisation: 2 · width.",
        ),
        reference=_count_block,
        cases=((4, 10), (384, 1_536), (8, 8)),
        mistakes={
            "It looks as if the biases are missing.": lambda width, hidden: (
                4 * width**2 + 2 * width * hidden + 4 * width
            ),
            "It looks as if the output matrix of attention is missing: there are four.": lambda width, hidden: (
                _count_block(width, hidden) - width**2 - width
            ),
            "It looks as if the two normalisations are missing.": lambda width, hidden: (
                _count_block(width, hidden) - 4 * width
            ),
            "It looks as if only one normalisation was counted.": lambda width, hidden: (
                _count_block(width, hidden) - 2 * width
            ),
            "It looks as if only one layer of the feed-forward part was counted.": lambda width, hidden: (
                _count_block(width, hidden) - width * hidden - width
            ),
        },
    ),
    Exercise(
        "pretrained.to_file",
        hints=(
            "Join the two last axes: `reshape(inputs, -1)` gives (inputs, outputs).",
            "Then transpose: the file has the outputs first.",
        ),
        reference=_to_file,
        cases=((_KERNEL,), (_KERNEL[:, :1],), (_KERNEL[:5, :2, :2],)),
        mistakes={
            "It looks as if the transpose is missing.": lambda kernel: kernel.reshape(len(kernel), -1),
            "It looks as if the shape is right and the numbers are in a wrong order: reshape is no transpose.": (
                lambda kernel: kernel.reshape(-1, len(kernel))
            ),
            "It looks as if the heads are mixed: all of head 0 comes first, then head 1.": lambda kernel: (
                kernel.transpose(2, 1, 0).reshape(-1, len(kernel))
            ),
        },
    ),
    Exercise(
        "pretrained.cosine_table",
        hints=(
            "Divide each row by its length, then multiply the two tables.",
            "`np.linalg.norm(one, axis=1, keepdims=True)` has shape (m, 1). The product is `one @ other.T`.",
        ),
        reference=_cosine_table,
        cases=((_VECTORS[:1], _VECTORS[1:2]), (_VECTORS[:2], _VECTORS[2:]), (3 * _VECTORS, _VECTORS / 7)),
        mistakes={
            "It looks as if the lengths were not divided out.": lambda one, other: one @ other.T,
            "It looks as if only the first table was divided by its lengths.": lambda one, other: (
                one / np.linalg.norm(one, axis=1, keepdims=True) @ other.T
            ),
            "It looks as if the squared lengths were divided by; the length has a root.": lambda one, other: (
                one @ other.T / np.outer((one**2).sum(axis=1), (other**2).sum(axis=1))
            ),
            "It looks as if one length was taken of the whole table; each row has its own.": lambda one, other: (
                one @ other.T / (np.linalg.norm(one) * np.linalg.norm(other))
            ),
            "It looks as if the result is transposed: the rows of `one` come first.": lambda one, other: _cosine_table(
                other, one
            ),
        },
    ),
    Exercise(
        "pretrained.place_of",
        hints=(
            "`vectors @ query` gives the cosine of each row.",
            "The place is 1 plus the number of rows with a larger cosine than the wanted row.",
        ),
        reference=_place_of,
        cases=((0, _UNIT[1], _UNIT), (3, _UNIT[3], _UNIT), (1, _OPPOSITE[0], _OPPOSITE), (2, _OPPOSITE[0], _OPPOSITE)),
        mistakes={
            "It looks as if places were counted from 0; the best is place 1.": lambda wanted, query, vectors: (
                _place_of(wanted, query, vectors) - 1
            ),
            "It looks as if the smallest cosine came first.": lambda wanted, query, vectors: _place_of(
                wanted, -query, vectors
            ),
            "It looks as if the sign of the cosines was lost; −0.8 is far, not near.": lambda wanted, query, vectors: (
                1 + np.sum(np.abs(vectors @ query) > np.abs(vectors @ query)[wanted])
            ),
            "It looks as if the number of the row at that place was returned, not the place of that row.": (
                lambda wanted, query, vectors: np.argsort(-(vectors @ query))[wanted] + 1
            ),
        },
    ),
    Exercise(
        "pretrained.build_encoder",
        hints=(
            "`real = ops.not_equal(ids, 0)`; attention takes `attention_mask=real[:, None, :]`, the mean `mask=real`.",
            "`layers.LayerNormalization()(x + seen)`, then the same with two dense layers; `layers.Dense(1)` at the end.",
        ),
        judge=_judge_encoder,
    ),
    Quiz(
        "pretrained.table",
        "Which part holds most of the parameters of this network?",
        {
            "The six blocks with their attention": (False, "They hold 10.6 million, a little less than half."),
            "The table of word pieces": (True, "30,522 · 384 = 11.7 million: more than all six blocks together."),
            "The table of places": (False, "512 · 384, less than one hundredth."),
        },
    ),
    Quiz(
        "pretrained.proof",
        "The rebuilt network has exactly as many parameters as the file. What does that prove?",
        {
            "That it computes the same function": (
                False,
                "A 384 by 384 matrix that was not transposed has the same count and gives other vectors.",
            ),
            "That no tensor of the file is damaged": (False, "A count sees shapes, not values."),
            "Only that the sizes fit; equal outputs are the proof": (
                True,
                "So we compared each block with NumPy, and the vectors with the original library.",
            ),
        },
    ),
    Quiz(
        "pretrained.picture",
        "On the two first principal components good and bad reviews were mixed. What follows?",
        {
            "The rating is not in the vectors": (
                False,
                "Along another direction it was: good minus bad, learned from 700 others.",
            ),
            "The rating is not what varies most among these sentences": (
                True,
                "Principal components show the largest spread, whatever it comes from.",
            ),
            "300 sentences are too few for a picture": (False, "The same 300 part when the right direction is taken."),
        },
    ),
    Quiz(
        "pretrained.negation",
        '"The film is good" is nearer to "The film is not good" than to "I enjoyed the movie". What should you do?',
        {
            "Nothing: the cosine is by definition the similarity of meaning": (
                False,
                "It is the angle between two vectors. What they hold depends on the training.",
            ),
            "Use a larger threshold": (False, "The wrong pair has the larger cosine: no threshold turns that round."),
            "Test such pairs from your own task before you rely on it": (
                True,
                "And train further if they matter: chapter 12c.",
            ),
        },
    ),
]
