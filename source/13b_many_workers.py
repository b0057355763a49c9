# ---
# title: Many workers
# promise: You will train with several workers, lose one, end where you would have ended anyway, and plan a training for a thousand.
# built: You trained one network on several workers, went on after one had died, and planned a training for a thousand.
# minutes: 85
# prerequisites: [13a_where_the_time_goes, 12a_large_models]
# data: [fashion_mnist]
# articles: [a0 6, a4 8]
# clinic: []
# topic: scaling
# ---

# %% [markdown]
# **What you will be able to do**
#
# - train with data parallelism (数据并行), by hand and with Keras, and show that it equals one large batch;
# - say what happens when a worker dies, and how often to keep a checkpoint (检查点);
# - count the bytes of an all-reduce (全归约) and the memory of a large model, sharded (分片) or not;
# - plan a training on 1,000 workers on paper, and name its bottleneck (瓶颈).

# %% tags=["setup"]
import coursekit as ck

ck.start()

# %% [markdown]
# ## Two halves of a batch
#
# The gradient of a mean loss is the mean of gradients. So two workers, each with a copy of the network and half of the batch,
# can make one common step: **compute, add up, step.** Worker $r$ of $R$ has $n_r$ of the $n$ rows:
#
# $$ \nabla L = \sum_{r=1}^{R} \frac{n_r}{n} \nabla L_r $$
#
# **Guess:** after ten steps with Adam, how far are the two copies from each other, and from one network that read whole
# batches?

# %%
import json
import os
import subprocess
import sys

import keras
import matplotlib.pyplot as plt
import numpy as np
import tensorflow as tf
from keras import layers

(x, y), _ = ck.data.fashion_mnist(train=1_280, test=10)
x = x.reshape(-1, 784).astype("float32") / 255
loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)


# %%
def new_network():
    keras.utils.set_random_seed(0)
    network = keras.Sequential([keras.Input((784,)), layers.Dense(64, "relu"), layers.Dense(10)])
    network.compile(keras.optimizers.Adam(), loss)
    return network


def gradients(network, rows):
    with tf.GradientTape() as tape:
        value = loss(y[rows], network(x[rows]))
    return tape.gradient(value, network.trainable_weights)


# %%
one, two, whole = new_network(), new_network(), new_network()
for step in range(10):
    rows = np.arange(128 * step, 128 * (step + 1))
    halves = [gradients(one, rows[:64]), gradients(two, rows[64:])]
    mean = [(a + b) / 2 for a, b in zip(*halves, strict=True)]  # the only thing that must be exchanged
    for network in (one, two):
        network.optimizer.apply(mean, network.trainable_weights)
    whole.optimizer.apply(gradients(whole, rows), whole.trainable_weights)


def apart(network, other):
    return max(np.abs(a - b).max() for a, b in zip(network.get_weights(), other.get_weights(), strict=True))


print(f"the copies are equal: {apart(one, two) == 0}; from the whole batch less than 1e-5: {apart(one, whole) < 1e-5}")
print(f"moved since the start by more than 0.005: {apart(one, new_network()) > 0.005}")
assert apart(one, two) == 0 and apart(one, whole) < 1e-5 and apart(one, new_network()) > 0.005

# %% [markdown]
# The copies never exchanged weights. They began equal, got the same gradient, and so stayed equal.
#
# ### Exercise 13b.1 · A share for each worker · ●○○ · 5 minutes
# Write `my_rows(rows, rank, workers)`: the part of the array `rows` that worker `rank` (from 0) of `workers` takes. Together they take
# each row once; no two parts differ by more than one in size.


# %% tags=["exercise"]
def my_rows(rows, rank, workers):
    ### BEGIN SOLUTION
    return rows[rank::workers]
    ### END SOLUTION


# %% tags=["check"]
ck.check("scaling.my_rows", my_rows)

# %% [markdown]
# ### Exercise 13b.2 · Train together · ●●● · 15 minutes
# Write `train_together(networks, loss, x, y, batch, rate)`: one pass over `x` in order, by plain gradient descent with rate `rate`.
# `networks` is a list of two or more equal networks. Each computes on its share of each batch only, all make the same step. The
# last batch may be smaller, and shares need not be equal. Return the list of networks.


