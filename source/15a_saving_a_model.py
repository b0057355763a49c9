# ---
# title: Saving a model
# promise: You will save one network in five ways, prove that all give the same answers, and know which file may run code.
# built: You saved one network in five ways, put its scaling inside, and checked files before they are loaded.
# minutes: 75
# prerequisites: [08b_convolutional_networks]
# data: [fashion_mnist]
# articles: [a0 3.3, a1 3.2, a1 4.2]
# clinic: [15-1, 15-2]
# topic: saving
# ---

# %% [markdown]
# **What you will be able to do**
#
# - say what a network needs in order to answer: its numbers and its recipe;
# - save and read `.keras`, weights, SavedModel, LiteRT and ONNX, and prove that they agree;
# - put the pre-processing (数据预处理) into the file, and notice when a file was damaged;
# - pack a network into one file for a machine without Python;
# - tell a file that is data from a file that is a program.

# %% tags=["setup"]
import coursekit as ck

ck.start()

# %% [markdown]
# ## Training is over. What is left?
#
# A network for clothes: three convolutions, trained by `make long-run RUN=serving`. The process that trained it has ended
# long ago. Its file holds eight arrays without a word about what to do with them. So the *recipe*
# must come from somewhere else: here, from us. **Guess:** how many kilobytes are 54,666 parameters?

# %%
import base64
import json
import pathlib
import pickle  # for the clinic alone
import tempfile
import warnings
import zipfile

import keras
import matplotlib.pyplot as plt
import numpy as np
import onnx
import onnxruntime
import tensorflow as tf
from ai_edge_litert.interpreter import Interpreter
from keras import layers


# %%
def network(pooling=layers.MaxPooling2D, filters=16):
    """Grey pictures (batch, 28, 28, 1) from 0 to 1, to probabilities (batch, 10)."""
    model = keras.Sequential(name="clothes")
    model.add(keras.Input((28, 28, 1), name="image"))
    for depth in [filters, 32, 64]:
        model.add(layers.Conv2D(depth, 3, padding="same", activation="relu"))
        if depth < 64:
            model.add(pooling(2))
    for layer in [layers.Flatten(), layers.Dropout(0.4), layers.Dense(10, activation="softmax", name="probabilities")]:
        model.add(layer)
    return model


# %%
report = ck.data.checkpoint("serving")
class_names = ck.data.card("fashion_mnist")["classes"]
_, (x, y) = ck.data.fashion_mnist(train=10, test=1_000)
x = x[..., None].astype("float32") / 255  # (1000, 28, 28, 1)

model = network()
with np.load(report["files"]["serving_fashion.npz"]) as arrays:
    model.set_weights([arrays[name] for name in sorted(arrays.files)])
wanted = model.predict(x, batch_size=500, verbose=0)  # (1000, 10)


def accuracy(probabilities):
    return 100 * np.mean(probabilities.argmax(axis=1) == y)


stored = 100 * next(row["test_accuracy"] for row in report["rows"] if row["name"] == "fashion")
size = sum(w.nbytes for w in model.get_weights())
print(f"{model.count_params():,} parameters, {size / 1024:.0f} kilobytes")
print(
    f"right on 10,000 test pictures: {stored:.0f} %; on our 1,000 within three points: {abs(accuracy(wanted) - stored) < 3}"
)
assert abs(accuracy(wanted) - stored) < 3 and 91 < stored < 93 and size == 4 * model.count_params()

# %%
figure, axes = plt.subplots(2, 5, figsize=(9, 4))
for axis, picture, probabilities in zip(axes.ravel(), x, wanted, strict=False):
    axis.imshow(picture[..., 0])
    axis.axis("off")
    axis.set_title(f"{class_names[probabilities.argmax()]}\n{100 * probabilities.max():.0f} %", fontsize=9)
figure.suptitle("Ten test pictures and what the network says")
ck.show(figure, alt="Ten grey pictures of clothes, each with the class that the network names and its probability")

# %% [markdown]
# ### Exercise 15a.1 · Kilobytes in memory · ●○○ · 4 minutes
# Write `kilobytes(weights)`: how many kilobytes (of 1,024 bytes) a list of arrays takes in memory. The arrays may have
# different types: float32 takes 4 bytes a number, float16 2, int8 1.


