"""Exercises and quiz of chapter 06b."""

import numpy as np

from coursekit import calling
from coursekit.calling import NotYet
from coursekit.checking import Exercise, Quiz
from coursekit.checks import SECONDS_FOR_A_MODEL, build, judge_compiled, sums_to_one

_PICTURES = np.arange(1, 25).reshape(2, 3, 4)
_SIZES = np.array([100, 200, 400, 800])
_ERRORS = np.array([40.0, 31.0, 23.0, 18.0])
_CHANGES = ("crop", "mirror", "half turn")
_DIGITS = (0, 3, 6, 7, 8, 9)
_W, _GRADIENT, _SCALE = np.array([1.0, -2.0]), np.array([0.5, 3.0]), np.array([10.0, 0.1])


def _shift(pictures, dx, dy):
    from scipy import ndimage

    return ndimage.shift(pictures, (0, dy, dx), order=0, mode="constant", cval=0)


def _rolled(pictures, dx, dy):
    return np.roll(pictures, (dy, dx), axis=(1, 2))


def _keeps_label(digit, change):
    return {"crop": True, "mirror": digit in {0, 8}, "half turn": digit in {0, 8}}[change]


def _data_needed(sizes, errors, goal):
    from scipy import stats

    line = stats.linregress(np.log(sizes), np.log(errors))
    return float(np.exp((np.log(goal) - line.intercept) / line.slope))


def _straight_line(sizes, errors, goal):
    slope, level = np.polyfit(sizes, errors, 1)
    return (goal - level) / slope


def _half_logarithmic(sizes, errors, goal):
    slope, level = np.polyfit(np.log(sizes), errors, 1)
    return np.exp((goal - level) / slope)


def _logarithm(sizes, errors, goal):
    return np.log(_data_needed(sizes, errors, goal))


def _error_at_goal(sizes, errors, goal):
    slope, level = np.polyfit(np.log(sizes), np.log(errors), 1)
    return np.exp(level + slope * np.log(goal))


def _diagnosis(train, test, wanted):
    return "under-fitting" if wanted > train else "fine" if train <= test + 5 else "over-fitting"


def _two_steps(w, gradient, scale, rate, decay):
    plain = np.subtract(w, np.multiply(rate, np.divide(gradient, scale)))
    return plain - rate * decay * np.divide(w, scale), plain - rate * decay * np.asarray(w)


def _blocks(labels):
    """A picture for each label: a bright band, the same on the left and on the right."""
    pictures = np.zeros((len(labels), 28, 28, 1), "float32")
    for picture, label in zip(pictures, labels, strict=True):
        picture[3 + 2 * label : 6 + 2 * label] = 255
    return pictures


def _outputs(network, pictures, training):
    return calling.call(lambda: np.asarray(network(pictures, training=training)), seconds=SECONDS_FOR_A_MODEL)[0]


def _judge_changes(network):
    """Is a picture mirrored now and then, never turned upside down, and moved?"""
    corner = np.zeros((28, 28, 1), "float32")
    corner[4:12, 4:10] = 255  # a bright block at the top left, far enough from the edge to be moved
    ways = {"as it is": corner, "mirrored": corner[:, ::-1], "upside down": corner[::-1], "both": corner[::-1, ::-1]}
    moved = [np.roll(way, (dy, dx), axis=(0, 1)) for way in ways.values() for dy in range(-3, 4) for dx in range(-3, 4)]
    known = _outputs(network, np.stack(moved), False).reshape(4, 49, -1)
    seen = _outputs(network, np.repeat(corner[None], 200, axis=0), True)
    nearest = np.linalg.norm(known[None] - seen[:, None, None], axis=-1).min(axis=-1).argmin(axis=1)
    share = dict(zip(ways, np.bincount(nearest, minlength=4) / len(seen), strict=True))
    if share["upside down"] + share["both"] > 0.3:
        raise NotYet("While it trains the network also turns pictures upside down; only left-right was asked for.")
    if share["mirrored"] < 0.2:
        raise NotYet("While it trains the network never mirrors a picture. Which layer does that, and in which mode?")
    if share["mirrored"] > 0.8:
        raise NotYet("While it trains the network mirrors every picture; it should be left to chance.")
    band = _blocks(np.zeros(32, int) + 4)  # a mirror does not change it
    if np.allclose(_outputs(network, band, True), _outputs(network, band, False), atol=1e-4):
        raise NotYet("Pictures are mirrored while the network trains, but not moved. Add a layer that moves them.")


