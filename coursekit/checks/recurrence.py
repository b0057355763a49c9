"""Exercises and quiz of chapter 09a."""

import numpy as np

from coursekit import calling
from coursekit.calling import NotYet
from coursekit.checking import Exercise, Quiz, compare
from coursekit.checks import build, judge_compiled, sums_to_one

_RANDOM = np.random.default_rng(9)
_X = _RANDOM.normal(size=(2, 4, 3))
_W, _U, _B = _RANDOM.normal(size=(3, 5)), _RANDOM.normal(size=(5, 5)) / 2, _RANDOM.normal(size=5)
_FIVE = np.array([1.0, -2.0, 0.5, 3.0, 1.5])


def _states(x, W, U, b, first=None, bend=np.tanh):
    h, states = np.zeros((len(x), len(b))) if first is None else first, []
    for t in range(x.shape[1]):
        h = bend(x[:, t] @ W + h @ U + b)
        states.append(h)
    return np.stack(states, axis=1)


def _last_state(x, w, u):
    """A polynomial in u: the sum of w x_t u^(T - t)."""
    return np.polynomial.Polynomial(w * np.asarray(x)[::-1])(u)


def _bptt(x, w, u):
    return np.polynomial.Polynomial(w * np.asarray(x)[::-1]).deriv()(u)


def _earlier_states(x, w, u):
    return [_last_state(x[:t], w, u) if t else 0.0 for t in range(len(x))]


def _parameters(kind, inputs, units):
    import keras

    layer = {"simple": keras.layers.SimpleRNN, "lstm": keras.layers.LSTM, "gru": keras.layers.GRU}[kind](units)
    layer.build((None, None, inputs))
    return layer.count_params()


def _count(kind, inputs, units, blocks=(1, 4, 3), biases=(1, 1, 2), recurrent=True):
    index = ("simple", "lstm", "gru").index(kind)
    return blocks[index] * units * (inputs + units * recurrent + biases[index])


def _forget_bias(steps, share):
    return -np.log(share ** (-1 / steps) - 1)


def _judge_memory(answer):
    import keras
    import tensorflow as tf

    network = build(answer)
    x, y = np.zeros((32, 12, 8), "float32"), np.arange(32) % 10
    x[np.arange(32), 0, y % 8] = 1 + y // 8  # the first row tells the class
    judge_compiled(network, x, y, (32, 10), learning_steps=30)
    if sums_to_one(np.asarray(network(x))):
        raise NotYet("The rows of the output sum to 1: the last layer has a softmax, and ten logits were asked for.")
    recurrent = [layer for layer in network.layers if isinstance(layer, keras.layers.RNN)]
    if len(recurrent) != 1 or recurrent[0].units != 32:
        raise NotYet("I expected one recurrent layer of 32 units, then the dense layer.")

    network = build(answer)  # as it starts

    def reach(steps):
        picture = tf.constant(np.pad(x[:, :1], ((0, 0), (0, steps), (0, 0))))
        with tf.GradientTape() as tape:
            tape.watch(picture)
            output = tf.reduce_sum(network(picture)[:, 0])
        return float(np.linalg.norm(tape.gradient(output, picture)[:, 0]))

    (near, far), _ = calling.call(lambda: (reach(2), reach(60)))
    if not far > 0.02 * near:
        raise NotYet(
            f"Over 60 blank steps the gradient falls to {far / near:.0e} of what it is over 2. "
            "Which factor does it meet at each step, and how do you bring it near 1?"
        )


