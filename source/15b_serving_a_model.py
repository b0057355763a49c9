# ---
# title: Serving a model
# promise: You will ask and answer as a model server does, refuse bad requests, and predict from arithmetic what load does.
# built: You wrote requests and their checks, read a server's numbers, and predicted what load and a month in the cloud cost.
# minutes: 85
# prerequisites: [15a_saving_a_model]
# data: [mnist_digits]
# articles: [a0 3.3, a1 6]
# clinic: []
# topic: serving
# ---

# %% [markdown]
# **What you will be able to do**
#
# - write and read requests of the V2 inference protocol (推理协议), and refuse the bad ones with a reason;
# - say when joining requests into batches pays (adaptive batching, 自适应批处理);
# - predict waiting times from utilisation (利用率), and read p50 and p99;
# - read a server's metrics (监控指标), roll out a version, and compute what a cloud would cost.

# %% tags=["setup"]
import coursekit as ck

ck.start()

# %% [markdown]
# ## One network, 64 people
#
# The digits network of `make long-run RUN=serving`, behind a server; clients ask as fast as they can. Three servers, with
# more and more machinery:
#
# 1. **FastAPI**: thirty lines of our own around LiteRT;
# 2. **MLServer**: a model server with the V2 protocol, health checks, metrics and batching;
# 3. **Ray Serve**: two copies (replicas, 副本) of the network, on one machine or many.
#
# A chapter starts no servers. `make bench-serving` ran all three and stored what it measured: one run, on a machine of
# two cores, which **the clients shared with the server**. So the numbers hold for this arrangement; on machines of its
# own each server would answer more, and they would gain differently. **Guess:** which one answers most requests a second
# here?

# %%
import datetime
import http.client
import json
import pathlib
import re
import tempfile
import time
import urllib.request

import keras
import matplotlib.pyplot as plt
import numpy as np
from ai_edge_litert.interpreter import Interpreter
from keras import layers

# %%
report = ck.data.benchmark("serving")
day = datetime.date.fromisoformat(report["date"])
print(f"`{report['command']}`, {day.day} {day:%B %Y}, {report['machine']}")
print(", ".join(f"{name} {version}" for name, version in report["servers"].items()))
print(f"\n{'server':10} clients  requests/s   p50 ms   p99 ms   MB")
rows = {(row["server"], row["clients"]): row for row in report["rows"]}
for (server, clients), row in rows.items():
    rate, p50, p99 = row["requests_per_second"], row["p50_ms"], row["p99_ms"]
    print(f"{server:10} {clients:7} {rate:11,.0f} {p50:8.1f} {p99:8.1f} {row['megabytes']:4}")
assert all(row["not_ok"] == row["other_classes"] == 0 for row in rows.values())

# %%
servers = list(dict.fromkeys(server for server, _ in rows))
figure, axes = plt.subplots(1, 2, figsize=(10, 3.6))
for axis, key, unit in zip(axes, ["requests_per_second", "p99_ms"], ["requests a second", "p99 (ms)"], strict=True):
    for server, style in zip(servers, ["o-", "s--", "^:"], strict=True):
        axis.plot([1, 16, 64], [rows[server, clients][key] for clients in [1, 16, 64]], style, label=server)
    axis.set(xscale="log", xlabel="clients at a time", ylabel=unit, ylim=(0, None))
    axis.set_xticks([1, 16, 64], ["1", "16", "64"])
axes[0].set_title("How many")
axes[1].set_title("How long the slowest of 100 waits")
axes[1].legend()
ck.show(figure, alt="Requests a second and p99 of FastAPI, MLServer and Ray Serve with 1, 16 and 64 clients")

fast, served, ray = (rows[server, 16]["requests_per_second"] for server in servers)
print(f"at 16 clients MLServer answers {served / fast:.1f} times as many as FastAPI, Ray Serve {ray / fast:.2f} times")
assert fast > served > ray

