"""Do the stored outputs hold on other CPUs? nbval over the solutions under each setting (`make robust`)."""

import argparse
import datetime
import os
import re
import subprocess
import sys

from coursekit import places

SETTINGS = {
    "default": {},
    "no-onednn": {"TF_ENABLE_ONEDNN_OPTS": "0"},
    "avx2": {"ONEDNN_MAX_CPU_ISA": "AVX2", "XLA_FLAGS": "--xla_cpu_max_isa=AVX2"},
    "sse41": {"ONEDNN_MAX_CPU_ISA": "SSE41", "XLA_FLAGS": "--xla_cpu_max_isa=SSE4_2"},
    "one-thread": {"TF_NUM_INTRAOP_THREADS": "1", "TF_NUM_INTEROP_THREADS": "1", "OMP_NUM_THREADS": "1"},
}
APPROXIMATE = re.compile(r"^(.+\.ipynb)::(Cell \d+: ≈ .*)$", re.MULTILINE)  # a row of the summary of ../conftest.py
FAILED = re.compile(r"^FAILED (\S+?)::(.*)$", re.MULTILINE)
TODAY = "today"  # CI takes one setting in rotation, by the day


def run(setting, paths):
    """Run nbval over the notebooks `paths` under `setting`. Returns: passed, cells that moved, whole output."""
    environment = os.environ | {"COURSE_DEVICE": "cpu", "COURSEKIT_STRICT": "1"} | SETTINGS[setting]
    options = ["--nbval", "--nbval-cell-timeout=120", "--color=no", "-n", "2"]
    command = [sys.executable, "-m", "pytest", *options, "--dist", "loadscope", "-q", *map(str, paths)]
    done = subprocess.run(command, cwd=places.ROOT, env=environment, capture_output=True, text=True)
    return done.returncode == 0, [": ".join(match) for match in FAILED.findall(done.stdout)], done.stdout


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("settings", nargs="*", help=f"{', '.join(SETTINGS)}, or {TODAY}; none: all")
    parser.add_argument("--chapters", nargs="+", default=[""], help="names, or beginnings of names; none: all")
    arguments = parser.parse_args()
    paths = [
        path for path in sorted(places.SOLUTIONS.glob("*.ipynb")) if path.name.startswith(tuple(arguments.chapters))
    ]
    if not paths:
        sys.exit(f"There is no chapter {arguments.chapters} in {places.SOLUTIONS.name}/.")
    asked = arguments.settings or list(SETTINGS)
    if asked == [TODAY]:
        others = [name for name in SETTINGS if name != "default"]
        asked = [others[datetime.date.today().toordinal() % len(others)]]
    if unknown := [name for name in asked if name not in SETTINGS]:
        sys.exit(f"There is no setting {unknown[0]!r}; there are {', '.join(SETTINGS)} and {TODAY}.")
    good = True
    for setting in asked:
        passed, moved, output = run(setting, paths)
        good = good and passed
        print(f"{setting}: {len(moved)} cells moved" if moved or passed else f"{setting}: nbval failed\n{output}")
        print("".join(f"  {line}\n" for line in moved), end="")
        print("".join(f"  {': '.join(row)}\n" for row in APPROXIMATE.findall(output)), end="", flush=True)
        if moved:
            print(output)
    sys.exit(not good)


if __name__ == "__main__":
    main()
