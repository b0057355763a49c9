"""The exercises and quizzes, one module a topic, and what their checks of models share."""

import inspect

import numpy as np

from coursekit import calling
from coursekit.calling import NotYet

SECONDS_FOR_A_MODEL = 30.0


def judge_classifier(answer, arguments, x, y, classes, parameters=None):
    """Check a function that builds a compiled classifier: shapes, parameters, a forward pass, a loss that falls.

    arguments: what `answer` is called with. x (batch, …) and y (batch,): a fixed batch. Raises NotYet with the reason.
    """
    network = build(answer, *arguments)
    judge_compiled(network, x, y, (len(x), classes), parameters)
    return network


def build(answer, *arguments):
    """Return the model that the learner's function `answer` builds; raises NotYet when it is no function."""
    if not inspect.isroutine(answer):
        raise NotYet("I expected the function itself, without parentheses behind its name.")
    return calling.call(answer, *arguments, seconds=SECONDS_FOR_A_MODEL)[0]


def forward(network, x):
    """Outputs of a model for `x`, an array or a list of arrays, as an array. Raises NotYet when it takes no such `x`."""
    if not callable(network):
        raise NotYet(f"I expected a Keras model and got {type(network).__name__}. Is a `return` missing?")
    try:
        return calling.call(lambda: np.asarray(network(x)), seconds=SECONDS_FOR_A_MODEL)[0]
    except NotYet as problem:
        raise NotYet(f"Your model did not take inputs of shape {_shapes(x)}. {problem}") from None


def judge_loss_of_classes(network, y, classes, ignored=None):
    """Check that a model's loss is the mean cross-entropy from logits, over the places where y is not `ignored`.

    y (batch, time): ids of classes. The logits are drawn here, so that the loss is judged and not the model. Does
    nothing for a model that is not compiled: judge_compiled says so.
    """
    if not getattr(network, "compiled", False):
        return
    logits = np.random.default_rng(1).normal(0, 3, (*y.shape, classes)).astype("float32")
    chosen = np.take_along_axis(logits, y[..., None].astype("int64"), axis=-1)[..., 0]
    losses = np.log(np.exp(logits).sum(axis=-1)) - chosen
    expected, got = losses[y != ignored].mean(), _compute_loss(network, y, logits)
    if np.isclose(expected, got, rtol=0.001):
        return
    counted = ignored is not None and np.isclose(losses.mean(), got, rtol=0.001)
    raise NotYet(
        f"On logits of ours the cross-entropy of the real places is {expected:.3f}, and your loss gives {got:.3f}"
        f"{': the padding is counted' if counted else ''}. Is it SparseCategoricalCrossentropy(from_logits=True"
        f"{'' if ignored is None else f', ignore_class={ignored}'})?"
    )


def judge_binary_loss(network, y):
    """Check that a model's loss is the mean binary cross-entropy from logits, as judge_loss_of_classes does.

    y (batch, 1): 0 or 1.
    """
    if not getattr(network, "compiled", False):
        return
    logits = np.random.default_rng(1).normal(0, 3, y.shape).astype("float32")
    expected, got = np.mean(np.logaddexp(0, logits) - y * logits), _compute_loss(network, y, logits)
    if not np.isclose(expected, got, rtol=0.001):
        raise NotYet(
            f"On logits of ours the cross-entropy is {expected:.3f}, and your loss gives {got:.3f}. "
            "Is it BinaryCrossentropy(from_logits=True), and is the last layer without activation?"
        )


def sums_to_one(output):
    """Whether the rows of an output (batch, classes) are probabilities already, not logits."""
    return bool((output >= 0).all() and np.allclose(output.sum(axis=-1), 1, atol=1e-4))


def judge_compiled(network, x, y, shape, parameters=None, learning_steps=20):
    """Check a compiled Keras model on the batch (x, y): `shape` of its output, `parameters`, a loss that falls.

    x: an array, or a list of arrays for a model with several inputs.
    """
    import keras

    if not isinstance(network, keras.Model):
        raise NotYet(f"I expected a Keras model and got {type(network).__name__}. Is a `return` missing?")
    if not getattr(network, "compiled", False):
        raise NotYet("The model is not compiled: call `compile` with an optimizer and a loss before you return it.")
    output, _ = calling.call(lambda: np.asarray(network(x)), seconds=SECONDS_FOR_A_MODEL)
    if output.shape != tuple(shape):
        raise NotYet(
            f"For inputs of shape {_shapes(x)} I expected outputs of shape **{tuple(shape)}**, got **{output.shape}**."
        )
    if parameters is not None and network.count_params() != parameters:
        raise NotYet(
            f"I expected **{parameters:,}** parameters and got **{network.count_params():,}**. Count the layers."
        )
    losses, _ = calling.call(
        lambda: [_first(network.train_on_batch(x, y)) for _ in range(learning_steps)], seconds=SECONDS_FOR_A_MODEL
    )
    if not np.isfinite(losses).all():
        raise NotYet("The loss became nan or infinite while the model trained.")
    if not losses[-1] < 0.95 * losses[0]:
        raise NotYet(
            f"In {learning_steps} steps on one batch the loss went from {losses[0]:.2f} to {losses[-1]:.2f}: "
            "it does not learn. Look at the optimizer, the loss (from logits?) and the last layer's activation."
        )


def _compute_loss(network, y, logits):
    return calling.call(lambda: float(network.compute_loss(y=y, y_pred=logits)), seconds=SECONDS_FOR_A_MODEL)[0]


def _shapes(x):
    return " and ".join(str(part.shape) for part in x) if isinstance(x, list) else x.shape


def _first(logs):
    return float(np.ravel(logs)[0])
