"""A bar while a loop runs, for cells that would be silent for more than three seconds."""

import IPython

from coursekit import cards


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
