"""Tables in the house style: words to the left, numbers to the right, the same text whatever pandas is installed.

Built for notebook 00, used by all. A `Table` shows a pandas DataFrame (or a list of dicts) as HTML, and as plain columns
where no HTML is shown.
"""

from __future__ import annotations

from numbers import Number

from helpers.show.theme import number, shorten, signs, xml

NARROW = 16  # a column of cells no longer than this is not broken into lines
WIDEST = 44  # characters of a cell in the plain text; the HTML wraps instead


class Table:
    """A table that shows itself at the end of a cell. ``repr`` is the table in plain columns.

    `rows` is a pandas DataFrame or a list of dicts with the same keys; a DataFrame's named index becomes the first column.
    Columns named in `shares` hold numbers from 0 to 1 and are shown in per cent. Line breaks and other invisible characters
    are shown as signs, and no page takes a dollar for the start of a formula. Raises ValueError for a table without rows.
    """

    def __init__(self, rows, shares: tuple[str, ...] = ()):
        if hasattr(rows, "reset_index"):
            rows = rows.reset_index() if rows.index.names != [None] else rows
            rows = rows.to_dict("records")
        if not rows:
            raise ValueError("a table needs at least one row")
        self.columns = [str(name) for name in rows[0]]
        cells = [list(row.values()) for row in rows]
        self.numeric = [all(_is_number(row[i]) for row in cells) for i in range(len(self.columns))]
        self.cells = [[_written(value, name in shares) for name, value in zip(self.columns, row)] for row in cells]

    def __repr__(self) -> str:
        lines = [self.columns] + [[shorten(text, WIDEST) for text in row] for row in self.cells]
        widths = [max(len(line[i]) for line in lines) for i in range(len(self.columns))]
        return "\n".join(
            "  ".join(f"{text:{'>' if right else '<'}{width}}" for text, width, right in zip(line, widths, self.numeric)).rstrip()
            for line in lines
        )  # fmt: skip

    def _repr_html_(self) -> str:
        narrow = [max(len(row[i]) for row in self.cells) <= NARROW for i in range(len(self.columns))]

        def row(tag, texts):
            cells = "".join(
                f'<{tag} style="text-align:{"right" if right else "left"};vertical-align:top;padding:3px 12px 3px 4px;'
                f'white-space:{"nowrap" if short else "pre-wrap"};font-variant-numeric:tabular-nums">{xml(text)}</{tag}>'
                for text, right, short in zip(texts, self.numeric, narrow)
            )
            return f"<tr>{cells}</tr>"

        body = f"<thead>{row('th', self.columns)}</thead><tbody>{''.join(row('td', texts) for texts in self.cells)}</tbody>"
        return f'<table class="tex2jax_ignore mathjax_ignore">{body}</table>'


def _is_number(value) -> bool:
    return isinstance(value, Number) and not isinstance(value, bool)


def _written(value, share: bool) -> str:
    if not _is_number(value):
        return signs(str(value))
    return f"{100 * value:.1f} %" if share else number(value)
