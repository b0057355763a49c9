"""The long run of chapter 05c: one small network, many batch sizes and learning rates, three seeds.

`make long-run RUN=batch_size` writes batch_size.json. `sweep`: SGD and Adam, each batch size at each rate, twelve
passes over 6,144 pictures, with the validation loss on the way. `few`: batches of 4, 32 and 512 on 1,024 pictures,
trained until the network knows them by heart, with the losses of all three parts on the way. The seed draws the
weights, the batches and the pictures. Plain Keras, as in the chapter, with XLA for speed. What is stored is not
trained again.
"""

import json
import time

import coursekit as ck

ck.start()

import keras
import numpy as np
import tensorflow as tf

from authoring import chapter, report
from coursekit import places

SEEDS = (0, 1, 2)
PASSES = 12
LOOKS = (1, 2, 3, 6, 9, 12)  # passes after which the validation loss is measured
RATES = (0.025, 0.05, 0.1, 0.2, 0.4, 0.8, 1.13, 1.6, 2.26, 3.2)  # finer where training ends
# {batch size: its rates}
SGD = dict.fromkeys((32, 64, 128, 256, 512), RATES) | {16: (0.0125, *RATES)}
SGD |= {4: (0.003125, 0.00625, 0.0125, 0.025, 0.05, 0.1, 0.2, 0.4)}
SGD |= {1: (0.00078125, 0.0015625, 0.003125, 0.00625, 0.0125, 0.025, 0.05, 0.1)}
ADAM = dict.fromkeys((16, 64, 256), (0.000125, 0.00025, 0.0005, 0.001, 0.002, 0.004, 0.008, 0.016, 0.032))
# 1,024 pictures. {batch size: (passes after which to look, rates)}
FEW = {
    512: ((5, 10, 20, 40, 80, 160, 320, 640), (0.1, 0.2, 0.4, 0.8)),
    32: ((5, 10, 20, 40, 80), (0.05, 0.1, 0.2, 0.4)),
    4: ((5, 10, 20, 40), (0.0125, 0.025, 0.05)),
}
SPEED = {"steps_per_execution": 96, "jit_compile": True}
RESULTS = places.CHECKPOINTS / "batch_size.json"


def number(value):
    """Rounded; None where it is not finite."""
    return round(float(value), 4) if np.isfinite(value) else None


def swept(code, network, optimizer, size, rate, seed):
    """A row of `sweep`."""
    data, validation, _ = code.pictures(seed)
    history = code.train(
        network,
        data,
        size,
        rate,
        PASSES,
        seed,
        validation_data=validation,
        validation_freq=list(LOOKS),
        validation_batch_size=1_024,
        callbacks=[keras.callbacks.TerminateOnNaN()],
    )
    for name in ("loss", "val_loss", "val_accuracy"):  # a run that ended early has failed: nan up to its end
        history[name] = [*history.get(name, ()), *[np.nan] * PASSES][: PASSES if name == "loss" else len(LOOKS)]
    return {
        "optimizer": optimizer,
        "batch": size,
        "rate": rate,
        "seed": seed,
        "loss": [number(value) for value in history["loss"]],
        "validation_loss": [number(value) for value in history["val_loss"]],
        "validation_accuracy": [number(100 * value) for value in history["val_accuracy"]],
    }


def learnt_by_heart(code, network, size, rate, seed):
    """A row of `few`: trained in parts, with a look at the three parts of the data after each."""
    (x, y), validation, test = code.pictures(seed)
    few = x[:1_024], y[:1_024]
    parts = {"training": few, "validation": validation, "test": test}
    row = {"batch": size, "rate": rate, "seed": seed} | {name: [] for name in parts} | {"accuracy": []}
    passed = 0
    for look in FEW[size][0]:
        # All these passes as one epoch of `fit`: with so few pictures the end of an epoch takes longer than a pass.
        shuffled = tf.data.Dataset.from_tensor_slices(few).shuffle(1_024, seed).batch(size).repeat(look - passed)
        if passed == 0:
            code.train(network, (shuffled,), None, rate, 1, seed)
        else:
            network.fit(shuffled, verbose=0)
        passed = look
        for name, part in parts.items():
            value, accuracy = network.evaluate(*part, batch_size=1_024, verbose=0)
            row[name].append(number(value))
        row["accuracy"].append(round(100 * accuracy, 2))  # of the test part, the last one
    return row


def main():
    """Train what is not stored yet, and store it after each seed."""
    code = chapter.long_run_code("05c_batch_size")
    networks = {"SGD": code.new_network(keras.optimizers.SGD(0.1), **SPEED)}
    networks["Adam"] = code.new_network(keras.optimizers.Adam(0.001), **SPEED)
    stored = json.loads(RESULTS.read_text(encoding="utf8")) if RESULTS.exists() else {}
    sweep, few = stored.get("sweep", []), stored.get("few", [])
    began = time.perf_counter() - stored.get("seconds", 0)

    def store():
        few_looks = {str(size): list(looks) for size, (looks, _) in FEW.items()}
        conditions = {"passes": PASSES, "looks": list(LOOKS), "few_looks": few_looks}
        seconds = round(time.perf_counter() - began)
        report.write(
            RESULTS, "make long-run RUN=batch_size", list(SEEDS), seconds=seconds, **conditions, sweep=sweep, few=few
        )
        print(f"{seconds} seconds, {len(sweep)} and {len(few)} rows", flush=True)

    known = {(row["optimizer"], row["batch"], row["rate"], row["seed"]) for row in sweep}
    for optimizer, plan in [("SGD", SGD), ("Adam", ADAM)]:
        for size, rates in plan.items():
            for seed in SEEDS:
                missing = [rate for rate in rates if (optimizer, size, rate, seed) not in known]
                for rate in missing:
                    sweep.append(swept(code, networks[optimizer], optimizer, size, rate, seed))
                    print(optimizer, size, seed, rate, sweep[-1]["validation_loss"][2], flush=True)
                if missing:
                    store()
    known = {(row["batch"], row["rate"], row["seed"]) for row in few}
    for size, (_, rates) in FEW.items():
        for seed in SEEDS:
            missing = [rate for rate in rates if (size, rate, seed) not in known]
            for rate in missing:
                few.append(learnt_by_heart(code, networks["SGD"], size, rate, seed))
                print("few", size, seed, rate, few[-1]["test"], flush=True)
            if missing:
                store()


if __name__ == "__main__":
    main()
