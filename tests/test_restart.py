"""`ck.restart`: a run of a used model is a run of a new one, bit for bit, and nothing is compiled or traced again."""

import gc
import random
import weakref

import keras
import numpy as np
import pytest
from keras import layers, ops

import coursekit as ck
from coursekit import places

RANDOM = np.random.default_rng(0)
X = RANDOM.normal(2, 3, (50, 6, 4)).astype("float32")  # 50 sequences of 6 steps with 4 features
Y = (X.mean((1, 2)) > 2).astype("int32")
TRACED = []  # one entry each time that Watched.call is traced


class Watched(layers.Layer):
    """Multiplies by a weight that it draws itself, adds noise, and notes each time that Python runs through it."""

    def __init__(self, units, **settings):
        super().__init__(**settings)
        self.units = units
        self.noise = keras.random.SeedGenerator()
        self.scale = self.add_weight(shape=(), initializer="ones")

    def build(self, shape):
        self.matrix = self.add_weight(shape=(shape[-1], self.units), initializer="glorot_uniform")

    def call(self, x, training=False):
        TRACED.append(1)
        z = self.scale * (x @ self.matrix)
        return z + keras.random.normal(ops.shape(z), stddev=0.1, seed=self.noise) if training else z


class Subclassed(keras.Model):
    """Layers and a weight of its own."""

    def __init__(self):
        super().__init__()
        self.temperature = self.add_weight(shape=(), initializer="ones")
        self.inside = [Watched(8), layers.Dropout(0.3)]
        self.out = layers.Dense(2)

    def call(self, x, training=False):
        x = layers.Flatten()(x)
        for layer in self.inside:
            x = layer(x, training=training)
        return self.out(x) / self.temperature


class Drawn(keras.Initializer):
    """An initializer of a learner's: no get_config, numbers from the generator that all share."""

    def __init__(self, width):
        self.width = width

    def __call__(self, shape, dtype=None):
        return self.width * keras.random.normal(shape, dtype=dtype)


def network(*inside):
    return keras.Sequential([keras.Input((6, 4)), *inside, layers.Flatten(), layers.Dense(2)])


def functional():
    inputs = keras.Input((6, 4))
    shared = layers.Dense(4, "tanh")
    x = layers.Add()([shared(inputs), shared(shared(inputs))])  # one layer in three places
    nested = keras.Sequential([layers.Dense(5, "relu"), keras.Sequential([layers.Dense(4), layers.Dropout(0.2)])])
    return keras.Model(inputs, layers.Dense(2)(layers.Flatten()(nested(x))))


def attention():
    inputs = keras.Input((6, 4))
    x = layers.MultiHeadAttention(2, 3, dropout=0.2)(inputs, inputs)
    return keras.Model(inputs, layers.Dense(2)(layers.GlobalAveragePooling1D()(layers.LayerNormalization()(x))))


def stateful():
    inside = [layers.GRU(3, stateful=True, return_sequences=True), layers.LSTM(3, stateful=True)]
    return keras.Sequential([keras.Input(batch_shape=(25, 6, 4)), *inside, layers.Dense(2)])


def one_generator():
    seed = keras.random.SeedGenerator(5)
    start = keras.initializers.RandomNormal(seed=seed)
    return network(layers.Dense(4, kernel_initializer=start), layers.Dense(4, kernel_initializer=start))


def one_initializer():
    start = keras.initializers.HeNormal()
    return network(layers.Dense(4, kernel_initializer=start), layers.Dense(4, kernel_initializer=start))


