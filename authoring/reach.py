"""Which cells of a notebook need which others, read from their source alone; nothing is executed.

What cannot be seen is taken for possible. A cell that calls a method of an object (`network.fit(…)`), calls the object,
stores into it, or hands it to a function of the notebook that does so, changes what later cells see of it, as if it had
bound its name, and the names of what it holds (`layer` in `Sequential([layer])`) or is held by. A cell that sets the
random seed binds the numbers that all share, and what makes or trains a layer uses them. Not seen: that cells left out
would have drawn from those numbers too; an object that a function keeps, or gives out under a second name; files.
"""

import ast
import builtins
import functools
import itertools
import re
import symtable
from typing import NamedTuple

import numpy as np
from IPython.core.inputtransformer2 import TransformerManager

# Methods that leave their object as it is: those of values that cannot change, and of arrays and dictionaries most.
IN_PLACE = {"byteswap", "fill", "itemset", "partition", "put", "resize", "setfield", "setflags", "sort"}
READ_ONLY = {name for kind in (str, float, tuple, np.ndarray) for name in dir(kind)} - IN_PLACE
READ_ONLY |= {"items", "keys", "values", "get", "numpy"}
HOLDING = {"add", "append", "extend", "insert"}  # methods whose object then holds what they are given
# Functions that change what they are given first; functions that change the common state of their module.
FIRST = {"copyto", "fill_diagonal", "heapify", "heappop", "heappush", "next", "restart", "setattr", "shuffle"}
SHARED = {"clear_session", "set_dtype_policy", "set_floatx", "start"}
SEEDING = {"seed", "set_random_seed", "set_seed"}
DRAWING = re.compile(r"(?!.*\b(?:losses|optimizers|metrics|callbacks)\.)(.*\.)?(?:fit|[A-Z]\w*)")  # layers, training
DRAWS = "a call that draws numbers"
NUMBERS = "the numbers that all share"  # used and bound like a name
COMPREHENSIONS = {"listcomp", "setcomp", "dictcomp"}  # they run at once
FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda)


class Cell(NamedTuple):
    """Names in the source of a cell."""

    binds: frozenset = frozenset()
    uses: frozenset = frozenset()  # that it must find when it starts, its functions' names included
    later: frozenset = frozenset()  # that its functions look up when they are called
    changes: frozenset = frozenset()  # objects that it changes
    called: frozenset = frozenset()  # objects that it calls, which changes a layer that has no weights yet
    parts: frozenset = frozenset()  # objects of which it reads a part that may have changed
    alters: frozenset = frozenset()  # objects that its functions change when they are called
    fixed: frozenset = frozenset()  # modules, functions and classes: calling them changes nothing
    objects: frozenset = frozenset()  # what it assigns else
    shared: frozenset = frozenset()  # modules whose common state it sets
    classes: frozenset = frozenset()
    functions: tuple = ()  # (name, parameters, objects changed, calls) of each function
    pairs: tuple = ()  # (name, another whose object it is, or holds)
    calls: tuple = ()  # (name of a function, {position or keyword: object handed over})


class Acts(NamedTuple):
    """What code does to objects, each a name."""

    changes: set  # by a method
    called: set
    stores: set
    parts: set
    shared: set
    calls: list
    pairs: set  # (name, another whose object it is, or holds)
    loops: set  # (name of a loop, one whose parts it takes)


def names(source):
    """Names that the source of a cell binds (or stores into), and names that it uses.

    A name that it binds before it reads it is not used. Where the source is no Python, all its words are.
    """
    cell = _read(source)
    return set(cell.binds), set(cell.uses)


def needed(cells, wanted):
    """Indices of the code cells that `wanted` need to see what they see in the whole notebook, and `wanted` themselves.

    `cells`: those of a notebook; `wanted`: indices of code cells. A name in a function is looked up as late as in the
    cell that calls it, so it may have been bound after the function was defined.
    """
    read, binds = _effects(cells)
    until = {index: index for index in wanted}  # cell → the last cell that may call one of its functions
    waiting = list(until)
    while waiting:
        index = waiting.pop()
        last = until[index]
        for other, bound in binds.items():
            early = other < index and bound & read[index].uses
            if (early or (index < other < last and bound & read[index].later)) and until.get(other, -1) < last:
                until[other] = last
                waiting.append(other)
    return set(until)


