"""Print the requirements of one extra of pyproject.toml, a line each, for an environment without the course itself:

    extra.py NAME
"""

import ast
import re
import sys
from pathlib import Path

TEXT = (Path(__file__).parents[1] / "pyproject.toml").read_text(encoding="utf-8")

if __name__ == "__main__":
    # tomllib came with Python 3.11. A list of strings is the same in TOML and in Python, comments too.
    section = TEXT.partition("[project.optional-dependencies]")[2].partition("\n[")[0]
    found = re.search(rf"^{re.escape(sys.argv[1])} = (\[.*?^\])", section, re.MULTILINE | re.DOTALL)
    if not found:
        sys.exit(f"pyproject.toml has no extra {sys.argv[1]!r}")
    print("\n".join(ast.literal_eval(found[1])))
