"""Is this machine ready for the course? (`make doctor`, and a cell in chapter 00.) One line a question.

`make doctor` asks in the kernel and the folder of a learner's notebook, for what ails a notebook may ail nothing else.
"""

import importlib.metadata
import pathlib
import re
import shutil
import sys
import time

from coursekit import data, places, runtime

OLDEST, NEWEST = (3, 11), (3, 13)
MEMORY_GIB, DISK_GIB = 2.0, 1.0
REFERENCE_LOSS, LOSS_TOLERANCE = 0.257, 0.01  # of training(), on Linux, x86-64


class Problem(Exception):
    """What is wrong and what to do, in one line."""


def python():
    version = sys.version_info[:2]
    if not OLDEST <= version <= NEWEST:
        raise Problem(
            f"Python {version[0]}.{version[1]}; the course runs on 3.{OLDEST[1]} to 3.{NEWEST[1]}: install one, "
            "delete .venv and run `make lab`"
        )
    return f"Python {sys.version.split()[0]}"


def packages():
    different, wanted = [], locked_versions()
    for name, version in wanted.items():
        try:
            installed = importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            installed = "none"
        if installed != version:
            different.append(f"{name} {installed} (locked: {version})")
    if different:
        more = f" and {len(different) - 3} more" if len(different) > 3 else ""
        raise Problem(f"{', '.join(different[:3])}{more}: delete .venv and run `make lab`")
    return f"{len(wanted)} packages have the locked versions, e.g. tensorflow {wanted['tensorflow']}"


def locked_versions():
    """{package: version} of requirements.txt for this platform."""
    from packaging.requirements import Requirement

    text = (places.ROOT / "requirements.txt").read_text(encoding="utf8")
    pins = [Requirement(line) for line in re.findall(r"^[A-Za-z0-9][^\\\n]*==[^\\\n]*", text, re.MULTILINE)]
    return {
        pin.name: str(pin.specifier).removeprefix("==") for pin in pins if pin.marker is None or pin.marker.evaluate()
    }


def memory():
    import psutil

    free = psutil.virtual_memory().available / 2**30
    if free < MEMORY_GIB:
        raise Problem(f"{free:.1f} GiB of memory are free, {MEMORY_GIB:g} are needed: close other programs")
    return f"{free:.1f} GiB of memory are free"


def disk():
    free = shutil.disk_usage(places.ROOT).free / 2**30
    if free < DISK_GIB:
        raise Problem(f"{free:.1f} GiB of disk are free, {DISK_GIB:g} are needed: remove files")
    return f"{free:.1f} GiB of disk are free"


def device():
    import tensorflow

    none = "" if tensorflow.config.get_visible_devices("GPU") else "; no GPU is used, and none is needed"
    return runtime.device() + none


def datasets():
    for name in data.names():
        for file in data.card(name)["files"]:
            try:
                data.read_verified(name, file)
            except data.DataError as error:
                raise Problem(str(error)) from None
    return f"{len(data.names())} data sets have the right checksums: {', '.join(data.names())}"


def training():
    import keras

    began = time.perf_counter()
    (x, y), _ = data.digits()
    keras.utils.set_random_seed(0)
    network = keras.Sequential([keras.Input((64,)), keras.layers.Dense(64, "relu"), keras.layers.Dense(10)])
    network.compile("adam", keras.losses.SparseCategoricalCrossentropy(from_logits=True), steps_per_execution=15)
    loss = network.fit(x.reshape(-1, 64) / 16, y, batch_size=32, epochs=10, verbose=0).history["loss"][-1]
    seconds = time.perf_counter() - began
    if not abs(loss - REFERENCE_LOSS) < LOSS_TOLERANCE:
        raise Problem(
            f"a short training ended with a loss of {loss:.3f}, expected {REFERENCE_LOSS}: numbers in the chapters "
            "may differ; try COURSE_DEVICE=cpu"
        )
    return f"a short training took {seconds:.1f} s and ended with a loss of {loss:.3f}, as expected"


CHECKS = (python, packages, memory, disk, device, datasets, training)


def doctor():
    """Print one line for each question, OK or PROBLEM with what to do."""
    report()


def report():
    """Print the doctor's lines. Returns how many problems there are."""
    if "tensorflow" not in sys.modules:
        runtime.prepare()
    problems = 0
    for check in CHECKS:
        try:
            print(f"OK       {check()}", flush=True)
        except Exception as error:
            problems += 1
            expected = isinstance(error, (Problem, places.CourseError))
            reason = str(error) if expected else f"{check.__name__}: {error!r}"
            print(f"PROBLEM  {reason}", flush=True)
    return problems


# What a learner's first cell does; then the doctor, if the kit is the one of this folder.
IN_A_NOTEBOOK = """
import os
import coursekit
print(os.path.realpath(coursekit.__file__))
if os.path.realpath(coursekit.__file__) == {kit!r}:
    from coursekit import health
    health.report()
"""


def report_from_a_notebook():
    """Print the doctor's lines as they come out in a notebook of workspace/. Returns how many problems there are."""
    from jupyter_client import manager

    folder = places.WORKSPACE if places.WORKSPACE.is_dir() else places.ROOT
    kit, lines, errors = str(places.ROOT / "coursekit" / "__init__.py"), [], []

    def show(message):
        if message["msg_type"] == "stream" and message["content"]["name"] == "stdout":
            new = message["content"]["text"].splitlines()
            lines.extend(new)
            print("".join(f"{line}\n" for line in new if line.startswith(("OK ", "PROBLEM "))), end="", flush=True)
        elif message["msg_type"] == "error":
            errors.append(message["content"])

    kernel, client = manager.start_new_kernel(cwd=str(folder))
    try:
        client.execute_interactive(IN_A_NOTEBOOK.format(kit=kit), output_hook=show, timeout=600)
    finally:
        client.stop_channels()
        kernel.shutdown_kernel(now=True)
    if problem := _of_the_kit(kit, lines, errors):
        print(f"PROBLEM  {problem}", flush=True)
    return bool(problem) + sum(line.startswith("PROBLEM ") for line in lines)


def _of_the_kit(kit, lines, errors):
    """What keeps the notebooks from the kit of this folder, or an empty text."""
    moved = "was the course moved or copied? `make lab` mends that"
    if any(error["ename"] == "ModuleNotFoundError" and "'coursekit" in error["evalue"] for error in errors):
        return f"notebooks find no coursekit: {moved}"
    if errors:
        return errors[0]["evalue"]
    if lines[:1] != [kit]:
        return f"notebooks use the kit in {pathlib.Path(lines[0]).parent}, not the one in this folder: {moved}"
    return ""


if __name__ == "__main__":
    try:
        found = report_from_a_notebook()
    except Exception as error:  # of any kind: without packages, say, there is no kernel
        print(
            f"PROBLEM  the kernel of the notebooks does not start ({error}); what can be asked without it:", flush=True
        )
        found = 1 + report()
    sys.exit(1 if found else 0)