def reached(cells, start):
    """Indices of the code cells that use, in turn, a name that an earlier cell of `start` binds or changes."""
    read, binds = _effects(cells)
    found, touched, inner = set(), set(), {}  # inner: name → names that its functions use
    for index in sorted(read):
        uses, waiting = set(), list(read[index].uses)
        while waiting:
            name = waiting.pop()
            if name not in uses:
                uses.add(name)
                waiting += inner.get(name, ())
        if uses & touched:
            found.add(index)
        if index in found or index in start:
            touched |= binds[index]
        for name in read[index].binds:
            inner[name] = inner.get(name, set()) | read[index].later
    return found


def open_cells(notebook):
    """Indices of the code cells of a learner's notebook that run otherwise than in the solution, and of all they need.

    These are the exercises and what they reach, checks, quizzes, guesses and the closing cell.
    """
    code = [index for index, cell in enumerate(notebook.cells) if cell.cell_type == "code"]
    tags = {index: set(notebook.cells[index].metadata.get("tags", [])) for index in code}
    exercises = {index for index in code if "exercise" in tags[index]}
    asked = {index for index in code if {"check", "quiz", "guess"} & tags[index]}
    return needed(notebook.cells, {*exercises, *asked, code[-1], *reached(notebook.cells, exercises)})


def unbound(cells):
    """Pairs of a code cell's index and a name that it uses and that neither itself nor a cell before it binds."""
    found, bound = [], {"__name__", "display", "get_ipython", *dir(builtins)}
    for index, cell in enumerate(cells):
        if cell.cell_type == "code":
            read = _read(cell.source)
            bound |= read.fixed | read.objects
            found += [(index, name) for name in sorted(read.uses - bound)]
    return found


def _effects(cells):
    """Of each code cell, by index: what its source says, and the names that it binds or whose objects it may change."""
    read = {index: _read(cell.source) for index, cell in enumerate(cells) if cell.cell_type == "code"}
    functions = [function for cell in read.values() for function in cell.functions if function[0]]
    classes = frozenset().union(*(cell.classes for cell in read.values()))
    drawing, seeding, changed, before = set(), set(), set(), None
    while before != (before := (len(drawing), len(seeding), len(changed))):  # until a round adds nothing
        for name, parameters, objects, calls in functions:
            seeding |= {name} if _seeds(calls, seeding) else set()
            drawing |= {name} if _draws(calls, drawing, seeding) else set()
            objects = objects | _handed(calls, changed)
            for position, parameter in enumerate(parameters):
                changed |= {(name, position), (name, parameter)} if parameter in objects else set()
    for index, cell in read.items():
        if _draws(cell.calls, drawing, seeding):
            read[index] = cell._replace(uses=cell.uses | {NUMBERS})
    fixed = set(dir(builtins)).union(*(cell.fixed for cell in read.values()))
    fixed = fixed.difference(*(cell.objects for cell in read.values()))
    alters, binds = {}, {}
    for cell in read.values():
        for name in cell.binds if cell.alters else ():
            alters[name] = alters.get(name, set()) | cell.alters
    parts = frozenset().union(*(cell.parts for cell in read.values())) - fixed
    pairs = {}
    for cell in read.values():
        for name, other in cell.pairs:
            pairs.setdefault(name, set()).add(other)
            pairs.setdefault(other, set()).add(name)
    for index, cell in read.items():
        objects = cell.changes | cell.called
        objects |= {given for name, places in cell.calls if name in classes for _, given in places}
        objects = objects.union(*(alters.get(name, ()) for name in cell.uses | cell.binds))
        objects = _same((objects & parts) | _handed(cell.calls, changed), pairs, parts)
        numbers = {NUMBERS} if _seeds(cell.calls, seeding) else set()
        binds[index] = cell.binds | cell.shared | (objects - fixed) | numbers
    return read, binds


def _seeds(calls, seeding):
    return any(name in SEEDING or name in seeding for name, _ in calls)


def _draws(calls, drawing, seeding):
    """Whether code draws from the random numbers that all share, and does not itself say from where on."""
    return any(name in {DRAWS, *drawing} for name, _ in calls) and not _seeds(calls, seeding)


def _same(objects, pairs, parts):
    """`objects`, and those of `parts` that are the same by another name, or hold them, or are held by them, in turn."""
    found, waiting = set(objects), list(objects)
    while waiting:
        new = pairs.get(waiting.pop(), set()) & parts - found
        found |= new
        waiting += new
    return found


def _handed(calls, changed):
    """The objects that `calls` hand over to be changed."""
    return {given for name, places in calls for place, given in places if (name, place) in changed}