# %% tags=["exercise"]
def train_together(networks, loss, x, y, batch, rate):
    ### BEGIN SOLUTION
    for start in range(0, len(x), batch):
        rows = np.arange(start, min(start + batch, len(x)))
        total = 0
        for rank, network in enumerate(networks):
            mine = rows[rank :: len(networks)]
            if len(mine):
                with tf.GradientTape() as tape:
                    value = loss(y[mine], network(x[mine])) * len(mine) / len(rows)
                new = tape.gradient(value, network.trainable_weights)
                total = new if rank == 0 else [a + b for a, b in zip(total, new, strict=True)]
        for network in networks:
            for weight, gradient in zip(network.trainable_weights, total, strict=True):
                weight.assign(weight - rate * gradient)
    return networks
    ### END SOLUTION


# %% tags=["check"]
ck.check("scaling.train_together", train_together)

# %% [markdown]
# ## The same with Keras
#
# `tf.distribute.MirroredStrategy` does this for the devices of one machine, with plain `fit`. Without GPUs we split the CPU
# into two *logical* devices. This must happen before TensorFlow starts, and here it has long started. So a process of its own does
# it:

# %%
PROGRAM = """
import json, keras, numpy as np, tensorflow as tf
import coursekit as ck
cpu = tf.config.list_physical_devices("CPU")[0]
tf.config.set_logical_device_configuration(cpu, [tf.config.LogicalDeviceConfiguration()] * 2)
ck.start()
(x, y), _ = ck.data.fashion_mnist(train=1_280, test=10)
x, ended, replicas = x.reshape(-1, 784).astype("float32") / 255, [], []
for strategy in [tf.distribute.get_strategy(), tf.distribute.MirroredStrategy(["CPU:0", "CPU:1"])]:
    with strategy.scope():
        keras.utils.set_random_seed(0)
        network = keras.Sequential(
            [keras.Input((784,)), keras.layers.Dense(64, "relu"), keras.layers.Dense(10)])
        network.compile("adam", keras.losses.SparseCategoricalCrossentropy(from_logits=True))
    network.fit(x, y, 128, shuffle=False, verbose=0)
    ended.append(np.concatenate([np.ravel(weight) for weight in network.get_weights()]))
    replicas.append(strategy.num_replicas_in_sync)
print(json.dumps({"replicas": replicas, "apart": float(np.abs(ended[0] - ended[1]).max())}))
"""

# %%
environment = os.environ | {"COURSE_DEVICE": "cpu"}
done = subprocess.run([sys.executable, "-c", PROGRAM], capture_output=True, text=True, env=environment)
assert done.returncode == 0, done.stderr[-500:]
said = json.loads(done.stdout.splitlines()[-1])
print(f"replicas: {said['replicas']}; weights differ by less than 1e-5: {said['apart'] < 1e-5}")
assert said["replicas"] == [1, 2] and said["apart"] < 1e-5

# %% [markdown]
# ## Two processes, one killed
#
# `MultiWorkerMirroredStrategy` goes beyond one machine: each worker is a process, and finds the others through an environment
# variable. Keras 3's `fit` does not support it yet (Keras issue 20585), so the training is a loop of our own, `scale/train.py`. Its heart:
#
# ```python
# TF_CONFIG='{"cluster": {"worker": ["127.0.0.1:20001", "127.0.0.1:20002"]}, "task": {"type": "worker", "index": 0}}'
#
# def on_this_worker(x, y):                                   # its share of the batch
#     with tf.GradientTape() as tape:
#         loss = tf.reduce_sum(cross_entropy(y, network(x, training=True))) / BATCH
#     optimizer.apply(tape.gradient(loss, network.trainable_variables), network.trainable_variables)
# ```
#
# `apply` adds the gradients of all workers up. A `CheckpointManager` keeps weights, optimizer **and the step's number**, from which
# follows what is read next.
#
# `make scale` (Linux, some four minutes) runs it alone, in two processes, in two of which one gets `kill -9` in mid-epoch, and under
# Ray Train. **Guess:** what does the other worker do? And where does the training end, compared with the undisturbed one?

# %%
report = ck.data.checkpoint("scale")
runs, versions = report["runs"], report["versions"]
day = np.datetime64(report["date"]).astype(object)
print(f"`{report['command']}`, {day:%d %B %Y},", ", ".join(f"{name} {version}" for name, version in versions.items()))
print("\nrun        workers  killed at  went on from  test loss  weights as undisturbed")
for name, run in runs.items():
    same = run["weights"] == runs["together"]["weights"]
    print(
        f"{name:11}{run['workers']:7}{run.get('killed_at', '–'):>11}{run['start'] or '–':>14}{run['test_loss']:11.6f}  {same}"
    )

