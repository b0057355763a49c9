"""Exercises and quiz of chapter 02."""

import numpy as np
from scipy import special, stats

from coursekit import calling
from coursekit.calling import NotYet
from coursekit.checking import Exercise, Quiz
from coursekit.checks import SECONDS_FOR_A_MODEL, build, judge_compiled, sums_to_one

_ERRORS = np.array([-5.0, -1.5, -0.5, 0.0, 0.25, 1.2, 9.0])
_SKEWED = np.array([1.0, 2.0, 2.5, 4.0, 90.0])
_LABELS = np.array([0, 2, 1, 2])
_LOGITS = np.array([[1.0, 2.0, 0.5], [0.0, 0.0, 0.0], [-1.0, 3.0, 2.0], [2.0, -2.0, -0.5]])
_LARGE = np.array([[1000.0, -1000.0, 0.0], [0.0, 1000.0, 998.0]])
_LARGE_LABELS = np.array([1, 2])
_TASKS = {"boot": 1, "garment": 10, "tags": 20}


def _huber_slope(errors, delta):
    return np.sign(errors) * np.minimum(np.abs(errors), delta)


def _best_constant(targets, loss):
    return {"mse": np.average, "mae": lambda values: np.quantile(values, 0.5)}[loss](targets)


def _cross_entropy(labels, logits):
    logs = special.log_softmax(logits, axis=-1)
    return -np.take_along_axis(logs, labels[:, None], axis=-1).mean()


def _logit_gradient(labels, logits):
    return (special.softmax(logits, axis=-1) - np.eye(logits.shape[-1])[labels]) / len(labels)


def _naive_softmax(logits):
    return np.exp(logits) / np.exp(logits).sum(axis=-1, keepdims=True)


def _chosen(values, labels):
    return values[np.arange(len(labels)), labels]


def _lowest_loss(classes, amount):
    return stats.entropy(_smooth(classes, amount))


def _smooth(classes, amount):
    """The smoothed target of class 0, (classes,)."""
    return (1 - amount) * np.eye(classes)[0] + amount / classes


def _other_smooth(classes, amount):
    """The whole amount shared among the other classes only."""
    return np.r_[1 - amount, np.full(classes - 1, amount / (classes - 1))]


def _class_weights(labels):
    from sklearn.utils import class_weight

    classes = np.unique(labels)
    weights = class_weight.compute_class_weight("balanced", classes=classes, y=labels)
    return {int(label): float(weight) for label, weight in zip(classes, weights, strict=True)}


def _weights_by(rule):
    def weights(labels):
        classes, counts = np.unique(labels, return_counts=True)
        return dict(zip(classes.tolist(), rule(counts, len(labels), len(classes)), strict=True))

    return weights


def _judge_classifier(answer):
    random = np.random.default_rng(0)
    x = random.random((32, 784), "float32")
    labels = {
        "boot": (np.arange(32) % 2).astype("float32")[:, None],
        "garment": np.arange(32) % 10,
        "tags": (random.random((32, 20)) < 0.3).astype("float32"),
    }
    for task, units in _TASKS.items():
        network = build(answer, task)
        try:
            _judge_task(task, network, x, labels[task], units)
        except NotYet as problem:
            raise NotYet(f'For the task "{task}": {problem}', problem.mistake) from None


def _judge_task(task, network, x, y, units):
    import keras

    if not isinstance(network, keras.Model):
        raise NotYet(f"I expected a Keras model and got {type(network).__name__}. Is a `return` missing?")
    if not getattr(network, "compiled", False):
        raise NotYet("The model is not compiled: call `compile` with an optimizer and a loss before you return it.")
    output = calling.call(lambda: np.asarray(network(x)), seconds=SECONDS_FOR_A_MODEL)[0]  # (32, units)
    if output.shape != (len(x), units):
        raise NotYet(f"For 32 pictures I expected outputs of shape **{(len(x), units)}** and got **{output.shape}**.")
    wide = np.random.default_rng(1).normal(0, 10, (512, 784)).astype("float32")  # so wide that logits take both signs
    probe = calling.call(lambda: np.asarray(network(wide)), seconds=SECONDS_FOR_A_MODEL)[0]  # (512, units)
    if units > 1 and sums_to_one(probe):
        raise NotYet("The rows of the output sum to 1: the last layer has a softmax, and logits were asked for.")
    if ((probe >= 0) & (probe <= 1)).all():
        raise NotYet("All outputs lie between 0 and 1: the last layer has a sigmoid, and logits were asked for.")
    if (probe >= 0).all():
        raise NotYet("No output is negative: the last layer has an activation, and logits can have any sign.")
    value = calling.call(lambda: _loss_of(network, x, y, output), seconds=SECONDS_FOR_A_MODEL)[0]
    _judge_loss(task, value, y, output)
    judge_compiled(network, x, y, output.shape)


