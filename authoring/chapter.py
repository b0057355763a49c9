"""A chapter as it is written: source/NAME.py, py:percent cells below a YAML header."""

import dataclasses
import pathlib
import re
import types

import jupytext
import nbformat
import yaml

import coursekit
from authoring import experiments
from coursekit import data, places

SOURCE = places.ROOT / "source"
BEGIN, END = "### BEGIN SOLUTION", "### END SOLUTION"
EXERCISE_TITLE = re.compile(
    r"^### Exercise (?P<number>\S+) · (?P<title>[^·\n]+) · (?P<difficulty>●{1,3}○{0,2}) · (?P<minutes>\d+) minutes$",
    re.MULTILINE,
)
HEADING = "### Exercise 1.1 · A short title · ●○○ · 5 minutes"
APPROXIMATE = 'approximate={"tolerance": 0.3, "why": "…"}'
KEYS = {"tags", "approximate", "lines_to_next_cell"}  # what jupytext makes of the line `# %%`
TAGS = {"exercise", "check", "quiz", "setup", "long-run", "nbval-ignore-output", "raises-exception"}
TAGS |= {"parameters", "guard", "guess", "conclusion", "figure"}


class SourceError(Exception):
    """Something in source/ is not as it must be; the message begins with file and line."""


@dataclasses.dataclass(frozen=True)
class Header:
    """What the YAML header of a chapter says.

    promise: what a learner will know; built: what they have when they come to its end, as `You wrote …`;
    articles: sections of the articles that it carries, as `a0 3.1`; clinic: the faults that it repairs, as `01-1`;
    topic: the name before the dot in its exercises; ignored: why an output is not compared; repeats: for each
    parameter the other values with which `make sceptic` runs the claims, one at a time.
    """

    title: str
    promise: str
    built: str
    minutes: int
    prerequisites: tuple[str, ...]
    data: tuple[str, ...]
    articles: tuple[str, ...]
    clinic: tuple[str, ...]
    topic: str
    ignored: tuple[str, ...] = ()
    repeats: dict[str, list] = dataclasses.field(default_factory=dict)


@dataclasses.dataclass(frozen=True)
class Chapter:
    """name: `01_activations`; notebook: its cells as written, solutions and all; lines: where each cell begins."""

    name: str
    path: pathlib.Path
    header: Header
    notebook: nbformat.NotebookNode
    lines: tuple[int, ...]

    @property
    def number(self):
        """`01`, or `04a` for a part."""
        return self.name.partition("_")[0]

    def cells(self, kind="code", without=("exercise", "check", "quiz")):
        """(index, cell) of all cells of a kind that carry none of the tags in `without`."""
        for index, cell in enumerate(self.notebook.cells):
            if cell.cell_type == kind and not set(without) & tags(cell):
                yield index, cell

    def titles(self):
        """{name of an exercise: its heading, as a match of EXERCISE_TITLE}, in order."""
        cells = self.notebook.cells
        return {
            re.search(r'"([\w.]+)"', cells[index + 1].source)[1]: EXERCISE_TITLE.search(cells[index - 1].source)
            for index, cell in enumerate(cells)
            if "exercise" in tags(cell)
        }


def tags(cell):
    """The tags of a cell as a set."""
    return set(cell.metadata.get("tags", []))


def names():
    """Names of all chapters in order."""
    return sorted(path.stem for path in SOURCE.glob("*.py"))


def read_header(name):
    """The header of source/NAME.py alone, which takes no time."""
    path = SOURCE / f"{name}.py"
    return _read_header(path, path.read_text(encoding="utf8"))[0]


def read(name):
    """Read and validate source/NAME.py. Raises SourceError with file and line."""
    path = SOURCE / f"{name}.py"
    text = path.read_text(encoding="utf8")
    header, rest, skipped = _read_header(path, text)
    body = rest.lstrip("\n")
    skipped += len(rest) - len(body)
    _check_markers(path, text)
    notebook = jupytext.reads(body, fmt="py:percent")
    starts = [skipped + 1 + number for number, line in enumerate(body.splitlines()) if line.startswith("# %%")]
    chapter = Chapter(name, path, header, notebook, tuple(starts))
    if len(starts) != len(notebook.cells):
        raise SourceError(f"{path.name}: {len(notebook.cells)} cells but {len(starts)} cell marks `# %%`")
    _check_tags(chapter)
    for index, problem in experiments.problems(notebook.cells, header.repeats):
        raise SourceError(f"{path.name}:{chapter.lines[index]}: {problem}")
    return chapter


def long_run_code(name):
    """Run the cells of chapter `name` that carry the tag `long-run`. Returns a module with what they define.

    So a long run trains the very code that the chapter shows. A function of the module that is replaced (an ablation)
    is also replaced for the others that call it.
    """
    module = types.ModuleType(name)
    module.ck = coursekit  # as the set-up cell does
    for _, cell in read(name).cells():
        if "long-run" in tags(cell):
            exec(cell.source, vars(module))
    return module


