"""Exercises and quiz of chapter 09c."""

import numpy as np

from coursekit import calling
from coursekit.calling import NotYet
from coursekit.checking import Exercise, Quiz
from coursekit.checks import SECONDS_FOR_A_MODEL, build, judge_compiled

_TINY = [["good", "film"], ["good", "good", "fun"], ["bad", "film", "bad"], ["dull"]]
_VOCABULARY = ["", "[UNK]", "the", "film", "is", "good"]
_RANDOM = np.random.default_rng(0)
_STATES = _RANDOM.normal(size=(3, 5, 4)).round(2).astype("float32")  # (examples, time, units)
_MASK = np.arange(5) < np.array([[3], [5], [1]])  # (examples, time)
_WORDS = 50


def _idf(word, sentences):
    found = len([sentence for sentence in sentences if word in sentence])
    return 1 - np.log1p(found) + np.log1p(len(sentences))


def _encode(tokens, vocabulary, length):
    row = np.zeros(length, "int64")
    for place, token in enumerate(tokens[:length]):
        row[place] = vocabulary.index(token) if token in vocabulary else 1
    return row


def _encode_with(tokens, vocabulary, length, unknown=1, padding=0, in_front=False, shift=0):
    row = [vocabulary.index(token) + shift if token in vocabulary else unknown for token in tokens][:length]
    zeros = [padding] * (length - len(row))
    return zeros + row if in_front else row + zeros


def _oov_share(sentences, vocabulary):
    unknown = sum(len([token for token in sentence if token not in vocabulary]) for sentence in sentences)
    return unknown / sum(map(len, sentences))


def _distinct_share(sentences, vocabulary):
    distinct = {token for sentence in sentences for token in sentence}
    return len(distinct - set(vocabulary)) / len(distinct)


def _last_real_state(states, mask):
    return np.stack([row[kept][-1] for row, kept in zip(states, mask, strict=True)])


def _masked_mean(vectors, mask):
    return np.stack([row[kept].mean(axis=0) for row, kept in zip(vectors, mask, strict=True)])


