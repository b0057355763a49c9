"""The five programs of the articles, repaired and on real data, in Keras and beside it in PyTorch (`make bench-five`).

Each measurement is a process of its own: the same 12,032 pictures, batch 64, Adam at 0.001, the same number of steps.
Keras and PyTorch alternate, five times each; the table holds medians. Seconds a step leave the first epoch out
(tracing, compiling); seconds to an accuracy hold it in, but not the judging. Writes benchmarks/five_programs.json and
the page benchmarks/five_programs.md. PyTorch is needed here alone, in an environment of its own.
"""

import argparse
import json
import pathlib
import resource
import statistics
import subprocess
import sys
import tempfile
import time

import numpy as np

from benchmarks import five_in_torch
from benchmarks.five_in_torch import BATCH, EPOCHS, GOALS, RATE, TEST, TRAIN

REPEATS = 5
# By hand, on a machine like that of the report, each a median over epochs; what `networks` has is marked.
TRIED = """## What was tried in Keras, milliseconds a step

- dense: arrays 1.9, arrays and XLA 1.5, `tf.data` 1.6, `tf.data` and XLA 1.2 (taken).
- RNN: a loop over time 6.0, the loop and XLA 6.9, unrolled 5.3, unrolled and XLA 9.1; in a faster hour unrolled on
  arrays 4.8, on `tf.data` 4.0 (taken).
- attention: XLA 5.0, without 5.2; on `tf.data` 4.6 to 6.7 and 5.0 (XLA taken).
- Transformer: without XLA 10.5 to 11, with XLA 7.0 to 7.9 (taken). With XLA some epochs, in some runs all, take
  13.5: with arrays or `tf.data`, with and without prefetch, with one to four threads. The cause was not found, and
  the median hits it or not.

Seconds to an accuracy are longer in Keras for all but the CNN: tracing and compiling cost 1 to 5 s once.
"""


