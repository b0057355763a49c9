# ---
# title: Pruning and distillation
# promise: You will prune a network, teach a student with a twelfth of its parameters, and compare seven small versions in one table.
# built: You pruned a network, taught a small student, and compared seven small versions in one table.
# minutes: 75
# prerequisites: [14a_quantisation]
# data: [fashion_mnist]
# articles: [a0 6, a4 8]
# clinic: []
# topic: compression
# ---

# %% [markdown]
# **What you will be able to do**
#
# - say what a `.keras` file holds, and make it a third of its size;
# - prune (剪枝) a network by magnitude, and tell what zeros gain and what they do not;
# - distil (知识蒸馏) a teacher into a small student, and judge fairly whether it helped;
# - choose between seven small versions by kilobytes, milliseconds, accuracy and agreement.

# %% tags=["setup"]
import coursekit as ck

ck.start()

# %% [markdown]
# ## A network that is too large
#
# An article (a0, 6) asks what to do when a model is too complex. One case of it: a trained model is too large for the
# device that shall use it. The model here is chapter 08's: three convolutions, one of them with a residual connection, and
# a dense layer. `make long-run RUN=small_models` trained it on all of Fashion-MNIST and stored it in `checkpoints/`.

# %% tags=["long-run"]
import pathlib
import tempfile
import time
import zipfile
import zlib

import keras
import matplotlib.pyplot as plt
import numpy as np
import tensorflow as tf
from ai_edge_litert.interpreter import Interpreter, OpResolverType
from keras import layers, ops


def convolution(x, filters):
    x = layers.Conv2D(filters, 3, padding="same", use_bias=False)(x)
    return layers.ReLU()(layers.BatchNormalization(momentum=0.9)(x))


# %% tags=["long-run"]
def teacher_network():
    """Chapter 08's network with a residual connection: pictures (batch, 28, 28, 1) from 0 to 1, ten logits."""
    image = keras.Input((28, 28, 1), name="image")
    x = layers.MaxPooling2D()(convolution(image, 32))
    x = layers.MaxPooling2D()(convolution(x, 64))
    x = layers.Add()([x, convolution(x, 64)])
    x = layers.Dropout(0.3)(layers.Flatten()(x))
    x = layers.Dropout(0.3)(layers.Dense(48, "relu")(x))
    return keras.Model(image, layers.Dense(10)(x))


# %%
report = ck.data.checkpoint("small_models")
(x_train, y_train), (x_test, y_test) = ck.data.fashion_mnist(train=6_000, test=2_000)
x_train, x_test = (part[..., None].astype("float32") / 255 for part in (x_train, x_test))
class_names = ck.data.card("fashion_mnist")["classes"]

teacher = keras.saving.load_model(report["files"]["small_models_teacher.keras"])
same = teacher_network()
same.set_weights(teacher.get_weights())
logits = teacher.predict(x_test, batch_size=500, verbose=0)
assert np.allclose(logits, same.predict(x_test, batch_size=500, verbose=0), atol=1e-4)


def accuracy(logits):
    return 100 * np.mean(logits.argmax(axis=1) == y_test)


stored = report["parts"]["teacher"]
print(f"{teacher.count_params():,} parameters; on 10,000 test pictures {stored['accuracy']:.1f} %; "
      f"on our 2,000 within a point: {abs(accuracy(logits) - stored['accuracy']) < 1}")  # fmt: skip
assert abs(accuracy(logits) - stored["accuracy"]) < 1 and stored["accuracy"] > 91

# %% [markdown]
# ## What is in the file?
#
# A parameter is four bytes. **Guess:** how large is the `.keras` file after training with Adam?

# %%
folder = tempfile.TemporaryDirectory()
place = pathlib.Path(folder.name)


def file_of(network, name="network"):
    path = place / f"{name}.keras"
    network.save(path)
    return path


loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
in_training = keras.saving.load_model(report["files"]["small_models_teacher.keras"])
in_training.compile(keras.optimizers.Adam(0.0005), loss, metrics=["accuracy"], steps_per_execution=10)
in_training.optimizer.build(in_training.trainable_variables)
original = file_of(in_training, "original")
bare = file_of(keras.saving.load_model(original, compile=False), "bare")
with zipfile.ZipFile(original) as archive:
    members = {member.filename: member.file_size for member in archive.infolist()}