NETWORKS = {
    "functional, shared, nested": functional,
    "subclassed": Subclassed,
    "own layer": lambda: network(Watched(8)),
    "dropout": lambda: network(layers.Dropout(0.3), layers.Dense(8, "relu"), layers.Dropout(0.3, seed=3)),
    "batch normalisation": lambda: network(layers.Dense(8), layers.BatchNormalization()),
    "convolution": lambda: network(layers.Conv1D(8, 3), layers.SeparableConv1D(4, 2), layers.PReLU()),
    "GRU": lambda: network(layers.GRU(5, return_sequences=True, dropout=0.2, recurrent_dropout=0.2)),
    "LSTM": lambda: network(layers.Bidirectional(layers.LSTM(5, bias_initializer="random_normal"))),
    "LSTM cells": lambda: network(layers.RNN([layers.LSTMCell(5, dropout=0.2), layers.SimpleRNNCell(3)])),
    "stateful": stateful,
    "attention": attention,
    "augmentation": lambda: network(layers.Reshape((6, 4, 1)), layers.RandomFlip(), layers.GaussianNoise(0.5)),
    "wrapped": lambda: network(layers.TimeDistributed(layers.Dense(3)), layers.SpectralNormalization(layers.Dense(3))),
    "one generator": one_generator,
    "one initializer": one_initializer,
    "initializer of a learner's": lambda: network(layers.Dense(8, kernel_initializer=Drawn(0.3))),
    "functions": lambda: network(
        layers.Dense(8, activation=lambda z: z * z, kernel_initializer=lambda shape, dtype: keras.random.normal(shape))
    ),
}
OPTIMIZERS = {
    "SGD": lambda: keras.optimizers.SGD(0.05),
    "momentum": lambda: keras.optimizers.SGD(0.05, momentum=0.9, nesterov=True),
    "Adam": lambda: keras.optimizers.Adam(0.01, amsgrad=True),
    "AdamW": lambda: keras.optimizers.AdamW(0.01, weight_decay=0.1),
    "Adagrad": lambda: keras.optimizers.Adagrad(0.05),
    "Nadam": lambda: keras.optimizers.Nadam(0.01),
    "average": lambda: keras.optimizers.Adam(0.01, use_ema=True, gradient_accumulation_steps=2),
    "scaled": lambda: keras.optimizers.LossScaleOptimizer(keras.optimizers.Adam(0.01), dynamic_growth_steps=2),
    "schedule": lambda: keras.optimizers.SGD(keras.optimizers.schedules.CosineDecay(0.1, 12)),
    "schedule without settings": lambda: keras.optimizers.Adam(Falling()),
    "function": lambda: keras.optimizers.SGD(lambda: 0.03),
    "from scratch": lambda: Signs(0.01),
}


class Falling(keras.optimizers.schedules.LearningRateSchedule):
    def __call__(self, step):
        return 0.1 / (1 + ops.cast(step, "float32"))


class Signs(keras.optimizers.Optimizer):
    """An optimizer of a learner's, without get_config, whose memory does not begin at zero."""

    def __init__(self, learning_rate=0.1, share=0.9):
        super().__init__(learning_rate)
        self.share = share

    def build(self, variables):
        super().build(variables)
        self.memory = self.add_optimizer_variables(variables, "memory", initializer="ones")

    def update_step(self, gradient, variable, learning_rate):
        memory = self.memory[self._get_variable_index(variable)]
        self.assign(memory, self.share * memory + (1 - self.share) * gradient)
        self.assign_sub(variable, learning_rate * ops.sign(memory))


def compiled(model, optimizer="adam"):
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile(optimizer, loss, metrics=["accuracy"])
    if not model.built:
        model(X[:25])
    return model


def run(model, epochs=2, **settings):
    """Train; returns the losses and accuracies of the epochs, and all weights at the end."""
    history = model.fit(X, Y, batch_size=25, epochs=epochs, verbose=0, **settings).history
    return list(history.values()), model.get_weights()


def same(first, second):
    (losses, weights), (other_losses, other_weights) = first, second
    return losses == other_losses and all(map(np.array_equal, weights, other_weights))


def draw_some_numbers():
    random.random()
    np.random.normal(size=3)
    keras.random.normal((3,))


def assert_a_restart_is_a_new_model(build):
    """A model that was trained, restarted as 7 and trained, and a new one, both restarted as 3: the same."""
    old = build()
    run(old, 1)
    ck.restart(old, 7)
    other = run(old)
    draw_some_numbers()
    ck.restart(old, 3)
    again = run(old)
    new = build()
    draw_some_numbers()
    draw_some_numbers()
    ck.restart(new, 3)
    assert same(again, run(new))
    assert not same(again, other)


@pytest.mark.parametrize("kind", NETWORKS)
def test_a_restarted_network_is_a_new_one(kind):
    assert_a_restart_is_a_new_model(lambda: compiled(NETWORKS[kind]()))


@pytest.mark.parametrize("kind", OPTIMIZERS)
def test_a_restarted_optimizer_is_a_new_one(kind):
    assert_a_restart_is_a_new_model(lambda: compiled(network(layers.Dense(8, "tanh")), OPTIMIZERS[kind]()))


