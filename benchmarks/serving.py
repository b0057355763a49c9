"""Three servers of one network under load: FastAPI, MLServer, Ray Serve (`make bench-serving`, a quiet machine).

The same test pictures of digits, one a request, from 1, 16 and 64 clients, 10 s each; clients and server share the
cores of this machine. Each answer is compared with what Keras says. Then Ray Serve loses a replica under load, and gets
a new version under load. Writes benchmarks/serving.json and the page benchmarks/serving.md.
"""

import argparse
import json
import pathlib
import re
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request

import coursekit as ck

ck.start()

import psutil

from authoring import report
from coursekit import places
from serving import export

RESULTS = places.BENCHMARKS / "serving.json"
PYTHON, PYTHON_RAY = (places.ROOT / name / "bin" / "python" for name in (".venv-serving", ".venv-serving-ray"))
CLIENTS, SECONDS, PICTURES = [1, 16, 64], 10, 100
PACKAGES = {PYTHON: ("fastapi", "uvicorn", "mlserver", "ai-edge-litert"), PYTHON_RAY: ("ray",)}


def tasks(folder, clients, seconds):
    """Write what each server is asked, as JSON files. Returns their paths by server."""
    x, _ = export.pictures("digits")
    x = x[:PICTURES]
    wanted = export.trained("digits").predict(x, verbose=0).astype(float).tolist()
    pixels = x.reshape(len(x), -1).astype(float).round(6).tolist()
    bodies = {
        "FastAPI": [{"pixels": [picture]} for picture in pixels],
        "MLServer": [export.request(picture) for picture in x],
        "Ray Serve": [{"name": "digits", "pixels": [picture]} for picture in pixels],
    }
    paths = {}
    for server, asked in bodies.items():
        paths[server] = folder / f"{server}.json"
        task = {"bodies": asked, "wanted": wanted, "clients": clients, "seconds": seconds}
        paths[server].write_text(json.dumps(task), encoding="utf8")
    return paths


def megabytes(process):
    """Memory of a process and its children; on Linux shared pages count in part."""
    total = 0
    for one in [psutil.Process(process.pid), *psutil.Process(process.pid).children(recursive=True)]:
        told = one.memory_full_info() if sys.platform == "linux" else one.memory_info()
        total += getattr(told, "pss", told.rss)
    return round(total / 2**20)


def free_port():
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return one.getsockname()[1]


def scrape(address):
    """The lines of our own measures in MLServer's metrics (Prometheus text), counted from its start."""
    with urllib.request.urlopen(address, timeout=5) as answer:
        lines = answer.read().decode("utf8").splitlines()
    return [line for line in lines if re.search("batch_pictures|network_seconds", line) and "_created" not in line]


def measure(server, command, ready, address, task, metrics=None):
    """Start a server, load it with each number of clients, end it.

    Returns one row for each, and, where `metrics` is an address, what stood there before the first row and after each.
    """
    asked = json.loads(task.read_text(encoding="utf8"))
    process = subprocess.Popen(command, cwd=places.ROOT, stdout=subprocess.DEVNULL)
    try:
        for _ in range(300):
            try:
                urllib.request.urlopen(ready, timeout=5).close()
                break
            except OSError:
                time.sleep(0.2)
        load(address, task, 4, 1)  # not counted: everything is loaded now
        rows, scrapes = [], [scrape(metrics)] if metrics else []
        for clients in asked["clients"]:
            rows.append({"server": server} | load(address, task, clients, asked["seconds"]))
            rows[-1]["megabytes"] = megabytes(process)
            scrapes += [scrape(metrics)] if metrics else []
            print(rows[-1], flush=True)
        return rows, scrapes
    finally:
        process.terminate()
        process.wait(30)


def load(address, task, clients, seconds):
    command = [PYTHON, "-m", "serving.load", "--address", address, "--task", task]
    command += ["--clients", str(clients), "--seconds", str(seconds)]
    return json.loads(subprocess.run(command, cwd=places.ROOT, check=True, capture_output=True, text=True).stdout)


def on_ray(task, *options):
    """Ray Serve, in its namespaces. Returns rows, and what the two trials told; nothing where it cannot run."""
    told = task.with_suffix(".told")
    command = [PYTHON_RAY, "-m", "serving.serve_with_ray", task, told, "--load", *options]
    done = subprocess.run(command, cwd=places.ROOT, capture_output=True, text=True)
    if done.returncode:
        print(*done.stderr.splitlines()[-1:])
        return [], {}
    trials = json.loads(told.read_text(encoding="utf8"))
    rows = [{"server": "Ray Serve"} | row for row in trials.pop("load")]
    for row in [*rows, trials]:
        print(row, flush=True)
    return rows, trials


def versions():
    """Versions of the servers, from their own environments."""
    found = {}
    for python, names in PACKAGES.items():
        code = "import importlib.metadata as m, sys; print(*(m.version(name) for name in sys.argv[1:]))"
        done = subprocess.run([python, "-c", code, *names], check=True, capture_output=True, text=True)
        found |= dict(zip(names, done.stdout.split(), strict=True))
    return found


def settings():
    """What was tuned, as it stands in the files."""
    model = json.loads((places.ROOT / "serving" / "models" / "digits" / "model-settings.json").read_text("utf8"))
    kept = {name: model[name] for name in ("max_batch_size", "max_batch_time")}
    return kept | {"parallel_workers": 0, "pictures_sent_as": "UINT8, flat JSON list"}


