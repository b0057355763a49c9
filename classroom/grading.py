"""What nbgrader does with a submission of this course: run what its answers need, and believe only signed verdicts.

Plugged into nbgrader by the nbgrader_config.py that `make classroom` writes.
"""

import copy
import hashlib
import os
import pathlib
import secrets
import shutil

import nbformat
from nbclient.exceptions import CellTimeoutError, DeadKernelError
from nbgrader import utils
from nbgrader.exchange.default import ExchangeCollect
from nbgrader.preprocessors import Execute, NbGraderPreprocessor
from traitlets import Integer
from traitlets.log import get_logger

from authoring import notebooks, reach
from classroom.kernel import VERDICT
from coursekit import places, surroundings
from coursekit.store import unused_name

KERNELS = 4  # that one submission may use up
STARTING = 300  # seconds that importing Keras may take on a busy machine
BEGIN = """\
import sys
sys.path.insert(0, {root!r})
from classroom import kernel
kernel.begin()
{restore} = kernel.restore
del kernel, sys"""


class Mend(NbGraderPreprocessor):
    """Give every exercise and check its own metadata again, and put back those that the learner deleted.

    Of a cell that is there twice the last one counts. nbgrader's own DeduplicateIds leaves an empty `nbgrader` behind,
    over which the whole batch stops. A check is put back after its exercise, everything else at the end.
    """

    def preprocess(self, nb, resources):
        wanted, there = _by_grade_id(_original(self, resources)), {}
        for cell in reversed(nb.cells):
            name = _grade_id(cell)
            cell.metadata.pop("nbgrader", None)
            if name in wanted and name not in there:
                cell.metadata["nbgrader"] = copy.deepcopy(wanted[name].metadata["nbgrader"])
                there[name] = cell
        previous = None
        for name, cell in wanted.items():
            if name not in there:
                there[name] = copy.deepcopy(cell)
                if utils.is_solution(cell):
                    there[name].source = "# This exercise was missing from the submission."
                follows = utils.is_grade(cell) and previous in there
                nb.cells.insert(nb.cells.index(there[previous]) + 1 if follows else len(nb.cells), there[name])
            previous = name
        return nb, resources


class ExecuteAnswers(Execute):
    """Run a submission, but of the chapter's own cells only those that an answer needs (COURSE_GRADING=0: all).

    A cell of the chapter that the learner left as it was, and whose names no answer uses, is an experiment: running it
    again changes no mark. A cell that ends its kernel, or never ends itself, costs its own marks and no others: the
    rest runs again without it.
    """

    timeout = Integer(20, help="seconds that one cell may take").tag(config=True)

    def preprocess(self, nb, resources, km=None):
        self.left_out, self.failed = set(), {}
        for file in sorted(pathlib.Path(resources["metadata"]["path"]).glob("*.py")):
            if file.stem in surroundings.LIBRARIES:
                sentence = "%s: %s hides the library %s; it was not used here. The learner should rename it."
                self.log.warning(sentence, resources["nbgrader"]["student"], file.name, file.stem)
        if os.environ.get("COURSE_GRADING", "1") == "1":
            self.left_out = experiments(nb, _original(self, resources))
        for _ in range(KERNELS):
            self.restore = None
            try:
                return super().preprocess(nb, resources, km)
            except DeadKernelError:
                self.failed[self.current] = "this cell ended its kernel"
            except CellTimeoutError:
                self.failed[self.current] = f"this cell was still running after {self.timeout} seconds"
        for cell in filter(utils.is_grade, nb.cells):
            cell.outputs = [_error("too many cells of this notebook end their kernel")]
        return nb, resources

    def preprocess_cell(self, cell, resources, index):
        if cell.cell_type != "code" or index in self.left_out:
            return cell, resources
        if index in self.failed:
            cell.outputs = [_error(self.failed[index])]
            return cell, resources
        self.current, token = index, secrets.token_hex(16)
        if self.restore is None:
            self.restore = f"_restore_{secrets.token_hex(8)}"
            seconds, self.timeout = self.timeout, STARTING
            self._run(BEGIN.format(root=str(places.ROOT), restore=self.restore))
            self.timeout = seconds
        if utils.is_grade(cell):
            self._run(f"{self.restore}({token!r})")
        cell, resources = super().preprocess_cell(cell, resources, index)
        if utils.is_grade(cell):
            believe(cell, token)
        return cell, resources

    def _run(self, code):
        """Run `code` in the submission's kernel, without a trace in its notebook."""
        first = self.nb.cells[0]
        try:
            cell = self.execute_cell(nbformat.v4.new_code_cell(code), 0, store_history=False)
        finally:
            self.nb.cells[0] = first  # nbclient writes what it ran into the notebook
        for output in cell.outputs:
            if output.output_type == "error":
                raise RuntimeError(f"the kernel of a submission could not be made ready: {output.evalue}")


class Collect(ExchangeCollect):
    """nbgrader's own; it stands here for the configurations of older course folders."""


