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


def _shapes(x):
    return " and ".join(str(part.shape) for part in x) if isinstance(x, list) else x.shape


def _first(logs):
    return float(np.ravel(logs)[0])