# %%
for name in ("killed", "ray"):
    assert abs(runs[name]["test_loss"] - runs["together"]["test_loss"]) < 1e-6
    assert 0 < runs[name]["start"] <= runs[name]["killed_at"] < runs[name]["steps"]
assert abs(runs["alone"]["test_loss"] - runs["together"]["test_loss"]) < 0.01
assert runs["killed"]["other_ended_with"] and runs["killed"]["other_ended_after_seconds"] < 60

# %% [markdown]
# Under this strategy the other worker could not go on alone: a sum of two needs two. It ended with an error within seconds. Both
# were started again, went on from the newest checkpoint, repeated the steps since then, and ended with the loss of the undisturbed
# run. Without the step's number in the checkpoint, reading would have begun again from the first batch.
#
# Ray Train (Moritz et al., 2018) runs the same function. It noticed the loss and started the workers again by itself:
#
# ```python
# TensorflowTrainer(train, train_loop_config=…, scaling_config=ScalingConfig(num_workers=2),
#                   run_config=RunConfig(failure_config=FailureConfig(max_failures=2))).fit()
# ```
#
# ### How often to keep a checkpoint?
#
# Keeping one costs $C$ seconds. Failures come every $M$ seconds on average; each loses half an interval $T$ on average, and the
# time $D$ in which all workers start again and load the checkpoint. Lost share:
#
# $$ \frac{C}{T} + \frac{T/2 + D}{M}, \quad \text{smallest at } T = \sqrt{2\,C\,M} \quad \text{(Young, 1974)} $$
#
# Why: the slope by $T$ is $-C/T^2 + 1/(2M)$, and 0 there. $D$ does not move the best interval, but it is lost all the same.
#
# ### Exercise 13b.3 · How often to save · ●●○ · 7 minutes
# Write `best_interval(save, between, workers)`: the best $T$ in seconds, when one checkpoint costs `save` seconds, **one** worker
# fails every `between` seconds on average, and one failure stops all.


# %% tags=["exercise"]
def best_interval(save, between, workers):
    ### BEGIN SOLUTION
    return np.sqrt(2 * save * between / workers)
    ### END SOLUTION


# %% tags=["check"]
ck.check("scaling.best_interval", best_interval)

# %% [markdown]
# How often do machines fail? Llama 3's training reports 419 unexpected interruptions in 54 days on 16,384 GPUs
# (Grattafiori et al., 2024). Once in three hours for all, but for one worker:

# %%
HOUR = 3_600
between = 54 * 24 * HOUR * 16_384 / 419  # seconds between failures of one worker
save, again = 60.0, 300.0  # seconds to keep a checkpoint, and to start all workers again: assumed
print(f"one worker fails every {between / HOUR / 24 / 365:.1f} years")

# %%
intervals = np.geomspace(60, 100 * HOUR, 200)
figure, axis = plt.subplots(figsize=(8, 3.6))
best = {}
for workers in [8, 1_000, 16_384]:
    lost = save / intervals + (intervals / 2 + again) * workers / between
    best[workers] = intervals[np.argmin(lost)], lost.min()
    axis.loglog(intervals / HOUR, 100 * lost, label=f"{workers:,} workers")
    print(
        f"{workers:6,} workers: best {best[workers][0] / HOUR:5.1f} h, then {100 * lost.min():.1f} % of the time are lost,",
        end=" ",
    )
    print(f"{100 * again * workers / between:.1f} points of it in starting again")
axis.set(
    title="Checkpoints too often, too seldom",
    xlabel="hours between checkpoints",
    ylabel="time lost (%)",
    ylim=(0.1, 100),
)
axis.legend()
ck.show(
    figure, alt="Time lost over the interval: a valley for each number of workers, deeper and further right for few"
)
assert all(np.isclose(t, np.sqrt(2 * save * between / n), rtol=0.05) for n, (t, _) in best.items())

# %% [markdown]
# ## The bytes of an all-reduce
#
# Adding up at one worker would drown it. In a *ring* (Patarasuk, Yuan, 2009) each of $R$ workers cuts its gradient into $R$ pieces.
# $R-1$ times it sends one piece to its right neighbour, which adds its own: then each worker owns one complete piece. $R-1$ more
# times the complete pieces go round.


