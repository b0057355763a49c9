"""Exercises and quiz of chapter 10b."""

import numpy as np

from coursekit.calling import NotYet
from coursekit.checking import Exercise, Quiz
from coursekit.checks import build, forward, judge_compiled, judge_loss_of_classes, sums_to_one

_RANDOM = np.random.default_rng(0)
_LETTERS, _SOUNDS = 12, 9
_ONWARD = np.eye(5)[[0, 1, 1, 3, 4]] * 0.8 + 0.04
_BACK = np.eye(4)[[2, 1, 3, 0, 0, 1]] * 0.6 + 0.1


def _teacher_pair(sounds, start, end, length):
    pair = np.zeros((2, length), "int64")
    pair[0, 0], pair[0, 1 : len(sounds) + 1] = start, sounds
    pair[1, : len(sounds)], pair[1, len(sounds)] = sounds, end
    return tuple(pair)


def _not_shifted(sounds, start, end, length):
    row = [start, *sounds, end] + [0] * length
    return row[:length], row[:length]


def _distance(one, other, replace=1):
    table = np.zeros((len(one) + 1, len(other) + 1), int)
    table[:, 0], table[0] = np.arange(len(one) + 1), np.arange(len(other) + 1)
    for i in range(len(one)):
        for j in range(len(other)):
            same = table[i, j] + replace * (one[i] != other[j])
            table[i + 1, j + 1] = min(same, table[i, j + 1] + 1, table[i + 1, j] + 1)
    return int(table[-1, -1])


def _places(one, other):
    return sum(a != b for a, b in zip(one, other, strict=False)) + abs(len(one) - len(other))


def distance(one, other):
    """The edit distance that the check of error_rates hands over."""
    return _distance(one, other)


def _error_rates(answers, several, distance):
    edits, lengths = [], []
    for answer, right in zip(answers, several, strict=True):
        nearest = min(range(len(right)), key=lambda number: (distance(answer, right[number]), number))
        edits.append(distance(answer, right[nearest]))
        lengths.append(len(right[nearest]))
    return sum(edits) / sum(lengths), float(np.mean(np.array(edits) > 0))


def _rates_of_words(answers, several, distance):
    each = [min((distance(a, one) / len(one)) for one in right) for a, right in zip(answers, several, strict=True)]
    return float(np.mean(each)), float(np.mean(np.array(each) > 0))


def _rates_of_answers(answers, several, distance):
    edits = sum(min(distance(a, one) for one in right) for a, right in zip(answers, several, strict=True))
    return edits / sum(map(len, answers)), _error_rates(answers, several, distance)[1]


_ANSWERS = [[3, 4, 5], [7, 7], [8], [3, 5, 6, 6], [4]]
_SEVERAL = [[[3, 4, 5]], [[7, 8, 7, 9], [7, 7, 9]], [[9, 9, 9, 8], [8]], [[3, 5, 6], [3, 6, 6, 6]], [[5, 6, 7, 8, 9]]]

_TABLE = np.round(np.random.default_rng(5).normal(size=(7, 7)), 2)
_TABLE[:, 0] = -9


def _step(token, state):
    """Scores of the next id from a table; the state counts, and from the fifth step on the end is the best."""
    scores = _TABLE[token].copy()
    scores[2] = 5.0 if state >= 4 else -5.0
    return scores, state + 1


def _step_without_end(token, state):
    scores = np.roll(_TABLE[1], state)
    scores[2] = -9
    return scores, state + 1


def _step_at_once(token, state):
    return np.eye(7)[2], state


def _greedy(step, state, start, end, longest):
    answer, token = [], start
    while len(answer) < longest:
        scores, state = step(token, state)
        token = int(np.argmax(scores))
        if token == end:
            break
        answer.append(token)
    return np.array(answer, "int64")


def _greedy_with(step, state, start, end, longest, keep_end=False, keep_start=False, old_state=False, stuck=False):
    answer, token = [start] * keep_start, start
    for _ in range(longest):
        scores, new = step(start if stuck else token, state)
        state, token = (state if old_state else new), int(np.argmax(scores))
        if token == end:
            return np.array(answer + [end] * keep_end, "int64")
        answer.append(token)
    return np.array(answer, "int64")


def _forward_share(weights):
    return float(np.mean(np.diff(np.argmax(weights, axis=1)) >= 0))