# %% [markdown]
# All answers named the class that Keras names. MLServer was sent UINT8, half the bytes that FastAPI got; still, in this run
# the plain service was the fastest. Ray Serve is built to spread replicas over many machines: here its two replicas, its
# own helpers and the clients had two cores between them, which shows what its machinery takes, not what it can give.
#
# And one more limit: the articles speak of *large* models, and this network has 54,666 parameters. With a language model a
# request takes seconds, and the machinery around it weighs less. That is not measured here.
#
# *p50* is the time within which half of the requests were answered (the median), *p99* the one for 99 of 100. The mean
# hides the slow ones, and with many requests everybody meets a slow one (Dean, Barroso, 2013).
#
# ### Exercise 15b.1 · The percentile of a list · ●○○ · 6 minutes
# Write `percentile(values, q)`: the smallest of the values such that at least `q` percent of them are not larger. `q`
# is above 0 and at most 100. (NumPy's usual `percentile` takes a point between two values; this one is a value.) Mind
# the rounding: `7 / 100 * 100` is a little more than 7 in floats.


# %% tags=["exercise"]
def percentile(values, q):
    ### BEGIN SOLUTION
    # q / 100 first would be rounded before it is multiplied
    place = int(np.ceil(q * len(values) / 100))  # counted from 1
    return np.sort(values)[place - 1]
    ### END SOLUTION


# %% tags=["check"]
ck.check("serving.percentile", percentile)

# %% [markdown]
# ## What one run costs
#
# We export the network to LiteRT and let it compute 1 to 64 pictures in a run, and Keras as well. **Guess:** how many
# times longer does a run of 64 pictures take?

# %%
_, (x, y) = ck.data.mnist_digits(train=10, test=1_000)
x = x[..., None].astype("float32") / 255  # (1000, 28, 28, 1)
model = keras.Sequential([keras.Input((28, 28, 1), name="image")])
for depth in [16, 32, 64]:
    model.add(layers.Conv2D(depth, 3, padding="same", activation="relu"))
    if depth < 64:
        model.add(layers.MaxPooling2D())
for layer in [layers.Flatten(), layers.Dropout(0.4), layers.Dense(10, activation="softmax", name="probabilities")]:
    model.add(layer)
with np.load(ck.data.checkpoint("serving")["files"]["serving_digits.npz"]) as arrays:
    model.set_weights([arrays[name] for name in sorted(arrays.files)])
with tempfile.TemporaryDirectory() as folder, ck.silent_log():
    path = pathlib.Path(folder) / "digits.tflite"
    signature = [keras.InputSpec(shape=(None, 28, 28, 1), dtype="float32", name="image")]
    model.export(path, format="litert", input_signature=signature, verbose=False)
    content = path.read_bytes()


# %%
class Network:
    """A LiteRT file as a function: pictures (batch, 28, 28, 1) to probabilities, one interpreter for each batch size."""

    def __init__(self, content):
        self.content, self.ready = content, {}

    def __call__(self, pictures):
        if len(pictures) not in self.ready:
            with ck.silent_log():
                interpreter = Interpreter(model_content=self.content, num_threads=1)
                interpreter.resize_tensor_input(interpreter.get_input_details()[0]["index"], pictures.shape)
                interpreter.allocate_tensors()
            self.ready[len(pictures)] = interpreter
        interpreter = self.ready[len(pictures)]
        interpreter.set_tensor(interpreter.get_input_details()[0]["index"], pictures)
        interpreter.invoke()
        return interpreter.get_tensor(interpreter.get_output_details()[0]["index"])


network = Network(content)
wanted = model.predict(x, batch_size=500, verbose=0)
assert np.allclose(network(x), wanted, atol=1e-4) and np.mean(network(x).argmax(axis=1) == y) > 0.97


# %%
def milliseconds(run, repeats):
    """The fastest of some runs: what the work takes when nothing disturbs it."""
    times = []
    for _ in range(repeats + 2):
        began = time.perf_counter()
        run()
        times.append(1_000 * (time.perf_counter() - began))
    return min(times[2:])


batches = np.array([1, 2, 4, 8, 16, 32, 64])
took = {
    "LiteRT": np.array([milliseconds(lambda b=b: network(x[:b]), 15) for b in batches]),
    "Keras": np.array([milliseconds(lambda b=b: model.predict_on_batch(x[:b]), 15) for b in batches]),
}

