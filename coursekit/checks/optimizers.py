"""Exercises and quiz of chapter 04b."""

import numpy as np

from coursekit import calling
from coursekit.calling import NotYet
from coursekit.checking import Exercise, Quiz
from coursekit.checks import SECONDS_FOR_A_MODEL, build, sums_to_one

_GRADIENTS = np.array([[1.0, -10.0], [2.0, -5.0], [-1.0, 3.0]])
_QUIET = np.array([[0.0, 3.0], [0.5, 3.0]])
_VALUES = np.array([4.0, 2.0, -1.0, 3.0, 3.0])


def _long_run_gain(beta):
    return float(np.sum(beta ** np.arange(20_000.0)))


def _steps_remembered(beta, share):
    held = np.cumsum((1 - beta) * beta ** np.arange(20_000.0))
    return int(np.argmax(held >= share - 1e-12)) + 1


def _adagrad_path(start, gradients, rate):
    steps = rate * gradients / (np.sqrt(np.cumsum(gradients**2, axis=0)) + 1e-7)
    return start - np.cumsum(steps, axis=0)


def _adagrad_without_epsilon(start, gradients, rate):
    return start - np.cumsum(rate * gradients / np.sqrt(np.cumsum(gradients**2, axis=0)), axis=0)


def _adagrad_forgetting(start, gradients, rate):
    v, p, path = 0.0, start, []
    for g in gradients:
        v = 0.9 * v + 0.1 * g**2
        p = p - rate * g / (np.sqrt(v) + 1e-7)
        path.append(p)
    return np.array(path)


def _bias_corrected(values, beta):
    weights = [beta ** np.arange(steps)[::-1] for steps in range(1, len(values) + 1)]
    return np.array([np.average(values[: len(weight)], weights=weight) for weight in weights])


def _running(values, beta, correct, store_back=False, first=1):
    average, results = 0.0, []
    for step, value in enumerate(values, start=first):
        average = beta * average + (1 - beta) * value
        corrected = average / correct(step)
        results.append(corrected)
        average = corrected if store_back else average
    return np.array(results)


def _first_step(gradient, rate):
    return np.where(gradient > 0, -rate, np.where(gradient < 0, rate, 0.0))


def _judge_training(answer):
    import keras

    random = np.random.default_rng(0)
    y = np.arange(200) % 10
    x = (random.random((10, 784))[y] + 0.1 * random.normal(size=(200, 784))).astype("float32")
    optimizer = keras.optimizers.Adam(0.01)
    network = build(lambda: answer(x, y, optimizer))
    if not isinstance(network, keras.Model):
        remark = " `fit` returns a history; return the network." if type(network).__name__ == "History" else ""
        raise NotYet(f"I expected a Keras model and got {type(network).__name__}.{remark or ' Is a `return` missing?'}")
    output, _ = calling.call(lambda: np.asarray(network(x)), seconds=SECONDS_FOR_A_MODEL)
    if output.shape != (200, 10):
        raise NotYet(f"For 200 pictures I expected outputs of shape **(200, 10)** and got **{output.shape}**.")
    if sums_to_one(output):
        raise NotYet("The rows of the output sum to 1: the last layer has a softmax, and ten logits were asked for.")
    if network.count_params() != 25_450:
        raise NotYet(f"I expected **25,450** parameters and got **{network.count_params():,}**. Count the layers.")
    taken = int(optimizer.iterations)
    if taken == 0:
        raise NotYet("The optimizer that I gave you took no step. Is it passed to `compile`, and is `fit` called?")
    if taken != 35:
        raise NotYet(
            f"200 pictures in batches of 32, five times, are **35** steps of the optimizer; I counted **{taken}**. "
            "Look at `batch_size` and `epochs`."
        )
    value = float(keras.losses.SparseCategoricalCrossentropy(from_logits=True)(y, output))
    if not value < np.log(10) / 2:
        raise NotYet(
            f"After training the loss on the same pictures is {value:.2f}; guessing gives {np.log(10):.2f}. "
            "Look at the loss (from logits?) and at the activations."
        )
    if _is_affine(network, x):
        raise NotYet("The network is one straight line: the hidden layer has no activation, and ReLU was asked for.")


def _is_affine(network, x):
    a, b = x[:50], -x[50:100]
    values = [np.asarray(network(part)) for part in (a + b, a * 0, a, b)]
    return np.allclose(values[0] + values[1], values[2] + values[3], atol=1e-3)


