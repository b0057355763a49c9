"""Exercises and quiz of chapter 05a."""

import numpy as np

from coursekit import calling
from coursekit.calling import NotYet
from coursekit.checking import Exercise, Quiz
from coursekit.checks import SECONDS_FOR_A_MODEL, build, judge_compiled

_NAN = np.nan
_FARES = np.array([10.0, _NAN, 30.0, 50.0, _NAN, 20.0])  # known: mean 27.5
_PORTS = ["Cork", "Dover", "Brest"]
_RARE_PORTS = np.array([["Oslo"], ["Riga"]])
_COLOURS = np.array(["red", "blue", "red", "green", "red", "blue", "green", "blue"])
_BOUGHT = np.array([1, 0, 1, 1, 0, 0, 0, 1])
_SIZES = np.array([1, 1, 1, 2, 2, 3])
_RARE = np.array([0, 0, 0, 0, 0, 1])


def _rule_accuracy(values, y):
    groups = [y[values == value] for value in np.unique(values)]
    return sum(max(np.sum(group == 0), np.sum(group == 1)) for group in groups) / len(y)


def _fill_age(train_ages, ages):
    gap = np.isnan(ages)
    return np.column_stack([np.nan_to_num(ages, nan=train_ages[~np.isnan(train_ages)].mean()), gap])


def _seen_before(train, test):
    known = {row.tobytes() for row in np.asarray(train, "float64") + 0.0}
    return np.array([row.tobytes() in known for row in np.asarray(test, "float64") + 0.0])


def _threshold_for_recall(y, probability, recall):
    shares = {t: np.mean(probability[y == 1] >= t) for t in np.unique(probability)}
    return max(t for t, share in shares.items() if share >= recall)


def _roc_auc(y, score):
    from sklearn import metrics

    return metrics.roc_auc_score(y, score)


def _share_of_pairs(tie):
    def share(y, score):
        ones, zeros = score[y == 1][:, np.newaxis], score[y == 0]
        return np.mean((ones > zeros) + tie * (ones == zeros))

    return share


def _at(position):
    """A threshold taken from the sorted scores of the ones; `position(recall, ones)` says which."""

    def threshold(y, probability, recall):
        ones = np.sort(probability[y == 1])[::-1]
        return ones[position(recall, len(ones))]

    return threshold


def _tickets(fares, ports):
    """A batch of raw rows; shapes (rows, 1)."""
    return {"fare": np.array(fares, "float32")[:, np.newaxis], "port": np.array(ports)[:, np.newaxis]}


def _judge_model(answer):
    import keras

    def made(fares):
        keras.utils.set_random_seed(1)
        return build(answer, fares, list(_PORTS))

    def outputs(network, fares, ports):
        result, _ = calling.call(
            lambda: np.asarray(network(_tickets(fares, ports)), "float64"), seconds=SECONDS_FOR_A_MODEL
        )
        return result

    network = made(_FARES)
    if not isinstance(network, keras.Model):
        raise NotYet(f"I expected a Keras model and got {type(network).__name__}. Is a `return` missing?")
    fares, ports = [10.0, 20.0, 45.0, 70.0, 12.0, 33.0], _PORTS * 2
    known = outputs(network, fares, ports)
    if known.shape != (6, 1):
        raise NotYet(f"For six rows I expected outputs of shape **(6, 1)** and got **{known.shape}**.")
    if not np.isfinite(known).all():
        raise NotYet("The output is nan even where the fare is known: were the gaps in `fares` used for the scaling?")
    unknown = outputs(network, fares[:2] * 2, ["Oslo", "Oslo", "Riga", "Riga"])
    if not np.allclose(unknown[:2], unknown[2:], atol=1e-5):
        raise NotYet("Two ports that are not in the list give different outputs; both should be just 'unknown'.")
    gaps = outputs(network, [_NAN] * 6, ports)
    if not np.isfinite(gaps).all():
        raise NotYet("A missing fare makes the output nan. Put a 0 into the gap after the scaling.")
    average = outputs(network, [27.5] * 6, ports)
    if np.allclose(gaps, average, atol=1e-6):
        raise NotYet(
            "A missing fare gives the same output as an average fare: the column for missing fares is not used."
        )
    if np.allclose(outputs(network, [20.0] * 3, _PORTS), outputs(network, [20.0] * 3, _PORTS[::-1]), atol=1e-6):
        raise NotYet("The port makes no difference to the output: is its column among those that are joined?")
    far = outputs(network, [-1e3, 1e3] * 3, ports)
    if ((far < 0) | (far > 1)).any():
        raise NotYet("Some outputs are below 0 or above 1: a probability needs a sigmoid at the output.")
    in_pence = outputs(made(_FARES * 100), np.array(fares) * 100, ports)
    if not np.allclose(in_pence, known, atol=1e-3):
        raise NotYet("With all fares in pence (× 100) the outputs change: the fares are not scaled by `fares`.")
    y = np.array([[1.0], [0.0], [0.0]] * 4)
    judge_compiled(network, _tickets(fares * 2, ports * 2), y, (12, 1), learning_steps=60)