# %%
figure, axis = plt.subplots(figsize=(7, 3.6))
for (name, times), style in zip(took.items(), ["o-", "s--"], strict=True):
    axis.loglog(batches, times / batches, style, label=name)
axis.set(title="The price of one picture", xlabel="pictures in a run", ylabel="milliseconds for each picture")
axis.set_xticks(batches, [str(batch) for batch in batches])
axis.legend()
ck.show(
    figure,
    alt="Milliseconds for each picture by pictures in a run: Keras falls steeply with larger runs, LiteRT little",
)

# %% [markdown]
# Read the picture: these times are your machine's. A run costs a fixed part $a$ and a part $c$ for each picture:
# $a + c\,b$ milliseconds for $b$ pictures. Batching saves the fixed part. Where the curve falls steeply, as Keras's does, a
# single run is mostly fixed part: the call through Python. LiteRT's curve is nearly flat. (LiteRT runs on one thread here,
# Keras on all cores.)
#
# One LiteRT run is short: a server's time goes into *everything else*, as its metrics will show.

# %% [markdown]
# ## The V2 inference protocol
#
# MLServer, Triton, KServe and others speak one protocol. A request is JSON sent by POST to
# `/v2/models/NAME/infer`. It has a list of inputs, each with a name, a shape, a data type and the numbers in a row.
#
# ### Exercise 15b.2 · A request for pictures · ●○○ · 6 minutes
# Write `v2_request(pictures)`: the request, a dict, for an array `(batch, 28, 28, 1)` of floats from 0 to 1: one input
# with `"name"` `"image"`, `"datatype"` `"FP32"`, `"shape"` and `"data"`, a flat list of Python floats, in a list under
# `"inputs"`. `json.dumps` must take it.


# %% tags=["exercise"]
def v2_request(pictures):
    ### BEGIN SOLUTION
    data = np.asarray(pictures, "float64").ravel().tolist()
    return {"inputs": [{"name": "image", "datatype": "FP32", "shape": list(pictures.shape), "data": data}]}
    ### END SOLUTION


# %% tags=["check"]
ck.check("serving.v2_request", v2_request)

# %% [markdown]
# The server's answer has outputs in the same form.


# %%
def request_of(pictures, datatype="FP32"):
    """A request for pictures (batch, 28, 28, 1) from 0 to 1; "UINT8" sends whole pixels from 0 to 255."""
    data = pictures.astype(float).round(6) if datatype == "FP32" else np.rint(255 * pictures).astype(int)
    image = {"name": "image", "datatype": datatype, "shape": list(pictures.shape), "data": data.ravel().tolist()}
    return json.dumps({"inputs": [image]}, separators=(",", ":"))


def answer(text):
    """What a server does with a request of ours."""
    image = json.loads(text)["inputs"][0]
    pictures = np.array(image["data"], "float32").reshape(image["shape"])
    probabilities = network(pictures / 255 if image["datatype"] == "UINT8" else pictures)
    output = {"name": "probabilities", "datatype": "FP32", "shape": list(probabilities.shape)}
    return json.dumps({"model_name": "digits", "outputs": [output | {"data": probabilities.ravel().tolist()}]})


told = json.loads(answer(request_of(x[:3])))["outputs"][0]
probabilities = np.reshape(told["data"], told["shape"])
assert np.allclose(probabilities, wanted[:3], atol=1e-4)
print("asked for three pictures, the answer:", told["name"], told["shape"], "digits", probabilities.argmax(axis=1))
for datatype in ["FP32", "UINT8"]:
    print(f"one picture as {datatype}: {len(request_of(x[:1], datatype)) / 1024:.1f} kilobytes of JSON")

# %% [markdown]
# `make serve` in a terminal starts the real server and prints such a request as a `curl` line; `make serve-stop` ends it.
# Where it runs, the next cell asks it and compares. Where not, the cell passes.

# %%
SERVER = "http://127.0.0.1:8080/v2/models/digits"


