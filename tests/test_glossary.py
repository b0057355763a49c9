"""The glossary and the chapters name the same terms."""

import re

from book import glossary


def stems(text):
    """The first three letters of each word, so that `weights` is a form of `weight`."""
    return {word[:3] for word in re.findall(r"[a-z]+", text.lower())}


def test_every_chinese_name_has_its_line_and_every_line_its_chapter():
    assert set(glossary.terms()) == set(glossary.introduced())


def test_the_term_stands_before_its_chinese_name():
    known = glossary.terms()
    for chinese, found in glossary.introduced().items():
        for name, words in found:
            assert stems(known[chinese][0]) & stems(words), f"{name}: {words} ({chinese})"


def test_a_term_has_one_line():
    terms = [term for term, _ in glossary.terms().values()]
    twice = {term for term in terms if terms.count(term) > 1}
    assert twice <= {"feed-forward network"}  # of chapter 07a, and within a Transformer block


def test_meanings_are_one_short_sentence():
    for term, meaning in glossary.terms().values():
        assert meaning[0].isupper(), term
        assert re.fullmatch(r"[^.]+(?:\.\d[^.]*)*\.", meaning), term
        assert len(meaning) <= 120, term
