"""Other right answers, and wrong ones with a piece of the message that each must get, for chapter 05a."""

import collections

import keras
import numpy as np
import tensorflow as tf
from keras import layers, ops


def _functional(
    flag=True, fill=True, adapt="known", last="sigmoid", words=None, rate=0.01, compiled=True, outputs=1, joined=True
):
    def build_model(fares, ports):
        scale = layers.Normalization()
        if adapt == "known":
            scale.adapt(fares[~np.isnan(fares)].reshape(-1, 1))
        elif adapt == "all":
            scale.adapt(fares.reshape(-1, 1))
        else:
            scale = layers.Rescaling(1 / 50)
        inputs = {"fare": keras.Input((1,), name="fare"), "port": keras.Input((1,), dtype="string", name="port")}
        gap = ops.isnan(inputs["fare"])
        columns = [ops.where(gap, 0.0, scale(inputs["fare"])) if fill else scale(inputs["fare"])]
        columns += [ops.cast(gap, "float32")] if flag else []
        lookup = layers.StringLookup(vocabulary=(words or list)(ports), output_mode="one_hot")
        columns += [lookup(inputs["port"])] if joined else [0 * lookup(inputs["port"])]
        hidden = layers.Dense(8, "relu")(layers.Concatenate()(columns))
        model = keras.Model(inputs, layers.Dense(outputs, last)(hidden))
        if compiled:
            model.compile(keras.optimizers.Adam(rate), keras.losses.BinaryCrossentropy(from_logits=last is None))
        return model

    return build_model


class Tickets(keras.Model):
    """The same model as a subclass, with the scaling computed by NumPy."""

    def __init__(self, fares, ports):
        super().__init__()
        self.mean, self.spread = float(np.nanmean(fares)), float(np.nanstd(fares))
        self.lookup = layers.StringLookup(vocabulary=ports, output_mode="one_hot")
        self.hidden, self.last = layers.Dense(8, "relu"), layers.Dense(1, "sigmoid")

    def call(self, rows):
        fare = ops.cast(rows["fare"], "float32")
        gap = ops.cast(ops.isnan(fare), "float32")
        scaled = ops.nan_to_num((fare - self.mean) / self.spread)
        return self.last(self.hidden(ops.concatenate([scaled, gap, self.lookup(rows["port"])], axis=-1)))


def _subclass(fares, ports):
    model = Tickets(fares, ports)
    model.compile(keras.optimizers.Adam(0.01), "binary_crossentropy")
    return model


def _rule_by_counting(values, y):
    counts = collections.defaultdict(collections.Counter)
    for value, outcome in zip(values.tolist(), y.tolist(), strict=True):
        counts[value][outcome] += 1
    return sum(counter.most_common(1)[0][1] for counter in counts.values()) / len(values)


def _rule_by_table(values, y):
    _, number = np.unique(values, return_inverse=True)
    totals = np.zeros((number.max() + 1, 2))
    np.add.at(totals, (number, y), 1)
    return tf.reduce_mean(tf.constant(totals.max(axis=1)[number] / totals.sum(axis=1)[number], "float32"))


def _fill_by_ops(train_ages, ages):
    gap = ops.isnan(ops.cast(ages, "float32"))
    mean = float(np.nanmean(train_ages))
    return ops.stack([ops.where(gap, mean, ops.cast(ages, "float32")), ops.cast(gap, "float32")], axis=1)


def _fill_by_loop(train_ages, ages):
    known = [age for age in train_ages if age == age]
    mean = sum(known) / len(known)
    return [[mean, 1] if np.isnan(age) else [age, 0] for age in ages]


def _seen_by_loop(train, test):
    return [any(np.array_equal(row, other, equal_nan=True) for other in train) for row in test]


def _seen_by_text(train, test):
    known = {str(list(map(float, row))) for row in train}
    return np.array([str(list(map(float, row))) in known for row in test])


def _threshold_by_search(y, probability, recall):
    for value in np.sort(probability)[::-1]:
        if ((probability >= value) & (y == 1)).sum() / (y == 1).sum() >= recall:
            return value


def _auc_by_ranks(y, score):
    from scipy import stats

    ones = int(y.sum())
    return (stats.rankdata(score)[y == 1].sum() - ones * (ones + 1) / 2) / (ones * (len(y) - ones))


def _auc_by_loop(y, score):
    wins = [1.0 if a > b else 0.5 if a == b else 0.0 for a in score[y == 1] for b in score[y == 0]]
    return tf.reduce_mean(tf.constant(wins))


def _sorted_ones(position):
    return lambda y, probability, recall: np.sort(probability[y == 1])[::-1][position(recall, int(y.sum()))]


