"""Rules about cells: metadata, tags, order, and the code itself."""

import ast
import copy

import nbformat
from nbval.plugin import find_comment_markers

from tests.notebooks import badges, books, build, definitions, setup_cell
from tests.notebooks.rules import Book, calls, rule, tags

TAGS = {
    "setup", "build", "exercise", "solution", "instructor", "while-it-trains", "goes-wrong", "raises-exception",
    "nbval-ignore-output", "deeper", "lesson-break",
}  # fmt: skip
BOXES = {"solution", "instructor", "while-it-trains", "lesson-break"}  # text only
LONGEST_CELL = 40  # lines
MOST_CODE_CELLS = 70
MOST_IGNORED = 8  # outputs that nbval does not compare: the setup cell's, live widgets, live training
FORBIDDEN_CALLS = {
    "interact": "use Explore: nbclient and nbval lose replies of interact",
    "interactive": "use Explore: nbclient and nbval lose replies of interact",
    "Output": "use Explore: the Output widget loses replies",
    "clear_output": "it never compares equal under nbval",
    "update_display": "it never compares equal under nbval",
    "set_trace": "a debugger waits for ever",
    "input": "nobody answers in a test",
}


@rule
def metadata_is_minimal(book: Book) -> list[str]:
    """Only kernel and language, without versions; widget states break rendering on code hosts."""
    found = dict(book.notebook.metadata)
    return [] if found == build.METADATA else [f"{book.path.name}: run make notebooks; metadata is {found}"]


@rule
def format_is_valid(book: Book) -> list[str]:
    """Valid nbformat 4.5, each cell with an id of its own."""
    ids = [cell.get("id") for cell in book.cells]
    if None in ids or (book.notebook.nbformat, book.notebook.nbformat_minor) < (4, 5):
        return [f"{book.path.name}: not nbformat 4.5, or a cell without an id"]
    if len(set(ids)) < len(ids):
        return [f"{book.path.name}: cell id {name} twice" for name in sorted({i for i in ids if ids.count(i) > 1})]
    try:
        nbformat.validate(copy.deepcopy(book.notebook))  # a copy, for it repairs what it finds
    except nbformat.ValidationError as error:
        return [f"{book.path.name}: {str(error).splitlines()[0]}"]
    return []


@rule
def cells_carry_only_tags_and_minutes(book: Book) -> list[str]:
    """A cell's metadata are its tags, and the minutes of a section, which the builder computes."""
    return [
        f"{book.where(cell)}: metadata {sorted(cell.metadata)}" for cell in book.cells if set(cell.metadata) - {"tags", "minutes"}
    ]


@rule
def tags_are_known(book: Book) -> list[str]:
    """A misspelt tag would do nothing, silently."""
    found = [f"{book.where(c)}: unknown tag {name!r}" for c in book.cells for name in sorted(tags(c) - TAGS)]
    for cell in book.cells:
        if "raises-exception" in tags(cell) and "goes-wrong" not in tags(cell):
            found.append(f"{book.where(cell)}: what raises is tagged goes-wrong too, for the reader's sake")
        if tags(cell) & BOXES and cell.cell_type != "markdown":
            found.append(f"{book.where(cell)}: {sorted(tags(cell) & BOXES)} is a box of text: make the cell markdown")
        if cell.cell_type == "code" and list(find_comment_markers(cell.source)):
            found.append(f"{book.where(cell)}: a comment tells nbval what not to check: use a tag, which the reader sees")
    return found


@rule
def setup_is_stamped(book: Book) -> list[str]:
    """The same setup cell in every notebook, first of the code, its output not compared."""
    setups = [cell for cell in book.cells if "setup" in tags(cell)]
    if len(setups) != 1 or not book.code or setups[0] is not book.code[0]:
        return [f"{book.path.name}: the first code cell, and no other, is tagged 'setup'"]
    found = []
    if setups[0].source != setup_cell.source(books.address()):
        found.append(f"{book.path.name}: the setup cell is not the stamped one; run make badges")
    if "nbval-ignore-output" not in tags(setups[0]):
        found.append(f"{book.path.name}: the setup cell names this computer's device: tag it nbval-ignore-output")
    return found


