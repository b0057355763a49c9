"""Exercises and quiz of chapter 06a."""

import numpy as np
from scipy import special

from coursekit.calling import NotYet
from coursekit.checking import Exercise, Quiz
from coursekit.checks import build, judge_compiled, sums_to_one

_LOGITS = np.array(
    [[2.0, 1.0, 0.0], [0.0, 3.0, 1.0], [1.0, 0.0, 2.0], [4.0, 1.0, 2.0], [0.5, 0.1, 0.2], [-3.0, -1.0, -2.0]]
)
_LABELS = np.array([0, 1, 2, 1, 0, 0])
_WEIGHT = np.array([[0.5, -0.25, 0.0], [2.0, -1.0, 0.001]])
_GRADIENT = np.array([[0.1, 0.2, 0.3], [-0.4, 0.0, -1.0]])
_ACTIVATIONS = np.array([[1.0, 2.0, 0.0], [4.0, -1.0, 3.0]])
_KEPT = np.array([[True, False, True], [False, True, True]])
_BATCH = np.array([[1.0, 10.0], [2.0, 30.0], [6.0, 20.0], [3.0, -40.0]])
_SCALE, _SHIFT = np.array([1.5, 0.5]), np.array([0.0, -2.0])
_CURVES = (
    ([1.0, 0.8, 0.7, 0.75, 0.74, 0.9], 2),
    ([1.0, 0.8, 0.9, 0.95, 0.7, 0.9, 0.9, 0.9, 0.5], 2),  # the 0.7 and the 0.5 are never seen
    ([1.0, 0.8, 0.9, 0.7, 0.9, 0.6, 0.8, 0.7], 2),
    ([0.9, 0.8, 0.8, 0.7, 0.65], 2),
    ([0.5, 0.9, 0.7, 0.6, 0.4], 3),
    ([0.9, 0.5, 0.6, 0.4], 1),
    ([0.9, 0.7, 0.8, 0.6, 0.5], 10),
    ([0.7, 0.7, 0.7], 5),
)


def _gap(logits, labels, is_train):
    right = np.equal(np.argmax(logits, axis=1), labels)
    return 100.0 * (np.average(right, weights=is_train) - np.average(right, weights=np.logical_not(is_train)))


def _best_epoch(losses, patience):
    """Keras's own callback, told the losses one by one."""
    import keras

    class Told:
        stop_training = False

    stopping = keras.callbacks.EarlyStopping("val_loss", patience=patience, mode="min")
    stopping.set_model(Told())
    stopping.on_train_begin()
    for epoch, value in enumerate(losses):
        stopping.on_epoch_end(epoch, {"val_loss": value})
        if stopping.model.stop_training:
            break
    return stopping.best_epoch


def _l1_step(weight, gradient, rate, strength):
    """By automatic differentiation of the penalty."""
    import keras
    import tensorflow as tf

    variable = tf.constant(np.asarray(weight, "float32"))
    with tf.GradientTape() as tape:
        tape.watch(variable)
        price = keras.regularizers.L1(1.0)(variable)
    return weight - rate * gradient - rate * strength * tape.gradient(price, variable).numpy()


def _dropout(x, kept, p):
    return x * kept / (1 - p)


def _batch_norm(x, gamma, beta, epsilon):
    import tensorflow as tf

    x, gamma, beta = (tf.constant(values, "float64") for values in (x, gamma, beta))
    mean, variance = tf.nn.moments(x, axes=[0])
    return tf.nn.batch_normalization(x, mean, variance, beta, gamma, epsilon).numpy()


def _standard(x, deviation, gamma, beta):
    return gamma * (x - x.mean(axis=0)) / deviation + beta


def _stop_place(losses, patience):
    """Where training stops, not the epoch that is kept."""
    best = 0
    for epoch, value in enumerate(losses):
        if value < losses[best]:
            best = epoch
        if epoch - best == patience:
            return epoch
    return len(losses) - 1


def _with_rule(better, longer=0):
    def rule(losses, patience):
        best = waited = 0
        for epoch in range(1, len(losses)):
            if better(losses, epoch, best):
                waited = 0
                if losses[epoch] <= losses[best]:
                    best = epoch
            else:
                waited += 1
            if waited == patience + longer:
                break
        return best

    return rule