RIGHT = {
    "rule_accuracy": [_rule_by_counting, _rule_by_table],
    "fill_age": [_fill_by_ops, _fill_by_loop],
    "build_model": [_functional(), _subclass],
    "seen_before": [_seen_by_loop, _seen_by_text],
    "threshold_for_recall": [
        _threshold_by_search,
        _sorted_ones(lambda recall, ones: int(np.ceil(recall * ones)) - 1),
    ],
    "roc_auc": [_auc_by_ranks, _auc_by_loop],
}

WRONG = {
    "rule_accuracy": [
        (lambda values, y: max(y.mean(), 1 - y.mean()), "one guess was used for all values"),
        (lambda values, y: y.mean(), "1 was predicted for every value"),
        (lambda values, y: _rule_by_counting(values, y) * len(y), "the number of right rows"),
        (
            lambda values, y: np.mean(
                [max(np.mean(y[values == v]), np.mean(y[values == v] == 0)) for v in set(values)]
            ),
            "equally frequent",
        ),
        (lambda values, y: print(_rule_by_counting(values, y)), "Is a `return` missing?"),
    ],
    "fill_age": [
        (lambda train_ages, ages: _fill_by_loop(ages, ages), "the mean came from `ages`"),
        (
            lambda train_ages, ages: np.stack([np.where(np.isnan(ages), train_ages.mean(), ages), np.isnan(ages)], 1),
            "make the mean nan",
        ),
        (
            lambda train_ages, ages: np.stack(
                [np.where(np.isnan(ages), np.nanmean(train_ages), ages), ~np.isnan(ages)], axis=1
            ),
            "turned round",
        ),
        (lambda train_ages, ages: np.stack([np.nan_to_num(ages), np.isnan(ages)], axis=1), "filled with 0"),
        (
            lambda train_ages, ages: np.stack(
                [np.where(np.isnan(ages), np.nanmedian(train_ages), ages), np.isnan(ages)], axis=1
            ),
            "the median was taken",
        ),
        (lambda train_ages, ages: np.where(np.isnan(ages), np.nanmean(train_ages), ages), "expected the shape"),
    ],
    "build_model": [
        (_functional(adapt="all"), "gaps in `fares`"),
        (_functional(adapt="none"), "not scaled by `fares`"),
        (_functional(fill=False), "makes the output nan"),
        (_functional(flag=False), "column for missing fares is not used"),
        (_functional(joined=False), "port makes no difference"),
        (_functional(last=None), "below 0 or above 1"),
        (_functional(outputs=2), "of shape **(6, 1)**"),
        (_functional(compiled=False), "not compiled"),
        (_functional(rate=0.0), "does not learn"),
        (lambda fares, ports: print("built"), "return"),
    ],
    "seen_before": [
        (lambda train, test: (test[:, None] == train[None]).all(axis=2).any(axis=1), "`nan` never equals `nan`"),
        (lambda train, test: _seen_by_loop(test, train), "rows of `train` were judged"),
        (
            lambda train, test: np.isclose(test[:, None], train[None], equal_nan=True).any(axis=1).all(axis=1),
            "each entry was looked up on its own",
        ),
        (
            lambda train, test: np.isclose(test[:, None], train[None], equal_nan=True).any(axis=(1, 2)),
            "one equal entry was enough",
        ),
        (lambda train, test: sum(_seen_by_loop(train, test)), "expected the shape"),
    ],
    "threshold_for_recall": [
        (lambda y, probability, recall: probability[y == 1].min(), "smallest probability of the positives"),
        (_sorted_ones(lambda recall, ones: max(int(recall * ones), 1) - 1), "rounded down"),
        (_sorted_ones(lambda recall, ones: min(int(np.ceil(recall * ones)), ones - 1)), "one positive too many"),
        (
            lambda y, probability, recall: np.sort(probability[y == 1])[int(np.ceil(recall * y.sum())) - 1],
            "from the smallest up",
        ),
        (lambda y, probability, recall: np.sort(probability)[::-1][int(np.ceil(recall * len(y))) - 1], "all rows were"),
        (lambda y, probability, recall: recall, "expected"),
    ],
    "roc_auc": [
        (lambda y, score: np.mean(score[y == 1][:, None] > score[y == 0]), "a tie counts nothing"),
        (lambda y, score: np.mean(score[y == 1][:, None] >= score[y == 0]), "a tie counts as won"),
        (lambda y, score: _auc_by_ranks(1 - y, score), "turned round"),
        (lambda y, score: _auc_by_ranks(y, score) * y.sum() * (1 - y).sum(), "number of pairs"),
        (lambda y, score: np.mean((score > 0.5) == (y == 1)), "accuracy at the threshold 0.5"),
    ],
}
