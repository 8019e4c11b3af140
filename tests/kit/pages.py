"""Pages of the teacher's kit: templates filled, links into the book, one style sheet, MathJax only where there are equations."""

import re
from pathlib import Path

from helpers.io import write_text
from tests.kit import render
from tests.kit.lessons import Lesson

HERE = Path(__file__).parent
MATHJAX = "slides/assets/tex-svg-full.js"  # one copy for the whole kit, beside the slides


def environment():
    """Return the templates, which know `md` (Markdown), `inline` and `hours` (minutes as 1:05)."""
    import jinja2

    loader = jinja2.FileSystemLoader(HERE / "templates")
    made = jinja2.Environment(
        loader=loader, autoescape=True, trim_blocks=True, lstrip_blocks=True, undefined=jinja2.StrictUndefined
    )
    made.filters |= {"hours": hours, "ticks": ticks}
    return made


def hours(minutes: float) -> str:
    """Return minutes as a clock shows them: 65 is 1:05."""
    return f"{round(minutes) // 60}:{round(minutes) % 60:02d}"


def ticks(sentence: str):
    """Return a sentence of a check as HTML: code between backticks, stress between asterisks, and nothing else is markup."""
    from markupsafe import Markup, escape

    parts = str(escape(sentence)).split("`")
    if len(parts) % 2 == 0:  # a backtick without its partner is a character
        parts[-2:] = ["`".join(parts[-2:])]
    prose = [re.sub(r"(?<![\w*])\*(\w(?:[^*]*\w)?)\*(?![\w*])", r"<em>\1</em>", part) for part in parts[::2]]
    code = [f"<code>{part}</code>" for part in parts[1::2]]
    return Markup("".join(piece for pair in zip(prose, [*code, ""]) for piece in pair))


def page_of(stem: str, cell: str = "", up: str = "../") -> str:
    """Return the address of a notebook, or of one of its cells, in the teacher's edition of the book; `up` leads to the kit."""
    return f"{up}../book/teacher/{stem}.html" + (f"#cell-{cell}" if cell else "")


def linked(up: str):
    """Return what `render.markdown` needs to turn links of notebooks and of data/plans into links from a page of the kit."""

    def link(address: str) -> str | None:
        if re.match(r"[a-z]+:", address):
            return address
        file, _, anchor = address.partition("#")
        name = Path(file).stem
        if file.endswith((".ipynb", ".md")) and "/" not in file:
            return f"{up}../book/teacher/{'where_is_it' if name == 'README' else name}.html" + (f"#{anchor}" if anchor else "")
        return up + address if file.endswith(".html") else None  # a page of the kit itself

    return link


def words(text: str, up: str = "../"):
    """Return Markdown as HTML for a template, links mended."""
    from markupsafe import Markup

    return Markup(render.markdown(text, linked(up)))


def phrase(text: str, up: str = "../"):
    """Return a line of Markdown as HTML without a paragraph around it."""
    from markupsafe import Markup

    return Markup(render.inline(text, linked(up)))


def write(folder: Path, name: str, template: str, **values) -> Path:
    """Fill a template and write it as `name` in the kit's folder; return the file."""
    up = "../" * name.count("/")
    made = environment()
    made.filters["md"] = lambda text: words(text, up)
    made.filters["inline"] = lambda text: phrase(text, up)
    body = made.get_template(template).render(
        up=up, page_of=lambda stem, cell="": page_of(stem, cell, up), name=name, **values
    )
    if 'class="math"' in body:
        body = body.replace("</head>", f'<script src="{up}{MATHJAX}" defer></script>\n</head>')
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    write_text(path, body)
    return path


def number(found: Lesson) -> str:
    """Return a notebook's two digits."""
    return found.stem[:2]
