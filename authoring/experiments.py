"""What a chapter's experiments are made of: parameters, guesses, claims, guards, and the rules that they keep."""

import ast
import dataclasses

CAME_OUT = "# What came out"  # first line of a conclusion: JupyterLab shows it when the cell is folded
SEEDS, CONDITIONS = 4, 2  # that the repeats of a chapter's claims change at least


@dataclasses.dataclass(frozen=True)
class Claim:
    """A claim of a chapter: the index of its cell, its sentence, and the parameters that its sentence names."""

    index: int
    sentence: str
    fixed: tuple[str, ...]


def claims(cells):
    """All claims of a chapter, in order. `cells`: the cells of its source or of its notebook."""
    return [
        Claim(index, _literal(call.args[:1]), tuple(_literal([_keyword(call, "fixed")]) or ()))
        for index, cell in _tagged(cells, "conclusion")
        for call in _calls(_tree(cell), "claim")
    ]


def parameters(cells):
    """{name: value} of the cell tagged `parameters`; empty without one."""
    found = {}
    for _, cell in _tagged(cells, "parameters"):
        for line in _tree(cell).body:
            found[line.targets[0].id] = ast.literal_eval(line.value)
    return found


def guesses(cells):
    """Names of all guesses of a chapter, in order."""
    return [_literal(call.args[:1]) for _, cell in _tagged(cells, "guess") for call in _calls(_tree(cell), "guess")]


def problems(cells, repeats):
    """(index of the cell, what is wrong with it) for all that breaks a rule; `repeats`: as the header says."""
    for rule in (_parameters, _guards, _guesses, _conclusions, _figures):
        yield from rule(cells)
    yield from _repeats(cells, repeats)


def _parameters(cells):
    tagged = [index for index, _ in _tagged(cells, "parameters")]
    if not tagged:
        return
    code = [index for index, cell in enumerate(cells) if cell.cell_type == "code"]
    if tagged != code[1:2]:
        yield tagged[-1], "there is one cell tagged `parameters`, directly after the set-up cell"
    for line in _tree(cells[tagged[0]]).body:
        if not (
            isinstance(line, ast.Assign)
            and len(line.targets) == 1
            and isinstance(line.targets[0], ast.Name)
            and line.targets[0].id.isupper()
            and _is_literal(line.value)
        ):
            yield tagged[0], "a cell tagged `parameters` holds only lines `NAME = literal`"
            return
    names = set(parameters(cells))
    for index in code:
        if index in tagged:
            continue
        stored = {node.id for node in ast.walk(_tree(cells[index])) if _is_stored(node)}
        if names & stored:
            yield index, f"the parameter {min(names & stored)} is assigned again, so a repeat would not change it"


def _guards(cells):
    for index, cell in _tagged(cells, "guard"):
        if not all(isinstance(line, ast.Assert) for line in _tree(cell).body):
            yield index, "a cell tagged `guard` holds only asserts: it is left out of the learner's notebook"


def _guesses(cells):
    asked, shown = {}, {}
    for index, cell in enumerate(cells):
        if cell.cell_type != "code":
            continue
        tree, tags = _tree(cell), _tags(cell)
        for call in _calls(tree, "guess"):
            asked[_literal(call.args[:1])] = index
            if "guess" not in tags:
                yield index, "ck.guess stands in a cell tagged `guess`"
        for call in _calls(tree, "reveal"):
            shown[_literal(call.args[:1])] = index
            if "conclusion" not in tags:
                yield index, "ck.reveal stands in a cell tagged `conclusion`"
        if "guess" in tags and not (len(tree.body) == 1 and _calls(tree, "guess")):
            yield index, "a cell tagged `guess` is one call of ck.guess"
    for name, index in asked.items():
        if shown.get(name, -1) < index:
            yield index, f"the guess {name!r} is never revealed below"
    for name, index in shown.items():
        if name not in asked:
            yield index, f"nobody is asked for the guess {name!r}"


def _conclusions(cells):
    for index, cell in enumerate(cells):
        if cell.cell_type != "code":
            continue
        tree, tagged = _tree(cell), "conclusion" in _tags(cell)
        calls = [line.value for line in tree.body if isinstance(line, ast.Expr)]
        if tagged and not cell.source.startswith(CAME_OUT + "\n"):
            yield index, f"the first line of a cell tagged `conclusion` is `{CAME_OUT}`"
        if tagged and not (
            len(calls) == len(tree.body) and all(_is(call, "claim") or _is(call, "reveal") for call in calls)
        ):
            yield index, "a cell tagged `conclusion` holds only calls of ck.claim and ck.reveal"
        for call in _calls(tree, "claim"):
            if not tagged:
                yield index, "ck.claim stands in a cell tagged `conclusion`"
            sentence = _literal(call.args[:1])
            if not isinstance(sentence, str) or sentence.endswith("."):
                yield index, "the sentence of a claim is a plain text without a full stop"
            if len(call.args) < 2 or _keyword(call, "measured") is None:
                yield index, "a claim has a condition and `measured`, the numbers that it compares"
            if not set(_literal([_keyword(call, "fixed")]) or ()) <= set(parameters(cells)) - {"SEED"}:
                yield index, "`fixed` names parameters, never SEED"


def _figures(cells):
    for index, cell in _tagged(cells, "figure"):
        if not (_calls(_tree(cell), "show") or _calls(_tree(cell), "explore")):
            yield index, "a cell tagged `figure` shows a figure with ck.show or ck.explore"


def _repeats(cells, repeats):
    known, claimed = parameters(cells), claims(cells)
    place = next((index for index, _ in _tagged(cells, "parameters")), 0)
    for name, values in repeats.items():
        if name not in known:
            yield place, f"the header repeats {name!r}, which is not in the cell tagged `parameters`"
        elif known[name] in values or len({repr(value) for value in values}) < len(values):
            yield place, f"the header repeats {name} with the chapter's own value, or with one value twice"
    if claimed:
        conditions = sum(len(values) for name, values in repeats.items() if name != "SEED")
        if len(repeats.get("SEED", ())) < SEEDS or conditions < CONDITIONS:
            yield (
                place,
                f"claims need `repeats` in the header: {SEEDS} other SEED and {CONDITIONS} changed conditions at least",
            )


def _tagged(cells, tag):
    return [(index, cell) for index, cell in enumerate(cells) if tag in _tags(cell)]


def _tags(cell):
    return set(cell.metadata.get("tags", []))


def _tree(cell):
    """The syntax tree of a code cell; of one that is no plain Python, an empty one."""
    try:
        return ast.parse(cell.source)
    except SyntaxError:
        return ast.Module([], [])


def _calls(tree, name):
    """All calls `ck.name(…)` in a syntax tree, in their order."""
    return [node for node in ast.walk(tree) if _is(node, name)]


def _is(node, name):
    function = node.func if isinstance(node, ast.Call) else None
    return isinstance(function, ast.Attribute) and function.attr == name and getattr(function.value, "id", "") == "ck"


def _keyword(call, name):
    return next((keyword.value for keyword in call.keywords if keyword.arg == name), None)


def _is_literal(node):
    try:
        ast.literal_eval(node)
    except ValueError:
        return False
    return True


def _literal(nodes):
    """The value of the first node if it is a literal, else None."""
    return ast.literal_eval(nodes[0]) if nodes and nodes[0] is not None and _is_literal(nodes[0]) else None


def _is_stored(node):
    return isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)