# %% tags=["exercise"]
def kilobytes(weights):
    ### BEGIN SOLUTION
    return sum(array.nbytes for array in weights) / 1024
    ### END SOLUTION


# %% tags=["check"]
ck.check("saving.kilobytes", kilobytes)

# %% [markdown]
# ## Weights without the recipe
#
# Say a colleague gets the weights and remembers: "three convolutions, pooling between them". She takes *average*
# pooling in place of max pooling. **Guess:** what happens when she loads the weights?

# %%
folder = tempfile.TemporaryDirectory()
place = pathlib.Path(folder.name)
model.save_weights(place / "clothes.weights.h5")

remembered = network(layers.AveragePooling2D)
remembered.load_weights(place / "clothes.weights.h5")
fallen = accuracy(remembered.predict(x, batch_size=500, verbose=0))
print(f"average pooling: loaded without a word; more than 5 points less accurate: {accuracy(wanted) - fallen > 5}")
try:
    network(filters=8).load_weights(place / "clothes.weights.h5")
except ValueError:
    print("8 filters in place of 16: ValueError")
assert accuracy(wanted) - fallen > 5

# %% [markdown]
# A wrong *shape* is noticed. A wrong *operation* has no weights, so nobody notices, and the network answers worse.
#
# ## `.keras`: numbers and recipe
#
# A `.keras` file is a zip archive. Look inside:

# %%
model.save(place / "clothes.keras")
with zipfile.ZipFile(place / "clothes.keras") as archive:
    names = sorted(archive.namelist())
    config = json.loads(archive.read("config.json"))
print(", ".join(names))
for layer in config["config"]["layers"][:3]:
    settings = {key: layer["config"].get(key) for key in ["filters", "pool_size", "activation"]}
    print(layer["module"], layer["class_name"], {key: value for key, value in settings.items() if value})

again = keras.saving.load_model(place / "clothes.keras")
assert np.array_equal(again.predict(x, batch_size=500, verbose=0), wanted)
print("loaded, the same answers bit by bit")

# %% [markdown]
# The recipe names Keras classes, so Keras must be there to read it. With the optimizer's state it can go on training;
# chapter 14b shows what that costs in bytes.
#
# ## Three formats without Keras
#
# `export` writes the forward pass alone, as a *graph* (计算图): which operation follows which. No optimizer, no loss, no
# Python class. Each format has its own *runtime* (运行时), the program that computes the graph:
#
# | Format | What it holds | Who reads it |
# |---|---|---|
# | weights (`.weights.h5`, `.npz`) | numbers | you, with the recipe |
# | `.keras` | recipe, numbers, optimizer if there is one | Keras, on TensorFlow, JAX or PyTorch |
# | SavedModel | a TensorFlow program and its numbers | TensorFlow, TensorFlow Serving, the clouds |
# | LiteRT (`.tflite`) | a graph, ready to be mapped into memory | LiteRT: phones, browsers, boards, servers |
# | ONNX | a graph in an open standard | ONNX Runtime and many others |

# %%
signature = [keras.InputSpec(shape=(None, 28, 28, 1), dtype="float32", name="image")]  # None: any number of pictures
with ck.silent_log(), warnings.catch_warnings(action="ignore"):  # the converters tell much that is no news
    model.export(place / "saved_model", format="tf_saved_model", input_signature=signature, verbose=False)
    model.export(place / "clothes.tflite", format="litert", input_signature=signature, verbose=False)
    model.export(place / "clothes.onnx", format="onnx", input_signature=signature, verbose=False)

operations = [node.op_type for node in onnx.load(place / "clothes.onnx").graph.node]
print("ONNX:", " ".join(operations))
kept = [layer for layer in model.layers if not isinstance(layer, layers.Dropout)]
assert "Dropout" not in operations and operations.count("Conv") == 3 and len(kept) == len(model.layers) - 1

# %% [markdown]
# Dropout is gone: it does nothing when a network answers. A `Transpose` and a `Reshape` more came in: ONNX wants the
# channels before rows and columns.
#
# Now each runtime answers on its own. LiteRT is laid out for one number of pictures, so we resize its input first.