def begin(**about):
    """Before a submission is graded (nbgrader's hook): of all its notebooks, the best one gets the right name.

    It is the one with most of the chapter's exercises, and of these the one with most answers: say a copy that a
    browser or JupyterLab named. One of the right name that has fewer is kept beside it.
    """
    paths = about["notebooks"]
    folder = pathlib.Path(paths[0]).resolve().parent
    for source in sorted((folder.parents[2] / "source" / folder.name).glob("*.ipynb")):
        right = folder / source.name
        best = max(sorted(folder.glob("*.ipynb")), key=lambda path: (*_done(path, source), path == right))
        if best == right or not any(_done(best, source)):
            continue
        if right.exists():
            right.rename(unused_name(right.with_suffix(".other.ipynb")))
        shutil.copyfile(best, right)
        get_logger().warning("%s: %s is taken for %s", folder.parent.name, best.name, right.name)
        path = str(pathlib.Path(paths[0]).with_name(right.name))
        if path not in paths:
            paths.append(path)


def end(**about):
    """After a submission was graded (nbgrader's hook): note what was graded, for `forget_what_changed`."""
    folder = pathlib.Path(about["notebooks"][0]).resolve().parent
    _note_of(folder).write_text(_digest(folder), encoding="ascii")


def forget_what_changed(root):
    """Before nbgrader grades: remove what it made of submissions that are other ones now; it would skip them.

    root: the course folder, a path. nbgrader compares timestamps, which only its own way of handing in writes.
    """
    for folder in sorted(pathlib.Path(root).glob("submitted/*/*/")):
        note = _note_of(folder)
        if note.is_file() and note.read_text(encoding="ascii") != _digest(folder):
            utils.rmtree(str(note.parent))


def _note_of(folder):
    return folder.parents[2] / "autograded" / folder.parent.name / folder.name / ".graded.sha256"


def _digest(folder):
    """sha256 of the notebooks of a submission."""
    digest = hashlib.sha256()
    for path in sorted(folder.glob("*.ipynb")):
        digest.update(path.name.encode() + path.read_bytes())
    return digest.hexdigest()


def _done(path, source):
    """How many exercises of the notebook `source` the one at `path` has, and how many of them answered."""
    wanted, there = set(_by_grade_id(_read(source))), _by_grade_id(_read(path))
    answered = [name for name, cell in there.items() if utils.is_solution(cell) and notebooks.STUB not in cell.source]
    return len(wanted & set(there)), len(wanted & set(answered))


def experiments(nb, original):
    """Indices of the code cells of `nb` that stand unchanged in `original` and define nothing that the others use.

    The others are exercises, checks and what the learner changed or added, and, in turn, what they need.
    """
    unchanged = {cell.source.strip() for cell in original.cells if "nbgrader" not in cell.metadata}
    code = {index: cell for index, cell in enumerate(nb.cells) if cell.cell_type == "code"}
    spare = {i for i, cell in code.items() if "nbgrader" not in cell.metadata and cell.source.strip() in unchanged}
    return spare - reach.needed(nb.cells, set(code) - spare)


def believe(cell, token):
    """Keep of a check's outputs a verdict signed with `token` and its error; without such a verdict, add an error.

    What else was printed there earns nothing: nbgrader would take a number for a partial score.
    """
    name = cell.metadata["nbgrader"]["grade_id"].removeprefix("check-")
    kept, good = [], False
    for output in cell.outputs:
        verdict = output.get("data", {}).get(VERDICT)
        if output.output_type == "error":
            kept.append(output)
        elif isinstance(verdict, dict) and verdict.get("token") == token:
            good = good or (
                verdict.get("status") == "correct" and verdict.get("exercise", "").replace(".", "-") == name
            )
            del verdict["token"]
            kept.append(output)
        elif output.output_type == "display_data" and verdict is None:
            kept.append(output)
    if not good and not any(output.output_type == "error" for output in kept):
        kept.append(_error("the check gave no verdict; code of this notebook must have interfered with it"))
    cell.outputs = kept


def _original(preprocessor, resources):
    """The notebook as the teacher has it in source/."""
    names = resources["nbgrader"]
    root = pathlib.Path(preprocessor.config.CourseDirectory.root)
    return _read(root / "source" / names["assignment"] / f"{names['notebook']}.ipynb")


def _read(path):
    """The notebook at `path`; one without cells when it is missing or damaged."""
    try:
        return nbformat.read(path, as_version=4)
    except Exception:  # nbformat raises many kinds
        return nbformat.v4.new_notebook()


def _by_grade_id(nb):
    return {cell.metadata["nbgrader"]["grade_id"]: cell for cell in nb.cells if _grade_id(cell)}


def _grade_id(cell):
    about = cell.metadata.get("nbgrader")
    return about.get("grade_id") if isinstance(about, dict) else None


def _error(sentence):
    return nbformat.v4.new_output("error", ename="NotGraded", evalue=sentence, traceback=[f"Not graded: {sentence}."])