def _loss_of(network, x, y, output):
    from keras import ops

    return float(network.compute_loss(x=x, y=ops.convert_to_tensor(y), y_pred=ops.convert_to_tensor(output)))


def _judge_loss(task, value, y, output):
    """Compare the compiled loss on one batch with what it must be, and with what likely mistakes would give."""
    from keras import losses, ops

    several = task == "garment"
    right = (
        losses.SparseCategoricalCrossentropy(from_logits=True)
        if several
        else losses.BinaryCrossentropy(from_logits=True)
    )
    mistakes = {
        "The loss takes the logits for probabilities: `from_logits=True` is missing.": (
            losses.SparseCategoricalCrossentropy() if several else losses.BinaryCrossentropy()
        ),
        "The loss is the mean squared error; here the labels are classes.": losses.MeanSquaredError(),
    }
    if task == "tags":
        sentence = "Categorical cross-entropy makes the 20 tags share one 100 %: but several may hold at once."
        mistakes[sentence] = losses.CategoricalCrossentropy(from_logits=True)
    target, logits = ops.convert_to_tensor(y), ops.convert_to_tensor(output)
    expected = float(right(target, logits))
    if np.isclose(value, expected, rtol=1e-3):
        return
    for sentence, loss in mistakes.items():
        try:
            other = float(loss(target, logits))
        except Exception:  # a loss that does not fit these shapes cannot have given the value
            continue
        if np.isclose(value, other, rtol=1e-3):
            raise NotYet(sentence, sentence)
    raise NotYet(
        f"On one batch I expected a loss of **{expected:.2f}**, computed from your logits, and got **{value:.2f}**. "
        "Which loss fits this task, and does it know that it gets logits?"
    )