ITEMS = [
    Exercise(
        "tables.rule_accuracy",
        hints=(
            "`np.unique(values)` gives the values; `y[values == value]` gives the outcomes of the rows with one value.",
            "Of n rows with `ones` ones, the better of the two guesses is right for max(ones, n - ones). Add, then divide.",
        ),
        reference=_rule_accuracy,
        cases=((_COLOURS, _BOUGHT), (_SIZES, _RARE), (np.array(["a", "b", "b", "b"]), np.array([0, 1, 1, 0]))),
        mistakes={
            "It looks as if one guess was used for all values; each value has its own.": lambda values, y: max(
                y.mean(), 1 - y.mean()
            ),
            "It looks as if 1 was predicted for every value; some values have mostly zeros.": lambda values, y: (
                y.mean()
            ),
            "It looks as if the values were averaged as if all were equally frequent.": lambda values, y: np.mean(
                [max(y[values == value].mean(), 1 - y[values == value].mean()) for value in np.unique(values)]
            ),
            "It looks as if the number of right rows was returned, not their share.": lambda values, y: (
                _rule_accuracy(values, y) * len(y)
            ),
        },
    ),
    Exercise(
        "tables.fill_age",
        hints=(
            "`np.nanmean(train_ages)` skips the gaps. Which of the two arrays may the mean come from?",
            "`gap = np.isnan(ages)`; then `np.where(gap, mean, ages)` and `gap`, put side by side by `np.stack(…, axis=1)`.",
        ),
        reference=_fill_age,
        cases=(
            (np.array([10.0, _NAN, 30.0]), np.array([50.0, _NAN, 4.0])),
            (np.array([20.0, 21.0, 40.0]), np.array([_NAN, 60.0, _NAN])),
            (np.array([_NAN, 8.0]), np.array([1.0, 2.0, _NAN, 3.0])),
        ),
        mistakes={
            "It looks as if the mean came from `ages`: that may be test data. Take it from `train_ages`.": (
                lambda train_ages, ages: _fill_age(ages, ages)
            ),
            "The gaps in `train_ages` make the mean nan: take the mean of the known ones.": lambda train_ages, ages: (
                np.column_stack([np.where(np.isnan(ages), np.mean(train_ages), ages), np.isnan(ages)])
            ),
            "It looks as if column 1 is turned round: it is 1 where the age was missing.": lambda train_ages, ages: (
                np.column_stack([_fill_age(train_ages, ages)[:, 0], ~np.isnan(ages)])
            ),
            "It looks as if the gaps were filled with 0: that makes newborn children of them.": lambda train_ages, ages: (
                np.column_stack([np.nan_to_num(ages), np.isnan(ages)])
            ),
            "It looks as if the median was taken; the mean was asked for.": lambda train_ages, ages: np.column_stack(
                [np.where(np.isnan(ages), np.nanmedian(train_ages), ages), np.isnan(ages)]
            ),
        },
    ),
    Exercise(
        "tables.build_model",
        hints=(
            "`scale.adapt(…)` with the known fares as a column. Then as in the chapter: scale, 0 into the gaps, a column for "
            "the gaps, `StringLookup(vocabulary=ports)`, `CategoryEncoding(num_tokens=len(ports) + 1, …)`, `Concatenate`.",
            '`keras.Model({"fare": fare, "port": port}, layers.Dense(1, "sigmoid")(hidden))`, then '
            '`model.compile(keras.optimizers.Adam(0.01), "binary_crossentropy")` and `return model`.',
        ),
        judge=_judge_model,
    ),
    Exercise(
        "tables.seen_before",
        hints=(
            "Compare every test row with every training row: `test[:, np.newaxis] == train[np.newaxis]` has the shape "
            "(test rows, train rows, columns).",
            "`nan == nan` is False: add `np.isnan(...) & np.isnan(...)`. Then `all` over the columns, `any` over the rows.",
        ),
        reference=_seen_before,
        cases=(
            (np.array([[1.0, 2.0], [3.0, 4.0], [3.0, 9.0]]), np.array([[3.0, 4.0], [1.0, 4.0], [5.0, 5.0]])),
            (np.array([[_NAN, 2.0], [3.0, 0.0]]), np.array([[_NAN, 2.0], [3.0, _NAN], [0.0, 2.0], [3.0, 0.0]])),
        ),
        mistakes={
            "It looks as if `nan` never equals `nan`; a gap counts as equal to a gap.": lambda train, test: (
                (test[:, None] == train[None]).all(axis=2).any(axis=1)
            ),
            "It looks as if each entry was looked up on its own; the whole row must stand in `train`.": lambda train, test: (
                _same(train, test).any(axis=1).all(axis=1)
            ),
            "It looks as if one equal entry was enough; the whole row must be equal.": lambda train, test: (
                _same(train, test).any(axis=2).any(axis=1)
            ),
            "It looks as if the rows of `train` were judged; the question is about each row of `test`.": (
                lambda train, test: _seen_before(test, train)
            ),
        },
    ),
    Exercise(
        "tables.threshold_for_recall",
        hints=(
            "Only the rows with y == 1 count. Sort their probabilities from the largest down.",
            "With 4 positives and recall 0.75 the third largest is the answer: `int(np.ceil(recall * len(positives)))`.",
        ),
        reference=_threshold_for_recall,
        cases=(
            (np.array([1, 0, 1, 0, 1, 1]), np.array([0.9, 0.8, 0.4, 0.95, 0.6, 0.1]), 0.75),
            (np.array([1, 0, 1, 0, 1, 1]), np.array([0.9, 0.8, 0.4, 0.95, 0.6, 0.1]), 0.6),
            (np.array([1, 0, 1, 0, 1, 1]), np.array([0.9, 0.8, 0.4, 0.95, 0.6, 0.1]), 0.25),
            (np.array([0, 1, 1, 0, 0, 0, 0, 0]), np.array([0.7, 0.3, 0.2, 0.1, 0.6, 0.5, 0.9, 0.4]), 1.0),
            (np.array([1, 1, 1, 0]), np.array([0.5, 0.5, 0.2, 0.4]), 0.5),
        ),
        mistakes={
            "It looks as if all rows were counted; recall asks only about the rows with y == 1.": (
                lambda y, probability, recall: np.sort(probability)[::-1][int(np.ceil(recall * len(y))) - 1]
            ),
            "It looks as if the smallest probability of the positives was taken; a larger threshold is enough.": _at(
                lambda recall, ones: -1
            ),
            "It looks as if the number of positives was rounded down: then too few are found.": _at(
                lambda recall, ones: max(int(recall * ones), 1) - 1
            ),
            "It looks as if one positive too many is let in: counting begins at 0.": _at(
                lambda recall, ones: min(int(np.ceil(recall * ones)), ones - 1)
            ),
            "It looks as if the positives were sorted from the smallest up.": lambda y, probability, recall: np.sort(
                probability[y == 1]
            )[int(np.ceil(recall * np.sum(y == 1))) - 1],
        },
    ),
    Exercise(
        "tables.roc_auc",
        hints=(
            "`ones = score[y == 1][:, np.newaxis]` and `zeros = score[y == 0]`: comparing them gives all pairs at once.",
            "The mean of `(ones > zeros) + 0.5 * (ones == zeros)`.",
        ),
        reference=_roc_auc,
        cases=(
            (np.array([1, 0, 1, 0, 0]), np.array([0.9, 0.3, 0.4, 0.5, 0.4])),
            (np.array([0, 0, 1, 1]), np.array([0.5, 0.5, 0.5, 0.5])),
            (np.array([0, 1, 0, 0, 1, 0]), np.array([3.0, -1.0, -2.0, 0.0, 2.0, -3.0])),
        ),
        mistakes={
            "It looks as if a tie counts nothing; it counts one half.": _share_of_pairs(0.0),
            "It looks as if a tie counts as won; it counts one half.": _share_of_pairs(1.0),
            "It looks as if the pairs are turned round: the row with y == 1 must have the higher score.": (
                lambda y, score: _share_of_pairs(0.5)(1 - y, score)
            ),
            "It looks as if the number of pairs was returned, not their share.": lambda y, score: (
                _share_of_pairs(0.5)(y, score) * np.sum(y == 1) * np.sum(y == 0)
            ),
            "It looks as if the accuracy at the threshold 0.5 was returned.": lambda y, score: np.mean(
                (score > 0.5) == y
            ),
        },
    ),
    Quiz(
        "tables.adapt",
        "Which rows does `Normalization.adapt` get?",
        {
            "All rows, for then the mean is more exact": (
                False,
                "The damage was small for a mean here; choosing columns the same way 'predicted' coin flips at over 70 %.",
            ),
            "The rows of the training set": (True, "Whatever is learned from data is learned from the training set."),
            "The rows on which the model is used": (
                False,
                "Then the same passenger gets another answer in other company.",
            ),
        },
    ),
    Quiz(
        "tables.copies",
        "Survivors are rare, and you want to copy their rows for training. When?",
        {
            "Before the split, so that all parts are balanced": (
                False,
                "The chapter's tree then met copies in the test set: about seven points too good.",
            ),
            "After the split, inside the training part": (True, "No copy can then stand in two parts."),
            "At any time, for a copy adds no information": (
                False,
                "A model that memorises needs nothing but the copy.",
            ),
        },
    ),
    Quiz(
        "tables.rare",
        "One picture in ten shows a shirt. A model has 90 % accuracy. What do you know?",
        {
            "It finds 90 % of the shirts": (False, "That would be recall. Here it may find none."),
            "Its AUC is about 0.90": (False, "'No shirt at all' has this accuracy and ranks nothing: 0.50."),
            "Hardly anything: 'no shirt at all' has the same": (True, "Ask for precision and recall."),
        },
    ),
    Quiz(
        "tables.report",
        "You trained 60 models and chose the one with the best validation score. Which score do you report?",
        {
            "Its score on the test set, opened once": (True, "It took no part in training nor in choosing."),
            "Its validation score, for it is the best of 60": (
                False,
                "Being the best of 60 made it three to five points too good in the chapter.",
            ),
            "The mean of its training and validation scores": (
                False,
                "Both took part: one in training, one in choosing.",
            ),
        },
    ),
]


def _same(train, test):
    """Whether entries are equal, shape (test rows, train rows, columns); a gap equals a gap."""
    one, other = test[:, np.newaxis], train[np.newaxis]
    return (one == other) | (np.isnan(one) & np.isnan(other))
