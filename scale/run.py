"""`make scale`: two real workers train together, one is killed, and the training ends as if nothing had happened.

Four runs of scale/train.py: alone; two processes; two processes of which one is killed with -9 in mid-epoch, and both
are started again; two workers under Ray Train, one of them killed, and Ray starts it again. All inside a network
namespace of their own, so that nothing listens where others could reach it, and a process namespace, so that nothing is
left behind, however this ends. Writes checkpoints/scale.json. Linux only.
"""

import argparse
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

from coursekit import places

REPORT = places.CHECKPOINTS / "scale.json"
NAMESPACE = ["unshare", "--user", "--map-root-user", "--net", "--pid", "--fork", "--kill-child", "--mount-proc"]
KILL_AT = 415  # a step in the middle of the second epoch; the newest checkpoint is of step 375
LONGEST = 150  # seconds for one run, which takes 15 to 40
PORTS = 20_001, 20_002


class Stop(Exception):
    """`make scale` cannot go on; the message is one sentence that says why."""


def main():
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--python", default=".venv-scale/bin/python", help="the Python that has Ray")
    parser.add_argument("--report", type=pathlib.Path, default=REPORT)
    parser.add_argument("--inside", help=argparse.SUPPRESS)
    chosen = parser.parse_args()
    if chosen.inside:
        return inside(pathlib.Path(chosen.inside), chosen.python)
    try:
        check(chosen.python)
        began = time.perf_counter()
        with tempfile.TemporaryDirectory(prefix="scale-", dir="/tmp") as folder:  # short: Ray's sockets lie there
            runs = outside(pathlib.Path(folder), chosen.python)
        store(runs, round(time.perf_counter() - began), chosen.report)
    except Stop as problem:
        sys.exit(f"make scale: {problem}")
    except KeyboardInterrupt:
        sys.exit("make scale: stopped; no process is left, the stored report is the old one.")


def check(python, platform=sys.platform):
    """Raise Stop when this machine cannot do it."""
    if platform != "linux":
        raise Stop("needs Linux (namespaces); what its last run found lies in checkpoints/scale.json.")
    if not shutil.which("unshare"):
        raise Stop("needs the command `unshare` (package util-linux).")
    tried = subprocess.run([*NAMESPACE, "true"], capture_output=True, text=True)
    if tried.returncode:
        raise Stop(f"this system does not allow namespaces to this user ({tried.stderr.strip()}); root may do it.")
    if not pathlib.Path(python).is_file():
        raise Stop(f"there is no {python}; `make scale` makes this environment.")


def outside(folder, python):
    """Lay out the data, run all inside the namespaces. Returns the runs, a dict."""
    import numpy as np

    from coursekit import data

    (x, y), (x_test, y_test) = data.fashion_mnist()
    np.savez(folder / "data.npz", x=x, y=y, x_test=x_test, y_test=y_test)
    command = [*NAMESPACE, sys.executable, "-m", "scale.run", "--inside", str(folder), "--python", python]
    # Its own session: Ctrl-C reaches this process alone. When this one ends, in whatever way, the pipe closes.
    process = subprocess.Popen(command, stdin=subprocess.PIPE, cwd=places.ROOT, start_new_session=True)
    try:
        process.wait()
    finally:
        process.stdin.close()  # the first process inside ends, and with it all others
        process.wait()
    if process.returncode:
        raise Stop((folder / "problem").read_text() if (folder / "problem").exists() else "the runs ended early.")
    return json.loads((folder / "runs.json").read_text())


def inside(folder, python):
    """The first process of the namespaces: all others end when it ends."""
    threading.Thread(target=lambda: (sys.stdin.read(), os._exit(1)), daemon=True).start()
    try:
        loopback_up()
        runs = {}
        for name, run in {"alone": alone, "together": together, "killed": killed, "ray": on_ray}.items():
            (folder / name).mkdir()
            began = time.perf_counter()
            runs[name] = run(folder, folder / name, python)
            runs[name]["seconds"] = round(time.perf_counter() - began)
            print(f"{name:9} {runs[name]['seconds']:3} s  test loss {runs[name]['test_loss']:.6f}", flush=True)
    except Stop as problem:
        (folder / "problem").write_text(str(problem))
        os._exit(1)
    (folder / "runs.json").write_text(json.dumps(runs))


def loopback_up():
    """`ip link set lo up`, for machines without `ip`: SIOCSIFFLAGS with IFF_UP and IFF_RUNNING."""
    import fcntl  # not on Windows, which shall get its sentence

    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as any_socket:
        fcntl.ioctl(any_socket, 0x8914, struct.pack("16sh14x", b"lo", 0x1 | 0x40))


