"""Exercises and quiz of chapter 11b."""

import numpy as np

from coursekit.calling import NotYet
from coursekit.checking import Exercise, Quiz
from coursekit.checks import build, forward, judge_compiled, judge_loss_of_classes, sums_to_one

_RANDOM = np.random.default_rng(0)
_SAID = np.array([[1, 7, 9, 2, 0], [1, 5, 3, 4, 2], [1, 8, 2, 0, 0]], "int32")  # (words, time)
_LOGITS = _RANDOM.normal(size=(3, 4, 10)).round(2).astype("float32")  # (words, time, phonemes)
_FIRST = np.array([0.5, 0.4, 0.1])
_SECOND = np.array([[0.4, 0.3, 0.3], [0.9, 0.1, 0.0], [0.2, 0.2, 0.6]])
_LETTERS, _PHONEMES = 12, 15  # sizes of the tables in the check of build_speller


def _shifted(said):
    return np.delete(said, -1, axis=1), np.delete(said, 0, axis=1)


def _decoder_block_parameters(width):
    return 16 * width**2 + 19 * width


def _learning_rate(step, peak, warm_up, total):
    if step < warm_up:
        return peak * step / warm_up
    return peak * np.cos(np.pi / 2 * (step - warm_up) / (total - warm_up)) ** 2


def _losses(logits, targets):
    top = logits.max(axis=-1, keepdims=True)
    log_sum = np.log(np.exp(logits - top).sum(axis=-1)) + top[..., 0]
    return log_sum - np.take_along_axis(logits, targets[..., None].astype("int64"), axis=-1)[..., 0]


def _masked_loss(logits, targets):
    return _losses(logits, targets)[targets != 0].mean()


def _likeliest_pair(first, second):
    pairs = [(first[i] * second[i, j], i, j) for i in range(len(first)) for j in range(second.shape[1])]
    return max(pairs)[1:]


def _greedy_pair(first, second):
    return first.argmax(), second[first.argmax()].argmax()


def _judge_speller(answer):
    random = np.random.default_rng(0)
    letters = random.integers(1, _LETTERS, (16, 6)).astype("int32")
    letters[:4, 4:] = 0
    said = np.concatenate([np.ones((16, 1)), letters[:, :3] + 2, np.full((16, 1), 2), np.zeros((16, 1))], axis=1)
    x, y = [letters, said[:, :-1].astype("int32")], said[:, 1:].astype("int32")
    network = build(answer, _LETTERS, _PHONEMES)
    output = forward(network, x)
    if output.shape == (16, 5, _PHONEMES):
        if sums_to_one(output):
            raise NotYet("It puts out probabilities; logits were asked for: the last layer has no activation.")
        judge_loss_of_classes(network, y, _PHONEMES, ignored=0)
    judge_compiled(network, x, y, (16, 5, _PHONEMES), learning_steps=40)
    output = forward(network, x)
    later = x[1].copy()
    later[:, 3:] = 7
    if not np.allclose(forward(network, [letters, later])[:, :3], output[:, :3], atol=1e-4):
        raise NotYet("Other phonemes at places 3 and 4 change the logits of places 0 to 2: the causal mask is missing.")
    if not np.allclose(forward(network, [np.pad(letters, ((0, 0), (0, 3))), x[1]]), output, atol=1e-4):
        raise NotYet("Three zeros behind the letters change the logits: padding is looked at. Mask letters that are 0.")
    if np.allclose(forward(network, [np.roll(letters, 1, axis=0), x[1]]), output, atol=1e-4):
        raise NotYet("Other letters give the same logits: the decoder never looks at the encoder's output.")
    backwards = np.where(
        letters == 0, 0, np.where(letters[:, 4:5] == 0, letters[:, [3, 2, 1, 0, 4, 5]], letters[:, ::-1])
    )
    if np.allclose(forward(network, [backwards, x[1]]), output, atol=1e-4):
        raise NotYet("Letters in reverse order give the same logits: the letters have no positions.")