def ask(text):
    """The answer of the running server; None where there is none."""
    try:
        with urllib.request.urlopen(f"{SERVER}/ready", timeout=2):
            pass
        headers = {"Content-Type": "application/json"}
        with urllib.request.urlopen(
            urllib.request.Request(f"{SERVER}/infer", text.encode(), headers), timeout=5
        ) as got:
            return json.loads(got.read())
    except (OSError, ValueError, http.client.HTTPException):  # another program may listen there
        return None


live = ask(request_of(x[:1]))
assert live is None or np.allclose(live["outputs"][0]["data"], wanted[0], atol=1e-4)

# %% [markdown]
# ## Garbage in
#
# Clients have bugs. **Guess** what LiteRT does with a picture in which one pixel is NaN, and with pixels of 10,000.

# %%
broken, loud = x[:1].copy(), x[:1].copy()
broken[0, 10, 10, 0] = np.nan
loud *= 10_000
for name, pictures in {"one NaN": broken, "pixels up to 10,000": loud}.items():
    probabilities = network(pictures)[0]
    print(f"{name}: no error; an answer that is a set of probabilities: {bool(abs(probabilities.sum() - 1) < 1e-3)}")

# %% [markdown]
# Checking is the server's work, *before* the network. The answer to a bad request is a status from 400 to 499 with a
# sentence, never a crash. In FastAPI the types say what is allowed:

# %%
serving = pathlib.Path(ck.__file__).parents[1] / "serving"  # of the course
app = (serving / "app.py").read_text(encoding="utf8")
print(app[app.index("Pixel = ") : app.index("@app.exception_handler")].rstrip())
print("…")
print(app[app.index('@app.post("') :].rstrip())

# %% [markdown]
# ### Exercise 15b.3 · Refuse bad requests · ●●● · 12 minutes
# Write `is_valid(request)`, which never raises. It is True for a dict whose `"inputs"` is a list of exactly one dict
# with the name `"image"`, the datatype `"FP32"`, a shape `[n, 28, 28, 1]` with n from 1 to 64, and `"data"`, a list of
# exactly as many numbers, each from 0 to 1. The numbers of the shape are whole numbers (`1.0` is none). Everything else
# is False: NaN too, keys that are missing, texts as numbers, and `true`, which Python would take for 1.


# %% tags=["exercise"]
def is_valid(request):
    ### BEGIN SOLUTION
    try:
        (image,) = request["inputs"]
        count, *rest = image["shape"]
        data = image["data"]
        return bool(
            (image["name"], image["datatype"], rest) == ("image", "FP32", [28, 28, 1])
            and all(type(number) is int for number in image["shape"])
            and count in range(1, 65)
            and isinstance(data, list)
            and len(data) == 784 * count
            and all(type(value) in (int, float) and 0 <= value <= 1 for value in data)
        )
    except (KeyError, TypeError, ValueError):
        return False
    ### END SOLUTION


# %% tags=["check"]
ck.check("serving.is_valid", is_valid)

# %% [markdown]
# `0 <= value <= 1` is False for NaN; `not (value < 0 or value > 1)` would be True. `isinstance(True, int)` is True, for
# a bool is an int in Python: hence `type(value)`. How strict one is, is a choice, to be made and written down. Our
# MLServer also refuses bodies over 16 MB, and drops clients that send too slowly.
#
# ## Waiting in line
#
# A server needs $s$ milliseconds for each request. Its *utilisation* is the share of the time that it works:
# $\rho = \text{rate} \cdot s$. Below 1 it keeps up, and yet people wait, because they come in bunches.
# With constant $s$ the mean time from question to answer is (Pollaczek–Khinchine; M/D/1 queue)
#
# $$ T = s + \frac{\rho\, s}{2\,(1 - \rho)} $$
#
# ### Exercise 15b.4 · Latency under load · ●●○ · 7 minutes
# Write `mean_latency(rate, service)`: T in milliseconds for `rate` requests a second and `service` milliseconds each.
# At a utilisation of 1 or more the line grows for ever: return infinity.


# %% tags=["exercise"]
def mean_latency(rate, service):
    ### BEGIN SOLUTION
    utilisation = rate * service / 1_000
    if utilisation >= 1:
        return np.inf
    return service + utilisation * service / (2 * (1 - utilisation))
    ### END SOLUTION


