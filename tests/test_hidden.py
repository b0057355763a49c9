"""Hidden inputs: right answers stay right, and an answer that knows the visible results by heart fails."""

import importlib
import types

import keras
import numpy as np
import pytest

from classroom import hidden, inputs
from coursekit import checking
from coursekit.checking import Exercise

pytestmark = pytest.mark.classroom
EXERCISES = [item for topic in checking.topics() for item in checking.items(topic, Exercise)]
COMPARED = [item for item in EXERCISES if item.judge is None and item.name not in inputs.CLOSED]
JUDGED = [item for item in EXERCISES if item.judge is not None and item.name not in inputs.CLOSED]


def answers(exercise):
    topic, _, name = exercise.name.partition(".")
    module = importlib.import_module(f"tests.answers.{topic}")
    return module.RIGHT[name], [answer for answer, _ in module.WRONG[name]]


def by_heart(exercise):
    """A function that knows the result of each visible case, and gives that of the first one otherwise."""
    known = [(case, exercise.reference(*case)) for case in exercise.cases]

    def answer(*given):
        return next((result for case, result in known if hidden.same(case, given)), known[0][1])

    return answer


def test_every_exercise_has_hidden_inputs_or_a_reason():
    names = {item.name for item in EXERCISES}
    assert set(inputs.CLOSED) <= names
    assert set(inputs.CASES) <= names - set(inputs.CLOSED)
    assert len(COMPARED) + len(JUDGED) + len(inputs.CLOSED) == len(EXERCISES)
    assert len(inputs.CLOSED) <= len(EXERCISES) / 10


@pytest.mark.parametrize("exercise", COMPARED, ids=lambda exercise: exercise.name)
def test_hidden_cases_are_others_and_right_answers_pass_on_them(exercise):
    right, wrong = answers(exercise)
    for seed in range(1, 6):
        cases = hidden.cases(exercise, seed)
        assert not hidden.same(list(cases), list(exercise.cases))
        for answer in right:
            verdict = hidden.judge(exercise.name, answer, seed)
            assert verdict.status == "correct", verdict.message
    for answer in wrong:
        assert hidden.judge(exercise.name, answer).status == "not yet"


@pytest.mark.parametrize("exercise", COMPARED, ids=lambda exercise: exercise.name)
def test_knowing_the_visible_results_by_heart_is_not_enough(exercise):
    answer = by_heart(exercise)
    assert checking.judge(exercise, answer).status == "correct"
    verdicts = [hidden.judge(exercise.name, answer, seed) for seed in range(1, 6)]
    assert "not yet" in {verdict.status for verdict in verdicts}
    assert all("does not show" in verdict.message for verdict in verdicts if verdict.status == "not yet")


@pytest.mark.parametrize("exercise", JUDGED, ids=lambda exercise: exercise.name)
def test_checks_that_draw_their_data_draw_other_data(exercise, monkeypatch):
    original, drawn = np.random.default_rng, []
    monkeypatch.setattr(np.random, "default_rng", lambda start=None: drawn.append(start) or original(start))
    keras.utils.set_random_seed(0)
    for answer in answers(exercise)[0]:
        verdict = hidden.judge(exercise.name, answer, 7)
        assert verdict.status == "correct", verdict.message
    assert any(isinstance(start, list) and start[1] == 7 for start in drawn)


def test_an_answer_that_draws_itself_is_left_alone():
    here = types.ModuleType("answer")
    exec("import numpy as np\ndef draw():\n    return np.random.default_rng(0).random()", vars(here))
    expected = here.draw()
    with hidden.other_draws(3):
        assert here.draw() == expected
    assert np.random.default_rng(0).random() == expected