def goal(rows):
    """MLServer beside FastAPI at 16 clients: requests a second as a share, and p99."""
    at_16 = {row["server"]: row for row in rows if row["clients"] == 16}
    ratio = at_16["MLServer"]["requests_per_second"] / at_16["FastAPI"]["requests_per_second"]
    return {"share_of_fastapi_at_16": round(ratio, 2), "p99_ms_at_16": at_16["MLServer"]["p99_ms"]}


def faults(rows, trials):
    """What must not be: an answer that is not right, a lost request, a failure while a version is rolled out."""
    found = [f"{row['server']}: {row['not_ok']} requests failed" for row in rows if row["not_ok"]]
    found += [f"{row['server']}: {row['other_classes']} other classes" for row in rows if row["other_classes"]]
    found += [f"{row['server']}: answers differ" for row in rows if row["greatest_difference"] > 1e-4]
    found += [f"{name}: {told['lost']} lost" for name, told in trials.items() if told["lost"] or told["wrong"]]
    if trials.get("new_version_rolled_out", {}).get("failed_first_tries"):
        found.append("requests failed while the new version was rolled out")
    return found


def page(stored):
    """benchmarks/serving.md: how it was measured, and the table."""
    lines = [
        "| Server | Clients | Requests a second | p50, ms | p99, ms | Memory, MB |",
        "|---|---|---|---|---|---|",
    ]
    for row in stored["rows"]:
        figures = [f"{row['requests_per_second']:,.0f}", row["p50_ms"], row["p99_ms"], row["megabytes"]]
        lines.append(f"| {row['server']} | {row['clients']} | {' | '.join(map(str, figures))} |")
    table, share, p99 = "\n".join(lines), *stored["goal"].values()
    names = ", ".join(f"{name} {version}" for name, version in (stored["versions"] | stored["servers"]).items())
    size, wait, workers, sent = stored["settings"].values()
    text = f"""# Three servers under load

Written by `{stored["command"]}` on {stored["date"]}: {stored["machine"]};
{names}.
One network, {stored["pictures"]} test pictures of digits in turn, one a request; {stored["seconds"]} s a row.
Clients and server share the machine and its cores: the rates are those of both together, and processes that a server
runs beside the network take from the same cores.
All answers were compared with those of Keras: none named another class.

{table}

At 16 clients MLServer answers {share} times as many requests as FastAPI; its p99 is {p99} ms. This is one run.
The pictures are the same, their form is not: MLServer gets {sent}, which is shorter; FastAPI and
Ray Serve get the pixels as JSON numbers from 0 to 1.
Tuned: batches of at most {size} requests that wait at most {1e3 * wait:g} ms; {workers} worker processes; the garbage
collector leaves alone what start-up made; the parser httptools and the loop uvloop, for FastAPI and MLServer alike.
"""
    if killed := stored["trials"].get("one_replica_killed"):
        rolled = stored["trials"]["new_version_rolled_out"]
        again, failed = (sum(told["failed_first_tries"].values()) for told in (killed, rolled))
        text += f"""
Ray Serve, two replicas, eight clients that try again after an error. One replica killed with -9:
{killed["answered"]:,} requests answered, {again} of them after an error at the first try;
{killed["lost"]} without an answer;
two replicas answered again after {killed["seconds_until_two_again"]} s.
A new version rolled out: {rolled["answered"]:,} requests answered, {failed} of them after an error at the first try,
{rolled["lost"]} without an answer. One trial each.
"""
    return text


def main():
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--short", action="store_true", help="2 s and 16 clients, for CI; nothing is written")
    parser.add_argument("--no-ray", action="store_true", help="FastAPI and MLServer alone; nothing is written")
    asked = parser.parse_args()
    seconds, clients = (2, [16]) if asked.short else (SECONDS, CLIENTS)
    with tempfile.TemporaryDirectory() as temporary:
        folder = pathlib.Path(temporary)
        task = tasks(folder, clients, seconds)
        port = free_port()
        address = f"http://127.0.0.1:{port}"
        fastapi = [PYTHON, "-m", "uvicorn", "serving.app:app", "--port", str(port), "--no-access-log"]
        rows, _ = measure("FastAPI", fastapi, f"{address}/docs", f"{address}/digits", task["FastAPI"])
        mlserver = [PYTHON, "-m", "serving.server", "--port", str(port), "--pid", folder / "pid"]
        ready, infer = (f"{address}/v2/models/digits/{end}" for end in ("ready", "infer"))
        metrics = f"http://127.0.0.1:{port + 2}/metrics"
        of_mlserver, scrapes = measure("MLServer", mlserver, ready, infer, task["MLServer"], metrics)
        rows += of_mlserver
        more, trials = ([], {}) if asked.no_ray else on_ray(task["Ray Serve"], "--trials")
    rows += more
    found = faults(rows, trials)
    print(goal(rows))
    if found:
        sys.exit(f"Problem: {'; '.join(found)}")
    if not asked.short and more:
        told = {"servers": versions(), "seconds": seconds, "pictures": PICTURES, "settings": settings()}
        told |= {"goal": goal(rows), "rows": rows, "trials": trials, "scrapes": scrapes}
        stored = report.write(RESULTS, "make bench-serving", 0, packages=("keras", "numpy"), **told)
        places.write_atomically(RESULTS.with_suffix(".md"), page(stored).encode("utf8"))


if __name__ == "__main__":
    main()