def _judge_error(answer):
    def call(*arguments):
        return calling.call(answer, *arguments)[0]

    if not callable(answer):
        raise NotYet("I expected the function itself, without parentheses behind its name.")
    for shapes in [((3,), (3,)), ((4, 1, 1), (4, 1)), ((2, 3), (6,))]:
        prediction, target = np.arange(np.prod(shapes[0])) * 1.5, np.arange(np.prod(shapes[1])) + 1.0
        case = prediction.reshape(shapes[0]), target.reshape(shapes[1])
        try:
            compare(((prediction - target) ** 2).mean(), call(*case))
        except NotYet as problem:
            mistake = "It looks as if each prediction was compared with each target: give both the same shape first."
            result = np.asarray(call(*case))
            all_pairs = ((prediction[:, None] - target) ** 2).mean()
            told = f" {mistake}" if result.size == 1 and np.isclose(float(result.ravel()[0]), all_pairs) else ""
            raise NotYet(f"For the shapes {shapes[0]} and {shapes[1]} {problem}{told}", told.strip()) from None
    try:
        call(np.zeros(3), np.zeros(1))
    except NotYet as problem:
        if "ValueError" in str(problem):
            return
        raise
    raise NotYet("For 3 predictions and 1 target I expected a `ValueError`, and the function returned a number.")


