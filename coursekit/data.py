"""Data sets: read from disk, checked against the sha256 on their card, never fetched while a chapter runs."""

import csv
import functools
import gzip
import hashlib
import importlib.util
import io
import json
import pathlib
import tarfile
import tomllib

import numpy as np

from coursekit import places


class DataError(places.CourseError):
    """A data file is missing or damaged, or a subset was asked for that does not exist."""


def fashion_mnist(train=60_000, test=10_000, seed=0):
    """Grey pictures of clothes (Xiao et al., 2017).

    train, test: how many pictures of each part; every class keeps its share. seed: which ones, and their order.
    Returns (x_train, y_train), (x_test, y_test): x (n, 28, 28) uint8 with 0 for black, y (n,) uint8 in 0 to 9.
    """
    parts = _read_all("fashion_mnist", [_parse_idx] * 4)
    x_train, y_train, x_test, y_test = parts
    return stratified_subset(x_train, y_train, train, seed), stratified_subset(x_test, y_test, test, seed)


def digits(train=1_437, test=360, seed=0):
    """Handwritten digits, 8 by 8 pixels. `train` and `test` do not overlap.

    Returns (x_train, y_train), (x_test, y_test): x (n, 8, 8) float64 from 0 to 16, y (n,) int64 in 0 to 9.
    """
    (table,) = _read_all("digits", [_parse_table])
    return split(table[:, :-1].reshape(-1, 8, 8), table[:, -1].astype("int64"), train, test, seed)


def mnist_digits(train=4_000, test=1_000, seed=0):
    """5,000 handwritten digits of MNIST (LeCun et al., 1998). `train` and `test` do not overlap.

    Returns (x_train, y_train), (x_test, y_test): x (n, 28, 28) uint8, 0 is black, y (n,) uint8 in 0 to 9.
    """
    (table,) = _read_all("mnist_digits", [functools.partial(_parse_table, dtype="uint8")])
    return split(table[:, :-1].reshape(-1, 28, 28), table[:, -1], train, test, seed)


def diabetes(train=353, test=89, seed=0):
    """442 patients, ten values each, and how far the disease went in a year (Efron et al., 2004).

    Returns (x_train, y_train), (x_test, y_test): x (n, 10) float64 in its own units, y (n,) float64.
    """
    x, y = _read_all("diabetes", [_parse_table] * 2)
    _check_sizes(train, test, len(y))
    order = np.random.default_rng(seed).permutation(len(y))
    first, second = order[:train], order[train : train + test]
    return (x[first], y[first]), (x[second], y[second])


def titanic():
    """1,313 passengers of the Titanic, as they stand in the file.

    Returns a pandas table with the columns name, class, age (years; nan where it is missing), sex, survived (0 or 1).
    """
    import pandas

    (table,) = _read_all("titanic", [lambda content: pandas.read_csv(io.BytesIO(content))])
    return table


def co2():
    """Carbon dioxide in the air at Mauna Loa, every week from 1958 to 2001 (Keeling, Whorf, 2004).

    Returns weeks (2284,) datetime64[D] and values (2284,) float64, parts per million, nan where a week is missing.
    """
    (rows,) = _read_all("co2", [_parse_texts])
    weeks = np.array([f"{day[:4]}-{day[4:6]}-{day[6:]}" for day, _ in rows], "datetime64[D]")
    return weeks, np.array([float(value or "nan") for _, value in rows])


def sunspots():
    """Mean number of sunspots a year. Returns years (309,) int64, 1700 to 2008, and numbers (309,) float64."""
    (rows,) = _read_all("sunspots", [_parse_texts])
    return np.array([int(year) for year, _ in rows]), np.array([float(number) for _, number in rows])


def sea_temperature():
    """Temperature of the sea at a buoy, every half hour from February 2016 to March 2017 (NERACOOS).

    Returns times (19226,) datetime64[m], UTC, and temperatures (19226,) float64, degrees Celsius.
    """
    (rows,) = _read_all("sea_temperature", [_parse_texts])
    times = np.array([time.removesuffix("Z") for time, _ in rows], "datetime64[m]")
    return times, np.array([float(degrees) for _, degrees in rows])