def _judge_network(answer):
    import keras

    network = build(answer)
    if not isinstance(network, keras.Model):
        raise NotYet(f"I expected a Keras model and got {type(network).__name__}. Is a `return` missing?")
    if getattr(network, "optimizer", None) is None:
        raise NotYet("The model is not compiled: call `compile` with an optimizer and a loss before you return it.")
    labels = np.arange(40) % 10
    pictures = _blocks(labels)
    uneven = np.random.default_rng(0).random(pictures.shape, "float32") * 255
    in_use, again = (_outputs(network, uneven, False) for _ in range(2))
    if in_use.shape == (40, 10) and sums_to_one(in_use):
        raise NotYet("The rows of the output sum to 1: the last layer has a softmax, and ten logits were asked for.")
    if not np.allclose(in_use, again, atol=1e-5):
        raise NotYet("In use the network changes pictures too: `training=False` gave two different outputs.")
    first, second = (_outputs(network, uneven, True) for _ in range(2))
    if np.allclose(first, second, atol=1e-5):
        raise NotYet("With `training=True` two calls gave the same output: nothing is changed by chance.")
    judge_shape = (len(labels), 10)
    if in_use.shape == judge_shape:
        if np.abs(in_use).max() > 15:
            raise NotYet("The logits of an untrained network are very large: are the values brought to 0 to 1?")
        _judge_changes(network)
    judge_compiled(network, pictures, labels, judge_shape, parameters=785 * 32 + 33 * 10, learning_steps=30)


