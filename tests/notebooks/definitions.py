"""What the notebooks define, and the helper that does the same: prose and package cannot drift apart.

`TABLE` lists every function and class that a notebook defines outside exercises. Where the package has its twin, the
entry names it and a test compares the two; where not, the entry says why the definition belongs to that page alone.
"""

import ast
import importlib
from pathlib import Path

from tests.notebooks import books
from tests.notebooks.rules import bound

# {number of the notebook: {name: "helpers.room.module.name", or a reason without dots of a module}}
TABLE: dict[str, dict[str, str]] = {
    "00": {
        "surprise": "the explorable of this page: draws the notebook's own letter counts",
    },
    "01": {
        "print_tree": "the smallest tree, on raw records: the package's Thread walks without recursion",
        "after_rules": "the explorable of this page: draws the rules of the package",
        "words_of": "a one-line tokenizer for counting; notebook 05 builds real ones",
        "surprise": "the explorable of this page: draws the notebook's own word counts",
        "exchanges_of": "pairs a conversation's turns for the parrot, which lives on this page only",
        "Parrot": "a bot without a model, built and left behind on this page",
        "normal": "helpers.corpus.conversations.normalised",
        "flat": "joins the exchanges of several conversations, for the measurement of this page",
        "shuffled_cut": "what not to do: the package splits by a hash instead",
        "leaked": "the measurement of this page: the package closes the leak instead",
    },
    "02": {
        "RNNCell": "helpers.models.rnn.RNNCell",
        "LSTMCell": "helpers.models.rnn.LSTMCell",
        "wiped_every": "what this page breaks: a model whose memory is wiped",
        "descend": "what this page breaks: the plainest training, to be seen without clipping",
    },
}

# For each entry that names a helper: arguments on which notebook and helper must agree, two at least.
EXAMPLES: dict[tuple[str, str], list[tuple]] = {
    ("01", "normal"): [("Is soup a DRINK?\n\nNo -- don't!",), ("  naïve café_2 …",), ("",)],
    ("02", "RNNCell"): [(3, 5), (4, 2)],
    ("02", "LSTMCell"): [(3, 5), (4, 2)],
}

# For classes of networks the examples are arguments to build them with. Given those, the shapes to call them with.
SHAPES = {
    ("02", "RNNCell"): lambda inputs, hidden: [(6, inputs), (6, hidden)],
    ("02", "LSTMCell"): lambda inputs, hidden: [(6, inputs), [(6, hidden), (6, hidden)]],
}


def helper(entry: str):
    """Return the helper an entry of the table names, or None when the entry is a reason.

    Raises AttributeError or ImportError when it names a helper that does not exist.
    """
    if not entry.startswith("helpers."):
        return None
    module, _, name = entry.rpartition(".")
    return getattr(importlib.import_module(module), name)


def lift(notebook: Path, name: str):
    """Return the function or class that a notebook defines as `name`, without running the rest of the notebook.

    Taken out with it is what it needs: imports, constants and other definitions, in the notebook's order. Raises
    KeyError when the notebook does not define it.
    """
    code = [cell.source for cell in books.read(notebook).cells if cell.cell_type == "code"]
    statements = [statement for source in code for statement in ast.parse(source).body]
    binding: dict[str, int] = {}
    for place, statement in enumerate(statements):
        for bound_name in bound(statement):
            binding.setdefault(bound_name, place)
    for place, statement in enumerate(statements):
        # The definition itself counts, not an import or a variable of the same name before it.
        if isinstance(statement, ast.FunctionDef | ast.ClassDef):
            binding[statement.name] = place
    if name not in binding:
        raise KeyError(f"{notebook.name} does not define {name}")
    needed, waiting = set(), [binding[name]]
    while waiting:
        place = waiting.pop()
        if place not in needed:
            needed.add(place)
            used = {node.id for node in ast.walk(statements[place]) if isinstance(node, ast.Name)}
            waiting += [binding[other] for other in used if other in binding]
    module = ast.Module([statements[place] for place in sorted(needed)], type_ignores=[])
    names: dict = {"__name__": f"lifted_from_{notebook.stem}"}
    exec(compile(module, str(notebook), "exec"), names)
    return names[name]
