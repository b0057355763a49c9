"""Hidden inputs of exercises whose visible ones no rule of classroom/hidden.py can move, and those without any."""

import hashlib
import re

import numpy as np

# Judged on the visible inputs alone, and why.
_FIXED = "its check trains on fixed data"
CLOSED = {
    "activations.output_activation": "four tasks, all asked",
    "augmentation.keeps_label": "the digits whose look under each change is not in doubt, all asked",
    "compression.train_student": _FIXED,
    "convnets.train_convnet": _FIXED,
    "dense.hat": "its check compares a whole curve for three hats",
    "quantisation.train_for_four_bits": _FIXED,
    "recurrence.build_memory": _FIXED,
    "recurrence.mean_squared_error": "its check compares with the formula on whole sequences",
    "serving.is_valid": "its check asks a list of bad requests, each with one fault",
    "serving.v2_request": "its check compares with one protocol",
    "tables.build_model": _FIXED,
    "workflow.gap_stopper": "its check plays whole courses of losses",
}


def _layers_renamed(random, visible):
    """The same layers under other names."""

    def rename(value):
        if isinstance(value, dict):
            return {
                key: f"layer_{random.integers(10**6)}" if key == "name" else rename(item) for key, item in value.items()
            }
        return [rename(item) for item in value] if isinstance(value, list) else value

    return [tuple(rename(argument) for argument in case) for case in visible]


def _digests(random, visible):
    content = random.bytes(20)
    right = hashlib.sha256(content).hexdigest()
    other = ("1" if right[0] == "0" else "0") + right[1:]
    return [(content, right), (content, right.upper()), (content + b"!", right), (content, other), (content, right[:8])]


def _buckets(random, visible):
    """The same lines with other counts, which still grow from one limit to the next."""

    def count(match):
        return f"}} {3 * float(match[1]) + factor}"

    factor = int(random.integers(2, 90))
    return [([re.sub(r"} ([\d.]+)$", count, line) for line in lines], name) for lines, name in visible]


def _pieces(random, visible):
    words = [["kit", "##ten"], ["run", "##ning"], ["a"], ["sea", "##weed", "##s"], ["!"]]
    orders = [random.permutation(len(words)) for _ in range(3)]
    return [(["[CLS]", *(piece for number in order for piece in words[number]), "[SEP]", "[PAD]"],) for order in orders]


def _arrays(random, visible):
    """Arrays of other shapes and types: what counts is how many bytes they take."""
    types = ["float32", "float16", "int8", "float64"]
    shapes = [tuple(random.integers(1, 40, size=dimensions).tolist()) for dimensions in (1, 2, 3, 2)]
    return [([np.zeros(shape, type) for shape, type in zip(shapes, random.permutation(types), strict=True)],)]


def _unit(points):
    """Rows divided by their length, as the chapters have their embeddings."""
    return points / np.linalg.norm(points, axis=1, keepdims=True)


def _directions(random, visible):
    """Points on the unit sphere, and the same points a little moved."""
    cases = []
    for _ in range(3):
        before = _unit(random.normal(size=(14, 3)))
        cases.append((before, _unit(before + random.normal(0, 0.4, before.shape)), int(random.integers(2, 6))))
    return cases


CASES = {
    "calibration.cool": lambda random, visible: [
        (random.normal(0, 3, (3, 4)), float(random.uniform(0.3, 4))),
        (np.array([[900.0, 899.0, 0.0], [-2000.0, -1000.0, -1001.0]]), float(random.choice([2.0, 4.0]))),
    ],
    "finetuning.neighbours_kept": _directions,
    "pretrained.to_words": _pieces,
    "saving.foreign_layers": _layers_renamed,
    "saving.kilobytes": _arrays,
    "saving.verified": _digests,
    "scaling.bytes_a_worker": lambda random, visible: [
        (int(random.integers(10**6, 10**10)), int(random.integers(2, 500)), stage) for stage in range(4)
    ],
    "seq2seq.decoder_block_parameters": lambda random, visible: [(2 * int(random.integers(2, 200)),) for _ in range(4)],
    "seq2seq.shifted": lambda random, visible: [(random.integers(0, 30, (3, 6)),), (random.integers(0, 30, (1, 4)),)],
    "serving.bucket_counts": _buckets,
    "translation.central": lambda random, visible: [(_unit(random.random((5, 4))),) for _ in range(3)],
}
