"""Exercises and quiz of chapter 15a."""

import hashlib
import pathlib
import tempfile
import zipfile

import numpy as np

from coursekit import calling
from coursekit.calling import NotYet
from coursekit.checking import Exercise, Quiz
from coursekit.checks import SECONDS_FOR_A_MODEL, build, forward, sums_to_one

_RANDOM = np.random.default_rng(0)
_ARRAYS = [_RANDOM.normal(size=shape).astype("float32") for shape in [(3, 3, 1, 16), (16,), (784, 10)]]
_MIXED = [np.zeros((64, 32), "float32"), np.zeros((100, 7), "float16"), np.zeros((5, 5, 5), "int8"), np.zeros(300)]
_P = np.array([[0.7, 0.2, 0.1], [0.1, 0.6, 0.3], [0.3, 0.3, 0.4], [0.2, 0.5, 0.3]])
_Q = np.array([[0.6, 0.3, 0.1], [0.1, 0.55, 0.35], [0.25, 0.55, 0.2], [0.25, 0.4, 0.35]])
_BYTES = b"LiteRT"
_SHA256 = hashlib.sha256(_BYTES).hexdigest()


def _kilobytes(weights):
    return sum(array.size * array.itemsize for array in weights) / 1024


def _agreement(p, q):
    return (p.argmax(axis=1) == q.argmax(axis=1)).mean(), abs(p - q).max()


def _verified(content, sha256):
    return hashlib.sha256(content).hexdigest().casefold() == sha256.casefold()


def _layer(name, class_name, module="keras.layers", inside=None):
    config = {"name": name} if inside is None else {"name": name, "layers": inside}
    return {"module": module, "class_name": class_name, "config": config}


def _model(*inside):
    return _layer("model", "Sequential", "keras", list(inside))


def _is_foreign(layer, prefix="keras.", lambdas=True):
    module = layer["module"] or ""
    return (lambdas and layer["class_name"] == "Lambda") or not (module == "keras" or module.startswith(prefix))


def _foreign_layers(config, deep=True, **options):
    names = []
    for layer in config["config"]["layers"]:
        names += [layer["config"]["name"]] if _is_foreign(layer, **options) else []
        names += _foreign_layers(layer, **options) if deep and "layers" in layer["config"] else []
    return names


_CONFIGS = (
    _model(_layer("image", "InputLayer"), _layer("first", "Dense"), _layer("twice", "Lambda")),
    _model(_layer("image", "InputLayer"), _layer("first", "Dense")),
    _model(_layer("mine", "Twice", None), _layer("run", "system", "os"), _layer("last", "Dense")),
    _model(_layer("alike", "Dense", "keras_layers.core"), _layer("last", "Dense", "keras.src.layers")),
    _model(_layer("a", "Dense"), _layer("inner", "Functional", "keras", [_layer("b", "Lambda"), _layer("c", "Dense")])),
)


def _judge_with_rescaling(answer):
    import keras

    keras.utils.set_random_seed(0)
    inner = keras.Sequential(
        [keras.Input((6, 6, 1)), keras.layers.Flatten(), keras.layers.Dense(3, activation="softmax")]
    )
    inner.set_weights([0.02 * w for w in inner.get_weights()])  # so that no answer is at 0 or 1, whatever comes in
    pixels = np.random.default_rng(0).integers(0, 256, (20, 6, 6, 1)).astype("float32")
    expected = np.asarray(inner(pixels / 255))
    model = build(answer, inner)
    got = forward(model, pixels)
    if got.shape != expected.shape:
        raise NotYet(f"For 20 pictures I expected outputs of shape **{expected.shape}**, got **{got.shape}**.")
    for factor, sentence in [
        (1.0, "The pixels reach `model` as they are, from 0 to 255: divide them by 255 on the way."),
        (1 / 255**2, "The pixels are divided by 255 twice."),
        (255.0, "The pixels are multiplied by 255; divide them."),
    ]:
        wrong = np.asarray(inner((pixels * factor).astype("float32")))
        if np.allclose(got, wrong, atol=1e-5) and not np.allclose(wrong, expected, atol=1e-5):
            raise NotYet(sentence)
    if not np.allclose(got, expected, atol=1e-5):
        raise NotYet("The answers differ from those of `model` for the pixels divided by 255.")
    loaded = _after_a_round_trip(model)
    if not np.allclose(forward(loaded, pixels), expected, atol=1e-5):
        raise NotYet("Saved and loaded, it gives other answers.")