# %%
def by_saved_model(x):
    program = tf.saved_model.load(place / "saved_model")
    return program.serve(x).numpy()


def litert(content):
    """A function that computes a LiteRT file, given as bytes: pictures (batch, 28, 28, 1) to probabilities."""

    def run(x):
        with ck.silent_log():
            interpreter = Interpreter(model_content=content)
            number = interpreter.get_input_details()[0]["index"]
            interpreter.resize_tensor_input(number, x.shape)
            interpreter.allocate_tensors()
            interpreter.set_tensor(number, x)
            interpreter.invoke()
        return interpreter.get_tensor(interpreter.get_output_details()[0]["index"])

    return run


def by_onnx(x):
    session = onnxruntime.InferenceSession(place / "clothes.onnx", providers=["CPUExecutionProvider"])
    return session.run(None, {session.get_inputs()[0].name: x})[0]


# %% [markdown]
# **Guess:** of 1,000 pictures, how many get another class than from Keras? How far apart are the probabilities?

# %%
rebuilt = network()
rebuilt.load_weights(place / "clothes.weights.h5")
by_litert = litert((place / "clothes.tflite").read_bytes())
readers = {
    "weights": ("clothes.weights.h5", lambda x: rebuilt.predict(x, batch_size=500, verbose=0)),
    ".keras": ("clothes.keras", lambda x: again.predict(x, batch_size=500, verbose=0)),
    "SavedModel": ("saved_model", by_saved_model),
    "LiteRT": ("clothes.tflite", by_litert),
    "ONNX": ("clothes.onnx", by_onnx),
}


def bytes_of(path):
    return sum(part.stat().st_size for part in ([path] if path.is_file() else path.rglob("*")) if part.is_file())


sizes = {}
for name, (file, read) in readers.items():
    got = read(x)
    same, apart = np.sum(got.argmax(axis=1) == wanted.argmax(axis=1)), np.abs(got - wanted).max()
    sizes[name] = bytes_of(place / file) / 1024
    print(f"{name:10}  same class {same:,} of 1,000  probabilities within 1e-4: {apart < 1e-4}")
    assert same == 1_000 and apart < 1e-4

# %%
figure, axis = plt.subplots(figsize=(7, 3))
axis.barh(list(sizes), list(sizes.values()), color="C0")
axis.axvline(size / 1024, color="black", linestyle="--", label="the parameters alone")
axis.invert_yaxis()
axis.set(title="One network, five files", xlabel="kilobytes", ylabel="format")
axis.legend(loc="lower right")
ck.show(
    figure, alt="Kilobytes of five formats: four hold little more than the parameters, the SavedModel twice as much"
)
print({name: round(float(one) / (size / 1024), 1) for name, one in sizes.items()}, "times the parameters' bytes")
variables = tf.train.list_variables(str(place / "saved_model" / "variables" / "variables"))
copies = sum(int(np.prod(shape)) for name, shape in variables if "VALUE" in name) // model.count_params()
print("a SavedModel stores each parameter", {2: "twice"}.get(copies, f"{copies} times"))
assert all(1 < one / (size / 1024) < 1.2 for name, one in sizes.items() if name != "SavedModel") and copies == 2

# %% [markdown]
# Five files, four runtimes, one answer. Nearly all bytes are parameters; the SavedModel lists them twice, as those of the
# layers and as those of the whole.
#
# ### Exercise 15a.2 · Do two runtimes agree? · ●○○ · 5 minutes
# Write `agreement(p, q)`: two numbers that compare the probabilities of two runtimes, both `(pictures, classes)`. First
# the share (0 to 1) of pictures that get the same most probable class, then the largest absolute difference.


# %% tags=["exercise"]
def agreement(p, q):
    ### BEGIN SOLUTION
    return np.mean(p.argmax(axis=1) == q.argmax(axis=1)), np.abs(p - q).max()
    ### END SOLUTION


# %% tags=["check"]
ck.check("saving.agreement", agreement)

# %% [markdown]
# ## What the file does not say
#
# The file asks for 784 numbers. It does not say that 0 is black and 1 is white. Who did not train the network may send
# pixels from 0 to 255, as they stand in a picture, or a photograph with a white background. The runtime takes all of it.
# **Guess** the accuracy of both.