ITEMS = [
    Exercise(
        "optimizers.long_run_gain",
        hints=(
            "In the long run m no longer changes: solve m = βm − ηg for m.",
            "m (1 − β) = −ηg. Divide the length of m by the plain step ηg.",
        ),
        reference=_long_run_gain,
        cases=((0.0,), (0.5,), (0.9,), (0.99,)),
        mistakes={
            "It looks as if the part that is kept was returned upside down: 1 − β is the loss per step, the gain is its inverse.": (
                lambda beta: 1 - beta
            ),
            "It looks as if the step itself was left out of the sum: it is 1 + β + β² + …, not β + β² + …": (
                lambda beta: beta / (1 - beta)
            ),
            "It looks as if only two steps were added: the sum 1 + β + β² + … goes on.": lambda beta: 1 + beta,
            "It looks as if β alone was inverted; what is missing in the equation m = βm − ηg is 1 − β.": lambda beta: (
                1 / beta if beta else 1.0
            ),
        },
    ),
    Exercise(
        "optimizers.steps_remembered",
        hints=(
            "Try n = 1, 2, 3, … until 1 − β^n is at least `share`.",
            "Or solve 1 − β^n = share for n: n = log(1 − share) / log(β), rounded up.",
        ),
        reference=_steps_remembered,
        cases=((0.9, 0.5), (0.9, 0.9), (0.5, 0.75), (0.99, 0.5), (0.999, 0.95)),
        mistakes={
            "It looks as if the number was rounded down: those steps hold a little less than `share`.": lambda beta, share: (
                np.floor(np.log(1 - share) / np.log(beta) + 1e-9)
            ),
            "It looks as if `share` was taken for what is left over: the last n hold 1 − β^n.": lambda beta, share: (
                np.ceil(np.log(share) / np.log(beta) - 1e-9)
            ),
            "It looks as if the rule of thumb 1 / (1 − β) was returned, whatever the share.": lambda beta, share: (
                np.round(1 / (1 - beta))
            ),
            "It looks as if the result was not rounded up to whole steps.": lambda beta, share: (
                np.log(1 - share) / np.log(beta)
            ),
            "It is one step too many.": lambda beta, share: _steps_remembered(beta, share) + 1,
        },
    ),
    Exercise(
        "optimizers.adagrad_path",
        hints=(
            "Loop over the rows of `gradients`; keep v and p from row to row, and collect p.",
            "`v = v + g**2`, then `p = p - rate * g / (np.sqrt(v) + 1e-7)`, then `path.append(p)`.",
        ),
        reference=_adagrad_path,
        cases=((np.array([5.0, 5.0]), _GRADIENTS, 0.5), (np.array([0.0, 1.0]), _QUIET, 0.1)),
        mistakes={
            "It looks as if v forgets as RMSprop's does; AdaGrad adds up all squares.": _adagrad_forgetting,
            "It looks as if v holds only the latest square; AdaGrad adds up all of them.": lambda start, gradients, rate: (
                start - np.cumsum(rate * gradients / (np.abs(gradients) + 1e-7), axis=0)
            ),
            "It looks as if the root was left out: divide by √v, not by v.": lambda start, gradients, rate: (
                start - np.cumsum(rate * gradients / (np.cumsum(gradients**2, axis=0) + 1e-7), axis=0)
            ),
            "It looks as if the small number is missing: a first gradient of 0 gives 0/0.": _adagrad_without_epsilon,
            "It looks as if each step starts anew at `start`: steps add up.": lambda start, gradients, rate: (
                start - rate * gradients / (np.sqrt(np.cumsum(gradients**2, axis=0)) + 1e-7)
            ),
            "It goes uphill: the step is subtracted.": lambda start, gradients, rate: (
                2 * start - _adagrad_path(start, gradients, rate)
            ),
            "Only the last point was returned; the point after each step was asked for.": lambda start, gradients, rate: (
                _adagrad_path(start, gradients, rate)[-1]
            ),
            "The starting point was returned too; only the points after each step were asked for.": (
                lambda start, gradients, rate: np.vstack([start, _adagrad_path(start, gradients, rate)])
            ),
        },
    ),
    Exercise(
        "optimizers.bias_corrected",
        hints=(
            "`average = beta * average + (1 - beta) * value`, from `average = 0.0`; count the steps from 1.",
            "Divide by `1 - beta**step` into a **new** name, so that `average` goes on uncorrected.",
        ),
        reference=_bias_corrected,
        cases=((_VALUES, 0.9), (np.array([1.0, 1.0, 1.0]), 0.99), (np.array([-2.0, 8.0]), 0.5)),
        mistakes={
            "It looks as if the corrected value was written back into the running average (clinic 04-2 shows where that leads).": (
                lambda values, beta: _running(values, beta, lambda step: 1 - beta**step, store_back=True)
            ),
            "It looks as if the correction is missing: the first values are too small.": lambda values, beta: _running(
                values, beta, lambda step: 1.0
            ),
            "It looks as if the steps were counted from 0: then the first division is by 1 − β⁰ = 0.": lambda values, beta: (
                _running(values, beta, lambda step: 1 - beta**step, first=0)
            ),
            "It looks as if every step was divided by 1 − β; the divisor is 1 − β^t and grows.": lambda values, beta: (
                _running(values, beta, lambda step: 1 - beta)
            ),
            "It looks as if β and 1 − β were swapped: β keeps the old average.": lambda values, beta: _running(
                values, 1 - beta, lambda step: 1 - (1 - beta) ** step
            ),
            "It looks as if the average starts at the first value; it starts at zero.": lambda values, beta: np.array(
                [_from_first(values[:steps], beta) for steps in range(1, len(values) + 1)]
            ),
        },
    ),
    Exercise(
        "optimizers.first_step",
        hints=(
            "For t = 1: m = (1 − β₁) g, and the correction divides by 1 − β₁. What is m̂? And v̂?",
            "m̂ = g and v̂ = g², so m̂ / √v̂ = g / |g|.",
        ),
        reference=_first_step,
        cases=(
            (np.array([3.0, -0.001, 50.0]), 0.01),
            (np.array([[0.0, -2.0], [1e-6, 4.0]]), 0.5),
        ),
        mistakes={
            "It looks as if SGD's step was returned: Adam divides by the gradient's own size.": lambda gradient, rate: (
                -rate * gradient
            ),
            "It goes uphill: the step is subtracted.": lambda gradient, rate: rate * np.sign(gradient),
            "The correction is missing: m is 10 times too small, the root of v 32 times.": lambda gradient, rate: (
                -rate * np.sign(gradient) * 0.1 / np.sqrt(0.001)
            ),
            "It looks as if the gradient was divided by its square; the root is missing.": lambda gradient, rate: (
                np.where(gradient == 0, 0.0, -rate / np.where(gradient == 0, 1.0, gradient))
            ),
            "It looks as if the sign was lost: the step goes against each gradient.": lambda gradient, rate: (
                -rate * np.abs(np.sign(gradient))
            ),
        },
    ),
    Exercise(
        "optimizers.train_network",
        hints=(
            '`keras.Sequential([keras.Input((784,)), layers.Dense(32, "relu"), layers.Dense(10)])`.',
            "`network.compile(optimizer, loss)`, then `network.fit(x, y, batch_size=32, epochs=5, verbose=0)`, then return "
            "the network.",
        ),
        judge=_judge_training,
    ),
    Quiz(
        "optimizers.first_steps",
        "Adam's usual settings, bias correction left out. How long is the first step?",
        {
            "About three times the rate": (True, "m is a tenth of g, the root of v a 32nd of |g|: 32 / 10 is 3.2."),
            "A tenth of the rate": (False, "m is a tenth of the gradient, but the root of v is even smaller."),
            "A thousandth of the rate": (False, "v is a thousandth of g², and it stands below the line, under a root."),
        },
    ),
    Quiz(
        "optimizers.scale",
        "You multiply the loss by 1000 and keep the rate. What changes?",
        {
            "SGD's steps grow by 1000, Adam's hardly change": (
                True,
                "In Adam the factor stands above and below the line.",
            ),
            "The steps of both grow by 1000": (False, "Adam divides by the root of v, which grows by 1000 too."),
            "Nothing, for both": (False, "SGD's step is the rate times the gradient: above it fell to 10 %."),
        },
    ),
    Quiz(
        "optimizers.parts",
        "What does Adam add to RMSprop?",
        {
            "A running mean of the gradient, and bias correction": (
                True,
                "With beta_1 = 0 only the correction is left.",
            ),
            "Gradient descent": (False, "RMSprop is gradient descent with scaled steps already: clinic 04-5."),
            "A regularisation term, epsilon": (False, "RMSprop has an epsilon too, and it moves no goal: clinic 04-1."),
        },
    ),
    Quiz(
        "optimizers.decay",
        "Under Adam with an L2 penalty in the loss, which weights are hardly pulled to zero?",
        {
            "Those with large gradients": (
                True,
                "Their penalty is divided by a large root of v. AdamW does not do that.",
            ),
            "Those with small gradients": (False, "There the penalty rules: measured above, nothing was left of them."),
            "All weights are pulled alike": (False, "That is AdamW; measured above."),
        },
    ),
]


def _from_first(values, beta):
    average = values[0]
    for value in values[1:]:
        average = beta * average + (1 - beta) * value
    return average