def _read_header(path, text):
    match = re.match(r"# ---\n((?:#.*\n)*?)# ---\n", text)
    if not match:
        raise SourceError(f"{path.name}:1: the file must begin with a YAML header between two lines `# ---`")
    block = "".join(line[2:] if line.startswith("# ") else line[1:] for line in match[1].splitlines(keepends=True))
    try:
        values = yaml.safe_load(block)
    except yaml.YAMLError as error:
        line = error.problem_mark.line + 2 if getattr(error, "problem_mark", None) else 1
        raise SourceError(
            f"{path.name}:{line}: the header is not valid YAML ({getattr(error, 'problem', error)})"
        ) from None
    if not isinstance(values, dict):
        raise SourceError(f"{path.name}:1: the header must be `key: value` lines")

    def complain(key, problem):
        numbers = [n for n, line in enumerate(text.splitlines(), start=1) if line.startswith(f"# {key}:")]
        raise SourceError(f"{path.name}:{numbers[0] if numbers else 1}: header key `{key}` {problem}")

    fields = {field.name: field for field in dataclasses.fields(Header)}
    for key in values:
        if key not in fields:
            complain(key, f"is not known; there are {', '.join(fields)}")
    for key, field in fields.items():
        if key not in values:
            if field.default is field.default_factory is dataclasses.MISSING:
                complain(key, "is missing")
            continue
        value = values[key]
        if field.type is int and (isinstance(value, bool) or not isinstance(value, int) or value < 1):
            complain(key, "must be a whole number above 0")
        if field.type is str and (not isinstance(value, str) or not value.strip()):
            complain(key, "must be a text")
        if "tuple" in str(field.type):
            if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
                complain(key, "must be a list of texts (quote what YAML would read as a number)")
            values[key] = tuple(value)
    repeats = values.get("repeats", {})
    if not isinstance(repeats, dict) or not all(isinstance(value, list) and value for value in repeats.values()):
        complain("repeats", "must be a mapping of parameters to lists, e.g. `{SEED: [1, 2, 3, 4], EPOCHS: [18]}`")
    for key in ("promise", "built"):
        if not re.search(r"[.!]$", values[key]) or len(re.findall(r"[.!?](?:\s|$)", values[key])) != 1:
            complain(key, "must be one sentence")
    for item in values["data"]:
        if item not in data.names():
            complain("data", f"names {item!r}, which is not in datasets/")
    for item in values["articles"]:
        if not re.fullmatch(r"a[0-4] \d+(\.\d+)*", item):
            complain("articles", f"holds {item!r}; write it as `a0 3.1`")
    for item in values["clinic"]:
        if not re.fullmatch(r"\d\d-\d+", item):
            complain("clinic", f"holds {item!r}; write it as `01-1`")
    for item in values["prerequisites"]:
        if not (SOURCE / f"{item}.py").is_file():
            complain("prerequisites", f"names {item!r}, which is not in source/")
    return Header(**values), text[match.end() :], match[0].count("\n")


def _check_markers(path, text):
    opened = None
    for number, line in enumerate(text.splitlines(), start=1):
        word = line.strip()
        if word == BEGIN:
            if opened:
                raise SourceError(f"{path.name}:{number}: `{BEGIN}` inside the solution that line {opened} began")
            opened = number
        elif word == END:
            if not opened:
                raise SourceError(f"{path.name}:{number}: `{END}` without a `{BEGIN}`")
            opened = None
        elif line.startswith("# %%") and opened:
            raise SourceError(f"{path.name}:{opened}: the solution that begins here is not closed in its cell")
        elif re.search(r"(BEGIN|END) SOLUTION", line):
            raise SourceError(f"{path.name}:{number}: write exactly `{BEGIN}` or `{END}`, alone on its line")
    if opened:
        raise SourceError(f"{path.name}:{opened}: the solution that begins here is never closed")


def _check_tags(chapter):
    cells = chapter.notebook.cells

    def complain(index, problem):
        raise SourceError(f"{chapter.path.name}:{chapter.lines[index]}: {problem}")

    for index, cell in enumerate(cells):
        if unknown := tags(cell) - TAGS:
            complain(index, f"unknown tag {sorted(unknown)[0]!r}; there are {', '.join(sorted(TAGS))}")
        if unknown := cell.metadata.keys() - KEYS:
            key = cell.metadata.get("incorrectly_encoded_metadata", sorted(unknown)[0])
            complain(index, f"`# %%` is followed by `{key}`; there are `tags=[…]` and `approximate={{…}}`, in JSON")
        if "approximate" in cell.metadata and not _is_tolerance(cell):
            complain(index, f"write `{APPROXIMATE}` with a number from 0.1 to 1 and a reason, above a code cell")
        if ("exercise" in tags(cell)) != (BEGIN in cell.source):
            complain(index, "a cell is tagged `exercise` if, and only if, it holds a solution")
        if "exercise" in tags(cell):
            following = cells[index + 1] if index + 1 < len(cells) else None
            if following is None or "check" not in tags(following):
                complain(index, "the cell after an exercise must be its check")
            if not (index and EXERCISE_TITLE.search(cells[index - 1].source)):
                complain(index, f"the cell before an exercise must hold `{HEADING}`")
        if "check" in tags(cell):
            if not index or "exercise" not in tags(cells[index - 1]):
                complain(index, "the cell before a check must be its exercise")
            if not re.fullmatch(rf'ck\.check\("{chapter.header.topic}\.\w+", \w+\)', cell.source.strip()):
                complain(index, f'a check cell is one line: ck.check("{chapter.header.topic}.NAME", NAME)')


def _is_tolerance(cell):
    """Whether the metadata `approximate` of a cell says how much its numbers after `≈` may move, and why."""
    value = cell.metadata["approximate"]
    if cell.cell_type != "code" or not isinstance(value, dict) or value.keys() != {"tolerance", "why"}:
        return False
    tolerance, why = value["tolerance"], value["why"]
    right = isinstance(tolerance, int | float) and not isinstance(tolerance, bool) and 0.1 <= tolerance <= 1
    return right and isinstance(why, str) and bool(why.strip())
