"""Exercises and quiz of chapter 05b."""

import functools
import math

import numpy as np
from scipy import stats

from coursekit import calling
from coursekit.calling import NotYet
from coursekit.checking import Exercise, Quiz, to_array
from coursekit.checks import SECONDS_FOR_A_MODEL, sums_to_one

_SCORES = np.array([78.0, 81.5, 74.0, 80.5, 77.0])
_GAINS = np.array([3.0, 0.0, 2.5, -1.0, 1.5, 2.0])
_LOSSES = ([0.9, 0.7, 0.8, 0.6, 0.65, 0.7, 0.66, 0.5], [0.5, 0.6, 0.7, 0.4], [0.9, 0.8, 0.7], [0.9, 0.8, 0.8, 0.8, 0.3])
_PATIENCE = 5


def _scores_needed(differences, d):
    """The first number of scores that is enough, found by counting."""
    scores = 2
    while 2 * stats.tstd(differences) / math.sqrt(scores) > d:
        scores += 1
    return scores


def _stop_epoch(losses, patience):
    """Keras's own callback, asked epoch by epoch."""
    import keras

    model = keras.Sequential()
    stopper = keras.callbacks.EarlyStopping("val_loss", patience=patience, mode="min")
    stopper.set_model(model)
    model.stop_training = False
    stopper.on_train_begin()
    for epoch, loss in enumerate(losses):
        stopper.on_epoch_end(epoch, {"val_loss": loss})
        if model.stop_training:
            break
    return epoch + 1, stopper.best_epoch + 1


def _from_zero(losses, patience):
    stop, best = _stop_epoch(losses, patience)
    return stop - 1, best - 1


def _first_rise(losses, patience):
    for epoch in range(1, len(losses)):
        if losses[epoch] > losses[epoch - 1]:
            return epoch + 1, epoch
    return len(losses), len(losses)


def _never_reset(losses, patience):
    best, waited = 0, 0
    for epoch, loss in enumerate(losses):
        if loss < losses[best]:
            best = epoch
        elif epoch:
            waited += 1
        if waited >= patience:
            return epoch + 1, best + 1
    return len(losses), best + 1


def _one_too_late(losses, patience):
    return _stop_epoch(losses, patience + 1)


def _last_kept(losses, patience):
    stop, _ = _stop_epoch(losses, patience)
    return stop, stop


def _judge_folds(answer):
    random = np.random.default_rng(0)
    for labels, folds in [
        (np.repeat([0, 1, 2], [10, 20, 15]), 5),
        (random.integers(0, 4, 83), 4),
        (np.array([0, 1] * 6), 3),
    ]:
        got = to_array(calling.call(answer, labels, folds)[0])
        given = f"For {len(labels)} labels and {folds} folds"
        if got.shape != labels.shape:
            raise NotYet(
                f"{given} I expected the shape **{labels.shape}**, a fold for each row, and got **{got.shape}**."
            )
        if set(np.unique(got)) != set(range(folds)):
            found = ", ".join(f"{value:g}" for value in np.unique(got)[:8])
            raise NotYet(f"{given} the folds must be the numbers 0 to {folds - 1}; I found {found}.")
        for label in np.unique(labels):
            sizes = np.bincount(got[labels == label].astype(int), minlength=folds)
            if np.ptp(sizes) > 1:
                raise NotYet(
                    f"{given} class {label} has {sizes.tolist()} rows in the folds: they differ by more than one. "
                    "Deal the rows of each class on their own."
                )


def _judge_stopper(answer):
    import keras

    for points, gap, stops, reason in [
        (10, 0.30, True, "a gap of 30 points is larger than 10, and the training goes on"),
        (10, 0.04, False, "a gap of 4 points is smaller than 10, and the training stops"),
        (25, 0.15, False, "a gap of 15 points is smaller than 25, and the training stops: is `points` used?"),
        (10, -0.30, False, "validation is 30 points *better*, and the training stops: mind the sign"),
        (0.5, 0.02, True, "a gap of 2 points is larger than 0.5, and the training goes on"),
    ]:
        callback, _ = calling.call(answer, points)
        if callback is None:
            raise NotYet("Your function returned nothing (None). Is a `return` missing?")
        if isinstance(callback, type):
            raise NotYet("I expected a callback object and got its class: add the parentheses, `return Name()`.")
        if not isinstance(callback, keras.callbacks.Callback):
            raise NotYet(f"I expected an object of keras.callbacks.Callback and got {type(callback).__name__}.")
        model = keras.Sequential()
        model.stop_training = False
        callback.set_model(model)
        for epoch in range(3):  # two epochs without a gap, then the one that counts
            share = 0.6 if epoch < 2 else 0.6 - gap
            logs = {"accuracy": 0.6, "val_accuracy": share, "loss": 1.0, "val_loss": 1.0}
            calling.call(functools.partial(_one_epoch, callback, epoch, logs))  # bound: arguments would be copied
            if epoch < 2 and model.stop_training:
                raise NotYet("The training stops although training and validation accuracy are equal.")
        if model.stop_training != stops:
            raise NotYet(f"With points={points:g}: {reason}. (`logs` holds shares from 0 to 1.)")


