"""Which cells need which others: what the names tell, and what must be taken for possible."""

import re
from types import SimpleNamespace

import nbformat
import pytest

from authoring import chapter as chapters
from authoring import notebooks, reach


def notebook(*sources):
    return [SimpleNamespace(cell_type="code", source=source) for source in sources]


@pytest.mark.parametrize(
    ("source", "binds", "uses"),
    [
        ("a = b", {"a"}, {"b"}),
        ("import numpy as np\nx = np.ones(3)", {"np", "x"}, set()),
        ("from keras import layers", {"layers"}, set()),
        ("x = 1\ny = x", {"x", "y"}, set()),
        ("y = x\nx = 1", {"x", "y"}, {"x"}),
        ("total += 1", {"total"}, {"total"}),
        ("table['a'] = 1", {"table"}, {"table"}),
        ("axis.title = text", {"axis"}, {"axis", "text"}),
        ("del table['a']", {"table"}, {"table"}),
        ("for name, axis in zip(names, axes):\n    axis.plot(name)", {"name", "axis"}, {"zip", "names", "axes"}),
        ("if good:\n    x = 1\nprint(x)", {"x"}, {"good", "print", "x"}),
        ("with opened() as file:\n    text = file.read()\nlines = text", {"file", "text", "lines"}, {"opened"}),
        (
            "try:\n    x = f()\nexcept A as error:\n    print(error)\nelse:\n    print(x)",
            {"x", "error"},
            {"f", "A", "print", "x"},
        ),
        ("def f(a):\n    b = a\n    return b + c", {"f"}, {"c"}),
        ("def f():\n    return f()", {"f"}, set()),
        ("class A(B):\n    c = d\n    def e(self):\n        return g", {"A"}, {"B", "d", "g"}),
        ("f = lambda x: x + y", {"f"}, {"y"}),
        ("rows = [row * k for row in table]", {"rows"}, {"k", "table"}),
        ("%time train(network)", set(), {"time", "train", "network"}),
        ("this is no Python", set(), {"this", "is", "no", "Python"}),
    ],
)
def test_names_of_a_cell(source, binds, uses):
    found_binds, found_uses = reach.names(source)
    assert found_binds == binds
    assert found_uses - {"get_ipython"} == uses


NETWORK = "import keras\nnetwork = keras.Sequential([])"
TRAIN = "def train(net, x):\n    net.fit(x)\ndef twice(x, net):\n    train(net, x)\n    train(x=x, net=net)"


@pytest.mark.parametrize(
    ("sources", "needs"),
    [
        # by name
        (["a = 1", "b = 2", "c = a", "print(c)"], {0, 2}),
        (["a = 1", "b = a", "a = 2", "print(b)"], {0, 1}),
        (["import numpy as np", "x = 1", "print(np.pi)"], {0}),
        (["%precision 3", "x = 1", "%time x"], {0, 1}),
        # what functions look up when they are called, even if it was bound after them
        (["def f():\n    return g()", "def g():\n    return h", "h = 1", "k = 2", "f()"], {0, 1, 2}),
        # objects that change
        ([NETWORK, "network.compile('sgd')", "x = 1", "network.fit(x)", "network.evaluate(x)"], {0, 1, 2, 3}),
        (["history = []", "history.append(1)", "n = 1", "print(history)"], {0, 1}),
        (["table = {}", "print(table.items())", "table['a'] = 1", "print(table)"], {0, 2}),
        (["text = 'a b'", "print(text.split())", "print(text)"], {0}),
        (["random = make()", "random.normal()", "print(2)", "random.normal()"], {0, 1}),
        (["from random import random", "random = make()", "random.normal()", "random.normal()"], {0, 1, 2}),
        (["counts = read()", "first = next(counts)", "print(next(counts))"], {0, 1}),
        ([NETWORK, "import coursekit as ck\nck.restart(network, 0)", "network.summary()"], {0, 1}),
        # a layer has weights once it was called; a loss only computes
        (["layer = Dense(3)", "y = layer(x)", "print(layer.weights)"], {0, 1}),
        (["loss = Loss()", "y = loss(x)", "print(loss(1))"], {0}),
        # handed to functions, in turn, by position and by keyword, and to a class
        ([NETWORK, TRAIN, "twice(x, network)", "network.predict(x)"], {0, 1, 2}),
        ([NETWORK, TRAIN, "twice(net=network, x=x)", "network.predict(x)"], {0, 1, 2}),
        ([NETWORK, TRAIN, "print(network)", "network.predict(x)"], {0}),
        ([NETWORK, "class Rig:\n    pass", "Rig(network).run()", "network.predict(x)"], {0, 1, 2}),
        (["total = []\ndef note():\n    total.append(1)", "note()", "print(2)", "print(total)"], {0, 1}),
        (["def note():\n    global total\n    total = 1", "note()", "print(total)"], {0, 1}),
        # by another name
        (["networks = {'a': build()}", "for n in networks.values():\n    n.fit(x)", "print(networks)"], {0, 1}),
        (["networks = {}", "[n.fit(x) for n in networks.values()]", "print(networks)"], {0, 1}),
        (["a, b = [], []", "for x, y in zip(a, b):\n    x.fit(1)", "for x in b:\n    x.fit(1)", "print(a)"], {0, 1}),
        (["a = {}", "for k, (_, n) in enumerate(a.items()):\n    n.fit(k)", "print(a)"], {0, 1}),
        (["a = {}\nb = 3", "for k, n in a.items():\n    k.fit(b)", "print(a)"], {0}),
        ([NETWORK, "same = network", "same.fit(x)", "network.predict(x)"], {0, 1, 2}),
        (["layer = Dense(3)", "network = Sequential([layer])", "network.fit(x)", "print(layer.weights)"], {0, 1, 2}),
        (
            ["networks = []", "one = build()\nnetworks.append(one)", "one.fit(x)", "print(networks[0].weights)"],
            {0, 1, 2},
        ),
        # what all share
        (["import coursekit as ck", "ck.start()", "print(1)", "ck.claim('x')"], {0, 1}),
        (["import keras", "keras.utils.set_random_seed(0)", "print(1)", "network = keras.Sequential([])"], {0, 1}),
        (["import keras", "keras.utils.set_random_seed(0)", "loss = keras.losses.Huber()"], {0}),
        (
            [
                "import keras",
                "keras.utils.set_random_seed(0)",
                "keras.utils.set_random_seed(1)\nnetwork = keras.Sequential([])",
            ],
            {0},
        ),
    ],
)
def test_what_the_last_cell_needs(sources, needs):
    last = len(sources) - 1
    assert reach.needed(notebook(*sources), {last}) == needs | {last}


