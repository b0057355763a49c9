"""Measure what a learner needs of a machine, into memory.json: `python -m classroom.hub.measure` (twenty minutes).

Every solution runs from top to bottom in a kernel of its own. Stored are, for kernel and children, MiB in memory after
`ck.start()` and at the peak: all of it (RSS), and `own`, what no other learner shares (RssAnon: all but the files of
packages, which lie in memory once for the whole machine). And seconds of computing, summed over all cores.
"""

import pathlib
import re
import subprocess
import sys
import tempfile
import threading
import time

import nbclient
import nbformat
import psutil

from authoring import report
from coursekit import places

HERE = pathlib.Path(__file__).resolve().parent
PAUSE = 0.1  # seconds between two looks


def memory(process):
    """MiB in memory of a process and its children: (own, all)."""
    own = everything = 0
    for one in [process, *process.children(recursive=True)]:
        try:
            status = pathlib.Path(f"/proc/{one.pid}/status").read_text(encoding="ascii", errors="replace")
        except OSError:  # it ended meanwhile
            continue
        told = {name: int(kib) for name, kib in re.findall(r"^(Rss\w+):\s+(\d+) kB$", status, re.MULTILINE)}
        own += told.get("RssAnon", 0) + told.get("RssShmem", 0)
        everything += sum(told.values())
    return round(own / 2**10), round(everything / 2**10)


class Peak(threading.Thread):
    """The most that a process and its children held while this thread ran."""

    def __init__(self, process):
        super().__init__(daemon=True)
        self.process, self.own, self.all, self.ended = process, 0, 0, threading.Event()

    def run(self):
        while not self.ended.wait(PAUSE):
            own, everything = memory(self.process)
            self.own, self.all = max(self.own, own), max(self.all, everything)

    def __enter__(self):
        self.start()
        return self

    def __exit__(self, *_):
        self.ended.set()
        self.join()


def chapter(path):
    """Run a solution; returns its row."""
    notebook = nbformat.read(path, as_version=4)
    client = nbclient.NotebookClient(notebook, timeout=600, kernel_name="python3")
    with tempfile.TemporaryDirectory() as folder, client.setup_kernel(cwd=folder):
        (kernel,) = (child for child in psutil.Process().children() if "ipykernel_launcher" in child.cmdline())
        row = {"chapter": path.stem}
        with Peak(kernel) as peak:
            for index, cell in enumerate(notebook.cells):
                client.execute_cell(cell, index)
                if "started_mib" not in row and "ck.start()" in cell.source and cell.cell_type == "code":
                    row["started_own_mib"], row["started_mib"] = memory(kernel)
        spent = kernel.cpu_times()
        row |= {"peak_own_mib": peak.own, "peak_mib": peak.all}
        row["cpu_seconds"] = round(spent.user + spent.system + spent.children_user + spent.children_system)
    return row


def server():
    """MiB of JupyterLab's server half a minute after its start, without a kernel."""
    with tempfile.TemporaryDirectory() as folder:
        options = ["--no-browser", "--allow-root", "--ServerApp.ip=127.0.0.1", "--port=0", "--ServerApp.root_dir=."]
        lab = subprocess.Popen(
            [sys.executable, "-m", "jupyterlab", *options],
            cwd=folder,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        try:
            time.sleep(30)
            own, everything = memory(psutil.Process(lab.pid))
            return {"own_mib": own, "mib": everything}
        finally:
            lab.terminate()
            lab.wait(30)


def main():
    rows = []
    for path in sorted(places.SOLUTIONS.glob("*.ipynb")):
        rows.append(chapter(path))
        print(rows[-1], flush=True)
    command = "COURSE_DEVICE=cpu .venv/bin/python -m classroom.hub.measure"
    report.write(HERE / "memory.json", command, 0, server=server(), rows=rows)


if __name__ == "__main__":
    main()