def _judge_speller(answer):
    random = np.random.default_rng(0)
    read = random.integers(1, _LETTERS, (24, 5))
    said = random.integers(3, _SOUNDS, (24, 6))
    said[:, 0] = 1
    target = np.concatenate([said[:, 1:], np.full((24, 1), 2)], axis=1)
    said[:8, 4:], target[:8, 4:] = 0, 0
    network = build(answer, _LETTERS, _SOUNDS)
    logits = forward(network, [read, said])
    if logits.shape != (24, 6, _SOUNDS):
        raise NotYet(
            f"For 24 words of 5 letters and 6 sounds so far I expected logits of shape **(24, 6, {_SOUNDS})**, "
            f"got **{logits.shape}**. There is one row of logits for each step of the decoder."
        )
    if sums_to_one(logits):
        raise NotYet("The outputs sum to 1: the last layer has a softmax, and logits were asked for.")
    other = said.copy()
    other[:, 3:] = random.integers(3, _SOUNDS, (24, 3))
    if not np.allclose(logits[:, :3], forward(network, [read, other])[:, :3], atol=1e-4):
        raise NotYet(
            "When later sounds change, earlier logits change: the decoder sees the future that it must predict."
        )
    if np.allclose(logits[:, 3:], forward(network, [read, other])[:, 3:], atol=1e-5):
        raise NotYet("The sounds so far make no difference: does the decoder read `said`?")
    if np.allclose(logits, forward(network, [np.ones_like(read), said]), atol=1e-5):
        raise NotYet("The letters make no difference: does the encoder's state reach the decoder?")
    if np.allclose(logits, forward(network, [read[:, ::-1], said]), atol=1e-5):
        raise NotYet("The letters in another order give the same logits: is there a recurrent layer in the encoder?")
    if not np.allclose(logits, forward(network, [np.pad(read, ((0, 0), (0, 4))), said]), atol=1e-4):
        raise NotYet("Four zeros behind each word change the logits: the padding is read. Is there a mask?")
    judge_loss_of_classes(network, target, _SOUNDS, ignored=0)
    judge_compiled(network, [read, said], target, (24, 6, _SOUNDS), learning_steps=40)