print("a zip archive of", ", ".join(sorted(members)))

# %%
weights = 4 * teacher.count_params()
for name, path in {"with optimizer": original, "loaded with compile=False, saved": bare}.items():
    print(f"{name:33} {path.stat().st_size / weights:.1f} × 4 bytes a parameter")
assert 2.9 < original.stat().st_size / weights < 3.2 and 0.95 < bare.stat().st_size / weights < 1.15
assert np.array_equal(keras.saving.load_model(bare).predict(x_test, batch_size=500, verbose=0), logits)

# %% [markdown]
# Adam keeps two numbers for each parameter (chapter 04b). Whoever goes on training needs them; whoever uses the network
# does not. Two thirds are gone, and no answer changed.
#
# ## Pruning: the smallest weights go
#
# Which weights matter least? The simplest guess is the smallest ones. *Magnitude pruning* sets a share of each kernel to
# zero, smallest first. We leave the first convolution and the last layer alone: 768 numbers of 207,290, with little to
# gain. **Guess:** what share of the others can go before the accuracy of this network falls by a point?


# %%
def magnitude_pruned(w, share):
    """w with the `share` of its numbers that lie nearest to 0 set to 0."""
    return np.where(np.abs(w) > np.quantile(np.abs(w), share), w, 0) if share else w


def prune(network, share, at_least=1_000):
    """Prune the kernels of a network that have `at_least` so many numbers; biases and normalisation stay."""
    chosen = [w.ndim > 1 and w.size >= at_least for w in teacher.get_weights()]
    old = zip(network.get_weights(), chosen, strict=True)
    network.set_weights([magnitude_pruned(w, share) if large else w for w, large in old])


def answers(network):
    return network.predict(x_test, batch_size=500, verbose=0)


def accuracy_of_pruned(share, at_least=1_000):
    same.set_weights(teacher.get_weights())
    prune(same, share, at_least)
    return accuracy(answers(same))


shares = [0.0, 0.5, 0.7, 0.8, 0.9, 0.95]
one_shot = [accuracy_of_pruned(share) for share in shares]
without_care = accuracy_of_pruned(0.5, at_least=0)

# %% [markdown]
# ### Exercise 14b.1 · Keep the largest · ●○○ · 6 minutes
# Write `magnitude_mask(w, keep)`: an array in the shape of `w` with True for the `keep` numbers (a count) of largest
# magnitude, False elsewhere. No two magnitudes are equal.


# %% tags=["exercise"]
def magnitude_mask(w, keep):
    ### BEGIN SOLUTION
    smallest_kept = np.sort(np.abs(w), axis=None)[-keep]
    return np.abs(w) >= smallest_kept
    ### END SOLUTION


# %% tags=["check"]
ck.check("compression.magnitude_mask", magnitude_mask)

# %% [markdown]
# A pruned network can be trained on: the zeros stay zero, the rest adapts (Han et al., 2015). Nine tenths away, then one
# pass over 6,000 pictures:


# %%
class KeepZeros(keras.callbacks.Callback):
    def on_train_begin(self, logs=None):
        self.masks = [(w, ops.cast(w != 0, "float32")) for w in self.model.trainable_variables if len(w.shape) > 1]

    def on_train_batch_end(self, batch, logs=None):
        for kernel, mask in self.masks:
            kernel.assign(kernel * mask)


keras.utils.set_random_seed(0)
prune(in_training, 0.9)
in_training.compile(keras.optimizers.Adam(0.0005), loss)
in_training.fit(x_train, y_train, 60, 1, verbose=0, callbacks=[KeepZeros()])
pruned = in_training
kernels = [w for w in pruned.get_weights() if w.ndim > 1]
zeros = sum(np.sum(w == 0) for w in kernels) / sum(w.size for w in kernels)
tuned = accuracy(answers(pruned))

# %%
figure, axis = plt.subplots(figsize=(7.5, 3.6))
axis.plot([100 * share for share in shares], one_shot, "o-", label="pruned, nothing else")
axis.plot(100 * zeros, tuned, "s", color="C1", markersize=9, label="pruned, then trained on")
axis.set(title="Magnitude pruning", xlabel="weights set to zero (%)", ylabel="accuracy (%)", ylim=(0, 100))
axis.legend()
ck.show(
    figure,
    alt="Accuracy against the share of zeros: level to 50 %, falling from 70 % on; at 90 % a short training lifts it from 75 "
    "to nearly the old value",
)
half, most = one_shot[shares.index(0.5)], one_shot[shares.index(0.9)]
print(f"half away: accuracy lost less than a point: {one_shot[0] - half < 1}; "
      f"with the two small kernels too more than 2: {one_shot[0] - without_care > 2}")  # fmt: skip