def start(folder, run, python, workers):
    """Start the workers as processes; each learns from TF_CONFIG where the others are and which one it is."""
    cluster = {"worker": [f"127.0.0.1:{port}" for port in PORTS[:workers]]}
    started = []
    for rank in range(workers):
        told = {"cluster": cluster, "task": {"type": "worker", "index": rank}}
        environment = os.environ | {"TF_CONFIG": json.dumps(told)}
        with open(run / f"log-{rank}", "ab") as log:
            command = [python, "-m", "scale.train", str(run), str(folder / "data.npz")]
            started.append(subprocess.Popen(command, stdout=log, stderr=log, env=environment))
    return started


def finish(processes, run):
    """Wait for all; raise Stop with the end of the log when one fails or takes too long."""
    latest = time.monotonic() + LONGEST
    while any(process.poll() is None for process in processes):
        failed = [rank for rank, process in enumerate(processes) if process.poll()]
        if failed or time.monotonic() > latest:
            for process in processes:
                process.kill()
            break
        time.sleep(0.05)
    failed = [rank for rank, process in enumerate(processes) if process.wait()]
    if failed:
        lines = (run / f"log-{failed[0]}").read_text(errors="replace").strip().splitlines() or ["it wrote nothing"]
        raise Stop(f"run {run.name!r}, worker {failed[0]} failed or took over {LONGEST} s; its last line: {lines[-1]}")


def results(run, workers=2):
    """What the workers wrote, as one dict. Raises Stop unless all have the same weights to the last bit."""
    each = [json.loads((run / f"result-{rank}.json").read_text()) for rank in range(workers)]
    if len({one["weights"] for one in each}) != 1:
        raise Stop(f"the workers of run {run.name!r} ended with different weights.")
    return each[0]


def alone(folder, run, python):
    finish(start(folder, run, python, workers=1), run)
    return results(run, workers=1)


def together(folder, run, python):
    finish(start(folder, run, python, workers=2), run)
    return results(run)


def killed(folder, run, python):
    """Kill worker 1 in mid-epoch, watch what the other one does, start both again."""
    processes = start(folder, run, python, workers=2)
    step = kill_one(run, lambda: any(process.poll() is not None for process in processes))
    began = time.monotonic()
    try:
        ended = processes[0].wait(60)
    except subprocess.TimeoutExpired:
        ended = None
    waited = round(time.monotonic() - began, 1)
    for process in processes:
        process.kill()
        process.wait()
    finish(start(folder, run, python, workers=2), run)
    return results(run) | {"killed_at": step, "other_ended_with": ended, "other_ended_after_seconds": waited}


def on_ray(folder, run, python):
    """The same under Ray Train. We only kill; Ray notices and starts again."""
    short = folder / "env"  # Ray hands Python's path to a shell, unquoted: one with a space would never start
    short.symlink_to(pathlib.Path(python).absolute().parents[1])
    command = [short / "bin" / "python", "-m", "scale.on_ray", run, folder / "data.npz", folder / "r"]
    with open(run / "log-0", "ab") as log:
        process = subprocess.Popen(command, stdout=log, stderr=log)
    step = kill_one(run, lambda: process.poll() is not None)
    finish([process], run)
    return results(run) | {"killed_at": step}


def kill_one(run, over):
    """Wait until worker 1 is at step KILL_AT, kill it with -9. Returns the step it had told last."""
    latest = time.monotonic() + LONGEST
    while time.monotonic() < latest and not over():
        if (run / "at-1").exists():
            number, step = map(int, (run / "at-1").read_text().split())
            if step >= KILL_AT:
                os.kill(number, signal.SIGKILL)
                return step
        time.sleep(0.005)
    lines = (run / "log-0").read_text(errors="replace").strip().splitlines() or ["nothing"]
    raise Stop(f"run {run.name!r} did not come to step {KILL_AT}; the last line of its log: {lines[-1]}")


def store(runs, seconds, path):
    """Check what was promised, write the report."""
    from authoring import report

    versions = runs["together"]["versions"]
    for name in ("killed", "ray"):
        if not 0 < runs[name]["start"] <= KILL_AT:
            raise Stop(f"run {name!r} did not go on from a checkpoint.")
        if abs(runs[name]["test_loss"] - runs["together"]["test_loss"]) > 1e-6:
            raise Stop(f"run {name!r} ended with another loss than the undisturbed one.")
    for run in runs.values():
        del run["versions"]
    report.write(path, "make scale", 0, versions=versions, seconds=seconds, runs=runs)
    same = [name for name in runs if runs[name]["weights"] == runs["together"]["weights"]]
    print(f"{seconds} s; the same weights to the last bit: {', '.join(same)}. Written: {path.name}")


if __name__ == "__main__":
    main()