def _one_epoch(callback, epoch, logs):
    if epoch == 0:
        callback.on_train_begin()
    callback.on_epoch_begin(epoch)
    callback.on_epoch_end(epoch, logs)


def _judge_fit_best(answer):
    import keras

    random = np.random.default_rng(0)
    x, x_validation = (random.normal(0, 2, (rows, 20)).astype("float32") for rows in (40, 30))
    y, y_validation = np.arange(40) % 10, np.arange(30) % 10  # labels that cannot be learned: validation turns soon
    keras.utils.set_random_seed(0)
    given = (x, y, x_validation, y_validation)
    result, _ = calling.call(answer, *given, seconds=SECONDS_FOR_A_MODEL)
    if not isinstance(result, (tuple, list)) or len(result) != 2:
        raise NotYet("I expected two values, the model and the list of validation losses: `return network, losses`.")
    network, losses = result
    if not isinstance(network, keras.Model):
        raise NotYet(f"I expected a Keras model as the first value and got {type(network).__name__}.")
    parameters = (20 + 1) * 64 + (64 + 1) * 10
    if network.count_params() != parameters:
        raise NotYet(
            f"With 20 columns I expected **{parameters:,}** parameters and got **{network.count_params():,}**."
        )
    losses = to_array(losses)
    if losses.ndim != 1 or not len(losses):
        raise NotYet("The second value must be the list of validation losses, one for each epoch that ran.")
    if len(losses) >= 40:
        raise NotYet("All 40 epochs ran. Is EarlyStopping among the callbacks, and does it watch the validation loss?")
    waited = len(losses) - 1 - int(losses.argmin())
    if waited != _PATIENCE:
        raise NotYet(
            f"The training ended {waited} epochs after the lowest of your losses; with patience 5 it is 5. "
            "Are these the validation losses, and does EarlyStopping watch them?"
        )
    output = np.asarray(network(x_validation))
    value = float(keras.losses.SparseCategoricalCrossentropy(not sums_to_one(output))(y_validation, output))
    if not np.isclose(value, losses.min(), rtol=1e-3):
        raise NotYet(
            f"The returned model has the validation loss {value:.2f}, but its best epoch had {losses.min():.2f}. "
            "Did you ask for the best weights back?"
        )
    if sums_to_one(output):
        raise NotYet("The rows of the output sum to 1: the last layer has a softmax, and ten logits were asked for.")


