"""Every exercise: its solution, other right answers and wrong answers with the message that each must get."""

import importlib
import itertools
import re

import keras
import numpy as np
import pytest
import tensorflow as tf
from keras import layers, ops

from authoring import chapter as chapters
from coursekit import checking

CHAPTERS = [chapters.read(name) for name in chapters.names()]
EXERCISES = [item for chapter in CHAPTERS for item in checking.items(chapter.header.topic, checking.Exercise)]


@pytest.fixture(autouse=True)
def fixed_start():
    """The same starting weights in each run, whichever tests ran before."""
    keras.utils.set_random_seed(0)


def answers(exercise):
    topic, _, name = exercise.name.partition(".")
    module = importlib.import_module(f"tests.answers.{topic}")
    return module.RIGHT[name], module.WRONG[name]


def solutions():
    for chapter in CHAPTERS:
        cells = chapter.notebook.cells
        for cell, following in itertools.pairwise(cells):
            if "exercise" in chapters.tags(cell):
                yield re.search(r'"([\w.]+)", (\w+)', following.source).groups(), cell.source


@pytest.mark.parametrize(
    ("names", "source"), list(solutions()), ids=lambda value: value[0] if type(value) is tuple else ""
)
def test_the_solution_of_the_chapter_is_correct(names, source):
    exercise, variable = names
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    space = {"np": np, "keras": keras, "layers": layers, "ops": ops, "tf": tf, "loss": loss}
    exec(source, space)
    verdict = checking.judge(checking.find(exercise, checking.Exercise), space[variable])
    assert verdict.status == "correct", verdict.message


@pytest.mark.parametrize("exercise", EXERCISES, ids=lambda exercise: exercise.name)
def test_other_right_answers_are_correct(exercise):
    right, _ = answers(exercise)
    assert len(right) >= 2
    for answer in right:
        verdict = checking.judge(exercise, answer)
        assert verdict.status == "correct", verdict.message


@pytest.mark.parametrize("exercise", EXERCISES, ids=lambda exercise: exercise.name)
def test_wrong_answers_are_told_what_is_wrong(exercise):
    _, wrong = answers(exercise)
    assert len(wrong) >= 3
    for answer, message in wrong:
        verdict = checking.judge(exercise, answer)
        assert verdict.status == "not yet"
        assert any(part in verdict.message for part in message.split("|")), verdict.message


@pytest.mark.parametrize("exercise", EXERCISES, ids=lambda exercise: exercise.name)
def test_every_listed_mistake_is_recognised_by_name(exercise):
    for sentence, mistake in exercise.mistakes.items():
        verdict = checking.judge(exercise, mistake)
        assert verdict.status == "not yet"
        assert verdict.mistake == sentence, verdict.message


def test_every_answer_belongs_to_an_exercise():
    for chapter in CHAPTERS:
        topic = chapter.header.topic
        module = importlib.import_module(f"tests.answers.{topic}")
        names = {item.name.partition(".")[2] for item in checking.items(topic, checking.Exercise)}
        assert set(module.RIGHT) == set(module.WRONG) == names