@rule
def badge_is_stamped(book: Book) -> list[str]:
    """The first cell opens this very notebook in Colab."""
    stamped = badges.badge(books.address(), book.path.name) in book.cells[0].source
    return [] if stamped else [f"{book.path.name}: no Colab badge with the address; run make badges"]


@rule
def code_is_plain_python(book: Book) -> list[str]:
    """No magics and no shell lines: what stands here also runs in a script."""
    parsed = [cell for cell, _ in book.trees]
    return [f"{book.where(cell)}: not plain Python" for cell in book.code if not any(cell is p for p in parsed)]


@rule
def no_semicolon_at_the_end(book: Book) -> list[str]:
    """nbval does not honor it: the output would be missed."""
    return [f"{book.where(cell)}: ends with ';'" for cell in book.code if cell.source.rstrip().endswith(";")]


@rule
def code_cells_are_short(book: Book) -> list[str]:
    """One idea a cell, and not too many of them."""
    found = [
        f"{book.where(cell)}: {len(cell.source.splitlines())} lines, at most {LONGEST_CELL}"
        for cell in book.code
        if len(cell.source.splitlines()) > LONGEST_CELL
    ]
    if len(book.code) > MOST_CODE_CELLS:
        found.append(f"{book.path.name}: {len(book.code)} code cells, at most {MOST_CODE_CELLS}")
    return found


@rule
def words_between_code(book: Book) -> list[str]:
    """No more than three code cells in a row without a sentence."""
    found, row = [], 0
    for cell in book.cells:
        row = row + 1 if cell.cell_type == "code" else 0
        if row == 4:
            found.append(f"{book.where(cell)}: the fourth code cell in a row without a word")
    return found


@rule
def code_runs_the_same_everywhere(book: Book) -> list[str]:
    """Nothing that nbval cannot compare, and no output history."""
    found = []
    for cell, tree in book.trees:
        ignored = "nbval-ignore-output" in tags(cell)
        for name, _ in calls(tree):
            if name in FORBIDDEN_CALLS and not (ignored and name in ("clear_output", "update_display")):
                found.append(f"{book.where(cell)}: {name}: {FORBIDDEN_CALLS[name]}")
        stored = {n.id for n in ast.walk(tree) if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Store)}
        for node in ast.walk(tree):
            if isinstance(node, ast.Name) and node.id in {"_", "In", "Out"} - stored and isinstance(node.ctx, ast.Load):
                found.append(f"{book.where(cell)}: {node.id} means something else in every session")
            if isinstance(node, ast.ImportFrom | ast.Import) and "tqdm" in ast.unparse(node):
                if ast.unparse(node) != "from tqdm.auto import tqdm":
                    found.append(f"{book.where(cell)}: write `from tqdm.auto import tqdm`")
    return found


@rule
def few_outputs_are_ignored(book: Book) -> list[str]:
    """What nbval does not compare is not checked at all."""
    ignored = sum("nbval-ignore-output" in tags(cell) for cell in book.code)
    return [f"{book.path.name}: {ignored} cells are ignored by nbval, at most {MOST_IGNORED}"] * (
        ignored > MOST_IGNORED
    )


@rule
def definitions_are_listed(book: Book) -> list[str]:
    """What a notebook defines is compared with the helper of the same task, or said to belong to this page alone."""
    made = set()
    for cell, tree in book.trees:
        if not tags(cell) & {"build", "exercise", "goes-wrong"}:
            made |= {s.name for s in tree.body if isinstance(s, ast.FunctionDef | ast.ClassDef)}
    listed = definitions.TABLE.get(book.path.stem[:2], {})
    found = [f"{book.path.name}: {name} is defined but not in definitions.TABLE" for name in sorted(made - set(listed))]
    return found + [
        f"{book.path.name}: definitions.TABLE lists {name}, which is not there" for name in sorted(set(listed) - made)
    ]
