"""The glossary and the chapters name the same terms."""

import re

import pytest

from book import glossary

# BERT (双向, both sides)
SAID_OTHERWISE = {("12a_large_models", "双向")}


def stems(text):
    """The first three letters of each word, so that `weights` is a form of `weight`."""
    return {word[:3] for word in re.findall(r"[a-z]+|[A-Z][a-z]*", re.sub(r"([a-z])([A-Z])", r"\1 \2", text))}


def stands_at(term, words):
    """Whether a word of the term, in some form, is among the words at its Chinese name."""
    return bool({stem.lower() for stem in stems(term)} & {stem.lower() for stem in stems(words)})