# %%
def ring_all_reduce(vectors):
    """The sum of the workers' vectors at each of them, and the bytes that each one sent."""
    workers = len(vectors)
    pieces = [np.array_split(vector.copy(), workers) for vector in vectors]
    sent = np.zeros(workers)
    for phase in ("add", "replace"):
        for step in range(workers - 1):
            first = 0 if phase == "add" else 1
            which = [(rank + first - step) % workers for rank in range(workers)]
            moving = [pieces[rank][which[rank]].copy() for rank in range(workers)]  # all send at once
            for rank, piece in enumerate(moving):
                right = (rank + 1) % workers
                pieces[right][which[rank]] = piece + (pieces[right][which[rank]] if phase == "add" else 0)
                sent[rank] += piece.nbytes
    return [np.concatenate(each) for each in pieces], sent


# %%
vectors = np.random.default_rng(0).normal(size=(5, 1_000))
sums, sent = ring_all_reduce(list(vectors))
assert all(np.allclose(each, vectors.sum(axis=0)) for each in sums)
assert np.allclose(sent, 2 * (5 - 1) / 5 * vectors[0].nbytes)
print(f"5 workers, {vectors[0].nbytes:,} bytes each: each sends {sent[0]:,.0f}")

# %% [markdown]
# ### Exercise 13b.4 · Bytes around the ring · ●○○ · 5 minutes
# Write `ring_bytes(parameters, bytes_each, workers)`: the bytes that **one** worker sends in a ring all-reduce of its gradient. One
# worker alone sends nothing.


# %% tags=["exercise"]
def ring_bytes(parameters, bytes_each, workers):
    ### BEGIN SOLUTION
    return 2 * (workers - 1) / workers * parameters * bytes_each
    ### END SOLUTION


# %% tags=["check"]
ck.check("scaling.ring_bytes", ring_bytes)

# %% [markdown]
# Does TensorFlow send as many? `make scale` counted the bytes on the network device for 50 steps:

# %%
run = runs["together"]
formula = 2 * 2 * (2 - 1) / 2 * 4 * run["parameters"]  # two workers, float32
print(f"{run['parameters']:,} parameters: by the formula {formula:,.0f} bytes a step, measured {run['bytes_a_step']:,}")
print(
    f"milliseconds a step: alone {runs['alone']['milliseconds_a_step']:.1f}, two workers {run['milliseconds_a_step']:.1f}"
)
assert 1 <= run["bytes_a_step"] / formula < 1.03
assert run["milliseconds_a_step"] > runs["alone"]["milliseconds_a_step"]

# %% [markdown]
# Within 3 % of the formula; headers of the messages are part of the rest. And two workers on this machine were **slower** than one:
# they share two cores, and the step is so short that talking takes longer than computing. One run, on one machine: with longer
# steps and cores of their own it turns.
#
# ## When does it pay?
#
# A step that takes $t$ seconds on one worker takes $t/R$ on $R$, plus the ring. With a bandwidth of $B$ bytes a second and $P$ bytes
# of gradient, that is $2\frac{R-1}{R}\frac{P}{B}$, hardly dependent on $R$: a part that does not shrink. Amdahl (1967): if a share
# $s$ of the work does not shrink, the speed-up is
#
# $$ S(R) = \frac{1}{s + (1 - s)/R} < \frac{1}{s} $$
#
# ### Exercise 13b.5 · Amdahl's speed-up · ●○○ · 4 minutes
# Write `speed_up(serial, workers)` after Amdahl.


# %% tags=["exercise"]
def speed_up(serial, workers):
    ### BEGIN SOLUTION
    return 1 / (serial + (1 - serial) / workers)
    ### END SOLUTION


# %% tags=["check"]
ck.check("scaling.speed_up", speed_up)

# %% [markdown]
# Our example from here on: 7 billion parameters, 4.2 million tokens a step. $6ND$ operations (chapter 12a), devices with the data
# sheet of an A100 (312 TFLOP/s, of which we assume 40 %), gradients in bfloat16. **Guess** the speed-up of 1,000 workers with a
# network of 10 Gbit/s, and with 400.