def _judge_sentiment(answer):
    random = np.random.default_rng(0)
    ids = random.integers(1, _WORDS, (32, 6))
    y = (ids[:, -1:] > _WORDS // 2).astype("float32")  # (32, 1): the last word decides
    network = build(answer, _WORDS)
    if not callable(network):
        raise NotYet(f"I expected a Keras model and got {type(network).__name__}. Is a `return` missing?")
    output = _forward(network, ids)
    if output.shape == (32, 1):
        if ((output > 0.2) & (output < 0.8)).all():
            raise NotYet("Untrained, it puts out about 0.5: the last layer has a sigmoid, and a logit was asked for.")
        _judge_loss(network, y, output)
    judge_compiled(network, ids, y, (32, 1), learning_steps=30)
    output, backwards = _forward(network, ids), _forward(network, ids[:, ::-1])
    padded = _forward(network, np.pad(ids, ((0, 0), (0, 6))))
    if not np.allclose(output, padded, atol=1e-4):
        raise NotYet("Six zeros behind each sentence change the answer: the padding is read. Is there a mask?")
    if np.allclose(output, backwards, atol=1e-4):
        raise NotYet("It gives the same answer when the words stand in another order: is there a recurrent layer?")


def _forward(network, ids):
    try:
        return calling.call(lambda: np.asarray(network(ids)), seconds=SECONDS_FOR_A_MODEL)[0]
    except NotYet as problem:
        raise NotYet(f"Your model did not take ids of shape {ids.shape}; `time` may be any number. {problem}") from None


def _judge_loss(network, y, output):
    if not getattr(network, "compiled", False):
        return  # judge_compiled says so
    expected = np.mean(np.logaddexp(0, output) - y * output)
    got = float(network.compute_loss(y=y, y_pred=output))
    if not np.isclose(expected, got, rtol=0.02):
        raise NotYet(
            f"On 32 sentences the cross-entropy from your logits is {expected:.3f}, and your loss gives {got:.3f}. "
            "Is it BinaryCrossentropy(from_logits=True)?"
        )


ITEMS = [
    Exercise(
        "text.idf",
        hints=(
            "d is the number of sentences that have the word at least once; `word in sentence` is True or False.",
            "`np.log((1 + n) / (1 + d)) + 1`, with `n = len(sentences)`.",
        ),
        reference=_idf,
        cases=(("good", _TINY), ("dull", _TINY), ("never", _TINY), ("bad", _TINY)),
        mistakes={
            "It looks as if every occurrence was counted; count each sentence once.": lambda word, sentences: (
                np.log((1 + len(sentences)) / (1 + sum(s.count(word) for s in sentences))) + 1
            ),
            "It looks as if the 1 behind the logarithm is missing.": lambda word, sentences: _idf(word, sentences) - 1,
            "It looks as if the fraction is upside down.": lambda word, sentences: 2 - _idf(word, sentences),
            "It looks as if the logarithm is missing.": lambda word, sentences: (
                (1 + len(sentences)) / (1 + sum(word in s for s in sentences)) + 1
            ),
            "It looks as if the logarithm has base 10; here it is the natural one.": lambda word, sentences: (
                (_idf(word, sentences) - 1) / np.log(10) + 1
            ),
        },
    ),
    Exercise(
        "text.encode",
        hints=(
            "The id of a word is its place in the vocabulary: `vocabulary.index(word)`, or a dict from `enumerate`.",
            "First the ids, then cut with `[:length]`, then add `[0] * (length - len(row))` behind.",
        ),
        reference=_encode,
        cases=(
            (["the", "film", "is", "good"], _VOCABULARY, 6),
            (["the", "flurbl", "is", "good"], _VOCABULARY, 4),
            (["good", "good", "the", "film", "is"], _VOCABULARY, 3),
            ([], _VOCABULARY, 2),
        ),
        mistakes={
            "It looks as if unknown words got 0; 0 is for padding, 1 for the unknown.": lambda t, v, n: _encode_with(
                t, v, n, unknown=0
            ),
            "It looks as if the row was filled with 1; padding is 0.": lambda t, v, n: _encode_with(t, v, n, padding=1),
            "It looks as if the zeros stand in front of the words; put them behind.": lambda t, v, n: _encode_with(
                t, v, n, in_front=True
            ),
            "It looks as if long sentences lost their beginning; keep the first words.": lambda t, v, n: _encode_with(
                t[-n:], v, n
            ),
            "It looks as if unknown words were left out; they get 1.": lambda t, v, n: _encode(
                [word for word in t if word in v], v, n
            ),
            "It looks as if all ids are shifted: the vocabulary already begins with the two special ones.": (
                lambda t, v, n: _encode_with(t, v, n, shift=2)
            ),
        },
    ),
    Exercise(
        "text.oov_share",
        hints=(
            "Go through all tokens of all sentences; each is in the vocabulary or not.",
            "`np.mean` of a list of True and False is the share of True.",
        ),
        reference=_oov_share,
        cases=(
            (_TINY, ["good", "film"]),
            (_TINY, ["good", "film", "fun", "bad", "dull"]),
            (_TINY, []),
            ([["a", "b", "b", "b"], ["a"]], ["a"]),
        ),
        mistakes={
            "It looks as if the known tokens were counted.": lambda s, v: 1 - _oov_share(s, v),
            "It looks as if each different word was counted once; every occurrence counts.": _distinct_share,
            "It looks as if the shares of the sentences were averaged; a long sentence has more tokens.": lambda s, v: (
                np.mean([_oov_share([one], v) for one in s])
            ),
            "It looks as if the sentences with an unknown word were counted, not the tokens.": lambda s, v: np.mean(
                [_oov_share([one], v) > 0 for one in s]
            ),
            "It looks as if the number of unknown tokens was returned, not their share.": lambda s, v: (
                _oov_share(s, v) * sum(map(len, s))
            ),
        },
    ),
    Exercise(
        "text.last_real_state",
        hints=(
            "The number of True in a row of the mask is the sentence's length; the last real step is one before it.",
            "`states[np.arange(len(states)), lengths - 1]` takes one step of each sentence.",
        ),
        reference=_last_real_state,
        cases=((_STATES[:1], _MASK[:1]), (_STATES, _MASK), (_STATES[:, :, :1], _MASK)),
        mistakes={
            "It looks as if the last step was taken, padding or not.": lambda states, mask: states[:, -1],
            "It looks as if the first step was taken.": lambda states, mask: states[:, 0],
            "It looks as if the step before the last real one was taken: steps count from 0.": lambda states, mask: (
                states[np.arange(len(states)), mask.sum(axis=1) - 2]
            ),
            "It looks as if the first padded step was taken: steps count from 0.": lambda states, mask: states[
                np.arange(len(states)), mask.sum(axis=1) % 5
            ],
            "It looks as if the real states were averaged.": _masked_mean,
        },
    ),
    Exercise(
        "text.masked_mean",
        hints=(
            "Multiply by the mask so that the padded vectors become 0, then sum over time.",
            "`mask[:, :, None]` has shape (examples, time, 1). Divide by the number of real words of each sentence.",
        ),
        reference=_masked_mean,
        cases=((_STATES[:1], _MASK[:1]), (_STATES, _MASK), (_STATES[:, :3, :2], np.ones((3, 3), bool))),
        mistakes={
            "It looks as if the padded vectors were averaged in.": lambda vectors, mask: vectors.mean(axis=1),
            "It looks as if the sum was divided by all steps, padded ones too.": lambda vectors, mask: (
                vectors * mask[:, :, None]
            ).mean(axis=1),
            "It looks as if the division is missing.": lambda vectors, mask: (vectors * mask[:, :, None]).sum(axis=1),
            "It looks as if the sum was divided by the words of all sentences.": lambda vectors, mask: (
                (vectors * mask[:, :, None]).sum(axis=1) / mask.sum()
            ),
            "It looks as if the last real vector was taken, not the mean.": _last_real_state,
        },
    ),
    Exercise(
        "text.build_sentiment",
        hints=(
            "`keras.Input((None,))` takes any length; `layers.Embedding(words, 16, mask_zero=True)` makes the mask.",
            "`layers.GRU(16)`, then `layers.Dense(1)`; the loss is `keras.losses.BinaryCrossentropy(from_logits=True)`.",
        ),
        judge=_judge_sentiment,
    ),
    Quiz(
        "text.twins",
        'Why can TF-IDF with any classifier not tell "not good but bad" from "not bad but good"?',
        {
            "The word *not* is too frequent to have a weight": (False, "It has a weight, the same in both sentences."),
            "Both sentences have one and the same row of numbers": (
                True,
                "The rows hold counts of words, and the counts are equal. What is equal before cannot be parted after.",
            ),
            "Logistic regression has too few parameters": (
                False,
                "With equal inputs the largest network gives equal outputs.",
            ),
        },
    ),
    Quiz(
        "text.padding",
        "A GRU without a mask reads 3 words and 29 zeros. What is its last state?",
        {
            "The state after the third word": (False, "That is what a mask gives. Without it the state moves on."),
            "All zeros": (False, "Id 0 has a row in the embedding table, and the state kept a trace of the words."),
            "What 29 more steps have made of the state after the third word": (
                True,
                "Measured above: it ends more than that state's own length away from it.",
            ),
        },
    ),
    Quiz(
        "text.shuffled",
        "Shuffling the words of the test sentences moved the GRU's accuracy by less than one point. What follows?",
        {
            "This GRU hardly used order to judge these sentences": (
                True,
                "It can: on the twin sentences it learned order. This training on these reviews did not teach it.",
            ),
            "No GRU can use order": (False, "The experiment with twins of opposite endings showed one that does."),
            "Order never matters in reviews": (
                False,
                'A bag of word pairs lost points when the words were shuffled, and "not bad" is not bad.',
            ),
        },
    ),
    Quiz(
        "text.unknown",
        "With the 5,000 most frequent words, 13 % of new words are unknown. Why is a larger vocabulary no full cure?",
        {
            "TextVectorization holds at most 5,000 words": (False, "`max_tokens` may be any number, or none."),
            "Some words never occurred, and nearly half of the others occur once: little to learn from": (
                True,
                "With every word kept 6 % stayed unknown.",
            ),
            "A larger table cannot be looked up quickly": (
                False,
                "A look-up takes one row, whatever the table's size.",
            ),
        },
    ),
]