ITEMS = [
    Exercise(
        "spelling.teacher_pair",
        hints=(
            "Both rows hold the same sounds; in the input they stand one place later, because `start` comes first.",
            "`[start, *sounds]` and `[*sounds, end]` have the same length; fill both with `length - len(sounds) - 1` zeros.",
        ),
        reference=_teacher_pair,
        cases=(([7, 8, 9], 1, 2, 6), ([5], 1, 2, 4), ([4, 3, 4, 3], 10, 11, 5)),
        mistakes={
            "It looks as if input and target are exchanged.": lambda s, start, end, n: _teacher_pair(s, start, end, n)[
                ::-1
            ],
            "It looks as if both rows are the same: the target must be one step ahead of the input.": _not_shifted,
            "It looks as if the input also ends with `end`: nothing follows it.": lambda s, start, end, n: (
                _not_shifted(s, start, end, n)[0],
                _teacher_pair(s, start, end, n)[1],
            ),
            "It looks as if the target has no `end`: the network would never learn to stop.": lambda s, start, end, n: (
                _teacher_pair(s, start, 0, n)
            ),
            "It looks as if the zeros stand in front; put them behind.": lambda s, start, end, n: tuple(
                np.roll(row, n - len(s) - 1) for row in _teacher_pair(s, start, end, n)
            ),
        },
    ),
    Exercise(
        "spelling.edit_distance",
        hints=(
            "Make a table of (len(one) + 1) rows and (len(other) + 1) columns; the first row and column count up from 0.",
            "Every other entry is the smallest of: above + 1, left + 1, above left + (0 if the signs are equal, else 1).",
        ),
        reference=_distance,
        cases=(
            ("", "abc"),
            ("tough", "tough"),
            ("kitten", "sitting"),
            (["T", "AH", "F"], ["T", "AO", "F"]),
            ("abcde", "bcdea"),
            ("sunday", "saturday"),
            ("abc", ""),
        ),
        mistakes={
            "It looks as if places were compared one by one: an insertion shifts all that follows.": _places,
            "It looks as if a replacement costs 2; it is one edit.": lambda one, other: _distance(one, other, 2),
            "It looks as if only the lengths were compared.": lambda one, other: abs(len(one) - len(other)),
            "It looks as if the longest common part was counted, not the edits.": lambda one, other: (
                (len(one) + len(other) - _distance(one, other, 2)) // 2
            ),
        },
    ),
    Exercise(
        "spelling.error_rates",
        hints=(
            "For each word: `nearest = min(right, key=lambda one: distance(answer, one))`.",
            "Add up the edits and the lengths of the nearest ones over **all** words, and divide at the end.",
        ),
        reference=_error_rates,
        cases=(
            (_ANSWERS[:1], _SEVERAL[:1], distance),
            (_ANSWERS[1:2], _SEVERAL[1:2], distance),
            (_ANSWERS, _SEVERAL, distance),
        ),
        mistakes={
            "It looks as if only the first listed pronunciation counts.": lambda a, s, d: _error_rates(
                a, [right[:1] for right in s], d
            ),
            "It looks as if the rates of the words were averaged; divide once, sum by sum.": _rates_of_words,
            "It looks as if the edits were divided by the length of the answers, not of the right ones.": (
                _rates_of_answers
            ),
            "It looks as if the two rates are exchanged.": lambda a, s, d: _error_rates(a, s, d)[::-1],
            "It looks as if right words were counted in place of wrong ones.": lambda a, s, d: (
                _error_rates(a, s, d)[0],
                1 - _error_rates(a, s, d)[1],
            ),
        },
    ),
    Exercise(
        "spelling.greedy",
        hints=(
            "Begin with `token = start`. Each turn: `scores, state = step(token, state)`, then the argmax is the new token.",
            "Stop when the token is `end`, or when the answer has `longest` ids. Neither start nor end is in the answer.",
        ),
        reference=_greedy,
        cases=(
            (_step, 0, 1, 2, 10),
            (_step_without_end, 0, 1, 2, 5),
            (_step, 4, 1, 2, 10),
            (_step_at_once, 0, 1, 2, 3),
        ),
        mistakes={
            "It looks as if the end is part of the answer.": lambda *given: _greedy_with(*given, keep_end=True),
            "It looks as if the start is part of the answer.": lambda *given: _greedy_with(*given, keep_start=True),
            "It looks as if every step began from the first state: use the new one.": lambda *given: _greedy_with(
                *given, old_state=True
            ),
            "It looks as if every step was given the start: feed the last token back.": lambda *given: _greedy_with(
                *given, stuck=True
            ),
        },
    ),
    Exercise(
        "spelling.forward_share",
        hints=(
            "`weights.argmax(axis=1)` is the place looked at in each step.",
            "`np.diff` of that is how far it moved; forward or standing still is `>= 0`. Take the mean.",
        ),
        reference=_forward_share,
        cases=((_ONWARD,), (_BACK,), (np.eye(3)[::-1],)),
        mistakes={
            "It looks as if standing still counts as going back.": lambda w: np.mean(np.diff(w.argmax(axis=1)) > 0),
            "It looks as if the steps back were counted.": lambda w: np.mean(np.diff(w.argmax(axis=1)) < 0),
            "It looks as if the sum was divided by all steps; the first one has none before it.": lambda w: (
                np.sum(np.diff(w.argmax(axis=1)) >= 0) / len(w)
            ),
            "It looks as if the axes are exchanged: each row is one step.": lambda w: np.mean(
                np.diff(w.argmax(axis=0)) >= 0
            ),
            "It looks as if the number of steps was returned, not their share.": lambda w: np.sum(
                np.diff(w.argmax(axis=1)) >= 0
            ),
        },
    ),
    Exercise(
        "spelling.build_speller",
        hints=(
            "Encoder: `state = layers.GRU(32)(layers.Embedding(letters, 16, mask_zero=True)(read))`. Decoder: an embedding "
            "of `said` and `layers.GRU(32, return_sequences=True)(…, initial_state=state)`.",
            "`keras.Model([read, said], layers.Dense(sounds)(states))`; the loss is "
            "`keras.losses.SparseCategoricalCrossentropy(from_logits=True, ignore_class=0)`.",
        ),
        judge=_judge_speller,
    ),
    Quiz(
        "spelling.vector",
        "Both networks have the same number of parameters. What is different for the one without attention on long words?",
        {
            "It was trained for fewer epochs": (False, "Both had the same number of epochs, words and batches."),
            "Its decoder gets 64 numbers, however many letters they must stand for": (
                True,
                "The memory of the other one grows with the word: 64 numbers for each letter.",
            ),
            "Long words have more pronunciations": (False, "A listed alternative makes a word easier, not harder."),
        },
    ),
    Quiz(
        "spelling.teacher",
        "With the teacher the phoneme after a first mistake is right more often than without. Why?",
        {
            "The teacher's input holds the true sound in place of the mistake": (
                True,
                "Alone, the decoder goes on from its own mistake, which it never saw in training.",
            ),
            "The teacher changes the weights while speaking": (False, "No weight changes when a network is only used."),
            "The teacher shows the letters, which are hidden without it": (
                False,
                "The letters are visible in both cases.",
            ),
        },
    ),
    Quiz(
        "spelling.word_error",
        "Greedy decoding, and the most probable sound at each step under the teacher: which makes more words wholly right?",
        {
            "The teacher": (False, "Until the first mistake both have had the same inputs."),
            "Greedy decoding": (False, "Until the first mistake both have had the same inputs."),
            "Neither: it is the same words": (
                True,
                "A word is wholly right only without a mistake, and until the first mistake the inputs are equal.",
            ),
        },
    ),
    Quiz(
        "spelling.rates",
        "A network has a phoneme error rate of 14 % and a word error rate of 48 %. How do they fit together?",
        {
            "One of them is wrong": (False, "One wrong sound of six makes a whole word wrong."),
            "A word is wrong as soon as one of its five or six phonemes is": (
                True,
                "Were mistakes independent, 1 - 0.86 to the power of 5.5 would be 56 %; they gather in some words.",
            ),
            "The network says too many phonemes": (False, "An extra phoneme is an edit too and counts in both."),
        },
    ),
]