ITEMS = [
    Exercise(
        "recurrence.simple_rnn",
        hints=(
            "Keep one `h` of shape (examples, units), which starts as zeros and is replaced at each step.",
            "`h = np.tanh(x[:, t] @ W + h @ U + b)`, append it to a list; `np.stack(states, axis=1)` at the end.",
        ),
        reference=_states,
        cases=((_X, _W, _U, _B), (_X[:1, :1], _W, _U, _B), (_X[:, ::-1], _W, _U, _B * 0)),
        mistakes={
            "It looks as if the state never reached the next step: every step started from zeros.": lambda x, W, U, b: (
                np.tanh(x @ W + b)
            ),
            "It looks as if `U` was transposed: the state stands on the left, h U.": lambda x, W, U, b: _states(
                x, W, U.T, b
            ),
            "It looks as if tanh is missing.": lambda x, W, U, b: _states(x, W, U, b, bend=lambda z: z),
            "It looks as if only the last state was returned; all of them were asked for.": lambda x, W, U, b: _states(
                x, W, U, b
            )[:, -1],
            "It looks as if the axes are (time, examples, units): stack along axis 1.": lambda x, W, U, b: _states(
                x, W, U, b
            ).swapaxes(0, 1),
        },
    ),
    Exercise(
        "recurrence.bptt",
        hints=(
            "At each step u is multiplied by the state before it; that contribution then passes all later steps.",
            "The derivative is the sum over t of h_(t−1) · u^(T − t). Go backwards with a factor that starts at 1.",
        ),
        reference=_bptt,
        cases=((_FIVE, 0.7, 0.9), (_FIVE[:2], 1.5, -0.4), (_FIVE[:1], 2.0, 0.5)),
        mistakes={
            "It looks as if only the last step was counted; every step used u.": lambda x, w, u: _earlier_states(
                x, w, u
            )[-1],
            "It looks as if the contributions did not pass the later steps: each meets u once a step.": lambda x, w, u: (
                sum(_earlier_states(x, w, u))
            ),
            "It looks as if the states after each step were used; u meets the state before it.": lambda x, w, u: sum(
                _last_state(x[: t + 1], w, u) * u ** (len(x) - 1 - t) for t in range(len(x))
            ),
            "It looks as if the last state itself was returned, not its derivative.": _last_state,
            "It looks as if each contribution was multiplied by u once too often.": lambda x, w, u: u * _bptt(x, w, u),
        },
    ),
    Exercise(
        "recurrence.parameters",
        hints=(
            "One block has inputs · units weights for the input, units · units for the state, and units biases.",
            "An LSTM has four blocks (three gates and the candidate), a GRU three, each with two rows of biases.",
        ),
        reference=_parameters,
        cases=(("simple", 8, 32), ("lstm", 8, 32), ("gru", 8, 32), ("lstm", 1, 2), ("gru", 1, 2)),
        mistakes={
            "It looks as if the GRU got one row of biases; Keras gives it two.": lambda kind, n, units: _count(
                kind, n, units, biases=(1, 1, 1)
            ),
            "It looks as if the LSTM got three blocks: its candidate needs weights too.": lambda kind, n, units: _count(
                kind, n, units, blocks=(1, 3, 3)
            ),
            "It looks as if the recurrent weights U were forgotten.": lambda kind, n, units: _count(
                kind, n, units, recurrent=False
            ),
            "It looks as if the biases were forgotten.": lambda kind, n, units: _count(
                kind, n, units, biases=(0, 0, 0)
            ),
        },
        tolerance=1e-9,
    ),
    Exercise(
        "recurrence.forget_bias",
        hints=(
            "A gate f keeps f^steps. Solve f^steps = share for f first.",
            "`f = share ** (1 / steps)`; the bias is the inverse of the sigmoid: log(f / (1 − f)).",
        ),
        reference=_forget_bias,
        cases=((30, 0.5), (100, 0.9), (1, 0.5), (10, 0.01)),
        mistakes={
            "It looks as if the gate itself was returned; the bias lies before the sigmoid.": lambda steps, share: (
                share ** (1 / steps)
            ),
            "It looks as if one step was meant: the share is what is left after all steps.": lambda steps, share: (
                np.log(share / (1 - share))
            ),
            "It looks as if the share was divided by the steps: gates multiply.": lambda steps, share: np.log(
                share / steps / (1 - share / steps)
            ),
            "It looks as if the sign is turned: a gate near 1 needs a positive bias.": lambda steps, share: (
                -_forget_bias(steps, share)
            ),
            "It looks as if the logarithm of the gate was taken; the inverse of the sigmoid is log(f / (1 − f)).": (
                lambda steps, share: np.log(share ** (1 / steps))
            ),
        },
    ),
    Exercise(
        "recurrence.build_memory",
        hints=(
            "Keep `keras.Input((None, 8))`. Either cell may do: what matters is the factor per step at the start.",
            "An LSTM needs a forget bias of about 5: change `b[32:64]` of `cell.get_weights()` and set the weights again.",
        ),
        judge=_judge_memory,
    ),
    Exercise(
        "recurrence.mean_squared_error",
        hints=(
            "`np.asarray(…).reshape(-1)` makes one row of numbers out of any shape.",
            "Compare `prediction.size` with `target.size` first, and `raise ValueError(…)` when they differ.",
        ),
        judge=_judge_error,
    ),
    Quiz(
        "recurrence.vanish",
        "Without input, and with U = 0.9 times a rotation, what is left of a gradient after 100 steps?",
        {
            "About 90 %": (False, "That is one step. A hundred steps multiply a hundred times."),
            "Nothing: exactly 0": (False, "Small, but not 0: 0.9 ** 100 is about 3e-5."),
            "Less than one part in ten thousand": (True, "0.9 ** 100 is about 3e-5, as measured above."),
        },
    ),
    Quiz(
        "recurrence.gate",
        "Before training, an LSTM from Keras lets almost nothing through thirty blank steps. Why?",
        {
            "Its forget gate starts near 0.73, and 0.73 ** 30 is almost nothing": (
                True,
                "A starting bias of 4 makes it 0.98, and more than half is left.",
            ),
            "It has too few units": (False, "The SimpleRNN had as many, and remembered."),
            "Gates do not let gradients through": (False, "They do, multiplied by the gate: near 1 nearly all of it."),
        },
    ),
    Quiz(
        "recurrence.pieces",
        "You call an LSTM layer (not stateful) on the first half of a series, then on the second half. What does it know of the first half in the second call?",
        {
            "All that is in its state": (False, "Only a stateful layer keeps its state between calls."),
            "Nothing": (True, "Each call starts from zeros, unless you hand over `initial_state`."),
            "Its last output": (False, "You have it, the layer does not: each call starts from zeros."),
        },
    ),
]
