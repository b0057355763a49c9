"""Exercises and quiz of chapter 12c."""

import inspect

import numpy as np

from coursekit.calling import NotYet
from coursekit.checking import Exercise, Quiz
from coursekit.checks import build, forward, judge_binary_loss, judge_compiled

_RANDOM = np.random.default_rng(0)
_KERNEL, _A, _B = (_RANDOM.normal(size=size).round(2) for size in [(5, 4), (5, 2), (2, 4)])
_THIN = (_KERNEL, _RANDOM.normal(size=(5, 1)).round(2), _RANDOM.normal(size=(1, 4)).round(2), 4)
_BEFORE, _AFTER = _RANDOM.normal(size=(2, 12, 3))
_BEFORE, _AFTER = (part / np.linalg.norm(part, axis=1, keepdims=True) for part in (_BEFORE, _AFTER))
_TITLES = [
    "Attention is all you need",
    "Deep learning",
    "Attention Is All You Need!",
    "Deep  Learning.",
    "LoRA",
    "lora",
]


def _merged(kernel, a, b, alpha):
    return kernel + np.einsum("ir,ro->io", a, b) * (alpha / a.shape[1])


def _lora_parameters(shapes, rank):
    return rank * int(np.sum(shapes))


def _neighbours(vectors, k, itself=False):
    cosines = vectors @ vectors.T
    for row in range(len(cosines)):
        cosines[row, row] = 2 if itself else -2
    return [set(np.argsort(-row)[:k].tolist()) for row in cosines]


def _neighbours_kept(before, after, k):
    pairs = zip(_neighbours(before, k), _neighbours(after, k), strict=True)
    return float(np.mean([len(one & other) for one, other in pairs])) / k


def _kept_with_itself(before, after, k):
    pairs = zip(_neighbours(before, k, True), _neighbours(after, k, True), strict=True)
    return np.mean([len(one & other) / k for one, other in pairs])


def _kept_in_union(before, after, k):
    pairs = zip(_neighbours(before, k), _neighbours(after, k), strict=True)
    return np.mean([len(one & other) / len(one | other) for one, other in pairs])


def _letters(title):
    return "".join(letter for letter in title.lower() if letter.isalnum())


def _repeated(titles):
    plain = [_letters(title) for title in titles]
    return np.array([place for place, title in enumerate(plain) if title in plain[:place]], dtype=int)


def _judge_probe(answer):
    import keras

    random = np.random.default_rng(0)
    features = keras.Input((4,))
    hidden = keras.layers.Dense(6, "tanh")(features)
    base = keras.Model(features, keras.layers.Dense(5, "tanh")(hidden))
    x = random.normal(size=(64, 4)).astype("float32")
    y = (x[:, :1] + x[:, 1:2] > 0).astype("float32")
    before, vectors = base.get_weights(), np.asarray(base(x))
    network = build((lambda: answer(base)) if inspect.isroutine(answer) else answer)  # a call with `base` would copy it
    if isinstance(network, keras.Model) and network is base:
        raise NotYet("You returned `base` itself. The logit must come on top of it, in a model that you compile.")
    _judge_start(network, x, y, base)
    judge_compiled(network, x, y, (64, 1), None, learning_steps=60)
    if not all(np.array_equal(one, other) for one, other in zip(before, base.get_weights(), strict=True)):
        raise NotYet("While it trained, weights of `base` changed. Set `base.trainable = False` before you compile.")
    trained = sum(int(np.prod(weight.shape)) for weight in network.trainable_weights)
    if trained != vectors.shape[1] + 1:
        raise NotYet(
            f"I expected **{vectors.shape[1] + 1}** trainable numbers, one a feature and a bias, got {trained}."
        )


