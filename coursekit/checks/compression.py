"""Exercises and quizzes of chapter 14b."""

import numpy as np

from coursekit import checks
from coursekit.calling import NotYet
from coursekit.checking import Exercise, Quiz

_BUDGET, _DIVERGENCE = 8_000, 0.6
_random = np.random.default_rng(0)
_KERNEL = _random.normal(0, 1, (3, 3, 2, 4))
_MATRIX = _random.normal(0, 1, (6, 5))
_LOGITS = np.array([[5.0, 2.0, -1.0], [0.0, 3.0, 1.0]])
_OTHERS = np.array([[3.0, 2.5, 0.0], [1.0, 1.0, 1.0]])


def _magnitude_mask(w, keep):
    order = np.argsort(np.abs(np.ravel(w)))[::-1]
    mask = np.zeros(np.size(w), bool)
    mask[order[:keep]] = True
    return mask.reshape(np.shape(w))


def _sparse_bytes(shape, kept):
    return 6 * kept + 4 * (shape[0] + 1)


def _distillation(teacher, student, temperature):
    p, q = (_log_softmax(logits / temperature) for logits in (teacher, student))
    return temperature**2 * np.mean(np.sum(np.exp(p) * (p - q), axis=-1))


def _log_softmax(z):
    z = z - z.max(axis=-1, keepdims=True)
    return z - np.log(np.exp(z).sum(axis=-1, keepdims=True))


def _judge_train_student(answer):
    import keras

    from coursekit import data

    (x, _), (x_new, _) = data.fashion_mnist(train=600, test=300, seed=4)
    x, x_new = (part[..., None].astype("float32") / 255 for part in (x, x_new))
    teacher = keras.saving.load_model(data.checkpoint("small_models")["files"]["small_models_teacher.keras"])
    of_teacher, of_teacher_new = (teacher.predict(part, batch_size=300, verbose=0) for part in (x, x_new))
    network = checks.build(answer, x, of_teacher)
    if not isinstance(network, keras.Model):
        raise NotYet(f"I expected a Keras model and got {type(network).__name__}. Is a `return` missing?")
    logits = checks.forward(network, x_new)
    if logits.shape != (300, 10):
        raise NotYet(f"For 300 pictures I expected outputs of shape **(300, 10)**, got **{logits.shape}**.")
    if checks.sums_to_one(logits):
        raise NotYet("The rows of the output sum to 1: the last layer has a softmax, and ten logits were asked for.")
    if network.count_params() > _BUDGET:
        raise NotYet(
            f"Your student has **{network.count_params():,}** parameters; at most {_BUDGET:,} were allowed. "
            "Where do most of them sit?"
        )
    of_teacher_new = of_teacher_new.astype("float64")
    divergence = _distillation(of_teacher_new, logits.astype("float64"), 1)
    if not divergence < _DIVERGENCE:
        untrained = _distillation(of_teacher_new, np.zeros((300, 10)), 1)
        advice = "Was it trained at all?" if not divergence < 0.9 * untrained else "Train longer, or with another rate."
        raise NotYet(
            f"On 300 new pictures the divergence from the teacher at temperature 1 is **{divergence:.2f}**; below "
            f"{_DIVERGENCE} was asked. {advice}"
        )