print(f"{zeros:.0%} away: lost more than 10 points: {one_shot[0] - most > 10}, after one more pass less than 4: "
      f"{one_shot[0] - tuned < 4}")  # fmt: skip
assert one_shot[0] - half < 1 and one_shot[0] - without_care > 2
assert one_shot[0] - most > 10 and one_shot[0] - tuned < 4

# %% [markdown]
# Half of this network's weights are hardly missed, if the small kernels are spared. With nine tenths away the network is
# ill, and a short training heals most of it. (One network, one seed. Pruned in several rounds, with training between them,
# more can go: Zhu, Gupta, 2017.)
#
# What is gained? The zeros are still stored, four bytes each. Zipped, equal bytes take little room. And the work? LiteRT,
# as in chapter 14a:


# %%
def export(network, **options):
    """The bytes of the LiteRT file of a network."""
    path = place / "network.tflite"
    with ck.silent_log():
        network.export(path, format="litert", verbose=False, **options)
    return path.read_bytes()


# %%
class Engine:
    """Runs a LiteRT file on batches of a fixed size. fast: with the kernels that suit this processor best."""

    def __init__(self, model, batch, fast=False):
        kernels = OpResolverType.AUTO if fast else OpResolverType.BUILTIN_WITHOUT_DEFAULT_DELEGATES
        with ck.silent_log():
            self.runner = Interpreter(model_content=model, num_threads=1, experimental_op_resolver_type=kernels)
            self.taken = self.runner.get_input_details()[0]["index"]
            self.given = self.runner.get_output_details()[0]["index"]
            self.runner.resize_tensor_input(self.taken, (batch, 28, 28, 1))
            self.runner.allocate_tensors()

    def __call__(self, x):
        self.runner.set_tensor(self.taken, x)
        self.runner.invoke()
        return self.runner.get_tensor(self.given)


# %%
def milliseconds(answer, repeats=40, pictures=1):
    """Median time that `answer` takes for so many pictures."""
    times = []
    for _ in range(repeats):
        began = time.perf_counter()
        answer(x_test[:pictures])
        times.append(time.perf_counter() - began)
    return 1_000 * np.median(times)


# %%
def work(model):
    """Type and shape of each tensor that LiteRT computes with or on, in order."""
    tensors = Engine(model, 1).runner.get_tensor_details()
    return [(tensor["dtype"], tuple(map(int, tensor["shape"]))) for tensor in tensors]


as_float, pruned_float = export(teacher), export(pruned)
zipped, pruned_zipped = len(zlib.compress(as_float)), len(zlib.compress(pruned_float))
print(f"file, pruned against original: {len(pruned_float) / len(as_float):.1f}, zipped {pruned_zipped / zipped:.1f}")
same_work = work(as_float) == work(pruned_float)
print(f"{len(work(pruned_float))} tensors in the pruned network, types and shapes as before: {same_work}")
assert 0.95 < len(pruned_float) / len(as_float) < 1.05 and pruned_zipped / zipped < 0.35 and same_work

# %% [markdown]
# The same tensors, so the same multiplications: a zero is multiplied like any other number. Zeros gain time only with code
# or hardware that skips them, or when whole channels go and the matrices become smaller. What they gain here is the zipped
# file. (The times of both are in the table's picture below.)
#
# ### Exercise 14b.2 · Bytes of a sparse matrix · ●○○ · 5 minutes
# Sparse formats store only what is not zero. Write `sparse_bytes(shape, kept)`: the bytes for a matrix of `shape` (rows,
# columns) with `kept` numbers that are not zero, in the format CSR: 4 bytes for each such number, 2 for its column, and 4
# for each of rows + 1 places where a row begins.


# %% tags=["exercise"]
def sparse_bytes(shape, kept):
    ### BEGIN SOLUTION
    return (4 + 2) * kept + 4 * (shape[0] + 1)
    ### END SOLUTION


# %% tags=["check"]
ck.check("compression.sparse_bytes", sparse_bytes)

