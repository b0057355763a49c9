"""The long run of chapter 15: the two small convolutional networks that it serves, for digits and for clothes.

`make long-run RUN=serving` writes serving_digits.npz, serving_fashion.npz (plain arrays w00, w01, … in the order of
`get_weights`) and the report serving.json. A tenth of the pictures to learn from is left out for the validation
accuracy; the test pictures are judged once, at the end. `serving/export.py` holds the networks.
"""

import time

import coursekit as ck

ck.start()

import keras
import numpy as np
import tensorflow as tf
from keras import layers

from authoring import report
from coursekit import places
from serving import export

SEED, BATCH, PEAK = 0, 128, 3e-3
EPOCHS = {"digits": 50, "fashion": 12}
RESULTS = places.CHECKPOINTS / "serving.json"


def train(name):
    """Train one network. Returns it and what it took."""
    keras.utils.set_random_seed(SEED)
    (x, y), _ = {"digits": ck.data.mnist_digits, "fashion": ck.data.fashion_mnist}[name]()
    x = x[..., None].astype("float32") / 255
    held_out = len(x) // 10
    steps = EPOCHS[name] * ((len(x) - held_out) // BATCH)
    data = tf.data.Dataset.from_tensor_slices((x[held_out:], y[held_out:]))
    data = data.shuffle(len(x), seed=SEED).batch(BATCH, drop_remainder=True)
    change = changes(name)
    data = data.map(lambda pictures, labels: (change(pictures, training=True), labels)).prefetch(4)
    model = export.network(name)
    schedule = keras.optimizers.schedules.CosineDecay(0.0, steps, warmup_target=PEAK, warmup_steps=steps // 10)
    model.compile(keras.optimizers.AdamW(schedule), "sparse_categorical_crossentropy", metrics=["accuracy"])
    began = time.perf_counter()
    validation = (x[:held_out], y[:held_out])
    history = model.fit(data, epochs=EPOCHS[name], validation_data=validation, verbose=2).history
    seconds = round(time.perf_counter() - began)
    return model, {"name": name, "seconds": seconds, "validation_accuracy": round(history["val_accuracy"][-1], 4)}


def changes(name):
    """What is done to the pictures to learn from: clothes are mirrored; digits, of which there are few and which people
    draw less straight in a browser, are turned, moved and resized."""
    if name == "fashion":
        return layers.RandomFlip("horizontal")
    return keras.Sequential([layers.RandomRotation(0.04), layers.RandomTranslation(0.1, 0.1), layers.RandomZoom(0.15)])


def judge(model):
    """Load the stored weights anew and look at all test pictures."""
    x, y = export.pictures(model.name)
    fresh = export.network(model.name)
    with np.load(places.CHECKPOINTS / f"serving_{model.name}.npz") as arrays:
        fresh.set_weights([arrays[f"w{number:02}"] for number in range(len(arrays))])
    right = fresh.predict(x, batch_size=500, verbose=0).argmax(axis=1) == y
    return {"parameters": fresh.count_params(), "test_pictures": len(y), "test_accuracy": round(float(right.mean()), 4)}


def main():
    rows, files = [], []
    for name in export.LABELS:
        model, row = train(name)
        files.append(f"serving_{name}.npz")
        weights = {f"w{number:02}": array for number, array in enumerate(model.get_weights())}
        np.savez(places.CHECKPOINTS / files[-1], **weights)
        rows.append(row | judge(model))
        print(rows[-1], flush=True)
    report.write(RESULTS, "make long-run RUN=serving", SEED, files, batch=BATCH, epochs=EPOCHS, rows=rows)


if __name__ == "__main__":
    main()