def movie_sentences(train=8_072, test=2_000, seed=0, at_least=0.5):
    """Sentences of film reviews with the mean of 20 people's ratings (Hutto, Gilbert, 2014).

    at_least: sentences whose rating is nearer to 0 are left out. `train` and `test` do not overlap; in both, good and
    bad sentences keep their share. Returns (x_train, y_train), (x_test, y_test): x (n,) of str, y (n,) float64, -4..4.
    """
    (rows,) = _read_all("movie_sentences", [_parse_ratings])
    ratings = np.array([float(rating) for _, rating, _ in rows])
    sentences = np.array([sentence for _, _, sentence in rows], dtype=object)
    kept = np.abs(ratings) >= at_least
    x, y = sentences[kept], ratings[kept]
    (first, _), (second, _) = split(np.arange(len(y)), (y > 0).astype("int64"), train, test, seed)
    return (x[first], y[first]), (x[second], y[second])


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


def benchmark(name):
    """What the last run of a benchmark stored, e.g. `benchmark("fashion_mnist")` after `make bench`.

    Returns a dict: command, date, seed, machine, versions, and rows, a list of dicts with what was measured.
    """
    path = places.BENCHMARKS / f"{name}.json"
    if not path.is_file():
        known = ", ".join(sorted(path.stem for path in places.BENCHMARKS.glob("*.json")))
        raise DataError(f"there is no benchmark {name!r}; there are {known}.")
    return json.loads(path.read_text(encoding="utf8"))


def card(name):
    """Return the card of a data set as a dict: what it is, source, licence, shape, good_for, bad_for, files."""
    path = places.DATASETS / name / "card.toml"
    if not path.is_file():
        known = ", ".join(names())
        raise DataError(f"there is no data set {name!r}; there are {known}.")
    return tomllib.loads(path.read_text(encoding="utf8"))


def names():
    """Names of all data sets, sorted."""
    return sorted(path.parent.name for path in places.DATASETS.glob("*/card.toml"))


def read_verified(name, file):
    """Return the bytes of one file of data set `name` after its sha256 was found right; `file` is its card entry."""
    path, remedy = location(name, file)
    try:
        content = path.read_bytes()
    except FileNotFoundError:
        raise DataError(f"the file {path.name} of data set {name} is missing. {remedy}") from None
    except OSError as error:
        reason = f"cannot be read ({error.strerror})"
        raise DataError(f"the file {path.name} of data set {name} {reason}. {remedy}") from None
    if hashlib.sha256(content).hexdigest() != file["sha256"]:
        raise DataError(f"the file {path.name} of data set {name} is damaged (its sha256 is not the card's). {remedy}")
    return content


def location(name, file):
    """Return where a file of a data set lies, and the sentence that tells how to get it back."""
    if "package" in file:
        package = pathlib.Path(importlib.util.find_spec(file["package"]).origin).parent
        return package / file["path"], "Install the course's packages again: delete .venv and run `make lab`."
    if "fetch" in card(name):
        return places.FETCHED / name / pathlib.PurePosixPath(file["path"]).name, "Run `make data` to fetch it."
    return places.DATASETS / name / file["path"], f"Bring it back with `git checkout -- datasets/{name}`."


def _read_all(name, parsers):
    return [
        parse(_unpacked(read_verified(name, file))) for file, parse in zip(card(name)["files"], parsers, strict=True)
    ]


def _unpacked(content):
    return gzip.decompress(content) if content[:2] == b"\x1f\x8b" else content


def _parse_texts(content):
    """Rows of a CSV file without its header, as lists of text."""
    return list(csv.reader(io.StringIO(content.decode("utf8"))))[1:]


def _parse_ratings(content):
    """Rows (id, mean rating, sentence) of the one member of the archive that holds the movie sentences."""
    with tarfile.open(fileobj=io.BytesIO(content)) as archive:
        text = archive.extractfile("hutto_ICWSM_2014/movieReviewSnippets_GroundTruth.txt").read().decode("utf8")
    return [line.split("\t") for line in text.split("\r\n") if line]


def _parse_idx(content):
    """IDX format: two zero bytes, type (8: uint8), number of axes, each axis as a big-endian int32, then the data."""
    axes = content[3]
    shape = np.frombuffer(content, ">i4", count=axes, offset=4)
    return np.frombuffer(content, "uint8", offset=4 + 4 * axes).reshape(shape)


def _parse_table(content, dtype="float64"):
    text = content.decode("ascii")
    return np.loadtxt(io.StringIO(text), delimiter="," if "," in text[:1000] else None, dtype=dtype)


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
