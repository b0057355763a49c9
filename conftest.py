"""`pytest --nbval solutions`: nbval compares, but numbers after `≈` may move a little (authoring/approximate.py).

The notebooks run as in the tests: in this environment, on the CPU, and a wrong answer raises.
"""

import collections
import copy
import functools
import os
import re

from authoring import approximate


def pytest_configure(config):
    if getattr(config.option, "nbval", False) or getattr(config.option, "nbval_lax", False):
        os.environ.setdefault("COURSE_DEVICE", "cpu")
        os.environ.setdefault("COURSEKIT_STRICT", "1")
        config.option.nbval_current_env = not config.option.nbval_kernel_name


def pytest_itemcollected(item):
    if hasattr(item, "compare_outputs"):  # a cell of nbval, not a test function
        item.compare_outputs = functools.partial(compare, item, item.compare_outputs)


def compare(item, nbval, fresh, stored, *options):
    """nbval's comparison; a fresh text that agrees with the stored one but for `≈` numbers is taken for equal.

    So is HTML that agrees but for its pictures.
    """
    fresh, before, tolerance = copy.deepcopy(fresh), texts(stored), approximate.tolerance(item.cell)
    for kind, places in texts(fresh).items():
        for (old, key), (new, _) in zip(before[kind], places, strict=False):
            if kind == "text/html":
                if without_pictures(old[key]) == without_pictures(new[key]):
                    new[key] = old[key]
                continue
            changes = approximate.moved(old[key], new[key], tolerance)
            item.user_properties += [("moved", f"{change}   in: {change.line[:100]}") for change in changes]
            if approximate.same(old[key], new[key], tolerance):
                new[key] = old[key]
    return nbval(fresh, stored, *options)


def texts(outputs):
    """{kind: [(dictionary, key), ...]}, where the texts of a cell's outputs stand."""
    found = collections.defaultdict(list)
    for output in outputs:
        if output.output_type == "stream":
            found[output.name].append((output, "text"))
        for kind in ("text/plain", "text/markdown", "text/html"):
            if kind in output.get("data", {}):
                found[kind].append((output["data"], kind))
    return found


def without_pictures(page):
    """HTML without the pictures that it holds: as elsewhere, pictures are not compared."""
    return re.sub(r"data:image/png;base64,[\w+/=]+", "", page)


def pytest_terminal_summary(terminalreporter):
    groups = terminalreporter.stats.values()
    reports = [report for group in groups for report in group if getattr(report, "when", None) == "call"]
    rows = [
        f"{report.nodeid}: {text}"
        for report in sorted(reports, key=lambda report: report.location[0])  # passed before failed in each notebook
        for name, text in dict.fromkeys(map(tuple, report.user_properties))  # Markdown comes as plain text too
        if name == "moved"
    ]
    if rows:
        terminalreporter.section("numbers after ≈ that moved")
        terminalreporter.write("".join(f"{row}\n" for row in rows))