@functools.lru_cache(maxsize=4096)
def _read(source):
    """What the source of a cell says, as a Cell."""
    try:
        plain = TransformerManager().transform_cell(source)  # magics become calls, their arguments texts
        table, tree = symtable.symtable(plain, "cell", "exec"), ast.parse(plain)
    except (SyntaxError, ValueError):
        return Cell(uses=frozenset(re.findall(r"\w+", source)))
    symbols = table.get_symbols()
    uses, later = set(), set()
    for piece, bound in _pieces(tree.body, set()):
        at_once, when_called = _lookups(piece)
        uses |= (at_once | when_called) - bound
        later |= when_called
    if "get_ipython()" in plain:
        uses |= set(re.findall(r"\w+", source))
    functions = [_function(node) for node in ast.walk(tree) if isinstance(node, FUNCTIONS)]
    functions += [(name, *_function(value)[1:]) for name, value in _named_lambdas(tree)]
    classes = {node.name for node in ast.walk(tree) if isinstance(node, ast.ClassDef)}
    acts = _acts(_outside_functions(tree))
    alters = set().union(*(objects for _, _, objects, _ in functions)) & later
    stored = {s.get_name() for inner in _spaces(table) for s in inner.get_symbols() if s.is_declared_global()}
    imports = {symbol.get_name() for symbol in symbols if symbol.is_imported()}
    assigned = {symbol.get_name() for symbol in symbols if symbol.is_assigned()}
    fixed = imports | classes | {name for name, *_ in functions}
    found = {
        "binds": assigned | imports | acts.stores,
        "uses": uses,
        "later": later,
        "changes": acts.changes,
        "called": acts.called,
        "parts": acts.parts | (_acts(ast.walk(tree)).parts & later) | stored,
        "alters": alters | stored,
        "fixed": fixed,
        "objects": assigned - fixed,
        "shared": acts.shared,
        "classes": classes,
    }
    found = {field: frozenset(names) for field, names in found.items()}
    return Cell(**found, functions=tuple(functions), pairs=tuple(acts.pairs), calls=tuple(acts.calls))


def _function(node):
    """Of a function: name, parameters without self, objects that it changes, calls that hand over objects."""
    arguments = node.args
    parameters = [argument.arg for argument in (*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs)]
    acts = _acts(ast.walk(node))
    return (
        getattr(node, "name", ""),
        tuple(parameters[parameters[:1] == ["self"] :]),
        frozenset(acts.changes | acts.called | acts.stores),
        tuple(acts.calls),
    )


def _named_lambdas(tree):
    """Pairs of a name and the lambda that is assigned to it."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Assign) and isinstance(node.value, ast.Lambda):
            yield from ((name, node.value) for name in _targets(node.targets[0]))


def _acts(nodes):
    """What code does to objects: which it changes, calls, stores into, reads parts of, and hands to which function."""
    acts = Acts(set(), set(), set(), set(), set(), [], set(), set())
    for node in nodes:
        if isinstance(node, ast.Subscript | ast.Attribute) and not isinstance(node.ctx, ast.Load):
            acts.stores.update(_root(node))
            acts.parts.update(_root(node))
        if isinstance(node, ast.Attribute) and node.attr not in READ_ONLY:
            acts.parts.update(_root(node))
        if isinstance(node, ast.For | ast.comprehension):
            acts.loops.update(_loop(node.target, node.iter))
        if isinstance(node, ast.Assign):
            targets = set().union(*(_targets(target) | _root(target) for target in node.targets))
            acts.pairs.update(itertools.product(targets, _held(node.value)))
        if not isinstance(node, ast.Call):
            continue
        method = isinstance(node.func, ast.Attribute)
        name = node.func.attr if method else getattr(node.func, "id", "")
        if not method:
            acts.called.update(_root(node.func))
        elif name not in READ_ONLY:
            acts.changes.update(_root(node.func))
        if name in FIRST and node.args:
            acts.changes.update(_root(node.args[0]))
            acts.parts.update(_root(node.args[0]))
        if name in HOLDING and method:
            acts.pairs.update((own, root) for own in _root(node.func) for value in node.args for root in _root(value))
        if name in SHARED and method:
            acts.shared.update(_root(node.func))
        if DRAWING.fullmatch(ast.unparse(node.func)):
            acts.calls.append((DRAWS, ()))
        given = [*enumerate(node.args), *((keyword.arg, keyword.value) for keyword in node.keywords)]
        acts.calls.append((name, tuple((place, root) for place, value in given for root in _root(value))))
    for _ in range(2):  # a loop within a loop
        for name, source in acts.loops | acts.pairs:
            if name in acts.changes | acts.called | acts.stores and name != source:
                acts.changes.add(source)
                acts.parts.add(source)
    return acts


def _loop(target, source):
    """Pairs of a name that a loop over `source` binds and a name whose parts it takes."""
    targets, name = getattr(target, "elts", []), ""
    if isinstance(source, ast.Call):
        name = source.func.attr if isinstance(source.func, ast.Attribute) else getattr(source.func, "id", "")
    if targets and name == "zip":
        return set().union(*map(_loop, targets, source.args))
    if len(targets) == 2 and name in {"enumerate", "items"}:  # the first is a number or a key
        return _loop(targets[1], source.args[0] if name == "enumerate" else source.func.value)
    return set(
        itertools.product(_targets(target), (node.id for node in ast.walk(source) if isinstance(node, ast.Name)))
    )


def _held(value):
    """Names whose objects `value` is, is a part of, or holds: `a.b`, `[a, b]`, `Sequential([a, b])`."""
    if isinstance(value, ast.List | ast.Tuple):
        return set().union(*map(_held, value.elts))
    if isinstance(value, ast.Dict):
        return set().union(*map(_held, value.values))
    if isinstance(value, ast.Call):
        name = value.func.attr if isinstance(value.func, ast.Attribute) else getattr(value.func, "id", "")
        given = [*value.args, *(keyword.value for keyword in value.keywords)]
        return set().union(*map(_held, given)) if name[:1].isupper() else set()
    return _root(value)


def _root(node):
    """The name of the object of which `node` is a part or a method's result, as a set of one; else an empty set."""
    while isinstance(node, ast.Attribute | ast.Subscript | ast.Call | ast.Starred):
        node = node.func if isinstance(node, ast.Call) else node.value
    return {node.id} if isinstance(node, ast.Name) else set()


