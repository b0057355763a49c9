"""Runs in the kernel of a submission that is graded, from before the learner's first cell on.

The learner's code shares this kernel. So names that it may have replaced are put back before each check, and a verdict
counts only with the token that the grader (classroom/grading.py) handed out for this one check.
"""

import os
import sys

import IPython.display

VERDICT = "application/vnd.coursekit.verdict+json"
GUARDED = ("builtins", "classroom", "coursekit", "inspect", "keras", "math", "numpy", "signal")
_kept, _token = {}, ""


class NotSolved(AssertionError):
    """An exercise that is not solved; a notebook shows one line and no traceback."""

    def _render_traceback_(self):
        return [f"Not solved: {self}"]


def begin():
    """Import what a check needs, and remember the names in it as they are now.

    Files of a submission, say a `numpy.py`, hide no library: they are looked for last.
    """
    here = [entry for entry in sys.path if os.path.realpath(entry) == os.getcwd()]
    sys.path[:] = [entry for entry in sys.path if entry not in here] + here
    from coursekit import runtime

    runtime.prepare()
    # Imported now, before anybody can put others in their place.
    from classroom import hidden  # noqa: F401
    from coursekit import exercises  # noqa: F401

    IPython.get_ipython().ask_exit = lambda: None  # `exit()` would end the kernel some cells later
    for name, module in list(sys.modules.items()):
        if name.partition(".")[0] in GUARDED and not name.startswith("keras.src"):
            _kept[name] = (module, dict(vars(module)))


def restore(token):
    """Put back every guarded name; the next check signs its verdict with `token`."""
    global _token
    for name, (module, content) in _kept.items():
        sys.modules[name] = module
        vars(module).update(content)
    _token = token


def check(name, answer):
    """Judge `answer` on the visible inputs and on hidden ones; raises NotSolved unless both verdicts are good."""
    from classroom import hidden

    verdict = hidden.judge(name, answer, int(os.environ.get("COURSE_HIDDEN_SEED", "1")))
    told = {"exercise": name, "status": verdict.status, "mistake": verdict.mistake, "token": _token}
    text = f"**{name}** · {verdict.status}. {verdict.message}".strip()
    IPython.display.display({VERDICT: told, "text/markdown": text, "text/plain": text}, raw=True)
    if verdict.status != "correct":
        raise NotSolved(f"{name}: {verdict.status}")