# %% tags=["check"]
ck.check("serving.mean_latency", mean_latency)

# %% [markdown]
# The simulation below follows a server that may join waiting requests. A batch starts when it is full, or when its first
# request has waited `wait` milliseconds; a run of b takes `fixed + each * b`. MLServer's adaptive batching works in this
# way (see also Crankshaw et al., 2017).


# %%
def simulate(rate, most=1, wait=0.0, fixed=1.0, each=0.1, requests=20_000):
    """Milliseconds of each request, and the size of each batch; `rate` requests a second, `most` in a batch."""
    arrivals = np.cumsum(np.random.default_rng(0).exponential(1_000 / rate, requests))
    latencies, sizes, free, first = np.empty(requests), [], 0.0, 0
    while first < requests:
        start = max(free, arrivals[first] + wait)  # the latest moment to begin
        last = min(np.searchsorted(arrivals, start, side="right"), first + most)
        if last - first == most:  # full earlier
            start = max(free, arrivals[last - 1])
        free = start + fixed + each * (last - first)
        latencies[first:last] = free - arrivals[first:last]
        sizes.append(last - first)
        first = last
    return latencies, np.array(sizes)


# %%
def by_formula(rate, service):
    return service + rate * service**2 / 1_000 / (2 * (1 - rate * service / 1_000))


for utilisation in [0.5, 0.8, 0.9]:
    rate = 1_000 * utilisation / 1.1  # a run of one takes 1 + 0.1 milliseconds
    latencies, _ = simulate(rate, requests=100_000)
    assert abs(latencies.mean() / by_formula(rate, 1.1) - 1) < 0.1
    p50, p99 = np.percentile(latencies, [50, 99])
    print(f"utilisation {utilisation:.0%}: mean {latencies.mean():.1f} ms, p50 {p50:.1f} ms, p99 {p99:.0f} ms")
assert p99 > 10 * 1.1

# %% [markdown]
# Formula and simulation agree within 10 %: both for requests that come independently of each other. At 90 % one request
# in a hundred takes over ten times as long as its work. So one plans for less; 50 to 70 % is a common rule.
#
# **Guess:** what does batching change, with up to 32 requests in a run and a patience of 2 ms?

# %%
rates = np.array([100, 300, 500, 700, 850, 1_500, 3_000, 5_000, 7_000])
single = np.array([np.percentile(simulate(rate)[0], 99) if rate < 900 else np.inf for rate in rates])
joined = [simulate(rate, most=32, wait=2.0) for rate in rates]
together = np.array([np.percentile(latencies, 99) for latencies, _ in joined])
figure, axes = plt.subplots(1, 2, figsize=(10, 3.4))
axes[0].loglog(rates, single, "o-", label="one by one")
axes[0].loglog(rates, together, "s--", label="up to 32, patience 2 ms")
axes[0].axvline(1_000 / 1.1, color="grey", linestyle=":", label="one by one: the limit")
axes[0].set(title="How long 99 of 100 wait at most", xlabel="requests a second", ylabel="p99 (ms)")
axes[0].legend(fontsize=9)
axes[1].semilogx(rates, [sizes.mean() for _, sizes in joined], "s--", color="C1")
axes[1].set(title="The batches grow with the load", xlabel="requests a second", ylabel="requests in a batch (mean)")
ck.show(
    figure, alt="One by one, p99 explodes near 909 requests a second; with batching it stays low up to several thousand"
)
print(f"100 requests a second: batching makes p99 worse: {together[0] > single[0]}")
print(f"850: it makes it more than five times better: {single[4] > 5 * together[4]}")
print(f"5,000, where one by one breaks down: p99 below 10 ms: {together[7] < 10}")
assert together[0] > single[0] and single[4] > 5 * together[4] and together[7] < 10

# %% [markdown]
# With little load, patience costs: everybody waits for companions that do not come. With much load the fixed part is
# shared, and the server carries several times more.
#
# ## Reading the metrics
#
# MLServer shows its numbers as text, in the format of *Prometheus*, which collects them every few seconds. The benchmark
# kept them, before its first row and after each:

