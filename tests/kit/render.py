"""Markdown and code of the notebooks as HTML, for what is printed or shown rather than run.

Equations stay TeX between the signs that MathJax looks for: `\\(…\\)` in a line, `\\[…\\]` on their own.
"""

import html
import re
from functools import cache

from helpers.show.theme import BLUE, CRIMSON, INK, PLUM, SOFT, TEAL, readable

CODE = "#f6f7f9"  # the ground of code
STYLES = {  # what Pygments calls the parts of code, and how each is shown
    "k,kc,kd,kn,kr,ow": f"color:{BLUE};font-weight:600",
    "s,sa,s1,s2,sd,si,se,sr": f"color:{readable(TEAL, CODE)}",
    "c,c1,cm,ch": f"color:{SOFT};font-style:italic",
    "m,mf,mi,mh": f"color:{CRIMSON}",
    "nf,nc,fm,nd": f"color:{PLUM};font-weight:600",
}


@cache
def _parser():
    from markdown_it import MarkdownIt
    from mdit_py_plugins.dollarmath import dollarmath_plugin

    parser = MarkdownIt("commonmark", {"html": True, "highlight": lambda source, name, _: code(source, name)})
    # A price is no equation: "$5 or $6" has a space before its second sign.
    parser.enable(["table", "strikethrough"]).use(dollarmath_plugin, allow_space=False, allow_digits=False, allow_labels=False)
    parser.add_render_rule("math_inline", lambda _, tokens, at, *rest: _equation(tokens[at].content, r"\(", r"\)"))
    parser.add_render_rule("math_block", lambda _, tokens, at, *rest: _displayed(tokens[at].content))
    return parser


def _equation(tex: str, begin: str, end: str) -> str:
    return f'<span class="math">{begin}{html.escape(tex.strip(), quote=False)}{end}</span>'


def _displayed(tex: str) -> str:
    return '<div class="equation">' + _equation(tex, r"\[", r"\]") + "</div>\n"


def markdown(text: str, link=None) -> str:
    """Return Markdown as HTML: tables, raw HTML and equations too; code is highlighted (its colors: `code_css`).

    `link` is a function from a link's address to another one, or to None where the words stay and the link goes. Notebook
    headings keep their level.
    """
    made = _parser().render(text)
    if link is None:
        return made

    def linked(found) -> str:
        address = link(html.unescape(found[1]))
        return found[2] if address is None else f'<a href="{html.escape(address)}">{found[2]}</a>'

    return re.sub(r'<a href="([^"]*)"[^>]*>(.*?)</a>', linked, made, flags=re.DOTALL)


def inline(text: str, link=None) -> str:
    """Return one paragraph of Markdown as HTML, without the `<p>` around it."""
    return re.sub(r"^<p>(.*)</p>\s*$", r"\1", markdown(text, link), flags=re.DOTALL)


def code(source: str, language: str = "python") -> str:
    """Return code as `<pre class="code">`, its parts in `<span>`s with the classes of Pygments."""
    from pygments import highlight
    from pygments.formatters import HtmlFormatter
    from pygments.lexers import get_lexer_by_name
    from pygments.util import ClassNotFound

    try:
        lexer = get_lexer_by_name(language.split()[0] if language else "text", stripnl=True)
    except ClassNotFound:
        lexer = get_lexer_by_name("text")
    lines = highlight(source.strip("\n"), lexer, HtmlFormatter(nowrap=True)).rstrip("\n")
    return f'<pre class="code"><code>{lines}</code></pre>\n'


def code_css() -> str:
    """Return the style sheet of highlighted code: house colors, each with a contrast of at least 4.5 : 1 on its ground."""
    rules = [f"pre.code {{ background: {CODE}; color: {INK}; }}"]
    for classes, style in STYLES.items():
        rules.append(", ".join(f"pre.code .{name}" for name in classes.split(",")) + f" {{ {style} }}")
    return "\n".join(rules) + "\n"


def literal(text: str) -> str:
    """Return any text as Markdown that shows it as it is: titles and words of drawings, options of a quiz."""
    return re.sub(r"([\\*_`$\[\]#|~])", r"\\\1", html.escape(text, quote=False))


def plain(text: str) -> str:
    """Return the words of Markdown without its signs, as a screen reader or a title says them."""
    return " ".join(html.unescape(re.sub(r"<[^>]+>", "", markdown(text))).split())