ITEMS = [
    Exercise(
        "workflow.stratified_folds",
        hints=(
            "Deal the rows of one class like cards: 0, 1, 2, …, 0, 1, 2, … Then the next class.",
            "For each label: `members = np.flatnonzero(labels == label)`, then `np.arange(len(members)) % folds`.",
        ),
        judge=_judge_folds,
    ),
    Exercise(
        "workflow.standard_error",
        hints=(
            "The spread of the sample first: `np.std(scores, ddof=1)`.",
            "Divide it by the square root of the number of scores.",
        ),
        reference=stats.sem,
        cases=((_SCORES,), (_GAINS,), (np.array([1.0, 3.0]),)),
        mistakes={
            "It looks as if the spread was divided by k; a sample divides by k − 1 (`ddof=1`).": lambda scores: (
                np.std(scores) / np.sqrt(len(scores))
            ),
            "This is the spread of single scores; for the mean, divide by the root of their number.": lambda scores: (
                np.std(scores, ddof=1)
            ),
            "It looks as if the spread was divided by the number of scores; take its square root.": lambda scores: (
                np.std(scores, ddof=1) / len(scores)
            ),
            "It looks as if the variance was taken; the spread is its square root.": lambda scores: (
                np.var(scores, ddof=1) / len(scores)
            ),
        },
    ),
    Exercise(
        "workflow.scores_needed",
        hints=(
            "Start from d ≥ 2 s / √k and solve for k.",
            "`np.ceil((2 * s / d) ** 2)` with `s = np.std(differences, ddof=1)`.",
        ),
        reference=_scores_needed,
        cases=((_GAINS, 1.0), (_GAINS, 0.5), (_SCORES, 0.3)),
        mistakes={
            "It looks as if the square was forgotten: half the difference needs four times the scores.": lambda g, d: (
                np.ceil(2 * np.std(g, ddof=1) / d)
            ),
            "It looks as if one standard error was taken; two were asked for.": lambda g, d: np.ceil(
                (np.std(g, ddof=1) / d) ** 2
            ),
            "It looks as if the number was rounded down, which is one score too few: round up.": lambda g, d: np.floor(
                (2 * np.std(g, ddof=1) / d) ** 2
            ),
            "It looks as if the number was not rounded: scores are whole numbers, rounded up.": lambda g, d: (
                (2 * np.std(g, ddof=1) / d) ** 2
            ),
            "It looks as if the spread was divided by k; a sample divides by k − 1 (`ddof=1`).": lambda g, d: np.ceil(
                (2 * np.std(g) / d) ** 2
            ),
        },
        tolerance=1e-6,
    ),
    Exercise(
        "workflow.stop_epoch",
        hints=(
            "Remember the best epoch so far. Training ends when `patience` epochs have gone by since then.",
            "An epoch counts as better only if its loss is lower; with an equal loss the waiting goes on.",
        ),
        reference=_stop_epoch,
        cases=((_LOSSES[0], 2), (_LOSSES[0], 5), (_LOSSES[1], 2), (_LOSSES[2], 3), (_LOSSES[3], 2)),
        mistakes={
            "It looks as if epochs were counted from 0; here they count from 1.": _from_zero,
            "It looks as if the training stops at the first rise; it has patience.": _first_rise,
            "It looks as if bad epochs were added up; a better epoch sets the waiting back to 0.": _never_reset,
            "It stops one epoch too late: after `patience` epochs without a better one it ends.": _one_too_late,
            "It looks as if the last epoch was restored; restored is the one with the lowest loss.": _last_kept,
        },
    ),
    Exercise(
        "workflow.gap_stopper",
        hints=(
            "Write a class with one method: `def on_epoch_end(self, epoch, logs=None):`",
            'Inside: `if 100 * (logs["accuracy"] - logs["val_accuracy"]) > points: self.model.stop_training = True`.',
        ),
        judge=_judge_stopper,
    ),
    Exercise(
        "workflow.fit_best",
        hints=(
            "`keras.callbacks.EarlyStopping(patience=5, restore_best_weights=True)` goes into `callbacks=[…]`.",
            'It needs `validation_data=(x_validation, y_validation)`; the losses are in `run.history["val_loss"]`.',
        ),
        judge=_judge_fit_best,
    ),
    Quiz(
        "workflow.paired",
        "Two models are compared by ten folds. Why should both get the same folds?",
        {
            "Otherwise the folds would not be stratified": (False, "Stratified is how a fold is drawn, for any model."),
            "A fold that is hard for one is hard for the other, and that cancels in the difference": (
                True,
                "For GELU and ReLU it saved more than four fifths of the scores.",
            ),
            "It makes both scores higher": (False, "The means stay; the difference gets surer."),
        },
    ),
    Quiz(
        "workflow.repeats",
        "You deal ten folds of the same 2,000 rows 100 times and divide the spread by √1000. What is the result?",
        {
            "Too small: the scores share their rows, so they are not 1,000 independent ones": (
                True,
                "With 100 scores the formula already promised less than a third of the real scatter.",
            ),
            "The true standard error, thanks to so many scores": (
                False,
                "Measured above: the real scatter hardly fell.",
            ),
            "Too large, since the folds overlap": (
                False,
                "Overlap makes scores agree more than independent ones would.",
            ),
        },
    ),
    Quiz(
        "workflow.restore",
        "EarlyStopping with patience 8 stops a run, and restore_best_weights was left at False. What do you hold?",
        {
            "The weights of the best epoch": (False, "Only with restore_best_weights=True, or from a checkpoint."),
            "The mean of the last eight epochs": (False, "Nothing is averaged."),
            "The weights of the last epoch, eight after the best": (
                True,
                "It waited eight epochs for a better one, and kept training.",
            ),
        },
    ),
    Quiz(
        "workflow.winner",
        "A search of 100 runs reports 87 % for its winner, on the 200 pictures that chose it. And new pictures?",
        {
            "More, for the winner is trained on after the search": (
                False,
                "More training is another change, to be measured.",
            ),
            "The same, for validation pictures are not trained on": (
                False,
                "They were not trained on, but they chose: the winner was partly lucky with them.",
            ),
            "Probably less: the best of 100 scores is also the luckiest": (
                True,
                "Equally good models of 80 % show over 86 % as the best of 100.",
            ),
        },
    ),
]
