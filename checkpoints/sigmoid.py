"""The long run of chapter 01: the published sigmoid network and four changes to it, trained until the curves are flat.

`make long-run RUN=sigmoid` trains all of them with three seeds, which also draw the pictures, and writes sigmoid.json:
training loss and validation accuracy after every epoch. Plain Keras, as in the chapter, with XLA for speed.
"""

import time

import coursekit as ck

ck.start()

import keras

from authoring import chapter, report
from coursekit import places

SEEDS = (0, 1, 2)
STEPS = 40  # of an epoch
# Epochs for each change. The published training ends after 50 epochs of 195 steps at the latest, which are 244 of ours.
EPOCHS = {"as published": 300, "Glorot's start": 150, "two layers": 100, "Adam": 60, "ReLU": 60}
RESULTS = places.CHECKPOINTS / "sigmoid.json"


def train(code, change, seed):
    """Train the published network with one change. Returns its row: loss and validation accuracy by epoch."""
    (x_train, y_train), validation, _ = code.pictures(seed)
    keras.utils.set_random_seed(seed)
    network = code.published_network(**code.CHANGES[change])
    network.compile(
        code.published_optimizer(change),
        code.loss,
        metrics=["accuracy"],
        steps_per_execution=STEPS,
        jit_compile=True,
    )
    history = network.fit(
        x_train,
        y_train,
        batch_size=code.BATCH_SIZE,
        epochs=EPOCHS[change],
        validation_data=validation,
        verbose=0,
    ).history
    return {
        "change": change,
        "seed": seed,
        "loss": [round(value, 4) for value in history["loss"]],
        "validation_accuracy": [round(100 * value, 2) for value in history["val_accuracy"]],
    }


def main():
    code = chapter.long_run_code("01_activations")
    rows, began = [], time.perf_counter()
    for seed in SEEDS:
        for change in code.CHANGES:
            rows.append(train(code, change, seed))
            print(change, seed, rows[-1]["validation_accuracy"][4::20], flush=True)
            minutes = round((time.perf_counter() - began) / 60)
            report.write(RESULTS, "make long-run RUN=sigmoid", list(SEEDS), minutes=minutes, steps=STEPS, rows=rows)


if __name__ == "__main__":
    main()
