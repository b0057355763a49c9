"""Figures: one look, colours that colour-blind readers can tell apart, alt text, sliders."""

import html
import io

import IPython.display
import matplotlib
import matplotlib.pyplot as plt

# Okabe and Ito (2008), "Color Universal Design": C0 to C7 in every figure, told apart by all readers.
PALETTE = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000", "#9A8700")
DOTS_PER_INCH = 96


def set_style():
    """Set the look of the course's figures, on top of matplotlib's own defaults and not of the user's matplotlibrc."""
    matplotlib.rcdefaults()
    matplotlib.rcParams.update(
        {
            "axes.prop_cycle": matplotlib.cycler(color=PALETTE),
            "axes.grid": True,
            "axes.spines.right": False,
            "axes.spines.top": False,
            "figure.constrained_layout.use": True,
            "figure.dpi": DOTS_PER_INCH,
            "figure.figsize": (8, 4),
            "font.size": 11,
            "grid.alpha": 0.3,
            "image.cmap": "gray",
            "lines.linewidth": 2,
        }
    )


def as_png(figure):
    """Draw `figure` and close it. Returns the PNG as bytes."""
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png", dpi=DOTS_PER_INCH, metadata={"Software": None})
    plt.close(figure)
    return buffer.getvalue()


def show(figure, alt):
    """Show a matplotlib figure with `alt`, the sentence that tells what it shows to those who cannot see it.

    The sentence stands in the picture's metadata, where nbconvert and Sphinx find it, and below the picture, for
    JupyterLab hands no alt text to its pictures.
    """
    _check_alt(alt)
    picture = {"image/png": as_png(figure), "text/plain": f"Figure: {alt}"}
    IPython.display.display(picture, metadata={"image/png": {"alt": alt}}, raw=True)
    IPython.display.display({"text/html": _caption(alt)}, raw=True)


def explore(draw, alt, **choices):
    """Show `draw(**values)` with a slider (numbers) or a menu (texts) for each of its arguments.

    draw: a function that returns a matplotlib figure; it is called anew when a slider moves.
    choices: for each argument the list of its values; the middle one is shown first.
    Where nothing is running (GitHub, a printed page) the figure of the middle values stands as a picture.
    """
    import ipywidgets

    _check_alt(alt)
    controls = {}
    for name, values in choices.items():
        options = [(value if isinstance(value, str) else f"{value:g}", value) for value in values]
        kind = ipywidgets.Dropdown if isinstance(options[0][1], str) else ipywidgets.SelectionSlider
        controls[name] = kind(
            options=options,
            value=options[len(options) // 2][1],
            description=name.replace("_", " "),
            layout={"width": "30em"},
            style={"description_width": "9em"},
        )

    def picture():
        return as_png(draw(**{name: control.value for name, control in controls.items()}))

    first = picture()
    image = ipywidgets.Image(value=first, format="png", layout={"max_width": "100%", "object_fit": "contain"})
    caption = ipywidgets.HTML(_caption(alt))

    def redraw(change):
        try:
            image.value = picture()
            caption.value = _caption(alt)
        except Exception as error:  # shown under the picture: an exception in a callback would go unseen
            caption.value = html.escape(f"This figure could not be drawn: {error}")

    for control in controls.values():
        control.observe(redraw, names="value")
    box = ipywidgets.VBox([*controls.values(), image, caption])
    display_widget(box, {"image/png": first, "text/plain": f"Figure: {alt}"}, {"image/png": {"alt": alt}})


def display_widget(widget, static, metadata=None):
    """Show `widget` where a kernel runs, and `static` (a MIME bundle) in a stored notebook."""
    view = "application/vnd.jupyter.widget-view+json"
    live = widget._repr_mimebundle_()
    IPython.display.display(static | {view: live[view]}, metadata=metadata or {}, raw=True)


def _caption(alt):
    return f"<small>{html.escape(alt)}</small>"


def _check_alt(alt):
    if not isinstance(alt, str) or len(alt) < 20:
        raise ValueError("alt must be a sentence that tells what the figure shows")