def _judge_network(answer):
    random = np.random.default_rng(0)
    x, y = random.normal(size=(32, 784)).astype("float32"), np.arange(32) % 10
    parameters = (784 + 1) * 64 + (64 + 1) * 10
    p, strength = 0.4, 0.001
    network = build(answer, p, strength)
    if not callable(network):
        raise NotYet(f"I expected a Keras model and got {type(network).__name__}. Is a `return` missing?")
    if sums_to_one(np.asarray(network(x))):
        raise NotYet("The rows of the output sum to 1: the last layer has a softmax, and ten logits were asked for.")
    before = _test_loss(network, x, y)
    judge_compiled(network, x, y, (32, 10), parameters)
    if not _test_loss(network, x, y) < 0.9 * before:  # without dropout's noise
        raise NotYet("After 20 steps on one batch the loss is not lower: it does not learn. Look at the optimizer.")
    _judge_penalty(network, strength)
    tested = [np.asarray(network(x)) for _ in range(2)]
    if not np.array_equal(*tested):
        raise NotYet("At test time the same pictures gave two results: nothing may be switched off then.")
    _judge_dropout(network, x, tested[0], p)
    other = build(answer, 0.1, 0.01)
    _judge_penalty(other, 0.01)
    _judge_dropout(other, x, np.asarray(other(x)), 0.1)


def _test_loss(network, x, y):
    """Mean cross-entropy of the logits, without penalty and dropout."""
    logits = np.asarray(network(x), "float64")
    return float(np.mean(special.logsumexp(logits, axis=-1) - logits[np.arange(len(y)), y]))


def _judge_penalty(network, strength):
    """The penalty that Keras adds to the loss is strength times the sum of the squares of both kernels."""
    own = network.get_weights()
    weights = [np.ones_like(weight) if weight.ndim == 1 else weight.astype("float64") for weight in own]
    network.set_weights(weights)  # every bias is 1: one that pays is seen
    kernels, biases = ([w for w in weights if w.ndim == rank] for rank in (2, 1))
    expected = strength * sum(np.sum(kernel**2) for kernel in kernels)
    got = float(sum(np.sum(value) for value in network.losses))
    network.set_weights(own)

    def is_near(value):
        return np.isclose(got, value, rtol=1e-4)

    if is_near(expected):
        return
    sentence = f"With `strength={strength:g}` I expected an L2 penalty of **{expected:.4g}**, and got **{got:.4g}**."
    if not got:
        sentence += " No layer carries a `kernel_regularizer`."
    elif is_near(expected + strength * sum(np.sum(bias**2) for bias in biases)):
        sentence += " It looks as if the biases pay too."
    elif any(is_near(strength * np.sum(kernel**2)) for kernel in kernels):
        sentence += " It looks as if only one of the two Dense layers pays."
    elif is_near(strength * sum(np.sum(np.abs(kernel)) for kernel in kernels)):
        sentence += " It looks as if this is L1."
    elif any(is_near(default * expected / strength) for default in (0.01, 0.001)):
        sentence += " It looks as if the strength is fixed."
    raise NotYet(sentence)


def _judge_dropout(network, x, tested, p, draws=100):
    """Between two dense layers dropout gives each logit a variance that its formula tells."""
    many = np.tile(x, (draws, 1))  # each row gets its own mask
    noisy = np.asarray(network(many, training=True)).reshape(draws, *tested.shape)  # (draws, examples, classes)
    variance = noisy.var(axis=0).mean()
    if variance < 1e-10:
        raise NotYet("In training the same pictures gave the same result again and again: no dropout is at work.")
    first, bias, second, _ = (np.asarray(weight, "float64") for weight in network.get_weights())
    hidden = np.maximum(x @ first + bias, 0)
    if not np.allclose(hidden @ second + network.get_weights()[3], tested, atol=1e-3):
        raise NotYet("The network should compute Dense, ReLU, Dense at test time, and gives other numbers.")
    expected = p / (1 - p) * np.mean(hidden**2 @ second**2)
    if not 0.85 < variance / expected < 1.18:
        sentence = (
            f"With `p={p:g}` the logits vary in training {'more' if variance > expected else 'less'} than they should."
        )
        swapped = (1 - p) / p * np.mean(hidden**2 @ second**2)
        reason = "was 1 − p used in place of p?" if 0.85 < variance / swapped < 1.18 else "is `p` used?"
        raise NotYet(f"{sentence} Does dropout stand right behind the hidden layer, and {reason}")


