"""Data sets: read from disk, checked against the sha256 on their card, never fetched while a chapter runs."""

import functools
import hashlib
import importlib.util
import io
import json
import pathlib
import tomllib

import numpy as np

from coursekit import parsers, places
from coursekit.subsets import DataError, disjoint, split, stratified_subset


def fashion_mnist(train=60_000, test=10_000, seed=0):
    """Grey pictures of clothes (Xiao et al., 2017).

    train, test: how many pictures of each part; every class keeps its share. seed: which ones, and their order.
    Returns (x_train, y_train), (x_test, y_test): x (n, 28, 28) uint8 with 0 for black, y (n,) uint8 in 0 to 9.
    """
    parts = _read_all("fashion_mnist", [parsers.idx] * 4)
    x_train, y_train, x_test, y_test = parts
    return stratified_subset(x_train, y_train, train, seed), stratified_subset(x_test, y_test, test, seed)


def digits(train=1_437, test=360, seed=0):
    """Handwritten digits, 8 by 8 pixels. `train` and `test` do not overlap.

    Returns (x_train, y_train), (x_test, y_test): x (n, 8, 8) float64 from 0 to 16, y (n,) int64 in 0 to 9.
    """
    (table,) = _read_all("digits", [parsers.table])
    return split(table[:, :-1].reshape(-1, 8, 8), table[:, -1].astype("int64"), train, test, seed)


def mnist_digits(train=4_000, test=1_000, seed=0):
    """5,000 handwritten digits of MNIST (LeCun et al., 1998). `train` and `test` do not overlap.

    Returns (x_train, y_train), (x_test, y_test): x (n, 28, 28) uint8, 0 is black, y (n,) uint8 in 0 to 9.
    """
    (table,) = _read_all("mnist_digits", [functools.partial(parsers.table, dtype="uint8")])
    return split(table[:, :-1].reshape(-1, 28, 28), table[:, -1], train, test, seed)


def diabetes(train=353, test=89, seed=0):
    """442 patients, ten values each, and how far the disease went in a year (Efron et al., 2004).

    Returns (x_train, y_train), (x_test, y_test): x (n, 10) float64 in its own units, y (n,) float64.
    """
    x, y = _read_all("diabetes", [parsers.table] * 2)
    return disjoint(x, y, train, test, seed)


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
    (rows,) = _read_all("co2", [parsers.texts])
    weeks = np.array([f"{day[:4]}-{day[4:6]}-{day[6:]}" for day, _ in rows], "datetime64[D]")
    return weeks, np.array([float(value or "nan") for _, value in rows])


def sunspots():
    """Mean number of sunspots a year. Returns years (309,) int64, 1700 to 2008, and numbers (309,) float64."""
    (rows,) = _read_all("sunspots", [parsers.texts])
    return np.array([int(year) for year, _ in rows]), np.array([float(number) for _, number in rows])


def sea_temperature():
    """Temperature of the sea at a buoy, every half hour from February 2016 to March 2017 (NERACOOS).

    Returns times (19226,) datetime64[m], UTC, and temperatures (19226,) float64, degrees Celsius.
    """
    (rows,) = _read_all("sea_temperature", [parsers.texts])
    times = np.array([time.removesuffix("Z") for time, _ in rows], "datetime64[m]")
    return times, np.array([float(degrees) for _, degrees in rows])


def movie_sentences(train=8_072, test=2_000, seed=0, at_least=0.5):
    """Sentences of film reviews with the mean of 20 people's ratings (Hutto, Gilbert, 2014).

    at_least: sentences whose rating is nearer to 0 are left out. `train` and `test` do not overlap; in both, good and
    bad sentences keep their share. Returns (x_train, y_train), (x_test, y_test): x (n,) of str, y (n,) float64, -4..4.
    """
    (rows,) = _read_all("movie_sentences", [parsers.ratings])
    ratings = np.array([float(rating) for _, rating, _ in rows])
    sentences = np.array([sentence for _, _, sentence in rows], dtype=object)
    kept = np.abs(ratings) >= at_least
    x, y = sentences[kept], ratings[kept]
    (first, _), (second, _) = split(np.arange(len(y)), (y > 0).astype("int64"), train, test, seed)
    return (x[first], y[first]), (x[second], y[second])


