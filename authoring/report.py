"""What a benchmark or a long run stores: its scores, with all that is needed to get them again."""

import datetime
import hashlib
import importlib.metadata
import json
import os
import platform

from coursekit import places

PACKAGES = ("tensorflow", "keras", "numpy")


def write(path, command, seed, files=(), packages=PACKAGES, **measured):
    """Write the report `path` (JSON).

    command: what one types to get it again. files: names of weight files beside the report, kept with their sha256.
    packages: whose versions are told. measured: the scores. Returns the report as a dict.
    """
    report = {
        "command": command,
        "date": datetime.date.today().isoformat(),
        "seed": seed,
        "machine": f"{os.cpu_count()} CPU cores, {platform.machine()}, no GPU",
        "versions": {name: importlib.metadata.version(name) for name in packages},
    }
    if files:
        report["files"] = {name: hashlib.sha256((path.parent / name).read_bytes()).hexdigest() for name in files}
    report |= measured
    places.write_atomically(path, (json.dumps(report, indent=1, ensure_ascii=False) + "\n").encode("utf8"))
    return report