# %%
scrapes = report["scrapes"]  # four lists of lines
for line in scrapes[0]:
    if line.startswith(("# ", "batch_pictures_bucket")):
        print(line)

# %% [markdown]
# A *histogram* of how many pictures a run had: each bucket counts the runs with **at most** `le` pictures, all since the
# start. So one subtracts twice: the scrape before, and the bucket below.
#
# ### Exercise 15b.5 · Read the buckets · ●●○ · 10 minutes
# Write `bucket_counts(lines, name)`: two lists. First the limits `le` of the metric `name` as floats (`+Inf` becomes
# infinity), in the order of the lines; then, for each bucket, how many fall into it and not into the one below. Use the
# lines that begin with `name + "_bucket{"`; the count is the last word of the line.


# %% tags=["exercise"]
def bucket_counts(lines, name):
    ### BEGIN SOLUTION
    chosen = [line for line in lines if line.startswith(name + "_bucket{")]
    limits = [float(line.split('le="')[1].split('"')[0]) for line in chosen]
    totals = [float(line.split()[-1]) for line in chosen]
    return limits, list(np.diff(totals, prepend=0))
    ### END SOLUTION


# %% tags=["check"]
ck.check("serving.bucket_counts", bucket_counts)


# %%
def counted(lines, name):
    """Limits and counts of the buckets of a histogram, (buckets,) each."""
    found = re.findall(rf'^{name}_bucket{{.*le="([^"]+)".*}} (\S+)$', "\n".join(lines), re.MULTILINE)
    limits, totals = np.array(found, "float64").T
    return limits, np.diff(totals, prepend=0)


figure, axes = plt.subplots(1, 3, figsize=(10, 3.2), sharey=True)
for axis, clients, before, after in zip(axes, [1, 16, 64], scrapes[:-1], scrapes[1:], strict=True):
    limits, counts = counted(after, "batch_pictures")
    counts = counts - counted(before, "batch_pictures")[1]
    axis.bar([f"{limit:g}" for limit in limits], 100 * counts / counts.sum())
    axis.set(title=f"{clients} client{'s' * (clients > 1)}", xlabel="at most so many pictures")
axes[0].set_ylabel("runs (%)")
ck.show(
    figure,
    alt="Sizes of MLServer's batches with 1, 16 and 64 clients: single pictures at first, larger with more clients",
)


# %%
def total(lines, name):
    """The number behind a metric without buckets, such as a sum or a count."""
    return sum(float(line.split()[-1]) for line in lines if line.startswith(name + "{"))


most, patience = report["settings"]["max_batch_size"], 1_000 * report["settings"]["max_batch_time"]
print(f"MLServer was set to join up to {most} requests, with a patience of {patience:g} ms")
for clients, before, after in zip([1, 16, 64], scrapes[:-1], scrapes[1:], strict=True):
    grown = {
        name: total(after, name) - total(before, name)
        for name in ["batch_pictures_sum", "batch_pictures_count", "network_seconds_sum"]
    }
    pictures, runs, seconds = grown.values()
    print(f"clients {clients:2}: {pictures / runs:4.1f} pictures in a run;", end=" ")
    print(f"the network computed {100 * seconds / report['seconds']:.0f} % of the time")
    assert pictures / runs > 0.6 * min(clients, most) and seconds < 0.25 * report["seconds"]

# %% [markdown]
# MLServer's batches really grow with the load, up to its limit. And this small network rests most of the time: the rest of
# the work costs more.
#
# One law joins the table's columns. Of $N$ clients each waits for its answer and asks again, so all the time $N$
# requests are under way, and $N = \text{rate} \cdot \text{mean time}$ (Little, 1961):

# %%
for server in servers:
    predicted = [1_000 * clients / rows[server, clients]["requests_per_second"] for clients in [16, 64]]
    measured = [rows[server, clients]["p50_ms"] for clients in [16, 64]]
    print(f"{server:10} time by Little's law {np.round(predicted)} ms, measured p50 {np.round(measured)} ms")
    assert np.allclose(predicted, measured, rtol=0.5)

