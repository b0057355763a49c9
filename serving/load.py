"""Load a server on 127.0.0.1: CLIENTS clients, each of which asks again as soon as it has its answer, for some seconds.

`make serve-load` runs it against MLServer; benchmarks/serving.py against three servers. Each client keeps its
connection. The time of a request goes from its first byte sent to its last byte received.
"""

import argparse
import asyncio
import collections
import json
import pathlib
import statistics
import subprocess
import sys
import time
import urllib.parse

import httptools

try:
    import uvloop
except ImportError:  # Windows
    uvloop = None


class Client(asyncio.Protocol):
    """One client: sends its requests in turn until `until`. Times, statuses and answers go into `seen`."""

    def __init__(self, requests, first, until, seen):
        self.requests, self.number, self.until, self.seen = requests, first, until, seen
        self.done = asyncio.get_running_loop().create_future()

    def connection_made(self, transport):
        self.transport = transport
        self.ask()

    def ask(self):
        self.number = (self.number + 1) % len(self.requests)
        self.parser, self.body = httptools.HttpResponseParser(self), []
        self.began = time.perf_counter()
        self.transport.write(self.requests[self.number])

    def data_received(self, data):
        self.parser.feed_data(data)

    def on_body(self, body):
        self.body.append(body)

    def on_message_complete(self):
        now = time.perf_counter()
        status = self.parser.get_status_code()
        self.seen["status"][status] += 1
        self.seen["seconds"].append(now - self.began)
        self.seen["answers"].append((self.number, b"".join(self.body)))
        if now < self.until:
            self.ask()
        else:
            self.transport.close()

    def connection_lost(self, error):
        if not self.done.done():
            self.seen["lost"] += error is not None or time.perf_counter() < self.until
            self.done.set_result(None)


def request(address, body, kind="application/json"):
    """The bytes of one POST request."""
    parts = urllib.parse.urlsplit(address)
    head = f"POST {parts.path} HTTP/1.1\r\nHost: {parts.netloc}\r\nContent-Type: {kind}\r\nContent-Length: {len(body)}"
    return head.encode("ascii") + b"\r\n\r\n" + body


async def _run(address, bodies, clients, seconds):
    parts = urllib.parse.urlsplit(address)
    assert parts.hostname == "127.0.0.1", "load goes to this machine alone"
    requests = [request(address, body) for body in bodies]
    seen = {"status": collections.Counter(), "seconds": [], "answers": [], "lost": 0}
    began = time.perf_counter()
    loop = asyncio.get_running_loop()

    def client(number):
        return lambda: Client(requests, number * len(requests) // clients, began + seconds, seen)

    made = [await loop.create_connection(client(number), parts.hostname, parts.port) for number in range(clients)]
    _, late = await asyncio.wait([protocol.done for _, protocol in made], timeout=seconds + 30)
    seen["lost"] += len(late)
    for transport, _ in made:
        transport.abort()
    seen["elapsed"] = time.perf_counter() - began
    return seen


def run(address, bodies, clients=16, seconds=10):
    """Load `address` with JSON bodies (list of bytes). Returns what was measured, and all answers: (body, content)."""
    with asyncio.Runner(loop_factory=uvloop.new_event_loop if uvloop else None) as runner:
        seen = runner.run(_run(address, bodies, clients, seconds))
    total = sum(seen["status"].values())
    measured = {
        "clients": clients,
        "requests": total,
        "requests_per_second": round(total / seen["elapsed"], 1),
        "not_ok": total - seen["status"][200] + seen["lost"],
    }
    if total > 1:
        cuts = statistics.quantiles(seen["seconds"], n=100, method="inclusive")
        measured |= {"p50_ms": round(1e3 * cuts[49], 2), "p99_ms": round(1e3 * cuts[98], 2)}
    return measured, seen["answers"]


def probabilities(content):
    """The ten probabilities in the answer of any of our servers for one picture."""
    told = json.loads(content)
    return told["outputs"][0]["data"] if "outputs" in told else told["probabilities"][0]


def in_a_process(address, task, clients, seconds):
    """`run` in a process of its own, with the bodies of the JSON file `task`; each answer is compared with `wanted`."""
    command = [sys.executable, "-m", "serving.load", "--address", address, "--task", str(task)]
    command += ["--clients", str(clients), "--seconds", str(seconds)]
    done = subprocess.run(command, check=True, capture_output=True, text=True, timeout=seconds + 60)
    return json.loads(done.stdout)


def compared(answers, wanted):
    """How many answers name another class than `wanted` (probabilities of each body), and the greatest difference."""
    others, greatest = 0, 0.0
    for number, content in answers:
        got = probabilities(content)
        others += got.index(max(got)) != wanted[number].index(max(wanted[number]))
        greatest = max(greatest, *(abs(a - b) for a, b in zip(got, wanted[number], strict=True)))
    return {"other_classes": others, "greatest_difference": round(greatest, 6)}


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--port", type=int, default=8080)
    parser.add_argument("--address", help="of another server than MLServer")
    parser.add_argument("--task", help="JSON file with bodies and the probabilities wanted of each")
    parser.add_argument("--clients", type=int, nargs="+", default=[1, 16, 64])
    parser.add_argument("--seconds", type=float, default=10)
    asked = parser.parse_args()
    address = asked.address or f"http://127.0.0.1:{asked.port}/v2/models/digits/infer"
    if asked.task:
        task = json.loads(pathlib.Path(asked.task).read_text(encoding="utf8"))
        bodies = [json.dumps(body, separators=(",", ":")).encode("ascii") for body in task["bodies"]]
    else:
        bodies = [(pathlib.Path(__file__).parent / "exported" / "digits_request.json").read_bytes()]
    for clients in asked.clients:
        try:
            measured, answers = run(address, bodies, clients, asked.seconds)
        except OSError:
            sys.exit(f"Problem: no server answers at {address}. Start it with `make serve`.")
        print(json.dumps(measured | (compared(answers, task["wanted"]) if asked.task else {})), flush=True)


if __name__ == "__main__":
    main()
