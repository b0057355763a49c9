"""Both networks behind Ray Serve: two replicas, of which one is killed under load, then a new version under load.

Run with the Python of .venv-serving-ray (`make bench-serving` does it). Ray listens on all addresses of a machine, so
here it lives in namespaces of its own (Linux): a network that is loopback alone, and processes that all end with it.
On a cluster nothing of this is needed: `serve run` with the same deployment, and more nodes take more replicas.
"""

import argparse
import collections
import fcntl
import http.client
import json
import os
import pathlib
import shutil
import signal
import socket
import struct
import subprocess
import sys
import tempfile
import threading
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent
NAMESPACES = ["unshare", "--user", "--map-root-user", "--net", "--pid", "--fork", "--kill-child", "--mount-proc"]
PORT = 8000  # in a network of its own it is never taken
CLIENTS, TRIES = 8, 50
REPLICAS = 2


def application(version):
    """The deployment: each replica has both networks. POST {"name", "pixels"} gets probabilities, version and pid."""
    import numpy as np
    from ray import serve
    from starlette.responses import JSONResponse

    from serving.classifier import EXPORTED, Classifier, Refused, checked

    @serve.deployment(num_replicas=REPLICAS, max_ongoing_requests=32, ray_actor_options={"num_cpus": 0.5})
    class Networks:
        def __init__(self, version):
            self._version = version
            self._networks = {name: Classifier(EXPORTED / f"{name}.tflite") for name in ("digits", "fashion")}

        async def __call__(self, request):
            try:
                told = await request.json()
                network, pixels = self._networks[told["name"]], told["pixels"]
                pictures = checked("FP32", [len(pixels), 28, 28, 1], pixels)
            except Refused as refusal:
                return JSONResponse({"error": str(refusal)}, 400)
            except (ValueError, KeyError, TypeError):
                return JSONResponse(
                    {"error": 'expected {"name": "digits" or "fashion", "pixels": [[784 of 0 to 1]]}'}, 400
                )
            probabilities = np.round(network(pictures).astype(float), 6).tolist()
            return {"probabilities": probabilities, "version": self._version, "process": os.getpid()}

    return Networks.bind(version)


class Load:
    """Clients that ask all the time, and again after an error, as a careful program does. What they see is counted."""

    def __init__(self, bodies, wanted):
        self._bodies, self._wanted, self._going = bodies, wanted, True
        self.answered = self.wrong = self.lost = 0
        self.errors = collections.Counter()  # first tries that failed, by kind
        self.versions, self.processes = collections.Counter(), {}
        self._lock = threading.Lock()
        self._threads = [threading.Thread(target=self._ask, args=(number,)) for number in range(CLIENTS)]

    def __enter__(self):
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_):
        self._going = False
        for thread in self._threads:
            thread.join()

    def _ask(self, number):
        connection = None
        while self._going:
            number = (number + 1) % len(self._bodies)
            for attempt in range(TRIES):
                try:
                    connection = connection or http.client.HTTPConnection("127.0.0.1", PORT, timeout=20)
                    connection.request("POST", "/", self._bodies[number], {"Content-Type": "application/json"})
                    answer = connection.getresponse()
                    content, kind = answer.read(), str(answer.status)
                except (OSError, http.client.HTTPException) as error:
                    kind, connection = type(error).__name__, None
                with self._lock:
                    if kind == "200":
                        told = json.loads(content)
                        best = max(range(10), key=told["probabilities"][0].__getitem__)
                        self.answered += 1
                        self.wrong += best != self._wanted[number]
                        self.versions[told["version"]] += 1
                        self.processes[told["process"]] = time.monotonic()
                        break
                    self.errors[kind] += attempt == 0
                time.sleep(0.1)
            else:
                with self._lock:
                    self.lost += 1

    def told(self):
        failed = {kind: count for kind, count in self.errors.items() if count}
        return {"answered": self.answered, "wrong": self.wrong, "lost": self.lost, "failed_first_tries": failed}


def wait_until(true, seconds, what):
    until = time.monotonic() + seconds
    while not true():
        if time.monotonic() > until:
            raise TimeoutError(f"{what}: not within {seconds} s")
        time.sleep(0.05)


def kill_one(bodies, wanted):
    """Kill a replica with -9 under load. Returns what the clients saw, and seconds until two replicas answer again."""
    with Load(bodies, wanted) as load:
        wait_until(lambda: len(load.processes) == REPLICAS and load.answered > 300, 60, "both replicas answer")
        victim, began = min(load.processes), time.monotonic()
        os.kill(victim, signal.SIGKILL)

        def two_again():
            return sum(seen > began + 0.5 for process, seen in load.processes.items() if process != victim) >= REPLICAS

        wait_until(two_again, 90, "a new replica answers")
        recovered = round(time.monotonic() - began, 1)
        before = load.answered
        wait_until(lambda: load.answered > before + 300, 60, "the load goes on")
    return load.told() | {"seconds_until_two_again": recovered}