def pronunciations(train=113_447, test=12_605, seed=0):
    """English words and how they are spoken, without stress marks (CMU Pronouncing Dictionary).

    `train` and `test` do not overlap. Returns (x_train, y_train), (x_test, y_test): x (n,) of str, e.g. "tomato";
    y (n,) of tuples of all listed pronunciations, e.g. ("T AH M EY T OW", "T AH M AA T OW").
    """
    (listed,) = _read_all("cmudict", [parsers.pronunciations])
    words = np.array(list(listed), dtype=object)
    spoken = np.fromiter((tuple(listed[word]) for word in words), dtype=object)
    return disjoint(words, spoken, train, test, seed)


def english_chinese(train=3_846, test=400, seed=0):
    """Short sentences in English and Chinese, each only once. `train` and `test` do not overlap.

    Returns (x_train, y_train), (x_test, y_test): x (n,) of str, English; y (n,) of str, Chinese.
    """
    (entries,) = _read_all("hsk_sentences", [json.loads])
    pairs = {entry["chinese"]: entry["translation"]["en"] for entry in reversed(entries)}
    pairs = {english: chinese for chinese, english in reversed(pairs.items())}  # of equal sentences the first one stays
    return disjoint(np.array(list(pairs), object), np.array(list(pairs.values()), object), train, test, seed)


def minilm():
    """The pretrained sentence encoder all-MiniLM-L6-v2 (Reimers, Gurevych, 2019; Wang et al., 2020).

    Returns weights, a dict of arrays by name (float32, but `embeddings.position_ids` is int64); a
    `tokenizers.Tokenizer`; the vocabulary, a list of 30,522 texts.
    """
    import safetensors.numpy
    import tokenizers

    def tokenizer(content):
        return tokenizers.Tokenizer.from_str(content.decode("utf8"))

    return tuple(_read_all("minilm", [safetensors.numpy.load, tokenizer, lambda text: text.decode("utf8").split()]))


def benchmark(name):
    """What the last run of a benchmark stored, e.g. `benchmark("fashion_mnist")` after `make bench`.

    Returns a dict: command, date, seed, machine, versions, and rows, a list of dicts with what was measured.
    """
    return _report(places.BENCHMARKS, name)


def checkpoint(name):
    """What a longer run of ours stored, e.g. `checkpoint("spelling")` after `make long-run RUN=spelling`.

    Returns a dict: command, date, seed, machine, versions and the scores. Where the run kept weights, `files` holds
    the path of each file, found unchanged, by its name, and `weights` the first of these paths.
    """
    report = _report(places.CHECKPOINTS, name)
    for file, sha256 in report.get("files", {}).items():
        path = places.CHECKPOINTS / file
        _verified(path, sha256, f"of the long run {name}", "Bring it back with `git checkout -- checkpoints`.")
        report["files"][file] = str(path)
        report.setdefault("weights", str(path))
    return report


def _report(folder, name):
    path = folder / f"{name}.json"
    if not path.is_file():
        known = ", ".join(sorted(path.stem for path in folder.glob("*.json")))
        raise DataError(f"there is no {folder.name.removesuffix('s')} {name!r}; there are {known}.")
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
    return _verified(path, file["sha256"], f"of data set {name}", remedy)


def _verified(path, sha256, whose, remedy):
    try:
        content = path.read_bytes()
    except FileNotFoundError:
        raise DataError(f"the file {path.name} {whose} is missing. {remedy}") from None
    except OSError as error:
        reason = f"cannot be read ({error.strerror})"
        raise DataError(f"the file {path.name} {whose} {reason}. {remedy}") from None
    if hashlib.sha256(content).hexdigest() != sha256:
        raise DataError(f"the file {path.name} {whose} is damaged (its sha256 is not the one on record). {remedy}")
    return content


def location(name, file):
    """Return where a file of a data set lies, and the sentence that tells how to get it back."""
    if "package" in file:
        package = pathlib.Path(importlib.util.find_spec(file["package"]).origin).parent
        return package / file["path"], "Install the course's packages again: delete .venv and run `make lab`."
    if "fetch" in card(name):
        return places.FETCHED / name / pathlib.PurePosixPath(file["path"]).name, "Run `make data` to fetch it."
    return places.DATASETS / name / file["path"], f"Bring it back with `git checkout -- datasets/{name}`."


def _read_all(name, parse_files):
    contents = [read_verified(name, file) for file in card(name)["files"]]
    return [parse(parsers.unpacked(content)) for parse, content in zip(parse_files, contents, strict=True)]