@pytest.mark.parametrize("kind", NETWORKS)
def test_weights_are_drawn_as_when_the_layer_was_built(kind):
    """Constants such as ones and unit forget biases are there again, and what is drawn has its old size."""
    keras.utils.set_random_seed(0)
    model = compiled(NETWORKS[kind]())
    built = model.get_weights()
    ck.restart(model, 1)
    for before, variable in zip(built, model.weights, strict=True):
        now = variable.numpy()
        if set(np.unique(before)) <= {0, 1}:
            assert np.array_equal(now, before), variable.path
        else:
            assert 0.3 < (np.linalg.norm(now) + 0.1) / (np.linalg.norm(before) + 0.1) < 3, variable.path
            fixed = kind == "one generator" and "dense" in variable.path and now.shape == (4, 4)
            assert fixed or not np.array_equal(now, before), variable.path


def test_no_two_layers_and_no_two_seeds_draw_the_same():
    for build in (one_generator, one_initializer):
        model = compiled(build())
        ck.restart(model, 0)
        first, second = (layer.kernel.numpy() for layer in model.layers[:2])
        assert not np.array_equal(first, second)


def test_a_fixed_seed_of_an_initializer_stays():
    model = compiled(network(layers.Dense(4, kernel_initializer=keras.initializers.HeNormal(seed=7))))
    fixed, free = model.layers[0].kernel.numpy(), model.layers[-1].kernel.numpy()
    ck.restart(model, 1)
    assert np.array_equal(model.layers[0].kernel, fixed)
    assert not np.array_equal(model.layers[-1].kernel, free)


def test_recurrent_weights_are_orthogonal_again_and_the_forget_gate_is_open():
    model = compiled(network(layers.LSTM(4)))
    run(model)
    ck.restart(model, 2)
    _, recurrent, bias = model.layers[0].get_weights()
    np.testing.assert_allclose(recurrent @ recurrent.T, np.eye(4), atol=1e-5)
    assert np.array_equal(bias, [0] * 4 + [1] * 4 + [0] * 8)


def test_moving_statistics_metrics_and_the_optimizers_memory_begin_anew():
    model = compiled(network(layers.BatchNormalization()))
    run(model)
    assert model.optimizer.iterations == 4
    ck.restart(model, 0)
    _, _, mean, variance = model.layers[0].get_weights()
    assert not mean.any()
    assert np.array_equal(variance, np.ones(4))
    assert not any(ops.any(metric != 0) for metric in model.metrics_variables)
    assert not any(np.any(v) for v in model.optimizer.variables if v.name != "learning_rate")


def test_what_was_adapted_stays():
    normal, words = layers.Normalization(), layers.TextVectorization(output_mode="count")
    normal.adapt(X)
    words.adapt(["a small step", "a step"])
    text = keras.Input((), dtype="string")
    vector = keras.Input((6, 4))
    hidden = layers.Concatenate()([layers.Flatten()(normal(vector)), layers.Dense(2)(words(text))])
    model = keras.Model([vector, text], layers.Dense(2)(hidden))
    compiled(model)
    before = [normal.mean.numpy(), normal.variance.numpy(), words.get_vocabulary()]
    texts = ops.convert_to_tensor(["a step", "small"] * 25)
    for _ in range(2):
        ck.restart(model, 0)
        model.fit([X, texts], Y, verbose=0)
    assert np.array_equal(normal.mean, before[0])
    assert np.array_equal(normal.variance, before[1])
    assert np.abs(before[0]).max() > 1
    assert words.get_vocabulary() == before[2]


def test_nothing_is_compiled_or_traced_again():
    model = compiled(network(Watched(8)))
    ck.restart(model, 0)
    run(model)
    step, optimizer = model.train_function, model.optimizer
    TRACED.clear()
    for seed in range(3):
        ck.restart(model, seed)
        assert not TRACED
        run(model)
    assert not TRACED
    assert (model.train_function, model.optimizer) == (step, optimizer)


def test_the_first_rate_is_remembered():
    model = compiled(network(), keras.optimizers.Adam(0.01))
    ck.restart(model, 0)
    model.optimizer.learning_rate = 0.5
    ck.restart(model, 0)
    assert float(model.optimizer.learning_rate) == np.float32(0.01)
    reduce = keras.callbacks.ReduceLROnPlateau("loss", patience=0, min_delta=100)
    first = run(model, 3, callbacks=[reduce])
    assert float(model.optimizer.learning_rate) < 0.005
    ck.restart(model, 0)
    reduce = keras.callbacks.ReduceLROnPlateau("loss", patience=0, min_delta=100)
    assert same(first, run(model, 3, callbacks=[reduce]))
    model.compile(keras.optimizers.Adam(0.2), "mse")  # another optimizer has a rate of its own
    ck.restart(model, 0)
    assert float(model.optimizer.learning_rate) == np.float32(0.2)