ITEMS = [
    Exercise(
        "seq2seq.shifted",
        hints=(
            "At place 0 the decoder reads the start sign and must say the first phoneme.",
            "All columns but the last, `said[:, :-1]`, and all columns but the first.",
        ),
        reference=_shifted,
        cases=((_SAID,), (_SAID[:1, :3],)),
        mistakes={
            "It looks as if the two are swapped: first what is read, then what must be said.": lambda said: _shifted(
                said
            )[::-1],
            "It looks as if the decoder reads what it must say: the target is one place later.": lambda said: (
                said[:, :-1],
                said[:, :-1],
            ),
            "It looks as if the target is read two places later.": lambda said: (
                said[:, :-1],
                np.roll(said, -2, 1)[:, :-1],
            ),
        },
    ),
    Exercise(
        "seq2seq.decoder_block_parameters",
        hints=(
            "One matrix from width d to width d with its bias has d² + d numbers; each attention has four of them.",
            "Two attentions: 8 (d² + d). Feed-forward: 4d² + 4d + 4d² + d. Three normalisations: 6d.",
        ),
        reference=_decoder_block_parameters,
        cases=((64,), (128,), (2,)),
        mistakes={
            "It looks as if the biases are missing.": lambda width: 16 * width**2 + 6 * width,
            "It looks as if only one attention was counted; a decoder block has two.": lambda width: (
                12 * width**2 + 15 * width
            ),
            "It looks as if the layer normalisations are missing.": lambda width: 16 * width**2 + 13 * width,
            "It looks as if each attention has three matrices; the output has one too.": lambda width: (
                14 * width**2 + 17 * width
            ),
        },
    ),
    Exercise(
        "seq2seq.learning_rate",
        hints=(
            "Two cases: up to `warm_up` a line from 0 to `peak`, then half a cosine from `peak` to 0.",
            "Behind the warm-up: `peak / 2 * (1 + np.cos(np.pi * (step - warm_up) / (total - warm_up)))`.",
        ),
        reference=_learning_rate,
        cases=((0, 0.01, 10, 110), (5, 0.01, 10, 110), (10, 0.01, 10, 110), (35, 0.01, 10, 110), (110, 0.01, 10, 110)),
        mistakes={
            "It looks as if the cosine begins at step 0; it begins when the warm-up ends.": lambda step, peak, warm_up, total: (
                peak * step / warm_up if step <= warm_up else peak / 2 * (1 + np.cos(np.pi * step / total))
            ),
            "It looks as if the warm-up is missing.": lambda step, peak, warm_up, total: (
                peak if step <= warm_up else _learning_rate(step, peak, warm_up, total)
            ),
            "It looks as if the rate falls in a line; half a cosine was asked for.": lambda step, peak, warm_up, total: (
                peak * step / warm_up if step <= warm_up else peak * (total - step) / (total - warm_up)
            ),
        },
        tolerance=1e-6,
    ),
    Exercise(
        "seq2seq.masked_loss",
        hints=(
            "First a loss for each place, shape `(words, time)`; then the mean over the places where the target is not 0.",
            "`keras.losses.sparse_categorical_crossentropy(targets, logits, from_logits=True)`, times the mask, summed, "
            "divided by the number of real places.",
        ),
        reference=_masked_loss,
        cases=((_LOGITS, _SAID[:, 1:]), (_LOGITS[1:2], _SAID[1:2, 1:])),
        mistakes={
            "It looks as if the padding was counted too.": lambda logits, targets: _losses(logits, targets).mean(),
            "It looks as if the sum was divided by all places, not by the real ones.": lambda logits, targets: (
                _losses(logits, targets) * (targets != 0)
            ).mean(),
            "It looks as if the real losses were added up; the mean was asked for.": lambda logits, targets: (
                _losses(logits, targets) * (targets != 0)
            ).sum(),
            "It looks as if each word was averaged first; every place counts the same.": lambda logits, targets: (
                np.mean([_masked_loss(row[None], target[None]) for row, target in zip(logits, targets, strict=True)])
            ),
        },
        tolerance=1e-4,
    ),
    Exercise(
        "seq2seq.likeliest_pair",
        hints=(
            "The joint probability is `first[i] * second[i, j]`: a table. Where is its largest entry?",
            "`joint = first[:, None] * second`, then `np.unravel_index(joint.argmax(), joint.shape)`.",
        ),
        reference=_likeliest_pair,
        cases=((_FIRST, _SECOND), (np.array([0.3, 0.7]), np.array([[1.0, 0.0], [0.2, 0.8]]))),
        mistakes={
            "It looks as if the likeliest first step was taken: that is greedy.": _greedy_pair,
            "It looks as if the first step was left out: the largest entry of `second` alone.": lambda first, second: (
                np.unravel_index(second.argmax(), second.shape)
            ),
            "It looks as if i and j are swapped.": lambda first, second: _likeliest_pair(first, second)[::-1],
        },
    ),
    Exercise(
        "seq2seq.build_speller",
        hints=(
            "The functions of this chapter do it: embed, attend with `attention_mask` or `use_causal_mask`, feed_forward.",
            "`network = transformer(letters, phonemes, 32, 1, 2, 0.0)[2]`, compiled with Adam at 0.003 and the loss that "
            "leaves out padding: `SparseCategoricalCrossentropy(from_logits=True, ignore_class=0)`.",
        ),
        judge=_judge_speller,
    ),
    Quiz(
        "seq2seq.leak",
        "A decoder without causal mask has a training loss near zero. Why does it fail in use?",
        {
            "It over-fits: more words would cure it": (
                False,
                "More words cure nothing: it learned to copy, not to speak.",
            ),
            "It read the next phoneme in its own input; in use the next phoneme is not there yet": (
                True,
                "In training the answer stands one place further on, and nothing hides it.",
            ),
            "Without a mask, padding is read too": (False, "The padding mask is another one; here it was in place."),
        },
    ),
    Quiz(
        "seq2seq.teacher",
        "Why can one training step teach all places of a word at once, but speaking takes one step a phoneme?",
        {
            "In training the earlier phonemes are known; in use each must be said before the next": (
                True,
                "With the causal mask every place sees only its past, so all are honest questions at once.",
            ),
            "Training uses a batch, speaking does not": (False, "400 words spoke at once here, still step by step."),
            "The optimizer is not needed when speaking": (False, "True, but it has nothing to do with the steps."),
        },
    ),
    Quiz(
        "seq2seq.beam",
        "What does a beam of width 8 promise?",
        {
            "The likeliest of all sequences": (False, "A beginning that was dropped never comes back."),
            "A likelier sequence than greedy, always": (
                False,
                "Usually; but the greedy beginning may be pushed out of the beam by others that end worse.",
            ),
            "Eight beginnings live on at each step; the best end is given": (
                True,
                "A search that looks at more than one way, without a promise.",
            ),
        },
    ),
    Quiz(
        "seq2seq.word_error",
        "One wrong phoneme in ten, words of about seven phonemes. Roughly how many words are wrong, if errors were "
        "independent?",
        {
            "One in ten": (False, "That is the phoneme error; a word is right only if all its phonemes are."),
            "About half": (True, "1 − 0.9⁷ ≈ 0.52."),
            "Seven in ten": (False, "0.7 is the expected number of errors in a word, but some words have two."),
        },
    ),
]
