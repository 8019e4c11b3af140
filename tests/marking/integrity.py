"""What our checks are made of, by name, so that marking sees when an answer has put something else in its place."""

import sys
from types import FunctionType

# What the checks compare with. Where an answer has put something else in its place, its verdict is none.
TRUSTED = ("builtins", "math", "copy", "random", "re", "dis", "traceback", "torch", "torch.nn.functional", "numpy")


def fingerprint() -> dict:
    """Return what the checks are made of, by name: functions and classes of ours and of the libraries they compare with."""
    ours = [name for name in sys.modules if name.startswith("helpers")]
    spaces = {name: vars(sys.modules[name]) for name in [*TRUSTED, *ours] if name in sys.modules}
    spaces["torch.Tensor"] = vars(sys.modules["torch"].Tensor) if "torch" in sys.modules else {}
    found: dict = {}
    for space, names in spaces.items():
        for name, value in dict(names).items():
            if callable(value):
                found[f"{space}.{name}"] = value
                if type(value) is FunctionType and value.__module__.startswith("helpers.checks"):
                    found.update(inner(f"{space}.{name}", value))
                elif type(value) is FunctionType:
                    found[f"{space}.{name} inside"] = value.__code__
    return found


def inner(name: str, function: FunctionType) -> dict:
    """Return what a function is made of: its code, its defaults, what it has closed over, and the functions tied to it."""
    found = {f"{name} inside": function.__code__, f"{name} defaults": function.__defaults__}
    cells = [cell.cell_contents for cell in function.__closure__ or ()]
    for number, value in enumerate([*cells, *vars(function).values()]):
        found[f"{name} part {number}"] = value
        if type(value) is FunctionType and value is not function:
            found |= {f"{name} part {number} inside": value.__code__}
            found |= {
                f"{name} part {number} closes over {n}": c.cell_contents for n, c in enumerate(value.__closure__ or ())
            }
    return found
