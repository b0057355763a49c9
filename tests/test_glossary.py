"""The glossary and the chapters name the same terms."""

import re

import pytest

from book import glossary

OTHERWISE = {("12a_large_models", "双向")}  # says "both sides" for bidirectional


def stems(text):
    """The first three letters of each word, so that `weights` is a form of `weight`."""
    apart = re.sub(r"(?<=[a-z])(?=[A-Z])", " ", text)  # `MultiHeadAttention` is three words
    return {word[:3] for word in re.findall(r"[a-z]+", apart.lower())}


def test_every_chinese_name_has_its_line_and_every_line_its_chapter():
    assert set(glossary.terms()) == set(glossary.introduced())


def test_no_chinese_name_is_overlooked():
    """Of several in one bracket, beside English, with a part in Latin letters, and one alone."""
    names = glossary.introduced()
    assert {"查询", "键", "值", "均方误差", "教师强制", "KL 散度", "词频-逆文档频率", "梯度下降"} <= set(names)
    assert names["均方误差"] == [("02_losses", "**mean squared error** MSE")]


def test_the_term_stands_directly_before_its_chinese_name():
    known = glossary.terms()
    places = [(name, chinese, words) for chinese, found in glossary.introduced().items() for name, words in found]
    apart = {(name, chinese): words for name, chinese, words in places if not stems(known[chinese][0]) & stems(words)}
    assert set(apart) == OTHERWISE, apart


def test_a_term_has_one_line():
    terms = [term for term, _ in glossary.terms().values()]
    twice = {term for term in terms if terms.count(term) > 1}
    assert twice <= {"feed-forward network"}  # of chapter 07a, and within a Transformer block


def test_meanings_are_one_short_sentence():
    for term, meaning in glossary.terms().values():
        assert meaning[0].isupper(), term
        assert re.fullmatch(r"[^.]+(?:\.\d[^.]*)*\.", meaning), term
        assert len(meaning) <= 120, term


def test_an_entry_links_first_to_the_chapter_that_introduces_it():
    page, known = glossary.page(), glossary.terms()
    for chinese, found in glossary.introduced().items():
        term, meaning = known[chinese]
        entry = page[page.index(f"\n{term} {chinese}\n") :].split("\n")
        link = re.search(r"\]\(chapters/(\w+)\)", entry[2])
        assert entry[2].strip().startswith(meaning)
        assert link[1] == found[0][0], term


def test_a_name_without_a_line_is_told_in_a_sentence(monkeypatch):
    lines = glossary.terms()
    del lines["梯度下降"]
    monkeypatch.setattr(glossary, "terms", lambda: lines)
    with pytest.raises(SystemExit, match=r"梯度下降 of chapter 01_activations has no line in book/terms\.toml"):
        glossary.page()
