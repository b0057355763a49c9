"""Exercises and quiz of chapter 04c."""

import numpy as np

from coursekit.calling import NotYet
from coursekit.checking import Exercise, Quiz
from coursekit.checks import build, judge_compiled, sums_to_one

_RATES = np.array([0.001, 0.01, 0.1, 1.0])
_ACCURACY = np.array([[70.0, 79.0, 74.0, 10.0], [71.0, 77.0, 85.0, 12.0], [69.0, 78.0, 72.0, 9.0]])
_EARLY = np.array([[60.0, 50.0, 40.0, 30.0], [61.0, 52.0, 41.0, 90.0]])
_RUNS = {
    "low": np.array([75.0, 76.0, 77.0]),
    "high": np.array([80.0, 81.0, 82.0]),
    "wide": np.array([74.0, 79.0, 81.5]),
    "touching": np.array([77.0, 78.0, 79.0]),
    "near": np.array([77.2, 77.4, 77.6]),
}
_LAYERS = [np.array([[3.0, 0.0], [0.0, 0.0]]), np.array([4.0, 0.0])]
_PEAK = 0.03


def _best_rate(rates, accuracy):
    return rates[int(np.sum(accuracy, axis=0).argmax())]


def _separated(a, b):
    return not max(np.min(a), np.min(b)) <= min(np.max(a), np.max(b))


def _usable_range(rates, accuracy, points):
    good = [rate for rate, value in zip(rates, accuracy, strict=True) if np.max(accuracy) - value <= points]
    return max(good) / min(good)


def _step_decay(step, start, factor, every):
    import keras

    return float(keras.optimizers.schedules.ExponentialDecay(start, every, factor, staircase=True)(step))


def _clip_gradients(gradients, limit):
    import tensorflow as tf

    clipped, _ = tf.clip_by_global_norm([tf.constant(gradient) for gradient in gradients], limit)
    return [gradient.numpy() for gradient in clipped]


def _length(gradients):
    return np.sqrt(sum(np.sum(np.square(gradient)) for gradient in gradients))


def _rates_of(network, steps):
    """The learning rate that the compiled network would use at each of `steps`; its step counter is put back."""
    counter = network.optimizer.iterations
    before, rates = int(counter), []
    for step in steps:
        counter.assign(step)
        rates.append(float(network.optimizer.learning_rate))
    counter.assign(before)
    return np.array(rates)


def _expected_rate(step, warmup, total):
    if step < warmup:
        return _PEAK * step / warmup
    return _PEAK / 2 * (1 + np.cos(np.pi * min((step - warmup) / (total - warmup), 1)))


