"""No silence: a bar while a loop runs, and a clock in any other cell that shows nothing for three seconds."""

import threading
import time

import IPython

from coursekit import cards, places

SILENT = 3  # seconds


def bar(steps, label=""):
    """Go through `steps` while a bar counts them: `for rate in ck.bar(rates, "learning rates"):`.

    The bar is a widget and leaves nothing behind in the stored notebook; where no notebook is, nothing is shown.
    """
    if IPython.get_ipython() is None:
        yield from steps
        return
    import tqdm.notebook

    total = len(steps) if hasattr(steps, "__len__") else None
    with tqdm.notebook.tqdm(total=total, desc=label or "steps", display=False) as shown:
        cards.display_widget(shown.container, {})
        try:
            for step in steps:
                yield step
                shown.update(1)
        finally:
            shown.container.layout.display = "none"


def watch():
    """From now on a cell that shows nothing for SILENT seconds says how long it has been running, until it ends.

    Not in strict mode, where nobody looks, nor in a kernel whose messages cannot be listened to. A second call changes
    nothing.
    """
    shell = IPython.get_ipython()
    listens = hasattr(getattr(shell, "display_pub", None), "register_hook")
    if not listens or places.strict() or hasattr(shell, "silence"):
        return
    shell.silence = Silence(shell)
    shell.events.register("pre_run_cell", shell.silence.begin)
    shell.events.register("post_run_cell", shell.silence.end)


class Silence:
    """The clock of one kernel, and what stops it: the end of a cell, or a widget or figure that the cell shows."""

    def __init__(self, shell):
        self.broken = None
        shell.display_pub.register_hook(self.hear)

    def begin(self, info):
        self.end()
        self.broken = threading.Event()
        threading.Thread(target=self.count, args=(self.broken, time.monotonic()), daemon=True).start()

    def hear(self, message):
        """What ipykernel calls with each message that the thread of the cells displays; the message goes on."""
        self.end()
        return message

    def end(self, result=None):
        if self.broken:
            self.broken.set()

    def count(self, broken, began):
        if broken.wait(SILENT):
            return
        import ipywidgets

        clock = ipywidgets.HTML()
        cards.display_widget(clock, {})
        while not broken.wait(1):
            clock.value = f"<small>running for {time.monotonic() - began:.0f} s</small>"
        clock.value, clock.layout.display = "", "none"
