"""Other right answers, and wrong ones with a piece of the message that each must get, for chapter 08b."""

import keras
import numpy as np
import tensorflow as tf
from keras import layers, ops


def _by_layers(channels, filters, kernel):
    network = keras.Sequential([keras.Input((16, 16, channels))])
    for number in filters:
        network.add(layers.Conv2D(number, kernel))
    return network.count_params()


def _size_recursive(size, steps):
    if not steps:
        return size
    kind, width = steps[0]
    next_size = {"same": size, "valid": size + 1 - width, "pool": int(size / width)}[kind]
    return _size_recursive(next_size, steps[1:])


def _size(valid=1, up=False, same=0):
    def map_size(size, steps):
        for kind, width in steps:
            if kind == "pool":
                size = (size + width - 1) // width if up else size // width
            elif kind == "valid":
                size = size - width + valid
            else:
                size = size - same * (width - 1)
        return size

    return map_size


def _convolve(x, activation=None, filters=None, padding="same", kernel=3, **options):
    return layers.Conv2D(filters or x.shape[-1], kernel, padding=padding, activation=activation, **options)(x)


def _block(between="relu", before=None, add=True, last=True, **options):
    def residual_block(x):
        change = _convolve(_convolve(x, between, **options), before, **options)
        y = layers.Add()([x, change]) if add else change
        return layers.ReLU()(y) if last else y

    return residual_block


def _block_with_ops(x):
    inner = keras.Sequential(
        [
            layers.Conv2D(x.shape[-1], (3, 3), padding="same"),
            layers.ReLU(),
            layers.Conv2D(x.shape[-1], 3, padding="same"),
        ]
    )
    return ops.relu(inner(x) + x)


def _block_second_first(x):
    second = layers.Conv2D(x.shape[-1], 3, padding="same")
    first = layers.Conv2D(x.shape[-1], 3, padding="same")
    return keras.activations.relu(layers.add([second(keras.activations.relu(first(x))), x]))


def _shift_with_tf(predict, x, y, columns):
    moved = tf.pad(tf.cast(x, "float32"), [[0, 0], [0, 0], [columns, 0]])[:, :, : x.shape[2]]
    return tf.reduce_mean(tf.cast(tf.equal(tf.argmax(predict(moved), axis=-1), y), "float32"))


def _shift_by_roll(predict, x, y, columns):
    moved = np.roll(x.astype("float32"), columns, axis=-1)
    moved[..., :columns] = 0
    return sum(predict(moved).argmax(axis=-1) == y) / len(y)


def _shift_wrong(move, scale=1):
    return lambda predict, x, y, columns: scale * np.mean(predict(move(x, columns)).argmax(axis=-1) == y)


def _convnet(network, rate=3e-3, epochs=10, batch=30):
    def train_convnet(x, y):
        keras.utils.set_random_seed(0)
        built = network()
        built.compile(keras.optimizers.Adam(rate), keras.losses.SparseCategoricalCrossentropy(from_logits=True))
        if epochs:
            built.fit(x, y, batch_size=batch, epochs=epochs, verbose=0)
        return built

    return train_convnet


def _stack(filters=(8, 16), head=layers.Flatten, last=None, outputs=10):
    def build():
        network = keras.Sequential([keras.Input((28, 28, 1))])
        for number in filters:
            network.add(layers.Conv2D(number, 3, activation="relu"))
            network.add(layers.MaxPooling2D())
        network.add(head())
        network.add(layers.Dense(outputs, last))
        return network

    return build


def _functional():
    inputs = keras.Input((28, 28, 1))
    x = layers.MaxPooling2D(2)(layers.Conv2D(8, 5, activation="relu")(inputs))
    x = layers.AveragePooling2D(4)(layers.Conv2D(12, 3, activation="relu")(x))
    return keras.Model(inputs, layers.Dense(10)(layers.Flatten()(x)))


def _dense():
    return keras.Sequential([keras.Input((28, 28, 1)), layers.Flatten(), layers.Dense(6, "relu"), layers.Dense(10)])