ITEMS = [
    Exercise(
        "overfitting.gap",
        hints=(
            "`right = logits.argmax(axis=-1) == labels` is True where the largest logit is at the right class.",
            "`right[is_train].mean()` is the share on the training rows; `~is_train` picks the others.",
        ),
        reference=_gap,
        cases=(
            (_LOGITS, _LABELS, np.array([True, True, True, False, False, False])),
            (_LOGITS, _LABELS, np.array([False, False, True, True, False, True])),
            (_LOGITS, _LABELS, np.array([True, False, False, False, False, False])),
        ),
        mistakes={
            "It looks as if the sign is turned round: train minus test.": lambda logits, labels, is_train: (
                -_gap(logits, labels, is_train)
            ),
            "It looks as if a share was returned; percentage points are 100 times that.": (
                lambda logits, labels, is_train: _gap(logits, labels, is_train) / 100
            ),
            "It looks as if the sign was dropped: a test score may be the higher one.": (
                lambda logits, labels, is_train: abs(_gap(logits, labels, is_train))
            ),
            "It looks as if right answers were divided by all rows; divide by the rows of each part.": (
                lambda logits, labels, is_train: (
                    100 * np.mean((logits.argmax(axis=-1) == labels) * np.where(is_train, 1, -1))
                )
            ),
            "It looks as if right answers were counted; take the share of each part.": (
                lambda logits, labels, is_train: np.sum((logits.argmax(axis=-1) == labels) * np.where(is_train, 1, -1))
            ),
            "It looks as if the train score was returned, not the gap.": lambda logits, labels, is_train: (
                100 * np.mean((logits.argmax(axis=-1) == labels)[is_train])
            ),
        },
    ),
    Exercise(
        "overfitting.best_epoch",
        hints=(
            "Go through the losses with `enumerate` and remember the number of the lowest so far.",
            "When `epoch - best` has reached `patience`, leave the loop with `break`; return `best`.",
        ),
        reference=_best_epoch,
        cases=_CURVES,
        mistakes={
            "It looks as if all losses were looked at; after the stop there is no training, and no loss.": (
                lambda losses, patience: int(np.argmin(losses))
            ),
            "It looks as if the epoch of the stop was returned; the weights of the lowest loss are kept.": _stop_place,
            "It looks as if the first epoch was called 1; here it is 0.": lambda losses, patience: (
                _best_epoch(losses, patience) + 1
            ),
            "It looks as if training stopped one epoch too late: after `patience` epochs without a new lowest.": (
                _with_rule(lambda losses, epoch, best: losses[epoch] < losses[best], longer=1)
            ),
            "It looks as if each loss was compared with the one before; compare with the lowest so far.": _with_rule(
                lambda losses, epoch, best: losses[epoch] < losses[epoch - 1]
            ),
            "It looks as if an equal loss was counted as a new lowest.": _with_rule(
                lambda losses, epoch, best: losses[epoch] <= losses[best]
            ),
        },
    ),
    Exercise(
        "overfitting.l1_step",
        hints=(
            "The gradient of the whole loss is `gradient` plus the gradient of the penalty, `strength * np.sign(weight)`.",
            "Gradient descent subtracts `rate` times that sum from the weight.",
        ),
        reference=_l1_step,
        cases=(
            (_WEIGHT, np.zeros((2, 3)), 0.1, 0.5),
            (_WEIGHT, _GRADIENT, 0.1, 0.0),
            (_WEIGHT, _GRADIENT, 0.5, 0.2),
        ),
        mistakes={
            "It looks as if the penalty pushes weights away from 0: its gradient has the sign of the weight.": (
                lambda w, g, rate, strength: w - rate * (g - strength * np.sign(w))
            ),
            "It looks as if the gradient of L2 was used; L1 pulls all weights alike.": lambda w, g, rate, strength: (
                w - rate * (g + 2 * strength * w)
            ),
            "It looks as if the value of the penalty was added; its gradient is needed.": lambda w, g, rate, strength: (
                w - rate * (g + strength * np.abs(w))
            ),
            "It looks as if the rate does not multiply the penalty; it multiplies the whole gradient.": (
                lambda w, g, rate, strength: w - rate * g - strength * np.sign(w)
            ),
            "It looks as if the gradient of the loss itself was left out.": lambda w, g, rate, strength: (
                w - rate * strength * np.sign(w)
            ),
            "It looks as if the step goes uphill: subtract, do not add.": lambda w, g, rate, strength: (
                w + rate * (g + strength * np.sign(w))
            ),
            "It looks as if the pull was returned, not the new weight.": lambda w, g, rate, strength: (
                g + strength * np.sign(w)
            ),
        },
    ),
    Exercise(
        "overfitting.dropout",
        hints=(
            "Multiplying by `kept` sets to 0 what is switched off: False counts as 0, True as 1.",
            "What survives is divided by `1 - p`, so that the mean stays.",
        ),
        reference=_dropout,
        cases=((_ACTIVATIONS, _KEPT, 0.5), (_ACTIVATIONS, _KEPT, 0.2), (_ACTIVATIONS, np.ones((2, 3), bool), 0.25)),
        mistakes={
            "It looks as if nothing was scaled: divide what survives by 1 − p.": lambda x, kept, p: x * kept,
            "It looks as if the division is by p, the share that is switched off.": lambda x, kept, p: x * kept / p,
            "It looks as if survivors were multiplied by 1 − p; they must grow.": lambda x, kept, p: x * kept * (1 - p),
            "It looks as if `kept` was turned round: True means that the unit works.": lambda x, kept, p: (
                x * ~kept / (1 - p)
            ),
            "It looks as if the division is by the share of True in this mask; divide by 1 − p.": lambda x, kept, p: (
                x * kept / kept.mean()
            ),
        },
    ),
    Exercise(
        "overfitting.batch_norm",
        hints=(
            "A unit is a column: `x.mean(axis=0)` and `x.var(axis=0)` have the shape (units,).",
            "`gamma * (x - mean) / np.sqrt(variance + epsilon) + beta`: epsilon stands under the root.",
        ),
        reference=_batch_norm,
        cases=(
            (_BATCH, np.ones(2), np.zeros(2), 0.001),
            (_BATCH, _SCALE, _SHIFT, 0.5),
            (_BATCH[:3, :1], np.array([2.0]), np.array([1.0]), 0.1),
        ),
        mistakes={
            "It looks as if each row was normalised; a unit is a column (axis=0).": lambda x, gamma, beta, epsilon: (
                gamma * (x - x.mean(axis=1, keepdims=True)) / np.sqrt(x.var(axis=1, keepdims=True) + epsilon) + beta
            ),
            "It looks as if one mean and variance served for all units; each unit has its own (axis=0).": (
                lambda x, gamma, beta, epsilon: gamma * (x - x.mean()) / np.sqrt(x.var() + epsilon) + beta
            ),
            "It looks as if epsilon stands outside the root.": lambda x, gamma, beta, epsilon: _standard(
                x, x.std(axis=0) + epsilon, gamma, beta
            ),
            "It looks as if epsilon was left out.": lambda x, gamma, beta, epsilon: _standard(
                x, x.std(axis=0), gamma, beta
            ),
            "It looks as if the root is missing: divide by the standard deviation.": lambda x, gamma, beta, epsilon: (
                _standard(x, x.var(axis=0) + epsilon, gamma, beta)
            ),
            "It looks as if gamma and beta were left out.": lambda x, gamma, beta, epsilon: _standard(
                x, np.sqrt(x.var(axis=0) + epsilon), 1, 0
            ),
            "It looks as if the variance was divided by n − 1; here it is by n.": lambda x, gamma, beta, epsilon: (
                _standard(x, np.sqrt(x.var(axis=0, ddof=1) + epsilon), gamma, beta)
            ),
            "It looks as if gamma multiplies beta too: first scale, then shift.": lambda x, gamma, beta, epsilon: (
                gamma * _standard(x, np.sqrt(x.var(axis=0) + epsilon), 1, beta)
            ),
        },
    ),
    Exercise(
        "overfitting.build_regularised_network",
        hints=(
            '`layers.Dense(64, "relu", kernel_regularizer=keras.regularizers.L2(strength))`, then `layers.Dropout(p)`.',
            "The last layer is `layers.Dense(10, kernel_regularizer=keras.regularizers.L2(strength))`, without "
            "activation; then `compile` and `return`.",
        ),
        judge=_judge_network,
    ),
    Quiz(
        "overfitting.memorised",
        "A network names 100 % of its 1,000 training pictures rightly. What do you know about new pictures?",
        {
            "The score there will be a little lower": (
                False,
                "With shuffled labels it was 100 % on one part and guessing on the other.",
            ),
            "Nothing yet": (True, "It may have learned by heart. Only pictures that it has not seen can tell."),
            "The network is too large to be of use": (
                False,
                "The same network, with true labels, also reached 100 % and named four of five new pictures rightly.",
            ),
        },
    ),
    Quiz(
        "overfitting.small_gap",
        "A cure shrinks the gap from 19 to 13 points, and the test score falls by 2 points. What has happened?",
        {
            "The cure worked: the network over-fits less": (
                False,
                "The score on new pictures is what we want, and it fell.",
            ),
            "The seed was bad": (False, "In the table it happened in the mean of three seeds, to the smaller net."),
            "The train score fell by more than the test score": (
                True,
                "That shrinks a gap too. It happened to the smaller net.",
            ),
        },
    ),
    Quiz(
        "overfitting.test_time",
        "What do dropout and batch normalisation have in common?",
        {
            "They compute one thing while training and another at test time": (
                True,
                "Dropout then does nothing; batch normalisation uses the averages that it kept.",
            ),
            "They add a term to the loss": (False, "That is what L1 and L2 do."),
            "They need a validation part": (False, "Early stopping does."),
        },
    ),
    Quiz(
        "overfitting.optimizer",
        "What did the table (128 units, 300 steps) say about over-fitting?",
        {
            "SGD with momentum closed the gap": (False, "At the same training loss its gap was as wide as Adam's."),
            "L2 and dropout raised the test score by several points": (
                False,
                "They stayed within half a point there. It was the test loss that they lowered.",
            ),
            "More data did most; penalties and dropout lowered the test loss; the optimizer closed no gap": (
                True,
                "Another net, strength or length of training may give another order: measure again.",
            ),
        },
    ),
]
