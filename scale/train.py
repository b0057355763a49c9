"""Train a small network on Fashion-MNIST with several workers; the environment variable TF_CONFIG says who they are.

`train` runs unchanged alone, in two processes that scale/run.py starts, under Ray Train (scale/on_ray.py), or on a
cluster. Each worker computes the gradient of its share of each batch; an all-reduce adds the shares up; all workers
make the same step. Every `EVERY` steps they keep a checkpoint, and a run that finds one goes on from there.
"""

import hashlib
import importlib.metadata
import json
import os
import pathlib
import sys
import time

BATCH, EPOCHS, EVERY, RATE, SEED = 240, 3, 125, 1e-3, 0
STEPS_PER_EPOCH = 250  # 60,000 pictures
PACKAGES = ("tensorflow-cpu", "keras", "numpy", "ray")


def rows_of(step, rank, workers):
    """Which pictures worker `rank` reads in step `step`, counted over all epochs: a share of the batch, (rows,) int.

    It depends on nothing else, so that a run that comes back in mid-epoch sees what it would have seen.
    """
    import numpy as np

    epoch, place = divmod(step, STEPS_PER_EPOCH)
    order = np.random.default_rng((SEED, epoch)).permutation(BATCH * STEPS_PER_EPOCH)
    return order[place * BATCH :][:BATCH][rank::workers]


def train(config):
    """Train to the end, from the newest checkpoint in `config["folder"]` where there is one.

    config: folder (all workers see it), data (an .npz with x, y, x_test, y_test). Writes `result-RANK.json` into the
    folder, and every few steps `at-RANK`: process id and step. Returns what it wrote.
    """
    os.environ |= {"KERAS_BACKEND": "tensorflow", "TF_CPP_MIN_LOG_LEVEL": "2", "CUDA_VISIBLE_DEVICES": ""}
    import keras
    import numpy as np
    import tensorflow as tf

    tf.config.threading.set_intra_op_parallelism_threads(1)
    strategy = tf.distribute.MultiWorkerMirroredStrategy(  # before any other use of TensorFlow
        communication_options=tf.distribute.experimental.CommunicationOptions(
            implementation=tf.distribute.experimental.CommunicationImplementation.RING
        )
    )
    rank, workers = strategy.cluster_resolver.task_id or 0, strategy.num_replicas_in_sync
    with strategy.scope():
        keras.utils.set_random_seed(SEED)
        network = keras.Sequential(
            [
                keras.Input((784,)),
                keras.layers.Dense(100, "relu"),
                keras.layers.Dense(50, "relu"),
                keras.layers.Dense(10),
            ]
        )
        optimizer = keras.optimizers.Adam(RATE)
        optimizer.build(network.trainable_variables)
        done = tf.Variable(0, trainable=False, dtype="int64")  # steps
    cross_entropy = keras.losses.SparseCategoricalCrossentropy(from_logits=True, reduction=None)

    @tf.function
    def step(x, y):
        def on_this_worker(x, y):
            with tf.GradientTape() as tape:
                loss = tf.reduce_sum(cross_entropy(y, network(x, training=True))) / BATCH  # of the whole batch
            optimizer.apply(tape.gradient(loss, network.trainable_variables), network.trainable_variables)
            return loss

        return strategy.reduce("SUM", strategy.run(on_this_worker, (x, y)), axis=None)

    folder = pathlib.Path(config["folder"])
    kept = tf.train.Checkpoint(network=network, optimizer=optimizer, done=done)
    mine = folder / ("checkpoints" if rank == 0 else f"checkpoints-of-{rank}")  # all must save, one is kept
    manager = tf.train.CheckpointManager(kept, mine, max_to_keep=2)
    newest = tf.train.latest_checkpoint(folder / "checkpoints")
    if newest:
        kept.restore(newest).assert_consumed()
    start, total = int(done.numpy()), EPOCHS * STEPS_PER_EPOCH

    data = np.load(config["data"])
    x, y = data["x"].reshape(-1, 784).astype("float32") / 255, data["y"].astype("int32")
    losses, clocks, wire = [], [], 0
    for number in range(start, total):
        rows = rows_of(number, rank, workers)
        if number == start + 50:  # by now everything is compiled
            wire = -bytes_on_loopback()
        losses.append(float(step(tf.constant(x[rows]), tf.constant(y[rows]))))
        clocks.append(time.perf_counter())
        if number == start + 99:
            wire += bytes_on_loopback()
        if number % 10 == 0:
            write(folder / f"at-{rank}", f"{os.getpid()} {number}")
        if (number + 1) % EVERY == 0:
            done.assign(number + 1)
            manager.save(checkpoint_number=number + 1)

    logits = network(data["x_test"].reshape(-1, 784).astype("float32") / 255).numpy()
    weights = b"".join(weight.numpy().tobytes() for weight in network.weights)
    result = {
        "workers": workers,
        "start": start,
        "steps": total,
        "loss": float(np.mean(losses[-STEPS_PER_EPOCH:])),
        "last_loss": losses[-1],
        "test_loss": float(np.mean(cross_entropy(data["y_test"].astype("int32"), logits))),
        "test_accuracy": float(np.mean(logits.argmax(axis=-1) == data["y_test"])),
        "weights": hashlib.sha256(weights).hexdigest(),
        "parameters": network.count_params(),
        "bytes_a_step": round(wire / 50),
        "milliseconds_a_step": round(1_000 * float(np.median(np.diff(clocks))), 2),
        "versions": {name: importlib.metadata.version(name) for name in PACKAGES},
    }
    write(folder / f"result-{rank}.json", json.dumps(result))
    return result


def bytes_on_loopback():
    """Bytes that went over the loopback device of this network namespace so far."""
    lines = pathlib.Path("/proc/net/dev").read_text().splitlines()
    return next(int(line.split()[9]) for line in lines if line.split()[0] == "lo:")


def write(path, text):
    """Write a small file so that a reader never sees half of it."""
    partial = path.with_name(f"{path.name}.part")
    partial.write_text(text)
    partial.replace(path)


if __name__ == "__main__":
    train(dict(zip(["folder", "data"], sys.argv[1:], strict=True)))