# %%
N, TOKENS, FLOPS = 7e9, 2_048 * 2_048, 312e12 * 0.4
alone = 6 * N * TOKENS / FLOPS  # seconds a step on one device, were its memory large enough
workers = np.unique(np.geomspace(1, 4_096, 60).round())
speed = {}
figure, axis = plt.subplots(figsize=(8, 3.8))
for gigabit, mark in [(400, "-"), (10, "--")]:
    ring = 2 * (workers - 1) / workers * 2 * N / (gigabit * 1e9 / 8)
    axis.loglog(workers, alone / (alone / workers + ring), mark, label=f"{gigabit} Gbit/s")
    exchange = 2 * 0.999 * 2 * N / (gigabit * 1e9 / 8)
    speed[gigabit] = alone / (alone / 1_000 + exchange)
    print(
        f"{gigabit:3} Gbit/s, 1,000 workers: compute {alone / 1_000:.1f} s, exchange {exchange:5.2f} s: {speed[gigabit]:3.0f} times faster"
    )
axis.loglog(workers, workers, ":", color="black", label="ideal")
axis.set(title="The same batch on more workers", xlabel="workers", ylabel="times faster")
axis.legend()
ck.show(
    figure, alt="Speed-up over workers: both curves follow the ideal line at first and flatten, the slow network first"
)
assert speed[10] < 70 and 650 < speed[400] < 800

# %% [markdown]
# With 10 Gbit/s a thousand devices do the work of sixty, by this arithmetic: **there the network is the bottleneck**. It counts the
# exchange as if nothing else went on meanwhile. Frameworks soften that: they exchange the last layers' gradients while the first
# are still computed.
#
# ## The memory of 7 billion parameters
#
# With mixed precision and Adam a parameter takes 16 bytes: weight 2, gradient 2, and in float32 the weight's copy and two moments,
# 12. Activations come on top: about $34\,s\,b\,d$ bytes a layer for $b$ texts of $s$ tokens and width $d$, when attention's weights
# are not kept (Korthikanti et al., 2023).

# %%
state = {"weights": 2 * N, "gradients": 2 * N, "optimizer": 12 * N}
texts = round(TOKENS / 1_000 / 2_048)  # of 2,048 tokens for each of 1,000 workers
activations = 32 * 34 * 2_048 * texts * 4_096  # 32 layers of width 4,096
for name, size in (state | {"activations": activations}).items():
    print(f"{name:12}{size / 1e9:6.1f} GB")
total = sum(state.values()) + activations
print(f"with {texts} texts a worker together {total / 1e9:.0f} GB; a device of our example has 80 GB")
assert sum(state.values()) == 16 * N == 112e9 and total > 80e9 and texts == 2

# %% [markdown]
# It does not fit, and with data parallelism each of 1,000 workers holds the same 112 GB. ZeRO (Rajbhandari et al., 2020) lets each
# keep only its part: stage 1 splits the optimizer's 12 bytes, stage 2 also the gradients, stage 3 also the weights, which must
# then be sent round when needed (half as many bytes again).
#
# Two other ways split the *network* in place of its copies: each matrix (tensor parallelism, 张量并行), or the layers, one after
# the other (pipeline parallelism, 流水线并行). Large trainings join all three (Grattafiori et al., 2024). They are not shown here.
#
# ### Exercise 13b.6 · The memory of one worker · ●●○ · 7 minutes
# Write `bytes_a_worker(parameters, workers, stage)` for stages 0 (nothing split) to 3, without activations.


# %% tags=["exercise"]
def bytes_a_worker(parameters, workers, stage):
    ### BEGIN SOLUTION
    parts = [(12, 1), (2, 2), (2, 3)]  # bytes, and the stage from which on they are split
    return parameters * sum(size / workers if stage >= first else size for size, first in parts)
    ### END SOLUTION


# %% tags=["check"]
ck.check("scaling.bytes_a_worker", bytes_a_worker)

# %%
held = {}  # bytes of weights, gradients, optimizer, activations on each of 1,000 workers
for stage, name in enumerate(["nothing split", "ZeRO 1", "ZeRO 2", "ZeRO 3"]):
    split_from = {"weights": 3, "gradients": 2, "optimizer": 1}
    held[name] = [size / (1_000 if stage >= split_from[part] else 1) for part, size in state.items()] + [activations]

figure, axis = plt.subplots(figsize=(8, 3))
left = np.zeros(4)
for number, part in enumerate([*state, "activations"]):
    sizes = np.array([row[number] / 1e9 for row in held.values()])
    axis.barh(list(held), sizes, left=left, label=part)
    left += sizes