# %%
sent = {"0 to 1, as trained": x, "0 to 255": 255 * x, "white background": 1 - x}
told = {name: by_litert(pictures.astype("float32")) for name, pictures in sent.items()}
figure, axes = plt.subplots(1, 3, figsize=(10, 3), sharey=True)
for axis, (name, probabilities) in zip(axes, told.items(), strict=True):
    axis.hist(100 * probabilities.max(axis=1), bins=np.linspace(0, 100, 21))
    axis.set(title=f"{name}: {accuracy(probabilities):.0f} % right", xlabel="largest probability (%)")
axes[0].set_ylabel("pictures")
ck.show(
    figure,
    alt="Three histograms of the largest probability: with pixels of 0 to 255 the network is nearly always sure, and right "
    "less often",
)

right = {name: accuracy(probabilities) for name, probabilities in told.items()}
sure = {name: np.mean(probabilities.max(axis=1) > 0.9) for name, probabilities in told.items()}
for name in sent:
    print(f"{name:20} right over 87 %: {right[name] > 87!s:5}  over 90 % sure of {sure[name]:.1f} of the pictures")
assert right["0 to 255"] < 85 and 88.5 < right["0 to 1, as trained"] and right["white background"] < 30
assert sure["0 to 255"] > 0.95 > 0.9 > sure["0 to 1, as trained"]

# %% [markdown]
# No error; wrong answers, and great confidence. What happens before the network belongs **into** the file, as
# chapter 09c did with a vocabulary. The rest of the agreement, such as what is black, must be written down.
#
# ### Exercise 15a.3 · Scaling inside the model · ●●○ · 6 minutes
# Write `with_rescaling(model)`: a Keras model that takes pixels from 0 to 255 and answers as `model` does for pixels
# from 0 to 1. Its pictures have the shape that `model` takes. The check saves it and loads it in safe mode.


# %% tags=["exercise"]
def with_rescaling(model):
    ### BEGIN SOLUTION
    return keras.Sequential([keras.Input(model.input_shape[1:]), layers.Rescaling(1 / 255), model])
    ### END SOLUTION


# %% tags=["check"]
ck.check("saving.with_rescaling", with_rescaling)

# %% [markdown]
# ## One bit of 1.8 million
#
# Files are copied, sent and stored. We turn one single bit of the LiteRT file: the highest bit of the exponent in the
# largest bias of the last layer. **Guess:** does it still load? And what does it answer?

# %%
content = (place / "clothes.tflite").read_bytes()
bias = model.layers[-1].get_weights()[1]  # (10,)
largest = int(bias.argmax())
assert content.count(bias.tobytes()) == 1 and 0 < bias[largest] < 1
damaged = bytearray(content)
damaged[content.index(bias.tobytes()) + 4 * largest + 3] ^= 0b01000000  # sign and exponent come last

spoiled = litert(bytes(damaged))(x)
one_answer = np.mean(spoiled.argmax(axis=1) == largest)
print(
    f"{8 * len(content):,} bits, one turned: it loads; {100 * one_answer:.0f} % of the pictures are now {class_names[largest]!r}"
)
assert one_answer == 1 and accuracy(spoiled) < 15

# %% [markdown]
# The file is as long as before, and LiteRT keeps no checksum of it. A zip archive such as `.keras` does, against
# accidents. Against people, only a *hash* (哈希) helps that came to you by another way. The course keeps the SHA-256 of
# each file of weights in a report, and compares before it loads.
#
# ### Exercise 15a.4 · Is the file intact? · ●○○ · 5 minutes
# Write `verified(content, sha256)`: whether the bytes `content` have the SHA-256 `sha256`, 64 hexadecimal digits, which
# may be small or capital letters. `hashlib.sha256(content).hexdigest()` computes it.


# %% tags=["exercise"]
import hashlib


def verified(content, sha256):
    ### BEGIN SOLUTION
    return hashlib.sha256(content).hexdigest() == sha256.lower()
    ### END SOLUTION


# %% tags=["check"]
ck.check("saving.verified", verified)

