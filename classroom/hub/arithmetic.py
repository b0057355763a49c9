"""How many learners a machine holds, and how many machines a course needs: `python -m classroom.hub.arithmetic`.

From what `measure` stored in memory.json and what values.yaml assumes. All memory in MiB, unless a name says otherwise.
"""

import json
import math
import pathlib
import re
import statistics

import yaml

HERE = pathlib.Path(__file__).resolve().parent
UNITS = {"K": 2**10, "M": 2**20, "G": 2**30, "T": 2**40}
SYSTEM = 1536  # assumed: operating system, hub, proxy and the files of packages, which all learners share
MACHINES = (8, 16, 32, 64)  # GiB


def read():
    """What was measured, and the values for the cluster."""
    memory = json.loads((HERE / "memory.json").read_text(encoding="utf8"))
    return memory, yaml.safe_load((HERE / "values.yaml").read_text(encoding="utf8"))


def mib(text):
    """MiB of a size as JupyterHub writes it, e.g. `1.5G`."""
    number, unit = re.fullmatch(r"([\d.]+)([KMGT])", text).groups()
    return float(number) * UNITS[unit] / 2**20


def typical(memory, name):
    """The median over all chapters of what was measured."""
    return statistics.median(row[name] for row in memory["rows"])


def learner(memory, kernels=1):
    """Memory that a learner shares with nobody: the server, a kernel at a usual peak, further kernels at rest."""
    at_rest = memory["rows"][0]["started_own_mib"]
    return memory["server"]["own_mib"] + typical(memory, "peak_own_mib") + (kernels - 1) * at_rest


def on_one_machine(memory, gib):
    """Learners that a machine with `gib` GiB holds: (all at a usual peak at the same moment, all reading)."""
    room = gib * 1024 - SYSTEM
    reading = memory["server"]["own_mib"] + memory["rows"][0]["started_own_mib"]
    return math.floor(room / learner(memory)), math.floor(room / reading)


def cluster(memory, values):
    """What the cluster of values.yaml needs, as a dict."""
    course, pod = values["custom"]["course"], values["singleuser"]
    cores = course["node"]["cores"] - course["reserved"]["cores"]
    room = (course["node"]["memory_gib"] - course["reserved"]["memory_gib"]) * 1024
    by_memory, by_cores = room / mib(pod["memory"]["guarantee"]), cores / pod["cpu"]["guarantee"]
    on_a_node = math.floor(min(by_memory, by_cores))
    nodes = math.ceil((course["at_once"] + values["scheduling"]["userPlaceholder"]["replicas"]) / on_a_node)
    largest = max(row["peak_mib"] for row in memory["rows"])
    resting = (course["kernels"] - 1) * memory["rows"][0]["started_own_mib"]
    return {
        "a_learner_needs": learner(memory, course["kernels"]),
        "a_learner_may_need": memory["server"]["mib"] + largest + resting,
        "learners_on_a_node": on_a_node,
        "nodes": nodes,
        "cores": nodes * course["node"]["cores"],
        "memory_gib": nodes * course["node"]["memory_gib"],
        "disk_gib": course["learners"] * int(pod["storage"]["capacity"].removesuffix("Gi")),
        # All press Run All at the same moment: seconds until the last is through.
        "all_at_once_seconds": course["at_once"] * typical(memory, "cpu_seconds") / (nodes * cores),
    }


def main():
    memory, values = read()
    print("GiB  all at a peak  all reading")
    for gib in MACHINES:
        peak, reading = on_one_machine(memory, gib)
        print(f"{gib:3} {peak:14} {reading:12}")
    for name, number in cluster(memory, values).items():
        print(f"{name}: {number:.0f}")


if __name__ == "__main__":
    main()
