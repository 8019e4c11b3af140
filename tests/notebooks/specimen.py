"""A small notebook that keeps every rule, made in memory: the tests break it in one place at a time."""

from pathlib import Path

from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output

from tests.notebooks import badges, books, build, minutes, setup_cell

ADDRESS = books.address()
PATH = books.NOTEBOOKS / "99_specimen.ipynb"
PIXEL = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAAAAAA6fptVAAAACklEQVR4nGNgAAAAAgABSK+kcQAAAABJRU5ErkJggg=="  # one gray point
WORDS = "Half of all turns have fewer than eight words."
SOLUTION = """<details><summary>Solution</summary>

```python
def double(number):
    return 2 * number
```

</details>"""


def markdown(source: str, *tags: str, **metadata):
    """Return a markdown cell with tags and further metadata."""
    return new_markdown_cell(source, metadata={**({"tags": list(tags)} if tags else {}), **metadata})


def code(source: str, *tags: str, printed: str = "", outputs=()):
    """Return a code cell with tags that printed something, or with whole outputs."""
    stored = [new_output("stream", name="stdout", text=printed)] if printed else list(outputs)
    return new_code_cell(source, metadata={"tags": list(tags)} if tags else {}, outputs=stored)


def figure(words: str = WORDS, alt: str = WORDS):
    """Return the outputs of a figure cell: a PNG with alternative text, and its words below."""
    png = {"image/png": PIXEL, "text/plain": "[figure: Most turns are short]"}
    picture = new_output("display_data", data=png, metadata={"image/png": {"alt": alt}})
    return [picture, new_output("stream", name="stdout", text=words + "\n")]


def drawing(svg: str = '<svg role="img" aria-label="Three tokens, the last surprises"></svg>'):
    """Return the output of a drawing: SVG with a label, and its words beside it."""
    words = "Three tokens were read and the last one was a surprise."
    return [new_output("execute_result", data={"image/svg+xml": svg, "text/plain": words})]


def exercise(number: int) -> list:
    """Return one complete exercise: task, stub, solution."""
    hint = "<details><summary>Hint</summary>\n\nTwice.\n\n</details>"
    task = f"### Exercise {number} ★\n\nDouble it.\n\n{hint}"
    stub = "def double(number):\n    ...\n\n\ncheck_double(double)"
    return [
        markdown(task, "exercise"),
        code(stub, "exercise", printed="○ Not tried yet: replace the `...`.\n"),
        markdown(SOLUTION, "solution"),
    ]


def build_cell(number: int) -> list:
    """Return one complete build cell: task, stub that hands on the package's version, solution."""
    task = f"### Build {number} ★★\n\nDouble it.\n\n<details><summary>Hint</summary>\n\nTwice.\n\n</details>"
    stub = "def twofold(number):\n    ...\n\n\ntwofold = checked(twofold, check_double, otherwise=twice)"
    said = "○ Not tried yet: replace the `...`.\n→ From here on this notebook runs the package's `twofold`.\n"
    solution = SOLUTION.replace("def double", "def twofold")
    return [markdown(task, "build"), code(stub, "build", printed=said), markdown(solution, "solution")]


def notebook(*cells):
    """Return a notebook of these cells, numbered as if run from top to bottom, with ids that never change."""
    book = new_notebook(cells=list(cells))
    book.metadata.update(build.METADATA)
    counter = 0
    for place, cell in enumerate(book.cells):
        cell.id = f"cell-{place}"
        if cell.cell_type == "code":
            counter += 1
            cell.execution_count = counter
            for output in cell.outputs:
                if output.output_type == "execute_result":
                    output.execution_count = counter
    return book


def specimen():
    """Return a notebook that keeps every rule."""
    title = (
        f"# 99 · A specimen\n\n2005 {badges.badge(ADDRESS, PATH.name)}\n\n**You will build** nothing.\n\n"
        "**Time:** to be computed. **You need** Python."
    )
    goals = (
        "## Goals\n\n- **explain** a rule\n- **measure** a notebook\n- **find** what is broken\n\n"
        "```python\nfrom helpers import data_path\n\nprint(total, data_path)\n```"
    )
    book = notebook(
        markdown(title),
        markdown("## The story so far\n\nSee [the license](LICENSE), or [the end](#Recap)."),
        markdown(goals),
        markdown("## Setup"),
        code(
            setup_cell.source(ADDRESS),
            "setup",
            "nbval-ignore-output",
            printed="Running on the CPU.\n",
        ),
        *build_cell(1),
        markdown("## By hand\n\nSums: $1 + 1$, $a + b$, $x_i + y_i$ and $n + n = 2n$.\n\n**Predict.** How much is one and one?"),
        code("total = 1 + 1\nprint(total)", printed="2\n"),
        markdown("**Predict.** Are turns long?"),
        code("figure = plots.histogram(turns)\nfigure.show()", outputs=figure()),
        markdown("And the same as tokens."),
        code("Tokens(['a', 'b', 'c'], [0, 0, 9])", outputs=drawing()),
        *(code(f"Tokens(['{letter}'], [0])", outputs=drawing()) for letter in "xy"),
        markdown("A third."),
        code("Tokens(['z'], [0])", outputs=drawing()),
        *build_cell(2),
        *build_cell(3),
        markdown("### Deeper · Three", "deeper"),
        code("three = 3\nprint(three)", "deeper", printed="3\n"),
        markdown("Back on the main road."),
        code('quiz("How much?", options=[1, 2], answer=total)', printed="How much? a) 1 b) 2\n"),
        markdown("## Exercises"),
        *exercise(1),
        *exercise(2),
        *exercise(3),
        markdown("## Limits\n\nIt is small."),
        markdown("## Recap\n\nIt was small."),
    )
    return minutes.stamp(book, PATH)


def runnable(folder: Path, name: str, *sources: str, tags=()) -> Path:
    """Store a notebook of these code cells in `folder`, not yet run, and return its path."""
    book = notebook(*(code(source, *tags) for source in sources))
    for cell in book.cells:
        cell.execution_count = None
    path = folder / name
    path.write_text(books.text(book), encoding="utf-8")
    return path