def roll_out(bodies, wanted):
    """Put version 2 in place of version 1 under load. Returns what the clients saw."""
    from ray import serve

    with Load(bodies, wanted) as load:
        wait_until(lambda: load.answered > 300, 60, "version 1 answers")
        began = time.monotonic()
        serve.run(application("2"), route_prefix="/")
        seconds = round(time.monotonic() - began, 1)
        wait_until(lambda: load.versions["2"] > 300, 60, "version 2 answers")
    return load.told() | {"seconds": seconds, "answers_by_version": dict(load.versions)}


def memory():
    """Proportional share of all processes of this namespace, MB: shared pages count once."""
    total = 0
    for file in pathlib.Path("/proc").glob("[0-9]*/smaps_rollup"):
        try:
            total += next(int(line.split()[1]) for line in file.read_text().splitlines() if line.startswith("Pss:"))
        except OSError:  # it has ended
            continue
    return round(total / 1024)


def inside(asked):
    """What runs within the namespaces: start Ray Serve, and do what was asked."""
    with socket.socket() as any_socket:  # `ip link set lo up`: SIOCSIFFLAGS with IFF_UP and IFF_RUNNING
        fcntl.ioctl(any_socket, 0x8914, struct.pack("16sh14x", b"lo", 0x41))
    os.environ |= {"RAY_USAGE_STATS_ENABLED": "0", "RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO": "0", "PYTHONPATH": str(ROOT)}
    import ray
    from ray import serve

    folder = tempfile.mkdtemp(prefix="r", dir="/tmp")  # short: Ray's sockets lie there
    try:
        options = {
            "num_cpus": 4,
            "object_store_memory": 100 * 2**20,
            "include_dashboard": False,
            "log_to_driver": False,
        }
        ray.init(_node_ip_address="127.0.0.1", _temp_dir=folder, logging_level="ERROR", **options)
        serve.start(http_options=serve.HTTPOptions(host="127.0.0.1", port=PORT), logging_config={"log_level": "ERROR"})
        serve.run(application("1"), route_prefix="/")
        task = json.loads(pathlib.Path(asked.task).read_text(encoding="utf8"))
        bodies = [json.dumps(body) for body in task["bodies"]]
        classes = [wanted.index(max(wanted)) for wanted in task["wanted"]]
        told = {}
        if asked.load:
            from serving import load

            told["load"] = []
            for clients in task["clients"]:
                measured = load.in_a_process(f"http://127.0.0.1:{PORT}/", asked.task, clients, task["seconds"])
                told["load"].append(measured | {"megabytes": memory()})
        if asked.trials:
            told["one_replica_killed"] = kill_one(bodies, classes)
            told["new_version_rolled_out"] = roll_out(bodies, classes)
        pathlib.Path(asked.report).write_text(json.dumps(told), encoding="utf8")
    finally:
        serve.shutdown()
        ray.shutdown()
        shutil.rmtree(folder, ignore_errors=True)


def problem():
    """Why this machine cannot do it, in one sentence; else None."""
    if sys.platform != "linux":
        return (
            "Ray Serve runs here on Linux only, in namespaces of its own; see benchmarks/serving.json for the last run."
        )
    if not shutil.which("unshare"):
        return "the command `unshare` is missing (package util-linux)."
    tried = subprocess.run([*NAMESPACES, "true"], capture_output=True, text=True)
    if tried.returncode:
        return f"this system allows no namespaces to this user ({tried.stderr.strip()}); root may make them."
    return None


def main():
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("task", help="JSON file: bodies, wanted (their probabilities), clients, seconds")
    parser.add_argument("report", help="JSON file to write")
    parser.add_argument("--load", action="store_true", help="measure requests a second")
    parser.add_argument("--trials", action="store_true", help="kill a replica, roll out a version")
    parser.add_argument("--inside", action="store_true", help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.inside:
        inside(asked)
    elif reason := problem():
        sys.exit(f"Problem: {reason}")
    else:
        command = [*NAMESPACES, sys.executable, "-m", "serving.serve_with_ray", "--inside", *sys.argv[1:]]
        sys.exit(subprocess.run(command, cwd=ROOT, timeout=400).returncode)


if __name__ == "__main__":
    main()