def _after_a_round_trip(model):
    """Save a model as `.keras` and load it in safe mode. Raises NotYet when that fails."""
    import keras

    if not isinstance(model, keras.Model):
        raise NotYet(f"I expected a Keras model and got {type(model).__name__}.")
    with tempfile.TemporaryDirectory() as folder:
        path = pathlib.Path(folder) / "model.keras"
        try:
            calling.call(lambda: model.save(path), seconds=SECONDS_FOR_A_MODEL)
            return keras.saving.load_model(path, safe_mode=True)
        except Exception as error:
            reason = "It holds a lambda. " if "lambda" in str(error).lower() else ""
            raise NotYet(
                f"It cannot be saved and loaded in safe mode. {reason}`layers.Rescaling` has a recipe that Keras knows."
            ) from None


def _judge_train_and_save(answer):
    import keras

    keras.utils.set_random_seed(0)
    random = np.random.default_rng(0)
    y = np.arange(96) % 3
    x = random.uniform(0, 0.3, (96, 8, 8, 1)).astype("float32")
    for picture, label in zip(x, y, strict=True):
        picture[2 * label : 2 * label + 3] += 0.6  # a bright bar, higher or lower
    with tempfile.TemporaryDirectory() as folder:
        path = pathlib.Path(folder) / "small.keras"
        model = build(answer, x, y, str(path))
        if model is None:
            raise NotYet("Your function returned nothing (None). Return the trained model.")
        if not isinstance(model, keras.Model):
            raise NotYet(f"I expected the trained Keras model and got {type(model).__name__}.")
        if not path.is_file():
            raise NotYet("There is no file at `path`. Is `model.save(path)` missing?")
        if not zipfile.is_zipfile(path):
            raise NotYet("The file at `path` is no `.keras` archive: write it with `model.save(path)`.")
        try:
            loaded = keras.saving.load_model(path, safe_mode=True)
        except Exception as error:
            raise NotYet(f"Your file could not be loaded in safe mode: `{calling.shorten(str(error))}`.") from None
        output, said = forward(loaded, x), forward(model, x)
    if output.shape != (96, 3):
        raise NotYet(f"For 96 pictures I expected outputs of shape **(96, 3)**, got **{output.shape}**.")
    if not sums_to_one(output):
        raise NotYet("The outputs are no probabilities: the last layer needs `activation='softmax'`.")
    if not np.allclose(output, said, atol=1e-4):
        raise NotYet("The file gives other answers than the model that you return. Was it saved before the training?")
    loss = -np.log(np.maximum(output[np.arange(96), y], 1e-7)).mean()
    if not loss < np.log(3) / 2:
        raise NotYet(f"The cross-entropy is {loss:.2f}; below {np.log(3) / 2:.2f} was asked for. Train longer.")


