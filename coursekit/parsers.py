"""Parsers: the bytes of a data file to arrays or rows."""

import csv
import gzip
import io
import tarfile

import numpy as np


def unpacked(content):
    return gzip.decompress(content) if content[:2] == b"\x1f\x8b" else content


def idx(content):
    """IDX format: two zero bytes, type (8: uint8), number of axes, each axis as a big-endian int32, then the data."""
    axes = content[3]
    shape = np.frombuffer(content, ">i4", count=axes, offset=4)
    return np.frombuffer(content, "uint8", offset=4 + 4 * axes).reshape(shape)


def table(content, dtype="float64"):
    text = content.decode("ascii")
    return np.loadtxt(io.StringIO(text), delimiter="," if "," in text[:1000] else None, dtype=dtype)


def texts(content):
    """Rows of a CSV file without its header, as lists of text."""
    return list(csv.reader(io.StringIO(content.decode("utf8"))))[1:]


def ratings(content):
    """Rows (id, mean rating, sentence) of the one member of the archive that holds the movie sentences."""
    with tarfile.open(fileobj=io.BytesIO(content)) as archive:
        text = archive.extractfile("hutto_ICWSM_2014/movieReviewSnippets_GroundTruth.txt").read().decode("utf8")
    return [line.split("\t") for line in text.split("\r\n") if line]


def pronunciations(content):
    """Lines `word P1 P2 # remark`, further pronunciations as `word(2) …`. Returns {word: list of pronunciations}."""
    listed = {}
    for line in content.decode("utf8").splitlines():
        word, *phonemes = line.partition("#")[0].split()
        spoken = " ".join(phoneme.rstrip("012") for phoneme in phonemes)  # 0, 1, 2 mark the stress
        known = listed.setdefault(word.partition("(")[0], [])
        if spoken not in known:
            known.append(spoken)
    return listed