def test_only_code_cells_before_are_needed():
    cells = notebook("a = 1", "a", "print(a)", "a = 2")
    cells[1].cell_type = "markdown"
    assert reach.needed(cells, {2}) == {0, 2}
    assert reach.needed(cells, set()) == set()


@pytest.mark.parametrize(
    ("sources", "found"),
    [
        (["def f(x):\n    return x", "y = 1", "z = f(y)", "print(z)", "print(y)"], {2, 3}),
        (["def f(x):\n    return x", "def g():\n    return f(1)", "g()"], {1, 2}),
        (["f = 1", "f = 2\nprint(f)"], set()),
        (["network.fit(x)", "network.summary()", "print(x)"], {1}),
    ],
)
def test_what_the_first_cell_reaches(sources, found):
    assert reach.reached(notebook(*sources), {0}) == found


def test_a_function_may_look_up_what_is_bound_after_it():
    assert reach.reached(
        notebook("def g():\n    return f()", "def f():\n    return 1", "print(g())", "x = 1"), {1}
    ) == {2}


def meant(word, source):
    """Whether a cell shows what happens when `word` is not defined, as it tells Ruff."""
    return any(re.search(rf"\b{word}\b.*# noqa: F821", line) for line in source.splitlines())


@pytest.mark.parametrize("name", chapters.names())
def test_no_cell_of_a_learner_uses_what_no_cell_before_it_defines(name):
    solved = notebooks.solution(chapters.read(name))
    cells = notebooks.learner(solved).cells
    ids = {cell.id for cell in cells}
    left_out = set().union(
        *(reach.names(c.source)[0] for c in solved.cells if c.cell_type == "code" and c.id not in ids)
    )
    told = "\n".join(
        f"`{word}`{' (a cell that learners lack defines it)' * (word in left_out)} in:\n{cells[index].source}\n"
        for index, word in reach.unbound(cells)
        if not meant(word, cells[index].source)
    )
    assert not told


def test_a_name_that_only_a_guard_defines_is_seen():
    solved = notebooks.solution(chapters.read("02_losses"))
    last = max(index for index, cell in enumerate(solved.cells) if cell.cell_type == "code")
    guard = nbformat.v4.new_code_cell("band = (0.4, 0.6)", metadata={"tags": ["guard"]})
    solved.cells[last:last] = [guard, nbformat.v4.new_code_cell("def inside(x):\n    return x in band")]
    assert reach.unbound(solved.cells) == []
    cells = notebooks.learner(solved).cells
    assert [name for _, name in reach.unbound(cells)] == ["band"]


def test_what_is_unbound():
    assert reach.unbound(notebook("print(a)", "a = 1", "print(a, b)")) == [(0, "a"), (2, "b")]
    assert reach.unbound(notebook("def f():\n    return g()\ndef g():\n    return f()", "[x for x in range(3)]")) == []


def test_an_untouched_chapter_runs_what_an_answer_can_reach():
    cells = [
        nbformat.v4.new_code_cell(source, metadata={"tags": tags})
        for source, tags in [
            ("import coursekit as ck", []),
            ("import numpy as np", []),
            ("x = np.ones(3)", []),
            ("train()", []),
            ("def twice(x):\n    ...", ["exercise"]),
            ("ck.check('a.twice', twice)", ["check"]),
            ("print(twice(x))", []),
            ("ck.quiz('a.b')", ["quiz"]),
            ("ck.guess('c', 'How many?')", ["guess"]),
            ("train()", []),
            ("ck.progress()", []),
        ]
    ]
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_markdown_cell("# A"), *cells])
    assert reach.open_cells(notebook) == {1, 2, 3, 5, 6, 7, 8, 9, 11}