# %% [markdown]
# ## Distillation: a student learns from the teacher
#
# Pruning keeps the shape of the network. A *student* has a smaller one from the start:


# %% tags=["long-run"]
def student_network():
    """The same input and output, three convolutions and one dense layer."""
    x = image = keras.Input((28, 28, 1), name="image")
    for filters in (16, 32, 32):
        x = layers.MaxPooling2D()(convolution(x, filters))
    return keras.Model(image, layers.Dense(10)(layers.Flatten()(x)))


# %% [markdown]
# A label says *shirt*. The teacher says: shirt, but a bit of a coat too. A softmax with a temperature (温度) $T$ shows these
# small numbers: $p_i = \mathrm{softmax}(z_i / T)$. Move the temperature; 1 is the plain softmax.

# %%
picture = int(np.flatnonzero((y_test == 6) & (logits.argmax(axis=1) == 6))[0])


def soft(logits, temperature):
    raised = np.exp((logits - logits.max(axis=-1, keepdims=True)) / temperature)
    return raised / raised.sum(axis=-1, keepdims=True)


def soft_figure(temperature):
    figure, axes = plt.subplots(1, 2, figsize=(10, 3.2), width_ratios=[1, 3])
    axes[0].imshow(x_test[picture, :, :, 0])
    axes[0].axis("off")
    axes[0].set_title(f"label: {class_names[6]}", fontsize=10)
    axes[1].bar(class_names, soft(logits[picture], temperature))
    axes[1].tick_params(axis="x", rotation=40)
    axes[1].set(title=f"teacher, temperature {temperature:g}", xlabel="class", ylabel="probability", ylim=(0, 1))
    return figure


ck.explore(
    soft_figure,
    alt="A shirt and the teacher's ten probabilities: nearly all on one class at temperature 1, spread over similar clothes at 4",
    temperature=[1, 2, 4, 8, 20],
)

# %% [markdown]
# The student is to have the same probabilities. The distance is the Kullback-Leibler divergence (KL 散度), mixed with the
# usual loss on the labels $y$ (Hinton et al., 2015):
#
# $$ L = \alpha\, T^2 \sum_i p_i \ln \frac{p_i}{q_i} + (1 - \alpha)\, \mathrm{CE}(y, \mathrm{student}),\qquad
# p, q = \mathrm{softmax}(z_{\text{teacher}} / T),\ \mathrm{softmax}(z_{\text{student}} / T) $$


# %% tags=["long-run"]
def distillation_loss(temperature, share):
    """A loss for targets (batch, 11): the teacher's ten logits, then the label. share 0: labels alone."""

    def loss(targets, logits):
        labels, of_teacher = ops.cast(targets[:, 10], "int32"), ops.log_softmax(targets[:, :10] / temperature)
        of_student = ops.log_softmax(logits / temperature)
        divergence = ops.sum(ops.exp(of_teacher) * (of_teacher - of_student), axis=-1)
        hard = keras.losses.sparse_categorical_crossentropy(labels, logits, from_logits=True)
        return share * temperature**2 * divergence + (1 - share) * hard

    return loss


# %%
guess = np.random.default_rng(0).normal(0, 1, logits.shape).astype("float32")  # some student's logits
targets = np.column_stack([logits, y_test]).astype("float32")
p, q = soft(logits, 4.0), soft(guess, 4.0)
by_formula = 16 * np.sum(p * np.log(p / q), axis=1)
assert np.allclose(distillation_loss(4.0, 1.0)(targets, guess), by_formula, rtol=1e-3, atol=1e-4)
assert np.allclose(16 * ops.convert_to_numpy(keras.losses.kl_divergence(p, q)), by_formula, rtol=1e-2, atol=1e-2)

sizes = {}
for temperature in (50.0, 100.0):
    variable = tf.Variable(guess)
    with tf.GradientTape() as tape:
        divergence = ops.mean(distillation_loss(temperature, 1.0)(targets, variable)) / temperature**2
    sizes[temperature] = np.linalg.norm(tape.gradient(divergence, variable))
print(f"temperature 50 to 100: the gradient of the divergence shrinks {sizes[50.0] / sizes[100.0]:.1f} times")
assert 3.6 < sizes[50.0] / sizes[100.0] < 4.4