ITEMS = [
    Exercise(
        "augmentation.shift",
        hints=(
            "Add a dark frame with `np.pad`, then cut out a window. To move a picture right, cut further left.",
            "With a frame of `abs(dy)` rows and `abs(dx)` columns the window begins at row `abs(dy) - dy` and column "
            "`abs(dx) - dx`.",
        ),
        reference=_shift,
        cases=((_PICTURES, 1, 0), (_PICTURES, 0, 1), (_PICTURES, -2, 0), (_PICTURES, 1, -2), (_PICTURES, 0, 0)),
        mistakes={
            "It looks as if what leaves on one side comes back on the other (np.roll); zeros should fill the gap.": (
                _rolled
            ),
            "It looks as if left and right, up and down are exchanged: a positive dx moves to the right.": (
                lambda pictures, dx, dy: _shift(pictures, -dx, -dy)
            ),
            "It looks as if dx and dy are exchanged: dx moves along the columns, the last axis.": (
                lambda pictures, dx, dy: _shift(pictures, dy, dx) if abs(dx) < 3 else pictures
            ),
            "It looks as if up and down are exchanged: a positive dy moves down.": (
                lambda pictures, dx, dy: _shift(pictures, dx, -dy)
            ),
        },
    ),
    Exercise(
        "augmentation.build_augmented_network",
        hints=(
            "Augmentation layers stand in the model like any other, before `Flatten`; Keras switches them off in use.",
            '`layers.RandomFlip("horizontal")`, `layers.RandomTranslation(0.1, 0.1)`, `layers.Rescaling(1 / 255)`, '
            "then `Flatten` and two `Dense`.",
        ),
        judge=_judge_network,
    ),
    Exercise(
        "augmentation.keeps_label",
        hints=(
            "Write each digit on paper. Turn the paper by 180°; then look at it in a mirror.",
            "Of these six digits two look the same in the mirror and after a half turn; a crop keeps all.",
        ),
        reference=_keeps_label,
        cases=tuple((digit, change) for change in _CHANGES for digit in _DIGITS),
        mistakes={
            "A half turn makes a 6 a 9 and a 9 a 6: the picture survives, the label does not.": (
                lambda digit, change: _keeps_label(digit, change) or (change == "half turn" and digit in (6, 9))
            ),
            "A mirrored 3 or 7 is no digit that we write; only 0 and 8 stay what they are.": (
                lambda digit, change: change in ("crop", "mirror") or digit in (0, 8)
            ),
            "It looks as if every change were allowed: what would a reader call a 6 after a half turn?": (
                lambda digit, change: True
            ),
            "A crop by two pixels keeps the label of every digit.": lambda digit, change: digit in (0, 8),
        },
    ),
    Exercise(
        "augmentation.data_needed",
        hints=(
            "With slope and level of the line, log(goal) = level + slope · log(n). Solve it for log(n).",
            "`slope, level = np.polyfit(np.log(sizes), np.log(errors), 1)`, and at the end `np.exp`.",
        ),
        reference=_data_needed,
        cases=((_SIZES, _ERRORS, 10.0), (_SIZES, _ERRORS, 25.0), (_SIZES, 200 / np.sqrt(_SIZES), 2.0)),
        mistakes={
            "It looks as if the line was fitted to the numbers themselves, not to their logarithms.": _straight_line,
            "It looks as if only the sizes were made logarithms; the errors need it too.": _half_logarithmic,
            "That is the logarithm of the number of pictures: undo it with np.exp.": _logarithm,
            "It looks as if the error at `goal` pictures was computed; asked are the pictures for an error.": (
                _error_at_goal
            ),
        },
        tolerance=1e-4,
    ),
    Exercise(
        "augmentation.diagnosis",
        hints=(
            "Ask first about the training score alone; the gap matters only when that score is good enough.",
            "`if train < wanted: …`, then compare `train - test` with 5.",
        ),
        reference=_diagnosis,
        cases=(
            (95.0, 80.0, 90.0),
            (60.0, 59.0, 90.0),
            (93.0, 91.0, 90.0),
            (80.0, 70.0, 90.0),
            (90.0, 85.0, 90.0),
            (97.0, 89.0, 90.0),
        ),
        mistakes={
            "It looks as if only the gap was asked about: a small gap with a low training score is under-fitting.": (
                lambda train, test, wanted: "over-fitting" if train - test > 5 else "fine"
            ),
            "It looks as if the gap was asked about first. A low training score comes first, whatever the gap.": (
                lambda train, test, wanted: (
                    "over-fitting" if train - test > 5 else "under-fitting" if train < wanted else "fine"
                )
            ),
            "It looks as if the test score was compared with `wanted`: under-fitting shows in the training score.": (
                lambda train, test, wanted: (
                    "under-fitting" if test < wanted else "over-fitting" if train - test > 5 else "fine"
                )
            ),
            "At exactly `wanted`, or with a gap of exactly 5, nothing is wrong yet.": lambda train, test, wanted: (
                "under-fitting" if train <= wanted else "over-fitting" if train - test >= 5 else "fine"
            ),
        },
    ),
    Exercise(
        "augmentation.two_steps",
        hints=(
            "With L2, `decay * w` joins the gradient, and the whole is divided by `scale`.",
            "With decoupled decay, `rate * gradient / scale` and `rate * decay * w` are both subtracted from `w`.",
        ),
        reference=_two_steps,
        cases=(
            (_W, _GRADIENT, _SCALE, 0.01, 0.1),
            (_W, _GRADIENT, np.ones(2), 0.5, 0.2),
            (_W, np.zeros(2), _SCALE, 0.1, 0.1),
        ),
        mistakes={
            "It looks as if the two are exchanged: L2 first, then the decoupled decay.": lambda *given: _two_steps(
                *given
            )[::-1],
            "It looks as if the decoupled decay was divided by `scale` too: that is what decoupling avoids.": (
                lambda *given: (_two_steps(*given)[0],) * 2
            ),
            "It looks as if the penalty's part was not divided by `scale`; under Adam it is, like all the gradient.": (
                lambda *given: (_two_steps(*given)[1],) * 2
            ),
            "It looks as if the decoupled decay misses the learning rate.": (
                lambda w, gradient, scale, rate, decay: (
                    _two_steps(w, gradient, scale, rate, decay)[0],
                    w - rate * gradient / scale - decay * w,
                )
            ),
            "It looks as if the penalty were λ w²: with the half in front its slope is λ w, without a 2.": (
                lambda w, gradient, scale, rate, decay: (
                    _two_steps(w, gradient, scale, rate, 2 * decay)[0],
                    _two_steps(w, gradient, scale, rate, decay)[1],
                )
            ),
        },
    ),
    Quiz(
        "augmentation.label",
        "You train a net to read handwritten digits. Which change is safe?",
        {
            "Half turns, because the net then sees more": (
                False,
                "They gave sixes that look like nines. Here every seed lost more than three points.",
            ),
            "Small crops": (
                True,
                "A digit moved by two pixels keeps its label; here every seed gained over two points.",
            ),
            "Mirrors, because they helped others on photographs": (
                False,
                "A mirrored 3 is no 3. Here every seed lost more than three points.",
            ),
        },
    ),
    Quiz(
        "augmentation.gap",
        "After a change the gap between training and test score is much smaller. Is the net better?",
        {
            "Not necessarily: look at the test score": (
                True,
                "Ten steps of training gave a small gap and a worse test score.",
            ),
            "Yes, over-fitting is cured": (False, "A net that learns nothing has no gap at all."),
            "Yes, if the gap was closed by augmentation": (
                False,
                "Small turns closed the gap on clothes by more than two points and gained nothing there.",
            ),
        },
    ),
    Quiz(
        "augmentation.doubling",
        "Your learning curve has points up to 4,000 pictures. Which prediction can you trust most?",
        {
            "64,000 pictures: four doublings ahead": (False, "Four doublings ahead our line promised too much."),
            "None: learning curves do not follow any rule": (
                False,
                "One doubling ahead ours was right within a point.",
            ),
            "8,000 pictures: one doubling ahead": (True, "There our line was right within a point."),
        },
    ),
    Quiz(
        "augmentation.decay",
        "Under Adam, which weights does an L2 penalty shrink least?",
        {
            "Those with small gradients": (False, "Their penalty is divided by a small number: they shrink fastest."),
            "Those with large gradients": (True, "The penalty is divided by the size of their gradients."),
            "All shrink alike": (False, "That is decoupled weight decay, AdamW."),
        },
    ),
]