axis.axvline(80, color="black", linestyle="--", label="a device of 80 GB")
axis.invert_yaxis()
axis.set(title="7 billion parameters on each of 1,000 workers", xlabel="memory (GB)", ylabel="what is split")
axis.legend(fontsize=8)
ck.show(figure, alt="Memory of a worker: 130 GB when nothing is split, 46 with ZeRO 1, 32 with ZeRO 2, 18 with ZeRO 3")
print("GB a worker:", dict(zip(held, left.round().astype(int).tolist(), strict=True)))
assert left[0] > 80 > left[1] and left.round().tolist() == [130, 46, 32, 18]

# %% [markdown]
# ## A plan for 1,000 workers
#
# 7 billion parameters, 140 billion tokens (20 a parameter, chapter 12a), ZeRO 1, 400 Gbit/s. All of it arithmetic:

# %%
steps = 140e9 / TOKENS
compute = 6 * N * TOKENS / 1_000 / FLOPS
exchange = 2 * 0.999 * 2 * N / 50e9  # 400 Gbit/s are 50 GB/s; nothing overlaps
latency = 2 * 999 * 10e-6  # 10 microseconds a message: assumed
checkpoints = best[1_000][1] / (1 - best[1_000][1]) * (compute + exchange + latency)
loading = TOKENS / 1_000 * 4 / 100e6  # 4 bytes a token, 100 MB/s from the store for each worker: assumed
parts = {"compute": compute, "exchange": exchange, "ring latency": latency, "failures": checkpoints}
for name, seconds in (parts | {"loading (hidden)": loading}).items():
    print(f"{name:17}{1_000 * seconds:7.1f} ms a step")
hours = steps * sum(parts.values()) / HOUR
print(f"{steps:,.0f} steps, {hours:.0f} hours; without anything but compute {steps * compute / HOUR:.0f}")
assert loading < compute < 10 * exchange and exchange == max(parts[name] for name in parts if name != "compute")
assert 0.2 < exchange / sum(parts.values()) < 0.4

# %% [markdown]
# By these assumptions **the bottleneck after computing is the exchange of gradients**: a quarter to a third of each step, if nothing
# overlaps. Not the failures, not the loading. A ten times slower network would make it the largest part of all. More workers would
# not help much either: the batch per worker is down to two texts, and larger batches help less and less (chapter 05c). Change an
# assumption, and look again: that is what the cell is for.
#
# ## Recap
#
# - Data parallelism equals the large batch: to 1e-5 by hand and in Keras.
# - A worker died; the run went on from a checkpoint with weights, optimizer and step, and ended with the same loss.
# - In a ring each of $R$ workers sends $2\frac{R-1}{R}$ times the gradient: never more than twice. Measured within 3 % for two.
# - What does not shrink decides: Amdahl. Sharding makes a model fit; by itself it does not make a step faster.
#
# ### Quiz

# %% tags=["quiz"]
ck.quiz("scaling.slower")

# %% tags=["quiz"]
ck.quiz("scaling.resume")

# %% tags=["quiz"]
ck.quiz("scaling.ring")

# %% tags=["quiz"]
ck.quiz("scaling.zero")

# %% [markdown]
# ### References
#
# - Amdahl (1967). Validity of the single processor approach to achieving large scale computing capabilities. AFIPS Spring Joint Computer Conference, 483–485.
# - Grattafiori et al. (2024). The Llama 3 herd of models. arXiv:2407.21783.
# - Korthikanti, Casper, Lym, McAfee, Andersch, Shoeybi, Catanzaro (2023). Reducing activation recomputation in large Transformer models. MLSys.
# - Moritz et al. (2018). Ray: a distributed framework for emerging AI applications. OSDI, 561–577.
# - Patarasuk, Yuan (2009). Bandwidth optimal all-reduce algorithms for clusters of workstations. Journal of Parallel and Distributed Computing 69, 117–124.
# - Rajbhandari, Rasley, Ruwase, He (2020). ZeRO: memory optimizations toward training trillion parameter models. SC20.
# - Young (1974). A first order approximation to the optimum checkpoint interval. Communications of the ACM 17, 530–531.
#
# ### What is left to do

# %% tags=["setup"]
ck.progress("scaling")
