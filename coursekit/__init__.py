"""What a chapter imports: `import coursekit as ck; ck.start()`.

start      quiet import of TensorFlow, seeds, device, look of figures
data       the data sets, e.g. `ck.data.fashion_mnist(train=12_000, test=2_000)`
show       a figure with alt text; explore: a figure with sliders; show_widget: a widget of the chapter's own
check, hint, solution, quiz, reset, progress      exercises; verdict: what a check would say, as a text, not kept
guess, reveal      a guess before an experiment, shown beside the measurement after it
claim      a conclusion with the repeats in which it held
export_progress, import_progress                  progress as one file
LiveProgress                                      a bar while a model trains, one line afterwards
bar        a bar while a loop runs: `for rate in ck.bar(rates, "rates"):`
restart    several runs of one compiled model
silent_log around a call that writes log lines past Python (LiteRT's converter)
doctor     is this machine ready?
"""

import importlib

from coursekit import surroundings

with surroundings.importing():
    from coursekit import bars, data
    from coursekit.figures import explore, show, show_widget
    from coursekit.runtime import silent_log, start

bars.watch()  # no cell is silent for long

__all__ = [
    "LiveProgress",
    "bar",
    "check",
    "claim",
    "data",
    "doctor",
    "explore",
    "export_progress",
    "guess",
    "hint",
    "import_progress",
    "progress",
    "quiz",
    "reset",
    "restart",
    "reveal",
    "show",
    "show_widget",
    "silent_log",
    "solution",
    "start",
    "verdict",
]

_LATER = {"LiveProgress": "training", "restart": "training", "doctor": "health"}
_LATER |= {"bar": "bars", "claim": "claims", "guess": "guesses", "reveal": "guesses"}
_LATER |= dict.fromkeys(
    ("check", "export_progress", "hint", "import_progress", "progress", "quiz", "reset", "solution", "verdict"),
    "exercises",
)


def __getattr__(name):  # what needs Keras is imported on first use: after start() has imported it quietly
    if name in _LATER:
        return getattr(importlib.import_module(f"coursekit.{_LATER[name]}"), name)
    raise AttributeError(f"coursekit has no {name!r}; see help(coursekit)")
