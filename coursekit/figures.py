"""Figures: one look, colours that colour-blind readers can tell apart, alt text, sliders."""

import base64
import hashlib
import html
import io
import itertools

import matplotlib
import matplotlib.pyplot as plt
import numpy as np
import PIL.Image
import PIL.ImageChops
from matplotlib.backends.backend_agg import FigureCanvasAgg

from coursekit import bars, cards

# Okabe and Ito (2008), "Color Universal Design": C0 to C7 in every figure, told apart by all readers.
PALETTE = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000", "#9A8700")
DOTS_PER_INCH = 96  # of a page
DENSITY = 2  # dots of a stored picture for each dot of a page
UNSEEN = 24  # the largest change of a colour, of 255, that a palette may make
MOST_FRAMES = 12  # states of an explorer that are all stored
FRAME_COLOURS, FRAME_BYTES = 16, 8_000


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


def drawn(figure):
    """Draw `figure` with DENSITY dots for each CSS pixel and close it. Returns a picture of Pillow."""
    figure.set_dpi(DENSITY * DOTS_PER_INCH)
    canvas = FigureCanvasAgg(figure)
    canvas.draw()  # once: savefig arranges and draws twice
    plt.close(figure)
    dots = PIL.Image.fromarray(np.asarray(canvas.buffer_rgba()))
    picture = PIL.Image.new("RGB", dots.size, "white")
    picture.paste(dots, mask=dots.getchannel("A"))
    return picture


def as_png(picture):
    """The PNG of a drawn picture as bytes, with a palette of 256 colours where nobody sees the change."""
    few = picture.quantize(256, PIL.Image.Quantize.MAXCOVERAGE)
    changes = PIL.ImageChops.difference(picture, few.convert("RGB")).getextrema()
    return _encoded(few if max(most for _, most in changes) <= UNSEEN else picture)


def _encoded(picture):
    buffer = io.BytesIO()
    picture.save(buffer, format="png")
    return buffer.getvalue()


def _size(picture):
    """Width and height on a page, in CSS pixels."""
    return {"width": picture.width // DENSITY, "height": picture.height // DENSITY}


def show(figure, alt):
    """Show a matplotlib figure with `alt`, the sentence that tells what it shows to those who cannot see it.

    The sentence stands in the picture's metadata, where nbconvert and Sphinx find it, and below the picture, for
    JupyterLab hands no alt text to its pictures.
    """
    _check_alt(alt)
    picture = drawn(figure)
    bundle = {"image/png": as_png(picture), "text/plain": f"Figure: {alt}"}
    cards.display(bundle, {"image/png": {"alt": alt} | _size(picture)})
    cards.display({"text/html": _caption(alt)})


def show_widget(widget, alt):
    """Show a widget of a chapter's own; where its kernel does not run, the sentence `alt` stands in its place."""
    _check_alt(alt)
    cards.display_widget(widget, {"text/plain": alt})


def explore(draw, alt, **choices):
    """Show `draw(**values)` with a slider (numbers) or a menu (texts) for each of its arguments.

    draw: a function that returns a matplotlib figure; it is called anew when a slider moves.
    choices: for each argument the list of its values; the middle one is shown first.
    Where nothing is running (a book, a phone, yesterday's notebook) the figure of the middle values stands as a
    picture; of at most twelve states in all each has its picture, which opens by click or key.
    """
    import ipywidgets

    _check_alt(alt)
    controls = {}
    for name, values in choices.items():
        options = [(_as_text(value), value) for value in values]
        kind = ipywidgets.Dropdown if isinstance(options[0][1], str) else ipywidgets.SelectionSlider
        controls[name] = kind(
            options=options,
            value=options[len(options) // 2][1],
            description=name.replace("_", " "),
            layout={"width": "30em"},
            style={"description_width": "9em"},
        )
    first = {name: control.value for name, control in controls.items()}
    picture = drawn(draw(**first))
    image = ipywidgets.Image(format="png", layout={"max_width": "100%", "object_fit": "contain"})
    caption = ipywidgets.HTML()

    def place(picture):
        image.value, image.layout.width = as_png(picture), f"{_size(picture)['width']}px"
        caption.value = _caption(alt)

    def redraw(change):
        try:
            place(drawn(draw(**{name: control.value for name, control in controls.items()})))
        except Exception as error:  # shown under the picture: an exception in a callback would go unseen
            caption.value = _problem(error)

    place(picture)
    for control in controls.values():
        control.observe(redraw, names="value")
    static = {"image/png": bytes(image.value), "text/plain": f"Figure: {alt}"}
    states = [dict(zip(choices, values, strict=True)) for values in itertools.product(*choices.values())]
    if len(states) <= MOST_FRAMES:
        static["text/html"] = _frames(draw, alt, states, first, picture)
    box = ipywidgets.VBox([*controls.values(), image, caption])
    cards.display_widget(box, static, {"image/png": {"alt": alt} | _size(picture)})


def _frames(draw, alt, states, first, picture):
    """HTML in which each state opens its picture, one at a time, without a script; that of `first` is open.

    JupyterLab takes the name away from `details` in a notebook that it does not trust: there, several can be open.
    """
    group = hashlib.sha256(f"{alt}{states}".encode()).hexdigest()[:12]
    parts = []
    for state in bars.bar(states, "drawing"):
        values = ", ".join(f"{name.replace('_', ' ')} = {_as_text(value)}" for name, value in state.items())
        try:
            shown = _frame(picture if state == first else drawn(draw(**state)), f"{alt}: {values}")
        except Exception as error:
            shown = _problem(error)
        opened = " open" if state == first else ""
        parts.append(f'<details name="{group}"{opened}><summary>{html.escape(values)}</summary>{shown}</details>')
    return f"<div>{''.join(parts)}{_caption(alt)}</div>"


def _frame(picture, alt):
    """An `img` of few colours, and of one dot for each CSS pixel where it would be too large."""
    size = _size(picture)
    sharp, small = (_encoded(_few_colours(one)) for one in (picture, picture.resize(size.values())))
    png = sharp if len(sharp) <= FRAME_BYTES else min(sharp, small, key=len)
    return (
        f'<img src="data:image/png;base64,{base64.b64encode(png).decode()}" alt="{html.escape(alt)}" '
        f'width="{size["width"]}" height="{size["height"]}" style="max-width: 100%; height: auto">'
    )


def _problem(error):
    return html.escape(f"This figure could not be drawn: {error}")


def _as_text(value):
    return value if isinstance(value, str) else f"{value:g}"


def _caption(alt):
    return f"<small>{html.escape(alt)}</small>"


def _few_colours(picture):
    """The picture in FRAME_COLOURS of its own colours, the most frequent first, none near to one before it.

    So a thin line keeps its colour, which it would lose to the many shades of a large area in Pillow's own palettes.
    """
    counted = sorted(picture.getcolors(picture.width * picture.height), reverse=True)
    colours = np.array([colour for _, colour in counted[:256]], dtype=int)
    for distance in range(4, 256, 4):
        chosen, left = [], colours
        while len(left) and len(chosen) <= FRAME_COLOURS:
            chosen.append(left[0])
            left = left[np.abs(left - left[0]).max(axis=1) > distance]
        if len(chosen) <= FRAME_COLOURS:
            break
    palette = PIL.Image.new("P", (1, 1))
    palette.putpalette(np.concatenate(chosen).tolist())
    return picture.quantize(palette=palette, dither=PIL.Image.Dither.NONE)


def _check_alt(alt):
    if not isinstance(alt, str) or len(alt) < 20:
        raise ValueError("alt must be a sentence that tells what the figure shows")
