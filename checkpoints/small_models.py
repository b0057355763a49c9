"""The long run of chapter 14b: a teacher for Fashion-MNIST, and students with less than a tenth of its parameters.

`make long-run RUN=small_models` trains all; `python -m checkpoints.small_models teacher` only the part that is named,
and the others stay as they are. Writes the report small_models.json and two uncompiled Keras models, architecture
included: small_models_teacher.keras, and small_models_student.keras (distilled on all pictures, first seed).
Both take pictures (batch, 28, 28, 1), float32 from 0 (black) to 1 (white), named `image`, and give ten logits; the
classes are those of the card of fashion_mnist. Nothing was chosen by the test pictures: all settings stood beforehand.
"""

import argparse
import json
import time

import coursekit as ck

ck.start()

import keras
import numpy as np

from authoring import chapter, report
from coursekit import places

RESULTS = places.CHECKPOINTS / "small_models.json"
TEACHER, STUDENT = "small_models_teacher.keras", "small_models_student.keras"
TEMPERATURE, SHARE = 4.0, 0.9
BATCH, EPOCHS = 256, 8  # of the teacher
STUDENTS = {6_000: (24, range(5)), 60_000: (6, range(3))}  # pictures: epochs, seeds
SHARES = {"labels": 0.0, "distilled": SHARE}
SEED = 0
code = chapter.long_run_code("14b_compression")


class Task:
    """All of Fashion-MNIST, pixels from 0 to 1."""

    def __init__(self):
        (x, self.y), (x_test, self.y_test) = ck.data.fashion_mnist()
        self.x, self.x_test = (part[..., None].astype("float32") / 255 for part in (x, x_test))


def train(network, x, targets, loss, seed, epochs, peak):
    """Adam, one epoch of warm-up to the rate `peak`, then cosine decay to 0. Returns seconds and losses."""
    keras.utils.set_random_seed(seed)
    steps = -(-len(x) // BATCH)
    schedule = keras.optimizers.schedules.CosineDecay(
        peak / 10, (epochs - 1) * steps, warmup_target=peak, warmup_steps=steps
    )
    network.compile(keras.optimizers.Adam(schedule), loss, steps_per_execution=8)
    began, processor = time.perf_counter(), time.process_time()
    history = network.fit(x, targets, BATCH, epochs, verbose=2).history["loss"]
    return {
        "epochs": epochs,
        "seconds": round(time.perf_counter() - began, 1),
        "processor_seconds": round(time.process_time() - processor, 1),
        "loss": [round(value, 4) for value in history],
    }


def logits(network, x):
    return network.predict(x, batch_size=500, verbose=0)


def keep(network, name):
    """Save a network without its optimizer."""
    bare = keras.Model.from_config(network.get_config())
    bare.set_weights(network.get_weights())
    bare.save(places.CHECKPOINTS / name)


def teacher_part(task):
    keras.utils.set_random_seed(SEED)
    network = code.teacher_network()
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    took = train(network, task.x, task.y, loss, SEED, EPOCHS, 0.004)
    keep(network, TEACHER)
    accuracy = np.mean(logits(network, task.x_test).argmax(axis=1) == task.y_test)
    return {"parameters": network.count_params(), "accuracy": percent(accuracy)} | took


def students_part(task, method, pictures):
    teacher = keras.saving.load_model(places.CHECKPOINTS / TEACHER)
    of_teacher = logits(teacher, task.x_test).argmax(axis=1)
    epochs, seeds = STUDENTS[pictures]
    x, targets = task.x[:pictures], np.column_stack([logits(teacher, task.x[:pictures]), task.y[:pictures]])
    runs = []
    for seed in seeds:
        keras.utils.set_random_seed(seed)
        network = code.student_network()
        loss = code.distillation_loss(TEMPERATURE, SHARES[method])
        took = train(network, x, targets.astype("float32"), loss, seed, epochs, 0.004)
        answers = logits(network, task.x_test).argmax(axis=1)
        scores = {
            "accuracy": percent(np.mean(answers == task.y_test)),
            "agreement": percent(np.mean(answers == of_teacher)),
        }
        runs.append({"seed": seed} | scores | took)
        if (method, pictures, seed) == ("distilled", 60_000, SEED):
            keep(network, STUDENT)
    return {"method": method, "pictures": pictures, "parameters": network.count_params(), "runs": runs}


def percent(share):
    return round(100 * float(share), 2)


def names():
    return ["teacher", *(f"{method}_{pictures}" for pictures in STUDENTS for method in SHARES)]


def store(name, part):
    """Put one part into the report; the others stay."""
    old = json.loads(RESULTS.read_text(encoding="utf8"))["parts"] if RESULTS.is_file() else {}
    parts = old | {name: part}
    files = [file for file in (TEACHER, STUDENT) if (places.CHECKPOINTS / file).is_file()]
    settings = {"temperature": TEMPERATURE, "share": SHARE, "batch": BATCH}
    parts = {name: parts[name] for name in names() if name in parts}
    report.write(RESULTS, "make long-run RUN=small_models", SEED, files, **settings, parts=parts)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("parts", nargs="*", help=f"of {', '.join(names())}; all if none is named")
    task = Task()
    for name in parser.parse_args().parts or names():
        method, _, pictures = name.partition("_")
        part = students_part(task, method, int(pictures)) if pictures else teacher_part(task)
        print(name, json.dumps(part), flush=True)
        store(name, part)


if __name__ == "__main__":
    main()
