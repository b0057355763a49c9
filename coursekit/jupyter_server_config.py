"""Settings of the Jupyter server, which reads this file in .venv/etc/jupyter: no saved notebook shows a dead widget.

A widget lives in the memory of its kernel. JupyterLab prefers its view to the picture or text beside it in the same
output, also when that kernel is gone, and then shows "Error displaying widget: model not found". So the view is left
out of what is saved. The open page keeps it and stays alive; after a reload, running the cell makes it live again.
JupyterLab's own "Save Widget State Automatically" would store sliders and buttons that look alive and answer nobody.

VS Code and Colab save without this server; which part of the output they show of a dead widget is theirs to choose.
"""

VIEW = "application/vnd.jupyter.widget-view+json"
STATE = "application/vnd.jupyter.widget-state+json"


def leave_out_views(model, **_):
    """Take the views of widgets out of a notebook that is about to be saved, where something else can be seen.

    A view alone, such as the bar of a training, goes with its output. One with nothing but `text/plain` beside it, as
    ipywidgets itself shows a widget, is a learner's own and stays. The server saves a notebook as it was when this
    raises; so nothing is changed before all is known.
    """
    notebook = model.get("content")
    if model.get("type") != "notebook" or notebook.get("nbformat") != 4:
        return
    kept = [
        (cell, [seen for seen in map(_without_view, cell["outputs"]) if seen])
        for cell in notebook["cells"]
        if cell.get("outputs")
    ]
    stored = notebook.get("metadata", {}).get("widgets", {}).get(STATE, {})
    for cell, outputs in kept:
        cell["outputs"] = outputs
    if stored.get("state") == {}:
        del notebook["metadata"]["widgets"]


def _without_view(output):
    """The output without the view of a widget; None if nothing is left."""
    data = output.get("data", {})
    if VIEW not in data or data.keys() == {VIEW, "text/plain"}:
        return output
    rest = {kind: content for kind, content in data.items() if kind != VIEW}
    return {**output, "data": rest} if rest else None


get_config().ContentsManager.pre_save_hook = leave_out_views  # noqa: F821