def _judge_start(network, x, y, base):
    """The untrained network must put out a logit and read `base`, and its loss must be cross-entropy from logits."""
    output = forward(network, x)
    if output.shape != (len(x), 1):
        return
    if ((output > 0.2) & (output < 0.8)).all():
        raise NotYet("Untrained, it puts out about 0.5: a logit was asked for, so the last layer without activation.")
    judge_binary_loss(network, y)
    kept = base.get_weights()
    base.set_weights([np.zeros_like(weight) for weight in kept])
    constant = np.asarray(network(x))
    base.set_weights(kept)
    if np.ptp(constant) > 1e-6:
        raise NotYet(
            "With all weights of `base` at 0 the logit still differs between examples: it does not read `base`."
        )


ITEMS = [
    Exercise(
        "finetuning.merged",
        hints=(
            "The rank is the number of columns of `a`, or of rows of `b`.",
            "`kernel + alpha / rank * (a @ b)`.",
        ),
        reference=_merged,
        cases=((_KERNEL, _A, _B, 8), (_KERNEL, _A, 0 * _B, 8), _THIN),
        mistakes={
            "It looks as if the factor alpha / rank is missing.": lambda kernel, a, b, alpha: kernel + a @ b,
            "It looks as if alpha was not divided by the rank.": lambda kernel, a, b, alpha: kernel + alpha * (a @ b),
            "It looks as if it was divided by the number of inputs, not by the rank.": lambda kernel, a, b, alpha: (
                kernel + alpha / len(a) * (a @ b)
            ),
            "It looks as if only the change was returned, without the kernel.": lambda kernel, a, b, alpha: (
                alpha / len(b) * (a @ b)
            ),
            "It looks as if the kernel was multiplied by the factor too.": lambda kernel, a, b, alpha: (
                alpha / len(b) * (kernel + a @ b)
            ),
        },
    ),
    Exercise(
        "finetuning.lora_parameters",
        hints=(
            "For one kernel: `a` has inputs · rank numbers, `b` has rank · outputs.",
            "`sum(rank * (inputs + outputs) for inputs, outputs in shapes)`.",
        ),
        reference=_lora_parameters,
        cases=(([(4, 10)], 2), ([(384, 384), (384, 1_536), (1_536, 384)], 2), ([(8, 3), (3, 8)], 1)),
        mistakes={
            "It looks as if the kernels themselves were counted; they are frozen.": lambda shapes, rank: sum(
                inputs * outputs for inputs, outputs in shapes
            ),
            "It looks as if only A was counted.": lambda shapes, rank: sum(rank * inputs for inputs, _ in shapes),
            "It looks as if only B was counted.": lambda shapes, rank: sum(rank * outputs for _, outputs in shapes),
            "It looks as if the rank was left out.": lambda shapes, rank: sum(map(sum, shapes)),
            "It looks as if inputs and outputs were multiplied; the two thin matrices are added up.": (
                lambda shapes, rank: sum(rank * inputs * outputs for inputs, outputs in shapes)
            ),
        },
    ),
    Exercise(
        "finetuning.neighbours_kept",
        hints=(
            "`vectors @ vectors.T` holds all cosines; make the diagonal very small, so that nobody is its own neighbour.",
            "`np.argsort(-cosines, axis=1)[:, :k]`, for before and after; then the size of the common set of each row.",
        ),
        reference=_neighbours_kept,
        cases=((_BEFORE, _BEFORE, 3), (_BEFORE, _AFTER, 3), (_BEFORE, _AFTER, 1), (_BEFORE, -_AFTER, 5)),
        mistakes={
            "It looks as if each example is its own neighbour.": _kept_with_itself,
            "It looks as if the farthest were taken, not the nearest.": lambda before, after, k: np.mean(
                [
                    len(set(one) & set(other)) / k
                    for one, other in zip(
                        np.argsort(before @ before.T, axis=1)[:, :k],
                        np.argsort(after @ after.T, axis=1)[:, :k],
                        strict=True,
                    )
                ]
            ),
            "It looks as if a neighbour counts only at the same place; the order within the k does not matter.": (
                lambda before, after, k: np.mean(
                    np.argsort(-(before @ before.T - 3 * np.eye(len(before))), axis=1)[:, :k]
                    == np.argsort(-(after @ after.T - 3 * np.eye(len(after))), axis=1)[:, :k]
                )
            ),
            "It looks as if the common neighbours were divided by those of before and after together; divide by k.": (
                _kept_in_union
            ),
            "It looks as if the number of common neighbours was returned, not their share.": lambda before, after, k: (
                k * _neighbours_kept(before, after, k)
            ),
        },
    ),
    Exercise(
        "finetuning.build_probe",
        hints=(
            "`base.trainable = False` must come before `compile`. A model can be a layer of another model.",
            "`keras.Sequential([base, layers.Dense(1)])`; the loss is `keras.losses.BinaryCrossentropy(from_logits=True)`.",
        ),
        judge=_judge_probe,
    ),
    Exercise(
        "finetuning.repeated",
        hints=(
            "First bring each title to a form that both spellings share: lower case, `letter.isalnum()` only.",
            "Go through the list with `enumerate` and keep a set of the forms that were there before.",
        ),
        reference=_repeated,
        cases=((_TITLES,), (["A", "a.", "A!", "b"],), (["one", "two"],)),
        mistakes={
            "It looks as if case still counts.": lambda titles: np.array(
                [
                    place
                    for place, title in enumerate(titles)
                    if "".join(filter(str.isalnum, title))
                    in {"".join(filter(str.isalnum, other)) for other in titles[:place]}
                ],
                dtype=int,
            ),
            "It looks as if punctuation and spaces still count.": lambda titles: np.array(
                [
                    place
                    for place, title in enumerate(titles)
                    if title.lower() in {other.lower() for other in titles[:place]}
                ],
                dtype=int,
            ),
            "It looks as if the first of equal titles was reported; report those that come later.": lambda titles: (
                np.array(
                    [
                        place
                        for place, title in enumerate(titles)
                        if _letters(title) in map(_letters, titles[place + 1 :])
                    ],
                    dtype=int,
                )
            ),
            "It looks as if places were counted from 1.": lambda titles: _repeated(titles) + 1,
        },
    ),
    Quiz(
        "finetuning.zero",
        "Why does LoRA's B start at zero?",
        {
            "So that at the start the model is exactly the pretrained one": (
                True,
                "A times 0 is no change: training begins where pretraining ended.",
            ),
            "So that B gets no gradient": (False, "B is the one that gets a gradient at once; A waits for it."),
            "So that fewer parameters are trained": (
                False,
                "Their number follows from the shapes, not from the values.",
            ),
        },
    ),
    Quiz(
        "finetuning.few",
        "You have 300 labelled sentences and a pretrained encoder of the same language. What is worth trying first?",
        {
            "A Transformer encoder from scratch": (
                False,
                "From 300 sentences it must learn each word anew: as trained here it was near a coin's 50 %.",
            ),
            "A linear probe, beside TF-IDF": (
                True,
                "Seconds to train, and with 300 labels clearly ahead of TF-IDF, although that was tuned.",
            ),
            "Nothing: 300 labels are too few for anything": (
                False,
                "The probe was right far more often than guessing.",
            ),
        },
    ),
    Quiz(
        "finetuning.forgetting",
        "One model shall serve several tasks. Which of these leaves the pretrained weights as they are?",
        {
            "Full fine-tuning with a small rate": (
                False,
                "Every weight moves, and each task needs its own whole copy.",
            ),
            "LoRA and the probe": (
                True,
                "Their numbers are kept apart. Take them off, and the old vectors are back: asserted above.",
            ),
            "None of them": (False, "With B back at 0 the vectors were the old ones."),
        },
    ),
    Quiz(
        "finetuning.size",
        "A probe on MiniLM with random, frozen weights stayed far behind a probe on the pretrained one. What follows?",
        {
            "The size cannot be the reason: both have the same": (
                True,
                "Same size, same labels: the difference is the pretraining. Other sizes were not compared.",
            ),
            "That larger networks are worse": (False, "Both are exactly as large: the size was not changed."),
            "That a random network is as good as a pretrained one": (False, "It was more than 8 points behind."),
        },
    ),
]