ITEMS = [
    Exercise(
        "saving.kilobytes",
        hints=(
            "Each array knows its own bytes: `array.nbytes`, which is `array.size * array.itemsize`.",
            "`sum(array.nbytes for array in weights) / 1024`.",
        ),
        reference=_kilobytes,
        cases=((_ARRAYS,), (_MIXED,), (_MIXED[1:2],)),
        mistakes={
            "It looks as if each number was taken for four bytes; look at the type.": lambda weights: (
                sum(4 * array.size for array in weights) / 1024
            ),
            "It looks as if the numbers were counted, not their bytes.": lambda weights: (
                sum(array.size for array in weights) / 1024
            ),
            "It looks as if bytes were returned; divide by 1,024.": lambda weights: sum(a.nbytes for a in weights),
            "It looks as if you divided by 1,000; here a kilobyte is 1,024 bytes.": lambda weights: (
                sum(a.nbytes for a in weights) / 1000
            ),
        },
    ),
    Exercise(
        "saving.agreement",
        hints=(
            "`p.argmax(axis=1)` is the most probable class of each picture.",
            "`np.mean(p.argmax(axis=1) == q.argmax(axis=1))`, then `np.abs(p - q).max()`.",
        ),
        reference=_agreement,
        cases=((_P, _Q), (_P, _P), (_Q[:2], _P[2:])),
        mistakes={
            "It looks as if the mean difference was taken; the largest was asked for.": lambda p, q: (
                _agreement(p, q)[0],
                np.abs(p - q).mean(),
            ),
            "It looks as if the sign was kept: take the absolute difference.": lambda p, q: (
                _agreement(p, q)[0],
                (p - q).max(),
            ),
            "It looks as if the pictures were counted; their share was asked for.": lambda p, q: (
                len(p) * _agreement(p, q)[0],
                _agreement(p, q)[1],
            ),
            "It looks as if `argmax` ran over the pictures; the classes are axis 1.": lambda p, q: (
                np.mean(p.argmax(axis=0) == q.argmax(axis=0)),
                _agreement(p, q)[1],
            ),
        },
    ),
    Exercise(
        "saving.with_rescaling",
        hints=(
            "`layers.Rescaling(1 / 255)` multiplies what comes in; a model can be used like a layer.",
            "`keras.Sequential([keras.Input(model.input_shape[1:]), layers.Rescaling(1 / 255), model])`.",
        ),
        judge=_judge_with_rescaling,
    ),
    Exercise(
        "saving.verified",
        hints=(
            "`hashlib.sha256(content).hexdigest()` is a text of 64 small letters and digits.",
            "Bring the other text to small letters with `.lower()`, then compare with `==`.",
        ),
        reference=_verified,
        cases=(
            (_BYTES, _SHA256),
            (_BYTES, _SHA256.upper()),
            (_BYTES + b"!", _SHA256),
            (_BYTES, _SHA256[:-1] + ("0" if _SHA256[-1] != "0" else "1")),
            (_BYTES, _SHA256[:8]),
        ),
        mistakes={
            "It looks as if capital letters were not expected.": lambda content, sha256: (
                hashlib.sha256(content).hexdigest() == sha256
            ),
            "It looks as if only the beginning was compared.": lambda content, sha256: (
                hashlib.sha256(content).hexdigest().startswith(sha256.lower())
            ),
            "It looks as if the answer is turned round: True means that the file is the right one.": (
                lambda content, sha256: not _verified(content, sha256)
            ),
            "It looks as if only the length was compared.": lambda content, sha256: len(sha256) == 64,
        },
    ),
    Exercise(
        "saving.foreign_layers",
        hints=(
            "Bring the module to a text first: `module = layer['module'] or ''`.",
            "`module == 'keras' or module.startswith('keras.')` is ours; for a layer with `'layers'` call the function "
            "on that layer itself.",
        ),
        reference=_foreign_layers,
        cases=tuple((config,) for config in _CONFIGS),
        mistakes={
            "It looks as if a model within the model was not looked into.": lambda config: _foreign_layers(
                config, deep=False
            ),
            "It looks as if `keras_layers` passed for Keras: mind the dot.": lambda config: _foreign_layers(
                config, prefix="keras"
            ),
            "It looks as if `Lambda` was trusted: its module is `keras.layers`, its code is not.": lambda config: (
                _foreign_layers(config, lambdas=False)
            ),
            "It looks as if the trusted layers were listed.": lambda config: [
                layer["config"]["name"] for layer in config["config"]["layers"] if not _is_foreign(layer)
            ],
        },
    ),
    Exercise(
        "saving.train_and_save",
        hints=(
            "`Flatten` and one `Dense(3, activation='softmax')` are enough; compile with "
            "`sparse_categorical_crossentropy`.",
            "First `model.fit(x, y, epochs=30, verbose=0)`, then `model.save(path)`, then `return model`.",
        ),
        judge=_judge_train_and_save,
    ),
    Quiz(
        "saving.recipe",
        "The weights of a network with max pooling were loaded into one with average pooling. What happened?",
        {
            "Keras refused: the layers have other names": (
                False,
                "Layers are matched by place and shape, not by name.",
            ),
            "It was loaded in silence, and the accuracy fell": (
                True,
                "Pooling has no weights, so all shapes fit. Only the recipe knows which operation was meant.",
            ),
            "Nothing changed: pooling has no weights": (
                False,
                "It has none, and still decides what the next layer gets.",
            ),
        },
    ),
    Quiz(
        "saving.graph",
        "Which of these can you do with the LiteRT file alone?",
        {
            "Train it further with Adam": (False, "Only the forward pass was exported: no loss, no optimizer."),
            "Classify pictures on a machine without TensorFlow": (
                True,
                "LiteRT's runtime reads the graph and its numbers; Keras and TensorFlow are not needed.",
            ),
            "See whether pixels must lie between 0 and 1": (
                False,
                "It takes any numbers. What they mean must be told, or built into the graph.",
            ),
        },
    ),
    Quiz(
        "saving.stranger",
        "A stranger sends you a model. Which file would you open first?",
        {
            "A pickle, because Python reads it without extra packages": (False, "It runs code while it is loaded."),
            "A SavedModel, because TensorFlow is a serious project": (
                False,
                "It is a program: ours wrote a file when it was asked for an answer.",
            ),
            "An ONNX or LiteRT file": (
                True,
                "A graph of known operations and numbers. Its runtime may have bugs, but the file names no function.",
            ),
        },
    ),
    Quiz(
        "saving.inference",
        "A server answers a million requests with one network. What has happened to its parameters?",
        {
            "Nothing: each answer computes activations only": (
                True,
                "Bit by bit the same after 1,000 pictures, and nothing changes with more of them.",
            ),
            "They moved a little towards the new pictures": (False, "That would be training: a loss and an update."),
            "They were computed anew for each request": (
                False,
                "What is computed anew for each picture are the activations.",
            ),
        },
    ),
]
