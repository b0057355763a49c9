"""Exercises and quiz of chapter 04a."""

import numpy as np

from coursekit import calling
from coursekit.calling import NotYet
from coursekit.checking import Exercise, Quiz
from coursekit.checks import SECONDS_FOR_A_MODEL

_X = np.array([[1.0, 2.0], [3.0, -1.0], [0.5, 4.0], [-2.0, 1.0]])
_Y = np.array([1.0, -2.0, 3.0, 0.5])
_TALL = np.random.default_rng(3).normal(2.0, 1.5, (30, 4))
_FALL = [5.0, 4.0, 3.5, 3.6, 3.4, 3.7, 3.8, 3.9, 3.0]


def _exact_step(x, y, weights):
    gradient = 2 * x.T @ (x @ weights - y) / len(x)
    along = x @ gradient
    return np.sum(gradient**2) / (2 * np.mean(along**2))


def _share_of(x, y, weights, factor):
    return factor(x, 2 * x.T @ (x @ weights - y) / len(x)) * _exact_step(x, y, weights)


def _largest_rate(x):
    return 2 * len(x) / np.linalg.norm(x, 2) ** 2


def _stop_early(losses, patience):
    best, waited = 0, 0
    for index in range(1, len(losses)):
        best, waited = (index, 0) if losses[index] < losses[best] else (best, waited + 1)
        if waited == patience:
            return index + 1, best
    return len(losses), best


def _any_rise(losses, patience):
    """Counts passes in a row that were worse than the pass before, not than the best."""
    waited = 0
    for index in range(1, len(losses)):
        waited = waited + 1 if losses[index] >= losses[index - 1] else 0
        if waited == patience:
            return index + 1, int(np.argmin(losses[: index + 1]))
    return len(losses), int(np.argmin(losses))


def _never_reset(losses, patience):
    best, waited = 0, 0
    for index in range(1, len(losses)):
        if losses[index] < losses[best]:
            best = index
        else:
            waited += 1
        if waited == patience:
            return index + 1, best
    return len(losses), best


def _batch_for_noise(size, factor):
    return size * factor**2


def _judge_mini_batches(answer):
    x, y = np.arange(20.0).reshape(10, 2), np.arange(10) * 10
    orders, remarks = [], []
    for size, seed in [(4, 0), (4, 1), (5, 2), (10, 3), (16, 4), (1, 5)]:
        batches, remarks = calling.call(answer, x, y, size, np.random.default_rng(seed))
        orders.append(_order_of(batches, x, y, size))
    if all(order == list(range(10)) for order in orders):
        raise NotYet("Every pass has the examples in the order of the file: nothing is shuffled.")
    if orders[0] == orders[1]:
        raise NotYet("Two generators with different seeds gave the same order. Draw the order from `random`.")
    return remarks


