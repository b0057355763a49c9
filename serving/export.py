"""Export the networks that chapter 15 serves: weights from checkpoints/ to LiteRT files (`make serve` runs it).

Nothing is trained here. For each network, serving/exported/ gets NAME.tflite, for servers, which takes any number of
pictures; NAME_one.tflite, for the browser, which takes exactly one; and NAME_request.json, a request that works.
manifest.json holds the sha256 of each file, samples.json some test pictures for the page and the tests.
"""

import hashlib
import json
import os
import pathlib

import numpy as np

import coursekit as ck
from coursekit import places

EXPORTED = places.ROOT / "serving" / "exported"
LABELS = {
    "digits": [str(digit) for digit in range(10)],
    "fashion": ck.data.card("fashion_mnist")["classes"],
}
SAMPLES = 3  # test pictures of each class, for the page


def network(name):
    """The network `name`, untrained: grey pictures (batch, 28, 28, 1), 0 to 1, to probabilities (batch, 10)."""
    import keras
    from keras import layers

    return keras.Sequential(
        [
            keras.Input((28, 28, 1), name="image"),
            layers.Conv2D(16, 3, padding="same", activation="relu"),
            layers.MaxPooling2D(),
            layers.Conv2D(32, 3, padding="same", activation="relu"),
            layers.MaxPooling2D(),
            layers.Conv2D(64, 3, padding="same", activation="relu"),
            layers.Flatten(),
            layers.Dropout(0.4),
            layers.Dense(10, activation="softmax", name="probabilities"),
        ],
        name=name,
    )


def trained(name):
    """The network `name` with the weights of the last long run (`make long-run RUN=serving`)."""
    path = ck.data.checkpoint("serving")["files"][f"serving_{name}.npz"]
    model = network(name)
    with np.load(path) as arrays:
        model.set_weights([arrays[f"w{number:02}"] for number in range(len(arrays))])
    return model


def pictures(name):
    """Test pictures of `name` and their labels: x (n, 28, 28, 1) float32 from 0 to 1, y (n,)."""
    _, (x, y) = {"digits": ck.data.mnist_digits, "fashion": ck.data.fashion_mnist}[name]()
    return x[..., None].astype("float32") / 255, y


def export(model, folder):
    """Write both LiteRT files of a network. Returns their paths."""
    import keras

    paths = []
    for suffix, batch in (("", None), ("_one", 1)):
        path = folder / f"{model.name}{suffix}.tflite"
        signature = [keras.InputSpec(shape=(batch, 28, 28, 1), dtype="float32", name="image")]
        part = folder / f".{path.name.removesuffix('.tflite')}.part.tflite"  # the exporter wants this ending
        model.export(part, format="litert", input_signature=signature, verbose=False)
        os.replace(part, path)
        paths.append(path)
    return paths


def request(picture):
    """A request of the V2 inference protocol for one picture (28, 28, 1), 0 to 1, sent as pixels from 0 to 255."""
    pixels = np.rint(picture * 255).astype(int).ravel().tolist()
    return {"inputs": [{"name": "image", "datatype": "UINT8", "shape": [1, 28, 28, 1], "data": pixels}]}


def samples(x, y):
    """The first test pictures of each class: a list of {"label", "pixels" (784 of 0 to 255), "index"}."""
    chosen = [index for label in range(10) for index in np.flatnonzero(y == label)[:SAMPLES]]
    return [
        {"label": int(y[index]), "index": int(index), "pixels": np.rint(x[index] * 255).astype(int).ravel().tolist()}
        for index in chosen
    ]


def is_current(folder=EXPORTED):
    """Whether the files in `folder` are those that this code would write from the weights that are there."""
    try:
        manifest = json.loads((folder / "manifest.json").read_text(encoding="utf8"))
        return manifest["made_from"] == made_from() and all(
            hashlib.sha256((folder / file).read_bytes()).hexdigest() == sha256
            for file, sha256 in manifest["files"].items()
        )
    except (OSError, ValueError, KeyError):
        return False


def made_from():
    """What an export depends on: sha256 of this file, and of the weights."""
    code = pathlib.Path(__file__).read_bytes()
    weights = [pathlib.Path(path).read_bytes() for path in ck.data.checkpoint("serving")["files"].values()]
    return [hashlib.sha256(content).hexdigest() for content in (code, *weights)]


def main(folder=EXPORTED):
    if is_current(folder):
        print(f"{folder.relative_to(places.ROOT)}/ is up to date")
        return
    ck.start()
    folder.mkdir(exist_ok=True)
    shown, files = {}, []
    for name, labels in LABELS.items():
        x, y = pictures(name)
        files += export(trained(name), folder)
        files.append(folder / f"{name}_request.json")
        places.write_atomically(files[-1], json.dumps(request(x[0])).encode("ascii"))
        shown[name] = {"labels": labels, "pictures": samples(x, y)}
    files.append(folder / "samples.json")
    places.write_atomically(files[-1], json.dumps(shown).encode("utf8"))
    sha256 = {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in files}
    manifest = {"made_from": made_from(), "labels": LABELS, "files": sha256}
    places.write_atomically(folder / "manifest.json", (json.dumps(manifest, indent=1) + "\n").encode("utf8"))
    print(f"{folder.relative_to(places.ROOT)}/ written: {', '.join(path.name for path in files)}")


if __name__ == "__main__":
    main()
