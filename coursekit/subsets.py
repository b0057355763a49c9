"""Subsets of data sets: which examples, in which order."""

import numpy as np

from coursekit import places


class DataError(places.CourseError):
    """A data file is missing or damaged, or a subset was asked for that does not exist."""


def stratified_subset(x, y, size, seed):
    """Return `size` examples of (x, y) in random order; each class keeps its share, to within one example."""
    chosen = _stratified_order(y, seed)[: _whole_number(size, len(y))]
    chosen = np.random.default_rng(seed).permutation(chosen)
    return x[chosen], y[chosen]


def split(x, y, train, test, seed):
    """Return `train` and then `test` examples of (x, y), disjoint; in both each class keeps its share."""
    _check_sizes(train, test, len(y))
    chosen = _stratified_order(y, seed)[: train + test]
    again = _stratified_order(y[chosen], seed + 1)
    shuffle = np.random.default_rng(seed).permutation
    first, second = shuffle(chosen[again[test:]]), shuffle(chosen[again[:test]])
    return (x[first], y[first]), (x[second], y[second])


def disjoint(x, y, train, test, seed):
    """`train` and then `test` examples of (x, y), drawn at random, none twice."""
    _check_sizes(train, test, len(x))
    order = np.random.default_rng(seed).permutation(len(x))
    first, second = order[:train], order[train : train + test]
    return (x[first], y[first]), (x[second], y[second])


def _stratified_order(labels, seed):
    """Indices of all examples such that any first n of them hold each class in its share."""
    order = np.random.default_rng(seed).permutation(len(labels))
    place = np.empty(len(labels))
    for label in np.unique(labels):
        members = order[labels[order] == label]
        place[members] = (np.arange(len(members)) + 0.5) / len(members)
    return np.argsort(place, kind="stable")


def _whole_number(size, most):
    if isinstance(size, bool) or not isinstance(size, (int, np.integer)) or not 1 <= size <= most:
        raise DataError(f"the size of a subset is a whole number from 1 to {most:,}, not {size!r}.")
    return size


def _check_sizes(train, test, total):
    if _whole_number(train, total) + _whole_number(test, total) > total:
        raise DataError(f"{train:,} training and {test:,} test examples were asked for, but there are only {total:,}.")