# %% [markdown]
# Twice the temperature, a quarter of the gradient: $T^2$ makes up for it.
#
# ### Exercise 14b.3 · The distillation loss · ●●○ · 8 minutes
# Write `distillation(teacher_logits, student_logits, temperature)`: the mean over the examples of $T^2 \sum_i p_i \ln (p_i
# / q_i)$. Both are `(examples, classes)`. Logits may be as large as 2,000 (chapter 02: how does one compute with
# logarithms of a softmax?).


# %% tags=["exercise"]
def distillation(teacher_logits, student_logits, temperature):
    ### BEGIN SOLUTION
    p, q = (ops.log_softmax(z / temperature) for z in (teacher_logits, student_logits))
    return temperature**2 * ops.mean(ops.sum(ops.exp(p) * (p - q), axis=-1))
    ### END SOLUTION


# %% tags=["check"]
ck.check("compression.distillation", distillation)

# %% [markdown]
# Now a short distillation: three passes over 6,000 pictures.

# %%
teacher_logits = teacher.predict(x_train, batch_size=500, verbose=0)
keras.utils.set_random_seed(0)
student = student_network()
student.compile(
    keras.optimizers.Adam(0.003), distillation_loss(report["temperature"], report["share"]), steps_per_execution=10
)
student.fit(x_train, np.column_stack([teacher_logits, y_train]).astype("float32"), 60, 3, verbose=0)


def agreement(some_logits):
    """Percent of the pictures that get the teacher's answer."""
    return 100 * np.mean(some_logits.argmax(axis=1) == logits.argmax(axis=1))


parts = student.count_params() / teacher.count_params()
live = answers(student)
print(f"{student.count_params():,} parameters, one {1 / parts:.0f}th of the teacher's")
print(f"agrees with the teacher on more than 80 % of the test pictures: {agreement(live) > 80}")
assert parts < 0.1 and agreement(live) > 80

# %% [markdown]
# Did the teacher help, or would labels alone have done as well? One run says nothing. The long run trained the same
# student with both losses, same steps, same rate, on 6,000 pictures with five seeds and on all 60,000 with three.
# **Guess** the gain in points of accuracy.

# %%
runs = {}
for name, part in report["parts"].items():
    if name != "teacher":
        runs[part["method"], part["pictures"]] = [(run["accuracy"], run["agreement"]) for run in part["runs"]]
figure, axes = plt.subplots(1, 2, figsize=(10, 3.6))
for axis, column, title in zip(axes, (0, 1), ["accuracy", "agreement with the teacher"], strict=True):
    for (method, pictures), values in runs.items():
        color, marker = ("C1", "s") if method == "distilled" else ("C0", "o")
        places = np.full(len(values), 0.0 if pictures == 6_000 else 1.0) + (0.1 if method == "distilled" else -0.1)
        axis.plot(places, [value[column] for value in values], marker, color=color, alpha=0.7,
                  label=method if pictures == 6_000 else None)  # fmt: skip
    axis.set_xticks([0, 1], ["6,000", "60,000"])
    axis.set(title=title, xlabel="pictures to learn from", ylabel="10,000 test pictures (%)", xlim=(-0.5, 1.5))
axes[0].legend(loc="upper left")
ck.show(
    figure,
    alt="Single runs. On 6,000 pictures the distilled students are better in accuracy and agreement, on 60,000 the ones "
    "trained on labels are more accurate",
)

# %%
print(f"by `{report['command']}`, temperature {report['temperature']:.0f}, share of the teacher {report['share']}")
print("learned from       pictures  seeds  accuracy (%)     agreement (%)")
for (method, pictures), values in runs.items():
    (low, low_2), (high, high_2) = np.min(values, axis=0), np.max(values, axis=0)
    print(f"{method:17} {pictures:9,} {len(values):6}  {low:.1f} to {high:.1f}     {low_2:.1f} to {high_2:.1f}")
gain = {n: np.mean(runs["distilled", n], axis=0) - np.mean(runs["labels", n], axis=0) for n in (6_000, 60_000)}
for n, (points, agreed) in gain.items():
    print(
        f"{n:6,} pictures: distillation moved the mean accuracy by {points:+.1f} points, the agreement by {agreed:+.1f}"
    )
assert np.min(runs["distilled", 6_000], axis=0)[0] > np.max(runs["labels", 6_000], axis=0)[0] and gain[6_000][1] > 1
assert np.max(runs["distilled", 60_000], axis=0)[0] < np.min(runs["labels", 60_000], axis=0)[0]
assert gain[60_000][0] < -0.5 and abs(gain[60_000][1]) < 0.2