ITEMS = [
    Exercise(
        "losses.huber_slope",
        hints=(
            "Inside ±delta the slope is the error itself; outside it stays at its last value.",
            "`np.clip(values, lowest, highest)` does both.",
        ),
        reference=_huber_slope,
        cases=((_ERRORS, 1.0), (_ERRORS, 2.0), (_ERRORS.reshape(7, 1), 0.5)),
        mistakes={
            "It looks as if the slope of MSE was returned; Huber's is limited to ±delta.": lambda e, d: 2 * e,
            "It looks as if the loss itself was returned, not its slope.": lambda e, d: np.where(
                np.abs(e) <= d, e**2 / 2, d * np.abs(e) - d**2 / 2
            ),
            "It looks as if the slope outside was taken as ±1; it is ±delta.": lambda e, d: np.where(
                np.abs(e) <= d, e, np.sign(e)
            ),
            "It looks as if the sign was lost: an error below −delta pulls the other way.": lambda e, d: np.minimum(
                np.abs(e), d
            ),
            "It looks as if only large positive errors were limited; those below −delta are limited as well.": np.minimum,
            "It looks as if the slope inside was doubled: Huber has e²/2 there, not e².": lambda e, d: np.where(
                np.abs(e) <= d, 2 * e, d * np.sign(e)
            ),
        },
    ),
    Exercise(
        "losses.best_constant",
        hints=(
            "For MSE set the mean slope to zero: the errors must sum to 0. For MAE the signs of the errors must sum to 0.",
            "Signs sum to 0 when as many targets lie above as below. Which number is that?",
        ),
        reference=_best_constant,
        cases=((_SKEWED, "mse"), (_SKEWED, "mae"), (_SKEWED[::-1] - 7, "mae"), (np.array([3.0]), "mse")),
        mistakes={
            "It looks as if the mean was returned for both; the mean absolute error has another lowest point.": (
                lambda targets, loss: targets.mean()
            ),
            "It looks as if the median was returned for both; the mean squared error has another lowest point.": (
                lambda targets, loss: np.median(targets)
            ),
            "It looks as if the two were swapped.": lambda targets, loss: (
                targets.mean() if loss == "mae" else np.median(targets)
            ),
            "It looks as if the smallest loss was returned; the constant that reaches it was asked for.": (
                lambda targets, loss: targets.var() if loss == "mse" else np.abs(targets - np.median(targets)).mean()
            ),
        },
    ),
    Exercise(
        "losses.cross_entropy",
        hints=(
            "The logarithm of softmax is `z − log(sum(exp(z)))`. Subtract each row's largest logit from the row first.",
            "With `z = logits - logits.max(axis=-1, keepdims=True)` the sum inside the logarithm is at least 1.",
            "`logs[np.arange(len(labels)), labels]` picks from each row the entry of its label.",
        ),
        reference=_cross_entropy,
        cases=((_LABELS, _LOGITS), (_LABELS[:1], _LOGITS[:1]), (_LARGE_LABELS, _LARGE)),
        mistakes={
            "The formula is right on paper, but e^1000 overflows. Subtract each row's maximum first.": lambda labels, z: (
                -np.log(_chosen(_naive_softmax(z), labels)).mean()
            ),
            "Softmax came out as 0 and its logarithm as −inf. Write log(softmax) as a difference before you compute.": (
                lambda labels, z: -np.log(_chosen(special.softmax(z, axis=-1), labels)).mean()
            ),
            "It looks as if the sum over the examples was returned; the mean was asked for.": lambda labels, z: (
                _cross_entropy(labels, z) * len(labels)
            ),
            "It looks as if the minus is missing: a loss falls as the probability of the label grows.": lambda labels, z: (
                -_cross_entropy(labels, z)
            ),
            "It looks as if one value per example was returned; their mean was asked for.": lambda labels, z: (
                -_chosen(special.log_softmax(z, axis=-1), labels)
            ),
            "It looks as if the logarithm is missing.": lambda labels, z: (
                -_chosen(special.softmax(z, axis=-1), labels).mean()
            ),
            "It looks as if all classes were summed; only the class of the label counts.": lambda labels, z: (
                -special.log_softmax(z, axis=-1).sum(axis=-1).mean()
            ),
        },
    ),
    Exercise(
        "losses.logit_gradient",
        hints=(
            "p is the softmax of each row; y is the row of zeros with a 1 at the label.",
            "`np.eye(classes)[labels]` is y. The loss is a mean over the examples: what does that do to each gradient?",
        ),
        reference=_logit_gradient,
        cases=((_LABELS, _LOGITS), (_LARGE_LABELS, _LARGE), (_LABELS[:1], _LOGITS[:1])),
        mistakes={
            "It looks as if the mean over the examples was forgotten: divide by their number.": lambda labels, z: (
                _logit_gradient(labels, z) * len(labels)
            ),
            "It looks as if the division was by the number of entries; the loss is a mean over the examples only.": (
                lambda labels, z: _logit_gradient(labels, z) * len(labels) / z.size
            ),
            "It looks as if the sign is wrong: the gradient is p − y, and training walks against it.": lambda labels, z: (
                -_logit_gradient(labels, z)
            ),
            "It looks as if y was not subtracted.": lambda labels, z: special.softmax(z, axis=-1) / len(labels),
            "The formula is right on paper, but e^1000 overflows. Subtract each row's maximum first.": lambda labels, z: (
                (_naive_softmax(z) - np.eye(z.shape[-1])[labels]) / len(labels)
            ),
        },
    ),
    Exercise(
        "losses.lowest_loss",
        hints=(
            "Cross-entropy is lowest when p equals the target. So put the smoothed target in the place of p.",
            "One class has the target 1 − amount + amount/classes, the others amount/classes each; sum −t·log(t) over them.",
        ),
        reference=_lowest_loss,
        cases=((10, 0.1), (2, 0.2), (5, 0.5)),
        mistakes={
            "Zero is the lowest loss of a hard target. A smoothed target asks for something from every class.": (
                lambda classes, amount: 0.0
            ),
            "It looks as if only the class of the label was counted; the other classes have a target too.": (
                lambda classes, amount: -np.log(_smooth(classes, amount)[0]) * _smooth(classes, amount)[0]
            ),
            "It looks as if the amount was shared among the other classes only; the label's class gets its share as well.": (
                lambda classes, amount: stats.entropy(_other_smooth(classes, amount))
            ),
            "It looks as if the other classes were counted as one.": lambda classes, amount: (
                -np.sum(_smooth(classes, amount)[:2] * np.log(_smooth(classes, amount)[:2]))
            ),
            "It looks as if the logarithm has base 2; Keras takes the natural one.": lambda classes, amount: (
                stats.entropy(_smooth(classes, amount), base=2)
            ),
            "It looks as if the minus is missing.": lambda classes, amount: -_lowest_loss(classes, amount),
        },
    ),
    Exercise(
        "losses.class_weights",
        hints=(
            "`np.unique(labels, return_counts=True)` gives the classes and how often each comes.",
            "The weight of a class with `count` labels is `len(labels) / (number_of_classes * count)`.",
        ),
        reference=_class_weights,
        cases=((np.array([0, 0, 0, 1]),), (np.array([2, 0, 1, 1, 1, 0, 2, 1, 1, 1]),), (np.array([1, 0, 1, 0]),)),
        mistakes={
            "It looks as if the number of classes was left out of the division.": _weights_by(lambda c, n, k: n / c),
            "It looks as if frequent classes got the large weights; rare ones need them.": _weights_by(
                lambda c, n, k: c / n
            ),
            "It looks as if the weight is 1/count; then the mean weight of an example is not 1.": _weights_by(
                lambda c, n, k: 1 / c
            ),
            "It looks as if the weights were made to sum to 1; the mean weight of the examples must be 1.": _weights_by(
                lambda c, n, k: (1 / c) / (1 / c).sum()
            ),
            "It looks as if the most frequent class was given the weight 1; the mean weight of the examples must be 1.": (
                _weights_by(lambda c, n, k: c.max() / c)
            ),
        },
    ),
    Exercise(
        "losses.build_classifier",
        hints=(
            "The three tasks have 1, 10 and 20 outputs. Only one of them has exactly one right class among several.",
            '`{"boot": 1, "garment": 10, "tags": 20}[task]` units, no activation. Every loss needs `from_logits=True`.',
            "Integer labels: `SparseCategoricalCrossentropy`. Yes or no, once or twenty times: `BinaryCrossentropy`.",
        ),
        judge=_judge_classifier,
    ),
    Quiz(
        "losses.plateau",
        "Why did MSE not repair the wrong start, while cross-entropy did?",
        {
            "Its steps were too large": (False, "Same rate for both, and MSE's gradient is the smaller one."),
            "Its gradient carries the factor p(1 − p), which is near 0 where the neuron is sure": (
                True,
                "On the stuck neuron it pulled more than a hundred times less than cross-entropy.",
            ),
            "MSE cannot train a classifier": (False, "From the fair start it did, measured above."),
        },
    ),
    Quiz(
        "losses.logits",
        "Ten classes, integer labels, a last layer without activation. Which loss?",
        {
            "SparseCategoricalCrossentropy()": (False, "It would take the logits for probabilities and clip them."),
            "CategoricalCrossentropy(from_logits=True)": (False, "That one wants one-hot rows, not integers."),
            "SparseCategoricalCrossentropy(from_logits=True)": (
                True,
                "Integer labels, and the loss is told that it gets logits.",
            ),
            "BinaryCrossentropy(from_logits=True)": (
                False,
                "It wants one label of 0 or 1 for each output; here there is one number from 0 to 9 for ten outputs.",
            ),
        },
    ),
    Quiz(
        "losses.outliers",
        "You suspect that one target in twenty is entered ten times too large. Which loss do you start with?",
        {
            "Huber": (True, "One example's pull is limited to delta; the table shows hardly any damage."),
            "MSE": (False, "Its error on clean patients grew by more than 60 % in that row."),
            "Binary cross-entropy": (False, "That is for labels of 0 or 1, not for numbers."),
        },
    ),
    Quiz(
        "losses.rare",
        "One garment in 21 is a shirt. A model reports 95 % accuracy. What do you know of its recall on shirts?",
        {
            "It is about 95 %": (False, "Accuracy is mostly about coats here: 20 of 21 garments."),
            "It is at least half": (False, "The model that never says shirt has a recall of 0."),
            "Nothing": (True, "A model that never says shirt reaches 95 % too. Ask for the recall itself."),
        },
    ),
]