# %% [markdown]
# Four times the clients, about four times the wait: with 16 clients the servers were nearly full already.
#
# ## A new version, and a fault
#
# A new version first gets a small share of the requests, like the canary (金丝雀发布) in a mine. **Guess:** errors rise
# from 1 % to 2 %, and the canary gets 5 % of 100 requests a second. How long until one can be sure?

# %%
old, new, per_minute = 0.01, 0.02, 0.05 * 100 * 60


def requests_for(old, new):
    """How many requests until the difference of two shares of errors is three standard errors."""
    return 9 * (old * (1 - old) + new * (1 - new)) / (new - old) ** 2


needed = requests_for(old, new)
print(f"1 % to 2 %: about {needed:,.0f} requests, {needed / per_minute:.0f} minutes")
print(f"1 % to 1.05 %: {requests_for(old, 0.0105) / per_minute / 60 / 24:.1f} days")
random = np.random.default_rng(0)
seen = random.binomial(int(needed), [[old, new]] * 10_000) / int(needed)
alarm = old + 2 * np.sqrt(old * (1 - old) / needed)
rings = (seen > alarm).mean(axis=0)  # for a version like the old one, for the bad one
print(f"alarm above {100 * alarm:.1f} %: rings in {rings[1]:.0%} of 10,000 trials; for nothing in {rings[0]:.0%}")
assert rings[1] > 0.97 and rings[0] < 0.05

# %%
killed, rolled = report["trials"]["one_replica_killed"], report["trials"]["new_version_rolled_out"]
again = {"one of two replicas killed": killed, "a new version rolled out": rolled}
for name, told in again.items():
    failed = sum(told["failed_first_tries"].values())
    print(f"Ray Serve, {name} under load: of {told['answered']:,} requests", end=" ")
    print(f"{failed} got an error at the first try, {told['lost']} got no answer at all")
print(f"statuses of these errors: {killed['failed_first_tries']}; two replicas answered again after", end=" ")
print(f"{killed['seconds_until_two_again']} s")
assert killed["lost"] == rolled["lost"] == 0 and rolled["failed_first_tries"] == {}
assert killed["failed_first_tries"] == {"500": 3}

# %% [markdown]
# Minutes for a doubled error rate, days for a small change. The kill was not free: a few requests got an error 500, and for
# seconds one replica carried the load. Only because these clients **ask again** was every request answered in the end. One
# trial of each: it shows what can happen, not how often.
#
# ## To the cloud
#
# All three take either an exported model for a server of theirs, or a **container image** (容器镜像) with any server
# inside, such as ours:
#
# | | Model for their server | Any container | More machines under load |
# |---|---|---|---|
# | AWS SageMaker | SavedModel in a `model.tar.gz` | yes | scaling policy on requests for each instance |
# | Azure Machine Learning | MLflow model, or ONNX and others by Triton | yes | rules of Azure Monitor, e.g. on CPU |
# | Google Vertex AI | SavedModel folder | yes | from a least to a greatest number of replicas |
#
# (From the providers' documentation, as it stood in November 2026; see the references. Such offers change.)
#
# `serving/deploy/` has a recipe for the image, and a *manifest* for KServe, a service on Kubernetes. A test checks both
# as text; **neither was run here**: the course has no cluster. From both:

# %%
image = (serving / "deploy" / "Containerfile").read_text(encoding="utf8").splitlines()
print("\n".join(line for line in image if line.startswith(("FROM", "COPY", "USER"))))
print("…")
manifest = (serving / "deploy" / "inference_service.yaml").read_text(encoding="utf8")
print(manifest[manifest.index("    minReplicas") : manifest.index("    timeout")].rstrip())
print(re.search(r" +requests: \{.*\}", manifest)[0])

# %% [markdown]
# What does it cost? The price of an hour is a parameter; the throughput is your own.
#
# ### Exercise 15b.6 · The price of a month · ●○○ · 6 minutes
# Write `monthly_price(peak, rate, utilisation, hour)`: what 30 days cost when `peak` requests a second must be served,
# one machine manages `rate`, is planned for a `utilisation` (0 to 1), and costs `hour` each hour. Machines are whole.


