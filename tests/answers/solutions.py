"""Take the solutions out of a notebook, exactly as a learner reads them."""

import json
import re
from pathlib import Path

NOTEBOOKS = Path(__file__).parents[2] / "notebooks"


def solutions(notebook: str) -> dict[str, str]:
    """Return {name of the function to write: code of its solution} from the cells tagged ``solution``."""
    cells = json.loads((NOTEBOOKS / f"{notebook}.ipynb").read_text(encoding="utf-8"))["cells"]
    found = {}
    for cell in cells:
        if "solution" in cell["metadata"].get("tags", []):
            code = re.search(r"```python\n(.*?)```", "".join(cell["source"]), re.DOTALL).group(1)
            found[re.findall(r"^def (\w+)", code, re.MULTILINE)[-1]] = code
    return found


def run(code: str, name: str):
    """Run ``code`` and return what it calls ``name``."""
    names = {}
    exec(compile(code, f"<solution {name}>", "exec"), names)
    return names[name]