def _judge_schedule(network, total):
    warmup = total // 10
    steps = [0, warmup // 2, warmup, 2 * warmup, total // 2, total - 1, total]
    expected = np.array([_expected_rate(step, warmup, total) for step in steps])
    rates = _rates_of(network, steps)
    if np.allclose(rates, expected, atol=1e-6):
        return
    if np.ptp(rates) < 1e-9:
        raise NotYet(
            f"The learning rate is {rates[0]:g} at every step: give the optimizer a schedule in place of a number."
        )
    if rates[0] > 1e-6:
        raise NotYet(
            f"At step 0 I expected the rate **0** and got **{rates[0]:.3g}**: the rate should rise during a warm-up."
        )
    if np.allclose(rates[:-2], [_expected_rate(step, warmup, total + warmup) for step in steps[:-2]], atol=1e-6):
        raise NotYet(
            f"The rate reaches 0 at step {total + warmup}, not {total}: `decay_steps` counts the steps after the warm-up."
        )
    if rates[-1] > 1e-6 and np.allclose(rates[:3], expected[:3], atol=1e-6):
        raise NotYet(
            f"At step {total} I expected the rate **0** and got **{rates[-1]:.3g}**: is it a cosine, down to 0?"
        )
    step, want, got = next(row for row in zip(steps, expected, rates, strict=True) if abs(row[1] - row[2]) > 1e-6)
    raise NotYet(f"With steps={total}, at step {step} I expected the rate **{want:.4f}** and got **{got:.4f}**.")


def _judge_network(answer):
    import keras

    x = np.random.default_rng(0).random((32, 784), "float32")
    y = np.arange(32) % 10
    for total in (100, 40):
        network = build(answer, total)
        if not isinstance(network, keras.Model):
            raise NotYet(f"I expected a Keras model and got {type(network).__name__}. Is a `return` missing?")
        if getattr(network, "optimizer", None) is None:
            raise NotYet("The model is not compiled: call `compile` with an optimizer and a loss before you return it.")
        if type(network.optimizer).__name__ != "Adam":
            raise NotYet(f"I expected Adam and got {type(network.optimizer).__name__}.")
        if sums_to_one(np.asarray(network(x))):
            raise NotYet(
                "The rows of the output sum to 1: the last layer has a softmax, and ten logits were asked for."
            )
        _judge_schedule(network, total)
    judge_compiled(network, x, y, (32, 10), parameters=784 * 64 + 64 + 64 * 10 + 10)


ITEMS = [
    Exercise(
        "optimizer_choice.best_rate",
        hints=(
            "First one number for each rate: the mean over the seeds, which are the rows.",
            "`np.argmax(...)` gives the place of the largest mean; the rate stands at that place in `rates`.",
        ),
        reference=_best_rate,
        cases=((_RATES, _ACCURACY), (_RATES, _ACCURACY[[1, 0, 2]]), (_RATES, _EARLY)),
        mistakes={
            "It looks as if the single best run decided. One lucky seed is not a good rate: take the mean over seeds.": (
                lambda rates, accuracy: rates[np.argmax(accuracy.max(axis=0))]
            ),
            "It looks as if the place of the rate was returned, not the rate.": lambda rates, accuracy: np.argmax(
                accuracy.mean(axis=0)
            ),
            "It looks as if only the first seed was used.": lambda rates, accuracy: rates[np.argmax(accuracy[0])],
            "It looks as if the accuracy was returned, not the rate.": lambda rates, accuracy: accuracy.mean(
                axis=0
            ).max(),
            "It looks as if the worst rate was returned.": lambda rates, accuracy: rates[
                np.argmin(accuracy.mean(axis=0))
            ],
        },
        tolerance=1e-9,
    ),
    Exercise(
        "optimizer_choice.separated",
        hints=(
            "If `a` is the better one, its worst run must be above the best run of `b`.",
            "`np.min(a) > np.max(b)`, or the same with a and b exchanged.",
        ),
        reference=_separated,
        cases=(
            (_RUNS["low"], _RUNS["high"]),
            (_RUNS["high"], _RUNS["low"]),
            (_RUNS["wide"], _RUNS["high"]),
            (_RUNS["low"], _RUNS["touching"]),
            (_RUNS["near"], _RUNS["low"]),
            (_RUNS["low"], _RUNS["near"]),
            (_RUNS["wide"], _RUNS["low"]),
            (_RUNS["high"], _RUNS["wide"]),
        ),
        mistakes={
            "It looks as if only one order was looked at: `b` may be the better one.": lambda a, b: (
                np.min(a) > np.max(b)
            ),
            "It looks as if only one order was looked at: `a` may be the better one.": lambda a, b: (
                np.min(b) > np.max(a)
            ),
            "It looks as if the means were compared: nearly any two means differ.": lambda a, b: (
                np.mean(a) != np.mean(b)
            ),
            "Touching counts as an overlap: use > in place of >=.": lambda a, b: (
                np.min(a) >= np.max(b) or np.min(b) >= np.max(a)
            ),
            "It looks as if True and False are exchanged.": lambda a, b: not _separated(a, b),
        },
    ),
    Exercise(
        "optimizer_choice.usable_range",
        hints=(
            "`accuracy >= accuracy.max() - points` is True where a rate is good enough.",
            "`rates[...]` with that condition keeps the good rates; divide the largest by the smallest.",
        ),
        reference=_usable_range,
        cases=(
            (np.array([0.001, 0.003, 0.01, 0.03]), np.array([70.0, 79.0, 82.0, 78.0]), 3.5),
            (np.array([0.001, 0.003, 0.01, 0.03]), np.array([70.0, 79.0, 82.0, 78.0]), 5.0),
            (np.array([0.001, 0.003, 0.01, 0.03]), np.array([70.0, 79.0, 82.0, 78.0]), 0.5),
            (np.array([0.001, 0.003, 0.01, 0.03]), np.array([1.0, 79.0, 82.0, 78.0]), 3.5),
            (np.array([1.0, 0.1, 0.01]), np.array([10.0, 75.0, 74.0]), 2.0),
        ),
        mistakes={
            "It looks as if the rates were counted; the largest over the smallest was asked for.": (
                lambda rates, accuracy, points: np.sum(accuracy >= accuracy.max() - points)
            ),
            "It looks as if the rates were subtracted: on a logarithmic axis the width is a ratio.": (
                lambda rates, accuracy, points: np.ptp(rates[accuracy >= accuracy.max() - points])
            ),
            "It looks as if `points` was taken as the smallest accuracy, not as the distance from the best.": (
                lambda rates, accuracy, points: rates[accuracy >= points].max() / rates[accuracy >= points].min()
            ),
            "It looks as if the smallest was divided by the largest.": lambda rates, accuracy, points: (
                1 / _usable_range(rates, accuracy, points)
            ),
            "It looks as if all rates were taken, good or not.": lambda rates, accuracy, points: (
                rates.max() / rates.min()
            ),
        },
    ),
    Exercise(
        "optimizer_choice.step_decay",
        hints=(
            "How many times was the rate multiplied before `step`? With every=50: 0 times at step 49, once at step 50.",
            "`step // every` counts whole stairs; the factor is taken to that power.",
        ),
        reference=_step_decay,
        cases=((0, 0.1, 0.5, 50), (49, 0.1, 0.5, 50), (50, 0.1, 0.5, 50), (149, 0.1, 0.3, 50), (7, 1.0, 0.9, 2)),
        mistakes={
            "It looks as if the rate falls at every step: between two stairs it stays the same.": (
                lambda step, start, factor, every: start * factor ** (step / every)
            ),
            "It looks as if the factor was multiplied by the number of stairs, not taken to that power.": (
                lambda step, start, factor, every: start * factor * (step // every)
            ),
            "It looks as if the rate falls once and then never again.": lambda step, start, factor, every: (
                start if step < every else start * factor
            ),
            "It looks as if the first stair comes one step too late.": lambda step, start, factor, every: (
                start * factor ** (max(step - 1, 0) // every)
            ),
            "It looks as if the decay begins at once: at step 0 the rate is `start`.": lambda step, start, factor, every: (
                start * factor ** (step // every + 1)
            ),
        },
    ),
    Exercise(
        "optimizer_choice.scheduled_network",
        hints=(
            "`keras.optimizers.schedules.CosineDecay(0.0, decay_steps, warmup_target=…, warmup_steps=…)` goes into "
            "`keras.optimizers.Adam(…)` in place of the rate.",
            "`warmup_steps` is `steps // 10`, and `decay_steps` is what is left: `steps - steps // 10`.",
        ),
        judge=_judge_network,
    ),
    Exercise(
        "optimizer_choice.clip_gradients",
        hints=(
            "One length for the whole list: `np.sqrt(sum(np.sum(gradient**2) for gradient in gradients))`.",
            "If the length is above the limit, multiply each array by `limit / length`.",
        ),
        reference=_clip_gradients,
        cases=(
            (_LAYERS, 1.0),
            (_LAYERS, 3.5),
            (_LAYERS, 10.0),
            ([np.array([0.6, -0.8])], 2.0),
            ([np.array([0.5, -12.0]), np.array([[0.0]]), np.array([5.0])], 2.0),
            ([np.zeros(2), np.zeros(3)], 1.0),
        ),
        mistakes={
            "It looks as if each array was clipped by its own length (Keras's `clipnorm`): take one length for all.": (
                lambda gradients, limit: [g * limit / max(_length([g]), limit) for g in gradients]
            ),
            "It looks as if each entry was cut off (Keras's `clipvalue`): that changes the direction.": (
                lambda gradients, limit: [np.clip(g, -limit, limit) for g in gradients]
            ),
            "It looks as if short gradients were stretched to the limit: below it, change nothing.": (
                lambda gradients, limit: [g * limit / max(_length(gradients), 1e-12) for g in gradients]
            ),
            "It looks as if the square root is missing.": lambda gradients, limit: [
                g * limit / max(_length(gradients) ** 2, limit) for g in gradients
            ],
            "It looks as if the length became 1, not `limit`.": lambda gradients, limit: [
                g / _length(gradients) if _length(gradients) > limit else g for g in gradients
            ],
        },
    ),
    Quiz(
        "optimizer_choice.unfair",
        "A blog compares six optimizers, all at rate 0.001. Adam wins by 50 points. What has been measured?",
        {
            "Which optimizer the rate 0.001 suits": (
                True,
                "With their own best rates the same gap was under 7 points, on both parts.",
            ),
            "Which optimizer is the best": (False, "The order changed here when each got its own rate."),
            "Which optimizer is the fastest per step": (False, "Every run had 150 steps; no time was taken."),
        },
    ),
    Quiz(
        "optimizer_choice.test_part",
        "Why did we not choose the rates on the test part?",
        {
            "The chosen score would be too good to be true": (
                True,
                "The highest of many scores is partly luck. Choosing belongs to validation, judging to the test part.",
            ),
            "The test part is too small": (False, "It has 10,000 pictures, more than the validation part."),
            "Keras does not allow it": (False, "Nothing stops you; that is the danger."),
        },
    ),
    Quiz(
        "optimizer_choice.luck",
        "Two optimizers, three seeds each, no overlap. If they were equally good, how often would that happen?",
        {
            "One time in ten": (True, "2 of the 20 ways to share out six places keep the groups apart."),
            "Never": (False, "It is rare, not impossible. Count the ways."),
            "One time in two": (False, "Most ways of mixing three and three overlap."),
        },
    ),
    Quiz(
        "optimizer_choice.warmup",
        "Where did warm-up help here?",
        {
            "With Adam at a large rate": (True, "At 0.03 about three points, at 0.1 it saved the run."),
            "With Adam at 0.003": (False, "There it changed less than a point."),
            "Everywhere, a little": (False, "With momentum at 0.1, cosine with and without it were within a point."),
        },
    ),
]