def _order_of(batches, x, y, size):
    """The order in which the batches hold the examples; raises NotYet unless each comes once, with its label."""
    given = f"For 10 examples and `size={size}`"
    if batches is None:
        raise NotYet("Your function returned nothing (None). Is a `return` missing?")
    try:
        pairs = [(np.asarray(x_batch), np.asarray(y_batch)) for x_batch, y_batch in batches]
    except (TypeError, ValueError):
        raise NotYet("I expected a list of pairs `(x_batch, y_batch)`.") from None
    for x_batch, y_batch in pairs:
        if x_batch.ndim != 2 or x_batch.shape[1] != 2 or y_batch.shape != (len(x_batch),):
            shapes = f"{x_batch.shape} and {y_batch.shape}"
            raise NotYet(
                f"{given} I expected pairs of shapes like ({min(size, 10)}, 2) and ({min(size, 10)},), got {shapes}."
            )
        if not np.array_equal(x_batch[:, 0] / 2 * 10, y_batch):
            raise NotYet("The examples and their labels were torn apart: shuffle both with the **same** order.")
    lengths = [len(y_batch) for _, y_batch in pairs]
    order = [int(value) // 10 for _, y_batch in pairs for value in y_batch]
    expected = [min(size, 10 - begin) for begin in range(0, 10, size)]
    if len(set(order)) < len(order):
        raise NotYet(f"{given} an example came twice: draw a permutation, without putting back.")
    if lengths == expected[: len(lengths)] and sum(lengths) < 10:
        raise NotYet(f"{given} only {sum(lengths)} examples came: the last, shorter batch is missing.")
    if lengths != expected:
        raise NotYet(f"{given} I expected batches of {expected} examples and got {lengths}.")
    return order


def _descend(x, y, rate, steps, scale=1.0, bias=True):
    """Predictions after `steps` steps of plain gradient descent on the mean squared error, from zeros."""
    wide = np.column_stack([x, np.ones(len(x)) if bias else np.zeros(len(x))])
    weights = np.zeros(wide.shape[1])
    for _ in range(steps):
        weights = weights - rate * scale * 2 * wide.T @ (wide @ weights - y) / len(x)
    return wide @ weights


def _judge_fit_line(answer):
    import keras

    random = np.random.default_rng(5)
    x = random.normal(size=(50, 3)).astype("float32")
    y = (x @ [2.0, -1.0, 0.5] + 4.0 + random.normal(0, 0.5, 50)).astype("float32")
    rate, steps = 0.05, 8
    line, remarks = calling.call(answer, x, y, rate, steps, seconds=SECONDS_FOR_A_MODEL)
    if not isinstance(line, keras.Model):
        raise NotYet(f"I expected a Keras model and got {type(line).__name__}. Is a `return line` missing?")
    output, _ = calling.call(lambda: np.asarray(line(x)), seconds=SECONDS_FOR_A_MODEL)
    if output.shape != (50, 1):
        raise NotYet(f"For inputs of shape (50, 3) I expected outputs of shape **(50, 1)**, got **{output.shape}**.")
    if line.count_params() != 4:
        raise NotYet(f"I expected **4** parameters (three weights, one bias) and got **{line.count_params()}**.")
    if np.allclose(output[:, 0], _descend(x, y, rate, steps), rtol=1e-3, atol=1e-3):
        return remarks
    made = int(line.optimizer.iterations) if getattr(line, "optimizer", None) is not None else 0
    if made == 0:
        raise NotYet("The model was not trained: `fit` (or a loop of your own) made no step.")
    if made != steps:
        raise NotYet(
            f"I asked for {steps} steps, and the optimizer made {made}. "
            "`fit` makes batches of 32 unless you give `batch_size=len(x)`, and `epochs` counts the passes."
        )
    likely = {
        "It looks as if the rate stayed at 0.01, Keras's default: give it to the optimizer.": {"rate": 0.01},
        "It looks as if the bias did not learn.": {"bias": False},
        "It looks as if the squared errors were summed, not averaged.": {"scale": 50.0},
        "It looks as if half the mean squared error was used.": {"scale": 0.5},
    }
    for sentence, change in likely.items():
        wrong = _descend(**({"x": x, "y": y, "rate": rate, "steps": steps} | change))
        if np.allclose(output[:, 0], wrong, rtol=1e-3, atol=1e-3):
            raise NotYet(sentence, sentence)
    raise NotYet(
        f"After {steps} steps the model is not where plain gradient descent from zeros arrives. "
        "Do all weights start at zero, is the optimizer `keras.optimizers.SGD(rate)` without anything more, is the loss the mean squared error?"
    )


ITEMS = [
    Exercise(
        "gradient_descent.exact_step",
        hints=(
            "Compute g, then A, then (g · g) / (g · A g): three lines.",
            "`g = 2 * x.T @ (x @ weights - y) / len(x)`, `A = 2 * x.T @ x / len(x)`; in NumPy `g @ A @ g` is a number.",
        ),
        reference=_exact_step,
        cases=(
            (_X, _Y, np.zeros(2)),
            (_X, _Y, np.array([1.0, -1.0])),
            (_TALL, _TALL[:, 0] - 3 * _TALL[:, 1], np.ones(4)),
        ),
        mistakes={
            "It looks as if the curvature lost its factor 2: A = 2 xᵀx / n.": lambda x, y, w: 2 * _exact_step(x, y, w),
            "It looks as if the curvature was not divided by the number of examples.": lambda x, y, w: (
                _exact_step(x, y, w) / len(x)
            ),
            "The fraction stands upside down: g · g belongs on top.": lambda x, y, w: 1 / _exact_step(x, y, w),
            "It looks as if the length of g was used where its square is needed.": lambda x, y, w: _share_of(
                x, y, w, lambda x, g: 1 / np.sqrt(g @ g)
            ),
            "That is the limit of the fixed rate, 2 / largest curvature. Here the step depends on g.": lambda x, y, w: (
                _largest_rate(x) / 2
            ),
        },
    ),
    Exercise(
        "gradient_descent.largest_rate",
        hints=(
            "The curvature matrix of half the mean squared error is xᵀx / n, without the 2.",
            "`np.linalg.eigvalsh(matrix)` gives the eigenvalues in rising order; the limit is 2 / the last one.",
        ),
        reference=_largest_rate,
        cases=((_X,), (_TALL,), (np.eye(3),)),
        mistakes={
            "It is half the limit: is it the curvature of the whole mean squared error, or 1 / curvature?": (
                lambda x: _largest_rate(x) / 2
            ),
            "It looks as if the division by the number of examples is missing.": lambda x: _largest_rate(x) / len(x),
            "It looks as if the smallest curvature was used; the steepest direction sets the limit.": lambda x: (
                2 / np.linalg.eigvalsh(x.T @ x / len(x))[0]
            ),
            "It looks as if the curvature itself was returned.": lambda x: 2 / _largest_rate(x),
        },
    ),
    Exercise(
        "gradient_descent.stop_early",
        hints=(
            "Go through the list, and remember the index of the lowest loss so far.",
            "Stop when `index - best >= patience`: then `index + 1` passes were made.",
        ),
        reference=_stop_early,
        cases=(
            (_FALL, 2),
            (_FALL, 3),
            ([3.0, 2.0, 2.6, 2.4, 2.2, 1.0], 3),
            ([3.0, 2.0, 1.0], 2),
            ([1.0, 2.0, 3.0, 0.5], 1),
            ([2.0, 2.0, 2.0, 1.0], 2),
        ),
        mistakes={
            "Passes worse than the one **before** were counted; count those that are no new best.": _any_rise,
            "It looks as if the count is not set back to 0 when a new lowest loss comes.": _never_reset,
            "It looks as if the last index was returned; the number of passes is one more.": lambda losses, patience: (
                _stop_early(losses, patience)[0] - 1,
                _stop_early(losses, patience)[1],
            ),
            "Training cannot know what comes after it stopped: keep the best until then.": lambda losses, patience: (
                _stop_early(losses, patience)[0],
                int(np.argmin(losses)),
            ),
            "It looks as if the last weights were kept, not the best.": lambda losses, patience: (
                _stop_early(losses, patience)[0],
                _stop_early(losses, patience)[0] - 1,
            ),
            "It looks as if it waits one pass too long.": lambda losses, patience: _stop_early(losses, patience + 1),
            "It looks as if the two numbers come in the wrong order: first the passes made, then the index.": (
                lambda losses, patience: _stop_early(losses, patience)[::-1]
            ),
        },
    ),
    Exercise(
        "gradient_descent.batch_for_noise",
        hints=("The noise goes as 1/√n.", "√n must grow by the factor. By how much does n grow then?"),
        reference=_batch_for_noise,
        cases=((32, 2), (1, 10), (64, 3)),
        mistakes={
            "It looks as if noise fell as 1/n: it falls as 1/√n, which is slower.": lambda size, factor: size * factor,
            "It looks as if the root was taken where the square is needed.": lambda size, factor: (
                size * np.sqrt(factor)
            ),
            "It looks as if the batch became smaller: less noise needs more examples.": lambda size, factor: (
                size / factor**2
            ),
            "It looks as if the size was squared too.": lambda size, factor: (size * factor) ** 2,
        },
    ),
    Exercise(
        "gradient_descent.mini_batches",
        hints=(
            "`order = random.permutation(len(x))` is each index once, in random order.",
            "`order[begin : begin + size]` for `begin in range(0, len(x), size)`: these rows of `x` **and** of `y`.",
        ),
        judge=_judge_mini_batches,
    ),
    Exercise(
        "gradient_descent.fit_line",
        hints=(
            "`layers.Dense(1, kernel_initializer='zeros')`, `keras.optimizers.SGD(rate)`, loss `'mse'`.",
            "One step a pass needs one batch a pass: `batch_size=len(x), epochs=steps`.",
        ),
        judge=_judge_fit_line,
    ),
    Quiz(
        "gradient_descent.limit",
        "A quadratic loss has the curvatures 1 and 25. What does gradient descent do at the rate 0.082?",
        {
            "It diverges across the ravine": (True, "The limit is 2/25 = 0.08; above it the steep direction grows."),
            "It converges slowly": (False, "Slowly would be a rate far below 0.08. Measured above: 2 grew to 260."),
            "It diverges along the ravine": (False, "Along it the curvature is 1: there any rate below 2 converges."),
        },
    ),
    Quiz(
        "gradient_descent.stopping",
        "Training stops because the loss changed by less than 0.1. What do you know?",
        {
            "That the last step changed little": (True, "A small rate does that anywhere on the slope, as measured."),
            "That the lowest point is near": (False, "At a thousandth of the rate the gradient was still long."),
            "That validation data would say the same": (False, "Its lowest error came 310 steps earlier."),
        },
    ),
    Quiz(
        "gradient_descent.noise",
        "You go from batches of 16 to batches of 64. What happens to the noise of the gradient?",
        {
            "It halves": (True, "Four times the examples, and noise goes as 1/√n: measured, 3.1 became 1.5."),
            "It becomes a quarter": (False, "It would if noise went as 1/n."),
            "It stays: the same examples are seen": (False, "Per pass, yes. Each step averages over more of them."),
        },
    ),
    Quiz(
        "gradient_descent.full_batch",
        "`line.compile(keras.optimizers.SGD(0.1), 'mse')`, then `line.fit(x, y, batch_size=len(x))`. What runs?",
        {
            "Plain gradient descent": (True, "One batch holds everything: equal, step by step."),
            "Stochastic gradient descent, by its name": (False, "The optimizer only subtracts; the batches decide."),
            "An error: the batch is too large": (False, "It ran above, with 353 patients in one batch."),
        },
    ),
]