RIGHT = {
    "stack_parameters": [
        _by_layers,
        lambda channels, filters, kernel: int(
            np.dot(np.array([channels, *filters[:-1]]) * kernel**2 + 1, np.array(filters))
        ),
    ],
    "map_size": [_size_recursive, _size()],
    "global_average": [
        lambda maps: layers.GlobalAveragePooling2D()(maps),
        lambda maps: tf.reduce_mean(tf.cast(maps, "float32"), axis=[1, 2]),
        lambda maps: ops.mean(ops.mean(maps, axis=1), axis=1),
    ],
    "residual_block": [_block_with_ops, _block_second_first],
    "shifted_accuracy": [_shift_with_tf, _shift_by_roll],
    "train_convnet": [_convnet(_functional), _convnet(_stack(), rate=2e-3, batch=20)],
}

WRONG = {
    "stack_parameters": [
        (lambda c, f, k: sum(k * k * a * b for a, b in zip([c, *f], f, strict=False)), "biases were left out"),
        (lambda c, f, k: sum((k * k + 1) * n for n in f), "saw one channel only"),
        (lambda c, f, k: sum((k * k * c + 1) * n for n in f), "saw the picture"),
        (lambda c, f, k: sum(k * a * b + b for a, b in zip([c, *f], f, strict=False)), "counted once"),
        (lambda c, f, k: (k * k * c + 1) * f, "raised|expected"),
    ],
    "map_size": [
        (_size(valid=0), "size − k was taken"),
        (_size(same=1), "made the map smaller"),
        (_size(up=True), "rounded up"),
        (lambda size, steps: size, "expected"),
        (lambda size, steps: print(size), "Is a `return` missing?"),
    ],
    "global_average": [
        (lambda maps: maps.sum(axis=(1, 2)), "sum was taken"),
        (lambda maps: maps.max(axis=(1, 2)), "maximum was taken"),
        (lambda maps: maps.mean(axis=(1, 2, 3)), "ran over the channels too"),
        (lambda maps: maps.mean(axis=(0, 1, 2)), "ran over the examples too"),
        (lambda maps: maps.mean(axis=(1, 2), keepdims=True), "expected the shape"),
    ],
    "residual_block": [
        (_block(add=False), "never added"),
        (_block(add=False, last=False), "neither an addition"),
        (_block(last=False), "last ReLU is missing"),
        (_block(before="relu", last=False), "comes before the addition"),
        (_block(before="relu"), "before the addition and one after"),
        (_block(between=None), "between the two convolutions is missing"),
        (_block(between="tanh"), "look at F"),
        (_block(use_bias=False), "two biases"),
        (_block(kernel=5), "two kernels of shape"),
        (_block(padding="valid"), "raised|expected the same shape"),
        (lambda x: x, "two kernels of shape"),
        (lambda x: print("built"), "Is a `return` missing?"),
    ],
    "shifted_accuracy": [
        (_shift_wrong(lambda x, c: np.roll(x, c, axis=2)), "np.roll"),
        (_shift_wrong(lambda x, c: np.pad(x, ((0, 0), (0, 0), (0, c)))[:, :, c:]), "to the left"),
        (_shift_wrong(lambda x, c: np.pad(x, ((0, 0), (c, 0), (0, 0)))[:, :6]), "moved down"),
        (_shift_wrong(lambda x, c: x), "were not moved"),
        (_shift_wrong(lambda x, c: np.pad(x, ((0, 0), (0, 0), (c, 0)))[:, :, :6], 100), "in percent"),
        (_shift_wrong(lambda x, c: x[:, :, :-c]), "raised|expected"),
    ],
    "train_convnet": [
        (_convnet(_stack((32, 64)), epochs=0), "at most 6,000"),
        (_convnet(_stack(), epochs=0), "trained at all"),
        (_convnet(_stack(last="softmax"), epochs=0), "ten logits were asked for"),
        (_convnet(_stack(outputs=1), epochs=0), "expected outputs of shape"),
        (_convnet(_dense, epochs=0), "convolution kernel"),
        (_convnet(_stack(), rate=1e-5, epochs=1), "trained at all|Train longer"),
        (lambda x, y: print("built"), "Is a `return` missing?"),
    ],
}