# %% tags=["exercise"]
def monthly_price(peak, rate, utilisation, hour):
    ### BEGIN SOLUTION
    machines = np.ceil(peak / (rate * utilisation))
    return machines * hour * 24 * 30
    ### END SOLUTION


# %% tags=["check"]
ck.check("serving.monthly_price", monthly_price)

# %%
for peak in [100, 1_000, 10_000]:
    machines = {rate: int(np.ceil(peak / (0.6 * rate))) for rate in [300, 1_000, 4_000]}
    print(f"{peak:6,} requests a second, planned for 60 %: machines, by what one of them manages: {machines}")

# %% [markdown]
# What one machine manages must be measured **on that machine, with the clients elsewhere**: our table's numbers, from two
# cores shared with the clients, would count far too many machines.
#
# Autoscaling (自动伸缩) changes the number with the load. New machines take time to start, so leave room.
#
# ## Or no server at all
#
# The cheapest request is the one that never comes. `make serve` also prints the address of a page on which one draws a
# digit or picks a garment. It loads LiteRT, compiled to WebAssembly, and the two networks; from then on the browser
# computes alone, and no picture leaves the machine. The price: everybody has your model, and an update reaches them at
# the next visit. A test of the course opens the page in Chromium.
#
# ### Exercise 15b.7 · The second version · ●●● · 12 minutes
# Version 2 of the service shall take pixels as they are sent. Write `version_2()`: a compiled model for pictures
# `(batch, 28, 28, 1)` with pixels from **0 to 255**, probabilities `(batch, 10)` as output. Inside: rescaling to 0 to 1,
# then layers of your choice. Loss: sparse categorical cross-entropy. The check trains it on a batch of its own.


# %% tags=["exercise"]
def version_2():
    ### BEGIN SOLUTION
    model = keras.Sequential(
        [
            keras.Input((28, 28, 1), name="image"),
            layers.Rescaling(1 / 255),
            layers.Conv2D(8, 3, strides=2, activation="relu"),
            layers.Flatten(),
            layers.Dense(10, activation="softmax", name="probabilities"),
        ]
    )
    model.compile(keras.optimizers.Adam(0.003), "sparse_categorical_crossentropy")
    return model
    ### END SOLUTION


# %% tags=["check"]
ck.check("serving.version_2", version_2)

# %% [markdown]
# ## Recap
#
# - With a small network, a server's time goes into everything around it. In one run, with clients on the same two cores,
#   plain FastAPI was the fastest; the others give a protocol, metrics, batching and replicas.
# - A network computes on NaN without complaint. Check before it, and answer with a reason.
# - Waiting grows with $\rho / (1 - \rho)$: leave room, and read p99, not the mean alone.
# - Batching shares the fixed part of a run: it pays under load, and costs when it waits for nobody.
# - A canary needs thousands of requests to tell 2 % from 1 %. A killed replica cost a few errors: clients must ask again.
#
# ### Quiz

# %% tags=["quiz"]
ck.quiz("serving.batching")

# %% tags=["quiz"]
ck.quiz("serving.utilisation")

# %% tags=["quiz"]
ck.quiz("serving.nan")

# %% tags=["quiz"]
ck.quiz("serving.histogram")

# %% [markdown]
# ### References
#
# - Little (1961). A proof for the queuing formula: L = λW. Operations Research 9
# - Dean, Barroso (2013). The tail at scale. Communications of the ACM 56
# - Crankshaw et al. (2017). Clipper: A low-latency online prediction serving system. NSDI. arXiv:1612.03079
# - Olston et al. (2017). TensorFlow-Serving: Flexible, high-performance ML serving. arXiv:1712.06139
# - KServe: Open Inference Protocol (V2). kserve.github.io
# - Amazon SageMaker AI, Developer guide: automatic scaling; TensorFlow Serving. docs.aws.amazon.com/sagemaker
# - Azure Machine Learning: autoscale online endpoints; deploy with Triton; custom containers. learn.microsoft.com/azure
# - Google Vertex AI: scale inference nodes by using autoscaling. docs.cloud.google.com/vertex-ai
# - Prometheus: Exposition formats. prometheus.io
#
# ### What is left to do

# %% tags=["setup"]
ck.progress("serving")