# %% [markdown]
# With 6,000 pictures and 24 epochs the teacher helps: each distilled student beats each one trained on labels. It had seen
# 60,000 pictures and passes some of that on. With all 60,000, after six epochs, the students of the labels are ahead by
# nearly a point. **That is no verdict on distillation:** one temperature, one share, one rate, set beforehand, and a short
# training; other settings or longer training may turn it. Without the control group we would have praised the teacher for
# 90 %.
#
# ### Exercise 14b.4 · Train a student · ●●● · 15 minutes
# Write `train_student(x, teacher_logits)`: build a network with **at most 8,000 parameters** for pictures `(batch, 28, 28, 1)`
# with ten logits, train it on the teacher's logits `(examples, 10)`, without any label, and return it. The check calls it with
# 600 pictures and wants a divergence from the teacher, at temperature 1, below 0.6 on 300 others.


# %% tags=["exercise"]
def train_student(x, teacher_logits):
    ### BEGIN SOLUTION
    network = keras.Sequential(
        [
            keras.Input((28, 28, 1)),
            layers.Conv2D(8, 3, activation="relu"),
            layers.MaxPooling2D(),
            layers.Conv2D(16, 3, activation="relu"),
            layers.MaxPooling2D(),
            layers.Flatten(),
            layers.Dense(10),
        ]
    )
    network.compile(keras.optimizers.Adam(0.005), "mse", steps_per_execution=10)
    network.fit(x, teacher_logits, batch_size=30, epochs=12, verbose=0)
    return network
    ### END SOLUTION


# %% tags=["check"]
ck.check("compression.train_student", train_student)

# %% [markdown]
# ## One table
#
# Now all that this chapter and 14a made of one network, and the student of the long run, on the same 2,000 test pictures.
# *Agreement* is the share of pictures with the answer of the original. **Guess:** which version is the smallest, which the
# fastest, which one answers least like the original?

# %%
small = keras.saving.load_model(report["files"]["small_models_student.keras"])
shrink = {"optimizations": [tf.lite.Optimize.DEFAULT]}


def representative():
    return ([picture[None]] for picture in x_train[:200])


def in_batches(model):
    run = Engine(model, 500)
    return np.concatenate([run(x_test[start : start + 500]) for start in range(0, len(x_test), 500)])


# %%
files = {
    "LiteRT": as_float,
    "LiteRT, dynamic int8": export(teacher, **shrink),
    "LiteRT, full int8": export(teacher, representative_dataset=representative, **shrink),
    "pruned to 10 %, zipped": pruned_float,
    "distilled": export(small),
    "distilled, full int8": export(small, representative_dataset=representative, **shrink),
}
rows = {}
for name, path in {".keras with optimizer": original, ".keras without": bare}.items():
    rows[name] = path.stat().st_size, milliseconds(teacher.predict_on_batch), logits
for name, model in files.items():
    size = pruned_zipped if "zipped" in name else len(model)
    rows[name] = size, milliseconds(Engine(model, 1, fast=True)), in_batches(model)

many = {name: [] for name in ["Keras", "LiteRT"]}  # milliseconds for each picture, by pictures in a call
for count in [1, 8, 64, 256]:
    engine = Engine(as_float, count, fast=True)
    for name, answer in [("Keras", teacher.predict_on_batch), ("LiteRT", engine)]:
        many[name].append(milliseconds(answer, 10, count) / count)

# %%
print(f"{'':26} kilobytes  accuracy lost   agreement")
for name, (size, _, outputs) in rows.items():
    kilobytes = f"{size / 1_000:9.0f}" if size < 1e5 else f"{round(size / 1e4) * 10:9,}"
    lost, agrees = accuracy(logits) - accuracy(outputs), agreement(outputs)
    bound, least = (1 if lost < 1 else 4), (99 if agrees > 99 else 90)
    print(f"{name:26} {kilobytes}  below {bound} points  above {least} %")
    assert lost < bound and agrees > least and (bound == 1) == (least == 99)
sizes = {name: row[0] for name, row in rows.items()}
assert sizes["LiteRT"] > 3.5 * sizes["LiteRT, full int8"] and agreement(rows["distilled"][2]) < 95
assert sizes["LiteRT, full int8"] > 1.3 * sizes["pruned to 10 %, zipped"]
assert sizes[".keras with optimizer"] > 95 * sizes["distilled, full int8"]

