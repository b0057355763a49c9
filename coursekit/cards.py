"""Cards: what a learner is told, from one source as HTML, as Markdown and as plain text.

The texts in a card use three marks: **bold**, `code` and a block of code between two lines ```. All else is shown as
it is, so that whatever a learner typed does no harm in any of the three.
"""

import dataclasses
import functools
import html
import re
import sys

import IPython
import IPython.display

from coursekit import places

SIGNS = {"not attempted": "○", "not yet": "✗", "correct": "✓"}
WORDS = {"not attempted": "not attempted yet", "not yet": "not yet", "correct": "correct"}
# figures.PALETTE's blue, vermilion and green: seen on white and on JupyterLab's dark ground.
COLOURS = {"not attempted": "#0072B2", "not yet": "#D55E00", "correct": "#009E73"}
# What stands for a sign where the encoding of a terminal lacks one of them.
PLAIN_SIGNS = {"✓": "OK", "✗": "NO", "○": "--", "·": "-", "≈": "~", "→": "->", "…": "...", "−": "-", "–": "-"}
_MARKS = re.compile(r"```(?:python\n)?(?P<block>.*?)```|`(?P<code>[^`]+)`|\*\*(?P<bold>.+?)\*\*", re.DOTALL)


@dataclasses.dataclass(frozen=True)
class Card:
    """A verdict for its reader: a line with sign, name and status, then texts, a table of one row, and where to go on.

    table: {heading: code}, e.g. {"input": "layers = 2", "expected": "0.0625", "got": "0.5"}; what is empty is left out.
    calls: {what it gives: the call}, e.g. {"Hint": 'ck.hint("activations.softmax")'}.
    link: the anchor of the next exercise, without #.
    """

    name: str
    status: str
    texts: tuple[str, ...] = ()
    table: dict[str, str] = dataclasses.field(default_factory=dict)
    calls: dict[str, str] = dataclasses.field(default_factory=dict)
    link: str | None = None

    def bundle(self):
        """All three renderings as a MIME bundle."""
        return {"text/html": self.html(), "text/markdown": self.markdown(), "text/plain": self.plain()}

    def html(self):
        """The card as HTML; only its border and its sign are coloured, so it suits light and dark pages."""
        colour = COLOURS[self.status]
        style = f"border-left: 4px solid {colour}; padding: 2px 0 2px 10px; margin: 4px 0; line-height: 1.5"
        sign = f'<span style="color: {colour}">{SIGNS[self.status]}</span>'
        parts = [f"<div><b>{sign} {html.escape(self.name)} · {WORDS[self.status]}.</b></div>"]
        parts += [f"<div>{as_html(text)}</div>" for text in self.texts]
        if filled := self._filled():
            cell = 'style="text-align: left; vertical-align: top; padding: 2px 12px 2px 0"'
            code = 'style="margin: 0; color: inherit; white-space: pre-wrap; overflow-wrap: anywhere"'
            head = "".join(f'<th scope="col" {cell}>{html.escape(heading)}</th>' for heading in filled)
            row = "".join(f"<td {cell}><pre {code}>{html.escape(text)}</pre></td>" for text in filled.values())
            table = 'style="margin: 4px 0; color: inherit; font-size: inherit"'
            parts.append(f"<table {table}><tr>{head}</tr><tr>{row}</tr></table>")
        on = [f"{html.escape(what)}: <code>{html.escape(call)}</code>" for what, call in self.calls.items()]
        on += [next_link(self.link)] if self.link else []
        parts += [f"<div>{' · '.join(on)}</div>"] if on else []
        return f'<div style="{style}">{"".join(parts)}</div>'

    def markdown(self):
        """The card as Markdown."""
        parts = [f"{SIGNS[self.status]} **{_escape(self.name)}** · {WORDS[self.status]}."]
        parts += [as_markdown(text) for text in self.texts]
        if filled := self._filled():
            cells = ["<br>".join(map(_span_in_table, text.splitlines())) for text in filled.values()]
            lines = [" | ".join(filled), "|".join(["---"] * len(filled)), " | ".join(cells)]
            parts.append("\n".join(f"| {line} |" for line in lines))
        on = [f"{what}: {_span(call)}" for what, call in self.calls.items()]
        on += [f"[Next exercise](#{self.link})"] if self.link else []
        parts += [" · ".join(on)] if on else []
        return "\n\n".join(parts)

    def plain(self):
        """The card as plain text."""
        lines = [f"{SIGNS[self.status]} {self.name} · {WORDS[self.status]}.", *map(as_plain, self.texts)]
        lines += [f"{heading}:{chr(10) if chr(10) in text else ' '}{text}" for heading, text in self._filled().items()]
        lines += [" · ".join(f"{what}: {call}" for what, call in self.calls.items())] if self.calls else []
        return "\n".join(lines)

    def _filled(self):
        return {heading: text for heading, text in self.table.items() if text}