ITEMS = [
    Exercise(
        "compression.magnitude_mask",
        hints=(
            "Which is the smallest magnitude that is kept? `np.sort` with `axis=None` puts all numbers into one row.",
            "`np.abs(w) >= np.sort(np.abs(w), axis=None)[-keep]`.",
        ),
        reference=_magnitude_mask,
        cases=((_MATRIX, 9), (_KERNEL, 40), (_MATRIX, 28), (_MATRIX[0], 2)),
        mistakes={
            "It looks as if the smallest were kept.": lambda w, keep: _magnitude_mask(1 / w, keep),
            "It looks as if the sign counted; −3 is a large weight too.": lambda w, keep: _magnitude_mask(
                w - w.min() + 1e-9, keep
            ),
            "It looks as if `keep` weights were dropped, not kept.": lambda w, keep: _magnitude_mask(w, w.size - keep),
            "It looks as if the weights were returned, not the mask of True and False.": lambda w, keep: (
                w * _magnitude_mask(w, keep)
            ),
            "It looks as if one weight too few was kept: the smallest one that is kept counts too.": lambda w, keep: (
                _magnitude_mask(w, keep - 1)
            ),
        },
    ),
    Exercise(
        "compression.sparse_bytes",
        hints=(
            "Each kept number takes 4 bytes for itself and 2 for its column.",
            "There are rows + 1 places of 4 bytes; zeros take nothing.",
        ),
        reference=_sparse_bytes,
        cases=(((100, 784), 7_840), ((3, 5), 0), ((1_568, 32), 20_000)),
        mistakes={
            "It looks as if the columns of the numbers were not counted.": lambda shape, kept: (
                4 * kept + 4 * (shape[0] + 1)
            ),
            "It looks as if rows were counted, not rows + 1.": lambda shape, kept: 6 * kept + 4 * shape[0],
            "It looks as if the places where rows begin were left out.": lambda shape, kept: 6 * kept,
            "It looks as if columns were taken for rows; shape is (rows, columns).": lambda shape, kept: (
                6 * kept + 4 * (shape[1] + 1)
            ),
            "It looks as if every number was counted, zeros too.": lambda shape, kept: (
                6 * shape[0] * shape[1] + 4 * (shape[0] + 1)
            ),
        },
    ),
    Exercise(
        "compression.distillation",
        hints=(
            "`ops.log_softmax(logits / temperature)` gives ln p without overflow; p is `ops.exp` of it.",
            "Sum p · (ln p − ln q) over the classes, take the mean over the examples, multiply by the temperature squared.",
        ),
        reference=_distillation,
        cases=((_LOGITS, _OTHERS, 1.0), (_LOGITS, _OTHERS, 4.0), (400 * _LOGITS, 400 * _OTHERS, 2.0)),
        tolerance=1e-4,
        mistakes={
            "It looks as if T² was left out.": lambda teacher, student, temperature: (
                _distillation(teacher, student, temperature) / temperature**2
            ),
            "It looks as if T was taken, not T².": lambda teacher, student, temperature: (
                _distillation(teacher, student, temperature) / temperature
            ),
            "It looks as if teacher and student were exchanged: p, in front, is the teacher's.": (
                lambda teacher, student, temperature: _distillation(student, teacher, temperature)
            ),
            "It looks as if the sum over the examples was taken, not the mean.": lambda teacher, student, temperature: (
                _distillation(teacher, student, temperature) * len(teacher)
            ),
            "It looks as if the mean over the classes was taken, not the sum.": lambda teacher, student, temperature: (
                _distillation(teacher, student, temperature) / teacher.shape[1]
            ),
            "It looks as if the logits were not divided by the temperature.": lambda teacher, student, temperature: (
                temperature**2 * _distillation(teacher, student, 1)
            ),
        },
    ),
    Exercise(
        "compression.train_student",
        hints=(
            "A small convolutional network: two pairs of Conv2D (8, then 16 filters) and MaxPooling2D, then ten logits.",
            "`distillation_loss` asks for labels too. The divergence alone, or the mean square of the difference of the "
            "logits (`loss='mse'`), needs none.",
        ),
        judge=_judge_train_student,
    ),
    Quiz(
        "compression.optimizer",
        "Why is the `.keras` file of a network in training three times as large as that of the bare network?",
        {
            "It holds the training data": (False, "It holds the architecture, the weights and the optimizer."),
            "Adam keeps two numbers for each parameter": (
                True,
                "A running mean of the gradient and one of its square. Only further training needs them.",
            ),
            "Weights are stored in 64 bits until training is over": (False, "They are 32-bit floats all along."),
        },
    ),
    Quiz(
        "compression.zeros",
        "Nine tenths of all weights are zero. What is gained without further measures?",
        {
            "Inference is ten times faster": (False, "The tensors have their old shapes: zeros are multiplied too."),
            "A smaller file once it is zipped": (True, "Repeated bytes take little room; the plain file is as large."),
            "Less memory while it runs": (False, "The matrix has the same shape, and its zeros take four bytes each."),
        },
    ),
    Quiz(
        "compression.temperature",
        "Why are the teacher's logits divided by a temperature above 1?",
        {
            "Small probabilities of other classes become large enough to learn from": (
                True,
                "Where the teacher is nearly certain at temperature 1, its answer is hardly more than the label.",
            ),
            "The teacher's answers become right more often": (
                False,
                "The order of the classes stays, so the answer stays.",
            ),
            "The loss becomes smaller, so training ends sooner": (
                False,
                "A smaller loss is no aim in itself; T² even makes up for the smaller gradient.",
            ),
        },
    ),
    Quiz(
        "compression.fair",
        "How do you find out whether a teacher helps a student?",
        {
            "Compare the distilled student with the teacher": (
                False,
                "That shows what is lost, not what the teacher gave.",
            ),
            "Train the same student on labels alone, same steps, several seeds": (
                True,
                "One thing is changed, and the spread over the seeds shows what a difference means.",
            ),
            "Watch whether the divergence falls in training": (
                False,
                "It falls; the question is what that is worth on new pictures.",
            ),
        },
    ),
]