def networks():
    """For each program: a function that returns its network, and what `compile` is told beside optimizer and loss."""
    import keras
    from keras import layers

    def dense():
        return [layers.Flatten(), layers.Dense(300, "relu"), layers.Dense(100, "relu"), layers.Dense(10)]

    def cnn():
        return [
            layers.Reshape((28, 28, 1)),
            layers.Conv2D(32, 3, activation="relu"),
            layers.MaxPooling2D(),
            layers.Conv2D(64, 3, activation="relu"),
            layers.MaxPooling2D(),
            layers.Flatten(),
            layers.Dense(64, "relu"),
            layers.Dense(10),
        ]

    def rnn():
        return [layers.LSTM(64, unroll=True), layers.Dense(10)]

    def stack(make):
        return lambda: keras.Sequential([keras.Input((28, 28)), *make()])

    def attention():
        rows = keras.Input((28, 28))
        x = layers.Dense(64)(rows)
        x = layers.MultiHeadAttention(4, 16)(x, x)
        return keras.Model(rows, layers.Dense(10)(layers.GlobalAveragePooling1D()(x)))

    def transformer():
        rows = keras.Input((28, 28))
        x = layers.Dense(64)(rows)
        normed = layers.LayerNormalization()(x)
        x = x + layers.MultiHeadAttention(4, 16)(normed, normed)
        x = x + layers.Dense(64)(layers.Dense(256, "relu")(layers.LayerNormalization()(x)))
        x = layers.GlobalAveragePooling1D()(layers.LayerNormalization()(x))
        return keras.Model(rows, layers.Dense(10)(x))

    fast = {"steps_per_execution": TRAIN // BATCH}
    return {
        "dense": (stack(dense), fast | {"jit_compile": True}),
        "CNN": (stack(cnn), fast),
        "RNN": (stack(rnn), fast),
        "attention": (attention, fast | {"jit_compile": True}),
        "Transformer": (transformer, fast | {"jit_compile": True}),
    }


def train_in_keras(program, data, seed):
    """Train one program. Returns its parameters and, for each epoch, (seconds, accuracy on the test pictures)."""
    import coursekit as ck

    ck.start(seed)
    import keras
    import tensorflow as tf

    pictures = tf.data.Dataset.from_tensor_slices((data["x"], data["y"]))  # faster than arrays: see chapter 13a
    pictures = pictures.shuffle(TRAIN, seed=seed).batch(BATCH, drop_remainder=True).prefetch(tf.data.AUTOTUNE)
    build, options = networks()[program]
    network = build()
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    network.compile(keras.optimizers.Adam(RATE), loss, **options)
    epochs = []
    for _ in range(EPOCHS):
        began = time.perf_counter()
        network.fit(pictures, shuffle=False, verbose=0)
        seconds = time.perf_counter() - began
        logits = network.predict(data["x_test"], batch_size=TEST, verbose=0)
        epochs.append((seconds, float(np.mean(logits.argmax(axis=1) == data["y_test"]))))
    return network.count_params(), epochs


def work(framework, program, folder, seed):
    """One measurement, printed as JSON: what a process of its own does."""
    data = np.load(pathlib.Path(folder) / "pictures.npz")
    train = train_in_keras if framework == "Keras" else five_in_torch.train
    parameters, epochs = train(program, data, seed)
    print(json.dumps({"parameters": parameters, "epochs": epochs, "megabytes": peak_megabytes()}))


def peak_megabytes():
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / 2**20 if sys.platform == "darwin" else peak / 2**10


def measure(program, pythons, folder):
    """Alternate the frameworks. Returns the rows of one program: the median of each figure."""
    runs = {framework: [] for framework in pythons}
    for seed in range(REPEATS):
        for framework, python in pythons.items():
            command = [python, "-m", "benchmarks.five_programs", "--work", framework, program, str(folder), str(seed)]
            done = subprocess.run(command, check=True, capture_output=True, text=True)
            runs[framework].append(json.loads(done.stdout.splitlines()[-1]))
    return [{"program": program, "framework": name} | medians(program, some) for name, some in runs.items()]


def medians(program, runs):
    """Figures of one program in one framework, each the median over its runs."""
    median = statistics.median
    steps = TRAIN // BATCH
    reached = [seconds_to(GOALS[program], run["epochs"]) for run in runs]
    return {
        "parameters": runs[0]["parameters"],
        "milliseconds_a_step": round(1e3 * median(median(s for s, _ in run["epochs"][1:]) / steps for run in runs), 2),
        "goal": GOALS[program],
        "seconds_to_goal": round(median(reached), 1),
        "accuracy": round(median(run["epochs"][-1][1] for run in runs), 3),
        "megabytes": round(median(run["megabytes"] for run in runs)),
    }


def seconds_to(goal, epochs):
    """Seconds of training until the accuracy is at least `goal`; infinite when it never is."""
    spent = 0.0
    for seconds, accuracy in epochs:
        spent += seconds
        if accuracy >= goal:
            return spent
    return float("inf")


def table(rows):
    """The rows as Markdown, Keras and PyTorch of a program side by side; ratio: Keras over PyTorch."""
    lines = [
        "| Program | Parameters | ms a step, Keras / PyTorch | Ratio | Seconds to accuracy | Ratio | Peak memory, MB |",
        "|---|---|---|---|---|---|---|",
    ]
    for keras, torch in zip(rows[::2], rows[1::2], strict=True):
        step, goal = "milliseconds_a_step", "seconds_to_goal"
        lines.append(
            f"| {keras['program']} | {keras['parameters']:,} | {keras[step]} / {torch[step]} "
            f"| {keras[step] / torch[step]:.2f} | {keras['goal']:.2f}: {keras[goal]} / {torch[goal]} "
            f"| {keras[goal] / torch[goal]:.2f} | {keras['megabytes']} / {torch['megabytes']} |"
        )
    return "\n".join(lines)


def page(report):
    """benchmarks/five_programs.md: how it was measured, and the table."""
    versions = ", ".join(f"{name} {version}" for name, version in report["versions"].items())
    return f"""# Five programs, in Keras and in PyTorch

Written by `{report["command"]}` on {report["date"]}: {report["machine"]}; {versions}.
Fashion-MNIST, {TRAIN:,} pictures to learn from, {TEST:,} to judge with, batch {BATCH}, Adam at {RATE}; medians of
{REPEATS} runs each, alternating, each in a process of its own. A step leaves the first epoch out; seconds to an
accuracy hold tracing and compiling in. PyTorch runs eagerly, as its tutorials do.

{table(report["rows"])}

{TRIED}"""


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--torch", help="the Python that has PyTorch")
    parser.add_argument("--only", help="one program; nothing is written then")
    parser.add_argument("--work", nargs=4, metavar=("FRAMEWORK", "PROGRAM", "FOLDER", "SEED"), help="one measurement")
    asked = parser.parse_args()
    if asked.work:
        work(*asked.work[:3], int(asked.work[3]))
        return
    from authoring import report
    from coursekit import data, places

    pythons = {"Keras": sys.executable, "PyTorch": asked.torch}
    rows = []
    with tempfile.TemporaryDirectory() as folder:
        (x, y), (x_test, y_test) = data.fashion_mnist(train=TRAIN, test=TEST)
        scaled = {name: pictures.astype("float32") / 255 for name, pictures in [("x", x), ("x_test", x_test)]}
        np.savez(pathlib.Path(folder) / "pictures.npz", **scaled, y=y.astype("int64"), y_test=y_test.astype("int64"))
        for program in [asked.only] if asked.only else GOALS:
            rows += measure(program, pythons, folder)
            print(table(rows[-2:]).splitlines()[-1], flush=True)
    if not asked.only:
        results = places.BENCHMARKS / "five_programs.json"
        torch = subprocess.run(
            [asked.torch, "-c", "import torch; print(torch.__version__)"], capture_output=True, text=True
        )
        written = report.write(results, "make bench-five", list(range(REPEATS)), rows=rows)
        written["versions"]["torch"] = torch.stdout.strip()
        places.write_atomically(results, (json.dumps(written, indent=1) + "\n").encode("utf8"))
        places.write_atomically(results.with_suffix(".md"), page(written).encode("utf8"))


if __name__ == "__main__":
    main()