def display(bundle, metadata=None):
    """Show a MIME bundle, which every module of the kit does through this function.

    In a notebook it goes to the front end, which chooses what it shows. In a script or a terminal its `text/plain` is
    printed, with signs that the encoding can hold; a bundle without `text/plain` shows nothing there.
    """
    if in_notebook():
        IPython.display.display(bundle, metadata=metadata or {}, raw=True)
    elif "text/plain" in bundle:
        print(printable(bundle["text/plain"], getattr(sys.stdout, "encoding", None) or "utf8"))


def display_widget(widget, static, metadata=None):
    """Show `widget` where its kernel runs, and elsewhere `static`: a MIME bundle with a picture or HTML, or nothing.

    Both are one output, of which JupyterLab shows the widget; `jupyter_server_config.py` saves the static part alone.
    """
    view = "application/vnd.jupyter.widget-view+json"
    display(static | {view: widget._repr_mimebundle_()[view]}, metadata)


def show(card, **buttons):
    """Show a card, where a kernel runs with buttons in place of its calls (not in strict mode, where nobody clicks).

    buttons: a function of the exercise's name for each call, e.g. hint=…; its text with marks stands below the card.
    """
    if places.strict() or not in_notebook():
        display(card.bundle())
        return
    import ipywidgets

    told = ipywidgets.HTML()

    def press(tell, button):
        try:
            told.value = as_html(tell(card.name))
        except places.CourseError as problem:  # in a callback it would go unseen
            told.value = as_html(f"Problem: {problem}")

    row = []
    for what in card.calls:
        button = ipywidgets.Button(description=what, tooltip=f"{what} for {card.name}", layout={"width": "auto"})
        button.on_click(functools.partial(press, buttons[what.lower()]))
        row.append(button)
    row += [ipywidgets.HTML(next_link(card.link))] if card.link else []
    shown = ipywidgets.HTML(dataclasses.replace(card, calls={}, link=None).html())
    display_widget(ipywidgets.VBox([shown, ipywidgets.HBox(row), told]), card.bundle())


def in_notebook():
    """Whether a kernel runs this, and not a script or a terminal."""
    shell = IPython.get_ipython()
    return shell is not None and type(shell).__name__ != "TerminalInteractiveShell"


def printable(text, encoding):
    """Return `text` as a terminal with this encoding can print it: as it is, or with words in place of all signs."""
    try:
        (text + "".join(SIGNS.values())).encode(encoding)
    except UnicodeEncodeError:
        for sign, word in PLAIN_SIGNS.items():
            text = text.replace(sign, word)
    return text.encode(encoding, errors="replace").decode(encoding)


def next_link(anchor):
    """A link to the heading of the next exercise, as HTML."""
    return f'<a href="#{html.escape(anchor)}">Next exercise</a>'


def as_html(text):
    """Return a text with marks as HTML."""
    return _render(
        text,
        lambda code: f'<pre style="white-space: pre-wrap"><code>{html.escape(code)}</code></pre>',
        lambda code: f"<code>{html.escape(code)}</code>",
        lambda bold: f"<b>{html.escape(bold)}</b>",
        lambda words: html.escape(words).replace("\n\n", "<br>"),
    )


def as_markdown(text):
    """Return a text with marks as Markdown in which nothing but these marks has a meaning."""
    return _render(
        text,
        lambda code: f"```python\n{code}```",
        _span,
        lambda bold: f"**{_escape(bold)}**",
        _escape,
    )


def as_plain(text):
    """Return a text with marks as plain text."""
    return _render(text, str, str, str, str)


def _render(text, block, code, bold, words):
    parts, end = [], 0
    for found in _MARKS.finditer(text):
        draw = {"block": block, "code": code, "bold": bold}[found.lastgroup]
        parts += [words(text[end : found.start()]), draw(found[found.lastgroup])]
        end = found.end()
    return "".join([*parts, words(text[end:])])


def _escape(text):
    return re.sub(r"([\\`*_\[\]<>|$&~#])", r"\\\1", text)


def _span(code):
    fence = "`" * (1 + max((len(run) for run in re.findall("`+", code)), default=0))
    space = " " if "`" in code else ""
    return f"{fence}{space}{code}{space}{fence}"


def _span_in_table(code):
    return _span(code.replace("|", r"\|"))