def saved(tmp_path):
    """A trained model in a file, beside its weights in another."""
    model = compiled(network(layers.Dense(4)))
    run(model)
    model.save(tmp_path / "model.keras")
    model.save_weights(tmp_path / "model.weights.h5")
    return tmp_path


def from_weights(folder):
    model = compiled(network(layers.Dense(4)))
    model.load_weights(folder / "model.weights.h5")
    return model


def from_arrays(folder):
    model = compiled(network(layers.Dense(4)))
    model.set_weights(keras.saving.load_model(folder / "model.keras").get_weights())
    return model


def from_arrays_after_a_restart(folder):
    model = compiled(network(layers.Dense(4)))
    ck.restart(model, 0)
    model.set_weights(keras.saving.load_model(folder / "model.keras").get_weights())
    return model


def compiled_again(folder):
    return compiled(keras.saving.load_model(folder / "model.keras"))


def frozen_and_trained(folder):
    base = keras.saving.load_model(folder / "model.keras")
    base.trainable = False
    model = compiled(network(base.layers[0]))
    run(model)
    return model


LOADED = {
    "load_model": lambda folder: keras.saving.load_model(folder / "model.keras"),
    "load_weights": from_weights,
    "set_weights": from_arrays,
    "set_weights after a restart": from_arrays_after_a_restart,
    "compiled again": compiled_again,
    "frozen": frozen_and_trained,
    "one matrix": lambda _: compiled(
        keras.Sequential([keras.Input((6,)), layers.Embedding(3, 2, weights=[np.ones((3, 2))]), layers.Dense(2)])
    ),
}


@pytest.mark.parametrize("how", LOADED)
def test_loaded_weights_are_refused(how, tmp_path):
    model = LOADED[how](saved(tmp_path))
    before = model.get_weights()
    with pytest.raises(places.CourseError, match="loaded or set, and a restart would throw them away"):
        ck.restart(model, 0)
    assert all(map(np.array_equal, model.get_weights(), before))


def test_what_a_training_did_is_not_taken_for_loading():
    model = compiled(network(layers.Dense(4)))
    best = keras.callbacks.EarlyStopping("loss", patience=0, min_delta=100, restore_best_weights=True)
    run(model, callbacks=[best])
    for optimizer in ("sgd", "adam"):
        compiled(model, optimizer)
        ck.restart(model, 0)
        run(model, callbacks=[best])
    ck.restart(model, 1)
    ck.restart(model, 2)
    model.train_on_batch(X, Y)
    ck.restart(model, 3)
    kept = model.get_weights()
    run(model)
    model.set_weights(kept)
    ck.restart(model, 3)
    assert all(map(np.array_equal, model.get_weights(), kept))


def test_statistics_that_moved_are_not_taken_for_loading():
    model = compiled(network(layers.BatchNormalization(), layers.Dropout(0.5)))
    for seed in range(2):
        model(X, training=True)
        ck.restart(model, seed)


class Closed(layers.Layer):
    """Keeps what it was given under another name, so that nobody can make a second one."""

    def __init__(self, start):
        super().__init__()
        self._start = start
        self.bias = self.add_weight(shape=(), initializer=start)

    def call(self, x):
        return x + self.bias


def test_what_cannot_be_restarted_is_one_sentence():
    unbuilt = keras.Sequential([layers.Dense(2)])
    unbuilt.compile("sgd", "mse")
    closed = compiled(network(Closed(keras.initializers.Ones())))
    before = closed.get_weights()
    for model, seed, sentence in [
        (network(), 0, "call its compile"),
        ("model", 0, "takes a compiled Keras model"),
        (unbuilt, 0, "has no weights yet"),
        (compiled(network()), -1, "a whole number from 0 on, not -1"),
        (compiled(network()), 0.5, "a whole number from 0 on, not 0.5"),
        (closed, 0, "its class Closed needs a get_config"),
    ]:
        with pytest.raises(places.CourseError, match=sentence):
            ck.restart(model, seed)
    assert all(map(np.array_equal, closed.get_weights(), before))


def test_a_layer_is_made_anew_from_its_attributes():
    class Open(Closed):
        def __init__(self, start):
            super().__init__(start)
            self.start = start

    assert_a_restart_is_a_new_model(lambda: compiled(network(Open(keras.initializers.RandomNormal()))))


def test_a_model_that_is_gone_is_forgotten():
    model = compiled(network())
    ck.restart(model, 0)
    run(model, 1)
    gone = weakref.ref(model)
    del model
    keras.backend.clear_session()
    gc.collect()
    assert gone() is None