# %% [markdown]
# ## One file for a machine without Python
#
# An article (a0, 3.3) speaks of an executable file. A program on its own must be built for each kind of system. Nearly
# every desk and phone, though, has a browser. So our executable is **one HTML file**: the parameters as text, and some
# JavaScript that computes. It needs no server and no network. Large networks want a real engine (the page of
# chapter 15b runs LiteRT in the browser); for four kinds of layers we can write the arithmetic.
#
# First in NumPy, to be sure of it:


# %%
def convolution(x, kernel, bias):
    """x (batch, rows, columns, depth), kernel (3, 3, depth, filters): sums over windows of 3 by 3, then ReLU."""
    rows, columns = x.shape[1:3]
    padded = np.pad(x, ((0, 0), (1, 1), (1, 1), (0, 0)))
    windows = [padded[:, i : i + rows, j : j + columns] @ kernel[i, j] for i in range(3) for j in range(3)]
    return np.maximum(sum(windows) + bias, 0)


def pool(x):
    """The largest of each 2 by 2 places."""
    batch, rows, columns, depth = x.shape
    return x.reshape(batch, rows // 2, 2, columns // 2, 2, depth).max(axis=(2, 4))


def forward(x, w):
    """All activations of the network with the eight arrays w, the last one the probabilities (batch, 10)."""
    steps = [convolution(x, w[0], w[1])]
    steps.append(convolution(pool(steps[-1]), w[2], w[3]))
    steps.append(convolution(pool(steps[-1]), w[4], w[5]))
    logits = steps[-1].reshape(len(x), -1) @ w[6] + w[7]
    powers = np.exp(logits - logits.max(axis=1, keepdims=True))
    return [*steps, powers / powers.sum(axis=1, keepdims=True)]


# %%
assert np.allclose(forward(x[:100], model.get_weights())[-1], wanted[:100], atol=1e-5)
print("four kinds of steps by hand agree with Keras to 1e-5")

# %% [markdown]
# The same in JavaScript. An array is a row of numbers there, so places are counted by hand.

# %%
ARITHMETIC = """
function convolution(x, side, kernel, bias) {  // x: side * side * depth numbers
  const filters = bias.length, depth = kernel.length / 9 / filters, y = new Float32Array(side * side * filters);
  for (let row = 0; row < side; row++) for (let column = 0; column < side; column++)
    for (let f = 0; f < filters; f++) {
      let sum = bias[f];
      for (let i = 0; i < 3; i++) for (let j = 0; j < 3; j++) {
        const r = row + i - 1, c = column + j - 1;
        if (r < 0 || r >= side || c < 0 || c >= side) continue;  // outside is 0
        for (let d = 0; d < depth; d++)
          sum += x[(r * side + c) * depth + d] * kernel[((i * 3 + j) * depth + d) * filters + f];
      }
      y[(row * side + column) * filters + f] = Math.max(sum, 0);
    }
  return y;
}
function pool(x, side, depth) {
  const half = side / 2, y = new Float32Array(half * half * depth);
  for (let row = 0; row < half; row++) for (let column = 0; column < half; column++)
    for (let d = 0; d < depth; d++) {
      const at = (i, j) => x[((2 * row + i) * side + 2 * column + j) * depth + d];
      y[(row * half + column) * depth + d] = Math.max(at(0, 0), at(0, 1), at(1, 0), at(1, 1)); }
  return y;
}"""

# %%
ANSWER = """
const floats = (text) => new Float32Array(Uint8Array.from(atob(text), (c) => c.charCodeAt(0)).buffer);
const w = DATA.weights.map(floats);
function classify(pixels) {  // 784 numbers from 0 to 1 to ten probabilities
  let x = pool(convolution(pixels, 28, w[0], w[1]), 28, w[1].length);
  x = convolution(pool(convolution(x, 14, w[2], w[3]), 14, w[3].length), 7, w[4], w[5]);
  const logits = Array.from(w[7], (bias, k) => x.reduce((sum, value, i) => sum + value * w[6][10 * i + k], bias));
  const powers = logits.map((logit) => Math.exp(logit - Math.max(...logits)));
  return powers.map((power) => power / powers.reduce((a, b) => a + b));
}
DATA.pictures.forEach((picture, number) => {
  const pixels = picture.map((grey) => grey / 255), button = document.createElement("button");
  const canvas = Object.assign(document.createElement("canvas"), { width: 28, height: 28 });
  const colours = Uint8ClampedArray.from(picture.flatMap((grey) => [grey, grey, grey, 255]));
  canvas.getContext("2d").putImageData(new ImageData(colours, 28, 28), 0, 0);
  button.append(canvas, ` picture ${number + 1}`);
  button.onclick = () => {
    const probabilities = classify(pixels), best = probabilities.indexOf(Math.max(...probabilities));
    document.getElementById("answer").textContent = `${DATA.names[best]}, ${(100 * probabilities[best]).toFixed(1)} %`;
  };
  document.getElementById("pictures").append(button);
});"""

# %% [markdown]
# When the page opens, it checks itself: it classifies its ten pictures and shows how far it is from Keras.

# %%
PAGE = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>Clothes, classified by one file</title></head><body>
<h1>Clothes, classified by one file</h1>
<p>Choose a picture. Nothing leaves this machine.</p>
<p id="pictures"></p><p id="answer" role="status"></p><p id="check"></p>
<script>const DATA = @DATA@;@ARITHMETIC@@ANSWER@
const apart = DATA.pictures.map((picture, number) => {
  const got = classify(picture.map((grey) => grey / 255));
  return Math.max(...got.map((one, k) => Math.abs(one - DATA.wanted[number][k])));
});
document.getElementById("check").textContent = `Largest difference from Keras: ${Math.max(...apart).toExponential(0)}`;
</script></body></html>"""
data = {
    "names": class_names,
    "weights": [base64.b64encode(w.astype("<f4").tobytes()).decode("ascii") for w in model.get_weights()],
    "pictures": np.rint(255 * x[:10]).astype(int).reshape(10, 784).tolist(),
    "wanted": wanted[:10].astype(float).tolist(),
}
page = PAGE.replace("@DATA@", json.dumps(data)).replace("@ARITHMETIC@", ARITHMETIC).replace("@ANSWER@", ANSWER)
characters = (place / "clothes.html").write_text(page, encoding="utf8")

# %%
inside = json.loads(
    (place / "clothes.html").read_text(encoding="utf8").split("const DATA = ")[1].split(";\nfunction")[0]
)
decoded = [np.frombuffer(base64.b64decode(text), "<f4") for text in inside["weights"]]
assert all(np.array_equal(a, w.ravel()) for a, w in zip(decoded, model.get_weights(), strict=True))
assert "http" not in page and "src=" not in page  # nothing comes from elsewhere
print("one file of less than 400 kilobytes:", characters / 1024 < 400, "- with all parameters, bit by bit")

# %% [markdown]
# To keep it: `pathlib.Path("clothes.html").write_text(page, encoding="utf8")`, then open it by a double click. A test of
# the course opens the same page in Chromium and compares its ten answers with Keras.
#
# ## Article clinic
#
# ### 15-1 · "Inference computes the value of each parameter"
#
# So says the article (a1, 3.2). Inference (推理) is a forward pass: it computes *activations*. **Guess:** which of the
# 54,666 parameters move when the network answers 1,000 times?

# %%
before = [w.copy() for w in model.get_weights()]
model.predict(x, batch_size=500, verbose=0)
assert all(np.array_equal(a, b) for a, b in zip(before, model.get_weights(), strict=True))
activations = forward(x[:2], before)
print(f"parameters that moved: 0 of {model.count_params():,}, compared bit by bit")
print(f"numbers computed for each picture: {sum(step[0].size for step in activations):,}")

figure, axes = plt.subplots(2, 5, figsize=(9, 4))
for row, number in zip(axes, [0, 1], strict=True):
    row[0].imshow(x[number, :, :, 0])
    row[0].set_title(class_names[wanted[number].argmax()], fontsize=9)
    for channel, axis in enumerate(row[1:]):
        axis.imshow(activations[0][number, :, :, channel], cmap="viridis")
        axis.set_title(f"channel {channel + 1}", fontsize=9)
for axis in axes.ravel():
    axis.axis("off")
figure.suptitle("Same parameters, other activations: the first convolution on two pictures")
ck.show(
    figure, alt="Two garments and four channels of the first convolution for each: the maps differ with the picture"
)

# %% [markdown]
# Parameters are computed in training, once. Activations are computed for each question, and thrown away.
#
# ### 15-2 · The whole model from a pickle
#
# The article's program (a1, 4.2) loads a whole model from a file, which is a *pickle*. That is short, and safe with a file
# of one's own. But a pickle is a list of orders for Python: "call this function with these arguments". Whoever wrote the
# file chooses the function. Ours is `print`, and this is the only pickle of the course, made and read in memory. **Guess:**
# when does the order run?


# %%
class Model:
    """What claims to be a model."""

    def __reduce__(self):
        return print, ("Code from the file runs, before you have looked at anything.",)


file = pickle.dumps({"weights": [0.1, 0.2], "model": Model()})
loaded = pickle.loads(file)
print("what came back as the model:", loaded["model"])
assert loaded["model"] is None and b"print" in file

# %% [markdown]
# It ran **while** loading. With another function the file could have sent or deleted files. PyTorch drew the consequence:
# since version 2.6 (2025) `torch.load` takes tensors, plain containers and classes that one has allowed, unless one asks for
# more (`weights_only=False`); a program that loads a whole model, as the article's does, is refused there by default.
#
# Is a SavedModel better? It is a TensorFlow program, and TensorFlow has operations that read and write files. A stranger
# hides one beside the arithmetic:


# %%
class Stranger(tf.Module):
    @tf.function(input_signature=[tf.TensorSpec((None, 28, 28, 1), "float32")])
    def serve(self, x):
        tf.io.write_file(str(place / "left_by_the_model.txt"), "I was here.")
        return tf.nn.softmax(tf.reduce_mean(x, axis=(1, 2)))


tf.saved_model.save(Stranger(), place / "stranger")
stranger = tf.saved_model.load(place / "stranger")
there_before = (place / "left_by_the_model.txt").exists()
stranger.serve(x[:1])
there_after = (place / "left_by_the_model.txt").exists()
print(f"its file is there after loading: {there_before}, after one question: {there_after}")
assert there_after and not there_before

# %% [markdown]
# And `.keras`? It may hold a `Lambda` layer, which is Python code in base64; or somebody edits `config.json` in the zip
# archive and names a function of Python in place of a layer. We try both, with safe mode and, as both files are our own,
# without it. **Guess:** which of the four loads succeed?

# %%
keras.Sequential([keras.Input((2,)), layers.Lambda(lambda x: 2 * x)]).save(place / "lambda.keras")
with zipfile.ZipFile(place / "clothes.keras") as old, zipfile.ZipFile(place / "hostile.keras", "w") as new:
    for name in old.namelist():
        part = old.read(name)
        if name == "config.json":
            told = json.loads(part)
            told["config"]["layers"][1] |= {"module": "builtins", "class_name": "print", "registered_name": "print"}
            part = json.dumps(told).encode("utf8")
        new.writestr(name, part)

refused = {}
for name, safe in [("lambda", True), ("lambda", False), ("hostile", True), ("hostile", False)]:
    try:
        keras.saving.load_model(place / f"{name}.keras", safe_mode=safe)
        print(f"{name + '.keras':13} safe mode {'on' if safe else 'off'}: loaded")
    except (ValueError, TypeError) as error:
        refused[name, safe] = str(error)
        print(f"{name + '.keras':13} safe mode {'on' if safe else 'off'}: refused with a {type(error).__name__}")
assert set(refused) == {("lambda", True), ("hostile", True), ("hostile", False)}
assert "lambda" in refused["lambda", True] and "print" in refused["hostile", True]
assert refused["hostile", True].splitlines()[0] == refused["hostile", False].splitlines()[0]

# %% [markdown]
# So two different fences. **Safe mode**, which is on unless you switch it off, keeps out Python code in a `Lambda`. The named
# function is refused with safe mode **and without it**: what is named in place of a layer must be one of Keras's classes.
# That second fence was built after attacks, and it was climbed more than once:
#
# | Hole | Way in | Closed in Keras |
# |---|---|---|
# | CVE-2025-1550 | `config.json` names any function of Python | 3.9 |
# | CVE-2025-8747 | functions of Keras itself, which are allowed, do the harm | 3.11.0 |
# | CVE-2025-9906 | `config.json` calls the function that switches safe mode off | 3.11.0 |
# | CVE-2025-9905 | in an old `.h5` file safe mode was ignored | 3.11.3 |
#
# Fences, no wall. So:
#
# - load programs (pickle, SavedModel, `safe_mode=False`) only when they are **your own**, and check their hash;
# - from others take numbers (`.npz` without objects, safetensors) or a graph of known operations (ONNX, LiteRT);
# - keep the runtime up to date.
#
# ### Exercise 15a.5 · Layers not to trust · ●●○ · 10 minutes
# Write `foreign_layers(config)`: the names of the layers that you would not trust, in their order. `config` is what
# `config.json` holds: `config["config"]["layers"]` is a list of layers with `"module"`, `"class_name"` and
# `layer["config"]["name"]`. A layer is foreign when its class is `Lambda`, or its module is neither `"keras"` nor begins
# with `"keras."`; the module may be `None`. A layer with a list of `"layers"` in its own config is a model: look inside.


# %% tags=["exercise"]
def foreign_layers(config):
    ### BEGIN SOLUTION
    found = []
    for layer in config["config"]["layers"]:
        module = layer["module"] or ""
        if layer["class_name"] == "Lambda" or not (module == "keras" or module.startswith("keras.")):
            found.append(layer["config"]["name"])
        if "layers" in layer["config"]:
            found += foreign_layers(layer)
    return found
    ### END SOLUTION


# %% tags=["check"]
ck.check("saving.foreign_layers", foreign_layers)

# %% [markdown]
# ### Exercise 15a.6 · Train and save · ●●● · 12 minutes
# Write `train_and_save(x, y, path)`: build a classifier for grey pictures x `(n, 8, 8, 1)` and classes y `(n,)` of 0 to
# 2, with probabilities as output; train it on them until the cross-entropy is below half of what guessing gives
# ($\ln 3 = 1.10$); save it as `.keras` at `path`; return the trained model. The check reads your file.


# %% tags=["exercise"]
def train_and_save(x, y, path):
    ### BEGIN SOLUTION
    model = keras.Sequential([keras.Input((8, 8, 1)), layers.Flatten(), layers.Dense(3, activation="softmax")])
    model.compile(keras.optimizers.Adam(0.01), "sparse_categorical_crossentropy")
    model.fit(x, y, batch_size=32, epochs=30, verbose=0)
    model.save(path)
    return model
    ### END SOLUTION


# %% tags=["check"]
ck.check("saving.train_and_save", train_and_save)

# %%
folder.cleanup()

# %% [markdown]
# ## Recap
#
# - A network is numbers and a recipe. With the wrong recipe the right numbers load in silence.
# - `.keras`, weights, SavedModel, LiteRT and ONNX gave the same class on 1,000 of 1,000 pictures.
# - A file does not say what it wants to be fed: put the pre-processing inside, write down the rest.
# - One turned bit made all garments the same. Compare the hash before loading.
# - Inference moves no parameter. A pickle runs code while loading, a SavedModel when asked. Safe mode refused a `Lambda`; a
#   function named in place of a layer was refused with or without it. Such fences had holes: load only what you trust.
#
# ### Quiz

# %% tags=["quiz"]
ck.quiz("saving.recipe")

# %% tags=["quiz"]
ck.quiz("saving.graph")

# %% tags=["quiz"]
ck.quiz("saving.stranger")

# %% tags=["quiz"]
ck.quiz("saving.inference")

# %% [markdown]
# ### References
#
# - Sculley et al. (2015). Hidden technical debt in machine learning systems. NIPS
# - David et al. (2021). TensorFlow Lite Micro: Embedded machine learning for TinyML systems. MLSys. arXiv:2010.08678
# - ONNX: open neural network exchange, operator specification. onnx.ai
# - TensorFlow: Using TensorFlow securely. SECURITY.md of its repository
# - CVE-2025-1550, CVE-2025-8747, CVE-2025-9905, CVE-2025-9906: code execution through crafted model files of Keras. National
#   Vulnerability Database
# - PyTorch: torch.load, and the release notes of version 2.6. docs.pytorch.org
#
# ### What is left to do

# %% tags=["setup"]
ck.progress("saving")