def _outside_functions(node):
    """The nodes of a tree that are not part of a function."""
    for child in ast.iter_child_nodes(node):
        if not isinstance(child, FUNCTIONS):
            yield child
            yield from _outside_functions(child)


def _spaces(table):
    """All name spaces within a name space."""
    for inner in table.get_children():
        yield inner
        yield from _spaces(inner)


def _pieces(statements, bound):
    """Pieces of code in the order in which they run, each with the names that are bound for certain before it."""
    for statement in statements:
        if isinstance(statement, ast.For):
            yield statement.iter, set(bound)
            yield from _pieces(statement.body, bound | _targets(statement.target))
            yield from _pieces(statement.orelse, set(bound))
        elif isinstance(statement, ast.With):
            for item in statement.items:
                yield item.context_expr, set(bound)
                bound |= _targets(item.optional_vars)
            yield from _pieces(statement.body, bound)
        elif isinstance(statement, ast.If | ast.While):
            yield statement.test, set(bound)
            yield from _pieces(statement.body, set(bound))
            yield from _pieces(statement.orelse, set(bound))
        elif isinstance(statement, ast.Try):
            yield from _pieces(statement.body, set(bound))
            for handler in statement.handlers:
                yield from _pieces([ast.Expr(handler.type)] if handler.type else [], set(bound))
                yield from _pieces(handler.body, bound | {handler.name or ""})
            yield from _pieces([*statement.orelse, *statement.finalbody], set(bound))
        else:
            if isinstance(statement, ast.FunctionDef | ast.ClassDef):
                bound |= {statement.name}
            yield statement, set(bound)
            for target in getattr(statement, "targets", ()) if isinstance(statement, ast.Assign) else ():
                bound |= _targets(target)
            if isinstance(statement, ast.Import | ast.ImportFrom):
                bound |= {(name.asname or name.name).split(".")[0] for name in statement.names}


def _targets(target):
    """Names that an assignment to `target` binds."""
    nodes = ast.walk(target) if target is not None else ()
    return {node.id for node in nodes if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)}


def _lookups(piece):
    """Names that a piece of code looks up when it runs, and those that its functions look up when they are called."""
    table = symtable.symtable(ast.unparse(piece), "piece", "exec")
    at_once = {symbol.get_name() for symbol in table.get_symbols() if symbol.is_referenced()}
    if isinstance(piece, ast.AugAssign):
        at_once |= _root(piece.target)
    when_called, waiting = set(), [(inner, False) for inner in table.get_children()]
    while waiting:
        space, called = waiting.pop()
        called = called or not (space.get_type() == "class" or space.get_name().strip("<>") in COMPREHENSIONS)
        found = when_called if called else at_once
        found |= {symbol.get_name() for symbol in space.get_symbols() if symbol.is_global()}
        waiting += [(inner, called) for inner in space.get_children()]
    return at_once, when_called