# %%
figure, axes = plt.subplots(1, 3, figsize=(12, 4), sharey=True)
names = list(rows)[::-1]
axes[0].barh(names, [rows[name][0] / 1_000 for name in names], color="C0")
axes[0].set(title="size", xlabel="file (kB)", ylabel="version")
axes[1].semilogx([rows[name][1] for name in names], names, "D", color="C2")
axes[1].set(title="time on this machine", xlabel="one picture (ms)")
axes[2].plot([accuracy(rows[name][2]) for name in names], names, "o", label="accuracy")
axes[2].plot([agreement(rows[name][2]) for name in names], names, "s", label="agreement")
axes[2].set(title="answers", xlabel="2,000 test pictures (%)", xlim=(85, 101))
axes[2].legend(loc="lower right", fontsize=9)
ck.show(
    figure,
    alt="Eight versions: size falls from 2,560 to 25 kB, one picture takes longer in a call of Keras than in one of LiteRT, "
    "accuracy lies between 89 and 92 %, agreement between 93 and 100 %",
)

# %% [markdown]
# The times in the middle are for **one** picture in a call. A call of Keras goes through Python and much else before it
# computes. So we also ask for more pictures in one call. **Guess:** who is faster with 256?

# %%
figure, axis = plt.subplots(figsize=(7, 3.2))
for (name, values), style in zip(many.items(), ["o-", "s--"], strict=True):
    axis.loglog([1, 8, 64, 256], values, style, label=name)
axis.set(title="The same network on this machine", xlabel="pictures in a call", ylabel="time for each picture (ms)")
axis.set_xticks([1, 8, 64, 256], ["1", "8", "64", "256"])
axis.legend()
ck.show(
    figure,
    alt="Milliseconds for each picture: Keras's curve falls steeply with more pictures in a call, LiteRT's little",
)

# %% [markdown]
# - Nothing is lost when the optimizer goes, nor when LiteRT takes over. What LiteRT saves is the **call**, so it pays for
#   single pictures. With many pictures in a call Keras may be as fast or faster (it uses all cores, our LiteRT one
#   thread): look at your own curves.
# - int8: a quarter of the size, and over 99 of 100 answers stay. Whether it is faster than floats depends on network and
#   processor: look at your own marks.
# - Pruned and zipped it is smaller still, but more answers change, and the work is the same.
# - The student has fewer multiplications by its shape. As int8 it is about a hundredth of the file we began with. Its
#   accuracy is near the teacher's, yet over 5 in 100 answers are others: whoever replaces a model looks at agreement too.
#
# ## Recap
#
# - A `.keras` file in training is three times as large as the network: Adam's two numbers for each parameter.
# - Magnitude pruning: half of this network's weights are hardly missed; with nine tenths away some more training is needed.
#   The zeros make the zipped file smaller; in a file that stores them LiteRT multiplies as often as before.
# - Distillation: the student learns the teacher's probabilities at a temperature. With our one setting it helped with 6,000
#   pictures and not, after six epochs, with 60,000; only the control group with labels alone shows that.
# - Choose by a table: kilobytes, milliseconds, accuracy, agreement.
#
# ### Quiz

# %% tags=["quiz"]
ck.quiz("compression.optimizer")

# %% tags=["quiz"]
ck.quiz("compression.zeros")

# %% tags=["quiz"]
ck.quiz("compression.temperature")

# %% tags=["quiz"]
ck.quiz("compression.fair")

# %% [markdown]
# ### References
#
# - LeCun, Denker, Solla (1989). Optimal brain damage. NIPS 2
# - Han, Pool, Tran, Dally (2015). Learning both weights and connections for efficient neural networks. NIPS 28.
#   arXiv:1506.02626
# - Zhu, Gupta (2017). To prune, or not to prune: exploring the efficacy of pruning for model compression. arXiv:1710.01878
# - Hinton, Vinyals, Dean (2015). Distilling the knowledge in a neural network. arXiv:1503.02531
# - Xiao, Rasul, Vollgraf (2017). Fashion-MNIST: a novel image dataset for benchmarking machine learning algorithms.
#   arXiv:1708.07747
#
# ### What is left to do

# %% tags=["setup"]
ck.progress("compression")
