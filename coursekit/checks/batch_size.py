"""Exercises and quiz of chapter 05c."""

import math

import numpy as np

from coursekit.calling import NotYet
from coursekit.checking import Exercise, Quiz
from coursekit.checks import build

_SINGLE = np.random.default_rng(3).normal([1.0, -2.0, 0.5], [3.0, 1.0, 2.0], (12, 3))
_PARTS = np.array([[1.0, 2.0], [4.0, -1.0], [0.0, 3.0]])
_ANCHOR_RATE, _ANCHOR_BATCH, _EXAMPLES = 0.1, 16, 96


def _range_rate(step, steps, lowest, highest):
    return float(np.geomspace(lowest, highest, steps)[step])


def _steps_made(examples, batch, passes):
    return passes * -(-examples // batch)


def _equal_noise(gradients):
    return gradients.var(axis=0).sum() / np.dot(gradients.mean(axis=0), gradients.mean(axis=0))


def _accumulate(gradients, sizes):
    return np.average(gradients, axis=0, weights=sizes)


def _scaled_rate(rate, batch, new_batch, rule):
    return rate * (new_batch / batch) ** (1.0 if rule == "linear" else 0.5)


def _clusters():
    """Ten separate groups of points with 784 values: (examples, 784), labels (examples,)."""
    random = np.random.default_rng(0)
    labels = np.arange(_EXAMPLES) % 10
    centres = random.normal(0, 0.25, (10, 784))
    return (centres[labels] + random.normal(0, 0.05, (_EXAMPLES, 784))).astype("float32"), labels


def _judge_rate(got, batch):
    rate = _ANCHOR_RATE * batch / _ANCHOR_BATCH
    if math.isclose(got, rate, rel_tol=1e-3):
        return
    sentence = f"For batch={batch} I expected the rate **{rate:g}** and got **{got:.4g}**."
    known = {
        _ANCHOR_RATE: "The rate was not scaled.",
        _ANCHOR_RATE * math.sqrt(batch / _ANCHOR_BATCH): "That is the square-root rule; here the linear one is asked.",
        _ANCHOR_RATE * _ANCHOR_BATCH / batch: "The rate was divided by the factor: a larger batch gets a larger rate.",
        _ANCHOR_RATE * batch: "The factor is the new batch size divided by 16.",
    }
    hint = next((text for value, text in known.items() if math.isclose(got, value, rel_tol=1e-3)), "")
    raise NotYet(f"{sentence} {hint}".rstrip())


def _judge_training(answer):
    import keras

    x, y = _clusters()
    for batch in (32, 48):
        network = build(answer, x, y, batch)
        if not isinstance(network, keras.Model):
            raise NotYet(f"I expected a Keras model and got {type(network).__name__}. Is a `return` missing?")
        if getattr(network, "optimizer", None) is None:
            raise NotYet("The model is not compiled: it needs an optimizer and a loss.")
        if type(network.optimizer).__name__ != "SGD" or float(network.optimizer.momentum) != 0:
            raise NotYet(f"I expected plain SGD and got {type(network.optimizer).__name__} (or a momentum).")
        output = np.asarray(network(x))
        if output.shape != (_EXAMPLES, 10):
            raise NotYet(f"I expected outputs of shape **{(_EXAMPLES, 10)}** and got **{output.shape}**.")
        if network.count_params() != 784 * 64 + 64 + 64 * 10 + 10:
            raise NotYet(f"I expected **50,890** parameters and got **{network.count_params():,}**. Count the layers.")
        if (output >= 0).all() and np.allclose(output.sum(axis=1), 1, atol=1e-4):
            raise NotYet(
                "The rows of the output sum to 1: the last layer has a softmax, and ten logits were asked for."
            )
        _judge_rate(float(network.optimizer.learning_rate), batch)
        steps, got = _EXAMPLES // batch, int(network.optimizer.iterations)
        if got != steps:
            raise NotYet(
                f"One pass over {_EXAMPLES} examples in batches of {batch} is **{steps}** steps; your network made "
                f"**{got}**. Look at `batch_size` and `epochs` of `fit`."
            )
        loss = float(keras.losses.sparse_categorical_crossentropy(y, output, from_logits=True).numpy().mean())
        if not loss < 2.2:
            raise NotYet(
                f"After the pass the loss on the same examples is {loss:.2f}: is the loss computed from logits?"
            )


ITEMS = [
    Exercise(
        "batch_size.range_rate",
        hints=(
            "At step 0 the exponent must be 0, at the last step (number steps − 1) it must be 1.",
            "lowest * (highest / lowest) ** (step / (steps - 1))",
        ),
        reference=_range_rate,
        cases=((0, 5, 1e-4, 1.0), (4, 5, 1e-4, 1.0), (2, 5, 1e-4, 1.0), (3, 11, 1e-3, 10.0)),
        mistakes={
            "The rate grows by equal amounts; it should be multiplied by the same factor at each step.": (
                lambda step, steps, lowest, highest: lowest + (highest - lowest) * step / (steps - 1)
            ),
            "The last step is number steps − 1, and there the rate must be the highest: divide by steps − 1.": (
                lambda step, steps, lowest, highest: lowest * (highest / lowest) ** (step / steps)
            ),
            "It runs the wrong way: the first rate is the lowest.": (
                lambda step, steps, lowest, highest: highest * (lowest / highest) ** (step / (steps - 1))
            ),
            "The count begins at 0, not at 1.": (
                lambda step, steps, lowest, highest: lowest * (highest / lowest) ** ((step + 1) / steps)
            ),
        },
        tolerance=1e-7,
    ),
    Exercise(
        "batch_size.steps_made",
        hints=(
            "How many batches are needed for one pass? If a part of a batch is left over, one more.",
            "`np.ceil(examples / batch)` steps for each pass.",
        ),
        reference=_steps_made,
        cases=((6_144, 16, 1), (100, 32, 3), (1_000, 300, 2), (50, 64, 5)),
        mistakes={
            "The last, smaller batch of each pass was dropped; it is a step too.": (
                lambda examples, batch, passes: examples // batch * passes
            ),
            "Passes were joined before cutting: each pass ends with its own smaller batch.": (
                lambda examples, batch, passes: -(-examples * passes // batch)
            ),
            "It looks as if one pass was counted, however many there are.": (
                lambda examples, batch, passes: -(-examples // batch)
            ),
            "A number of steps is whole: round up.": lambda examples, batch, passes: passes * examples / batch,
            "One step too many where the batches fit exactly.": (
                lambda examples, batch, passes: passes * (examples // batch + 1)
            ),
        },
        tolerance=1e-9,
    ),
    Exercise(
        "batch_size.equal_noise",
        hints=(
            "Noise of batch B, squared: the mean squared distance of single gradients, divided by B.",
            "`np.mean(np.sum((gradients - full) ** 2, axis=1)) / np.sum(full ** 2)` with `full` the mean over the rows.",
        ),
        reference=_equal_noise,
        cases=((_SINGLE,), (_SINGLE[:5] * 10,), (np.array([[1.0, 1.0], [3.0, 1.0]]),)),
        mistakes={
            "It looks as if a root was taken: the batch size goes with the square of the noise.": (
                lambda gradients: np.sqrt(_equal_noise(gradients))
            ),
            "The quotient is upside down: more noise asks for a larger batch.": (
                lambda gradients: 1 / _equal_noise(gradients)
            ),
            "It looks as if the squared lengths were averaged; take the distances from the full gradient.": (
                lambda gradients: np.mean(np.sum(gradients**2, axis=1)) / np.sum(gradients.mean(axis=0) ** 2)
            ),
            "It looks as if the mean was taken over all entries; sum the squares of one example, then average.": (
                lambda gradients: gradients.var(axis=0).mean() / np.sum(gradients.mean(axis=0) ** 2)
            ),
            "It looks as if the distances were summed over the examples; take their mean.": (
                lambda gradients: len(gradients) * _equal_noise(gradients)
            ),
        },
    ),
    Exercise(
        "batch_size.accumulate",
        hints=(
            "A part's gradient is a mean. Times its size it is a sum, and sums can be added.",
            "Sum of size times gradient, divided by the sum of the sizes.",
        ),
        reference=_accumulate,
        cases=(
            (_PARTS, np.array([32, 32, 8])),
            (_PARTS[:2], np.array([1, 3])),
            (np.array([[2.0, 4.0, 6.0]]), np.array([5])),
        ),
        mistakes={
            "A part with few examples counts as much as a large one: weigh by the sizes.": (
                lambda gradients, sizes: gradients.mean(axis=0)
            ),
            "The gradients were added; the gradient of a mean loss is a mean.": (
                lambda gradients, sizes: gradients.sum(axis=0)
            ),
            "The weighted sum is not divided by the number of examples.": lambda gradients, sizes: sizes @ gradients,
            "Divide by the number of examples, not by the number of parts.": (
                lambda gradients, sizes: sizes @ gradients / len(sizes)
            ),
        },
    ),
    Exercise(
        "batch_size.scaled_rate",
        hints=(
            "By which factor does the batch grow?",
            "The linear rule multiplies the rate by new_batch / batch, the other by the root of it.",
        ),
        reference=_scaled_rate,
        cases=((0.1, 16, 128, "linear"), (0.001, 16, 256, "square root"), (0.4, 256, 32, "linear")),
        mistakes={
            "It goes the wrong way: a larger batch gets a larger rate.": (
                lambda rate, batch, new_batch, rule: _scaled_rate(rate, new_batch, batch, rule)
            ),
            "It looks as if the rule is not used: both give the linear rate.": (
                lambda rate, batch, new_batch, rule: rate * new_batch / batch
            ),
            "It looks as if the rule is not used: both give the square-root rate.": (
                lambda rate, batch, new_batch, rule: rate * math.sqrt(new_batch / batch)
            ),
            "The two rules are exchanged.": (
                lambda rate, batch, new_batch, rule: _scaled_rate(
                    rate, batch, new_batch, "square root" if rule == "linear" else "linear"
                )
            ),
            "The factor is new batch divided by old batch, not the new batch alone.": (
                lambda rate, batch, new_batch, rule: _scaled_rate(rate, 1, new_batch, rule)
            ),
        },
        tolerance=1e-7,
    ),
    Exercise(
        "batch_size.train_scaled",
        hints=(
            "The linear rule: 0.1 times batch / 16. Give the rate to `keras.optimizers.SGD`.",
            "`network.fit(x, y, batch_size=batch, epochs=1, verbose=0)`; without `batch_size` Keras takes 32.",
        ),
        judge=_judge_training,
    ),
    Quiz(
        "batch_size.hook",
        "At rate 0.05 and three passes, batch 512 ended far behind batch 16. Why?",
        {
            "Its gradients are too noisy": (
                False,
                "They are less noisy: its noise is the root of 32, about 5.7 times, smaller than that of batch 16.",
            ),
            "It made 36 steps of a size meant for 1,152": (
                True,
                "With gentle rates in proportion to the batch, 16 and 512 ended at the same training loss.",
            ),
            "Large batches over-fit": (
                False,
                "Batch 512 was behind on its own training pictures, too: it had learned less.",
            ),
        },
    ),
    Quiz(
        "batch_size.wall",
        "For the single neuron of this chapter, what limits how far the rate can grow with the batch size?",
        {
            "Nothing: batch times k, rate times k, always": (
                False,
                "The rule needs a gentle rate: at 3.2, to which it takes 0.1 from batch 16 to 512, training failed.",
            ),
            "With small batches their random curvature, with large ones the mean curvature": (
                True,
                "The limit 2/(1 + (d + 1)/B) of the single neuron first grows with B and then stays below 2.",
            ),
            "One rate, the same for every batch size": (
                False,
                "With batch 4 training failed at the rate 0.4, with batches of 16 and more it did not.",
            ),
        },
    ),
    Quiz(
        "batch_size.sixteen",
        "You change from batch 32 to batch 512. By which factor does the noise of the gradient fall?",
        {
            "16": (False, "The batch grows by 16; the noise goes with one over the root."),
            "2": (False, "That would be four times the batch."),
            "4": (True, "The root of 16. The slope of −1/2 was measured above."),
        },
    ),
    Quiz(
        "batch_size.hyperparameter",
        "Which of these is a parameter of the model?",
        {
            "The learning rate, for it is stored with the optimizer": (
                False,
                "Training left it as it was. It is a hyperparameter.",
            ),
            "The batch size, for it changes the result": (
                False,
                "Many choices change the result. It is an argument of `fit`: a hyperparameter.",
            ),
            "The bias of the last layer": (True, "It stands in `network.weights`, and training changes it."),
        },
    ),
]
