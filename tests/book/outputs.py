"""A cell's stored outputs as HTML: drawings inline, figures with their words, tables, text. Nothing is run."""

import re
from collections.abc import Callable
from html import escape

# A bar of tqdm and the empty curve are the first moment of something that moved; what came of it is printed beside them.
FLEETING = re.compile(r"\s*\d+%\|.*\|\s*\d+/\d+ \[.*\]\s*|The learning curve appears here when training begins\.")
IDS = re.compile(r'(\b(?:id|aria-labelledby|aria-describedby)=")([^"]+)(")')
USES = re.compile(r'((?:\burl\(|\bhref=")#)([^")]+)')
# No page takes a dollar in a result for the start of a formula.
PLAIN = "tex2jax_ignore mathjax_ignore"


def html(cell, prefix: str, picture: Callable[[str], str] | None = None) -> str:
    """Return the stored outputs of a code cell as HTML, "" where there are none.

    `prefix` goes before every id of a drawing, because drawings share one page. `picture` is given a figure's PNG as
    base64 and returns the address it can be found at; without it the figure stands in the page, as a data URI. Raises
    ValueError for a figure or a drawing without words, and for an output of an unknown kind.
    """
    parts, text = [], ""
    for number, output in enumerate(cell.get("outputs", [])):
        if output["output_type"] == "stream":
            text += output["text"]
            continue
        parts += [_text(text), _shown(output, f"{prefix}-{number}", picture)]
        text = ""
    return "\n".join(part for part in [*parts, _text(text)] if part)


def words(cell) -> str:
    """Return what the outputs of a code cell say as text: what was printed, and the words of what was shown."""
    parts = []
    for output in cell.get("outputs", []):
        text = output["text"] if output["output_type"] == "stream" else output.get("data", {}).get("text/plain", "")
        parts.append("" if FLEETING.fullmatch(text) else text.strip("\n"))
    return "\n".join(part for part in parts if part)


def drawing(svg: str, prefix: str) -> str:
    """Return a drawing's SVG as HTML: its ids prefixed, in a box that scrolls where the page is too narrow."""
    if not re.search(r'aria-label="[^"]+"', svg):
        raise ValueError(f"{prefix}: a drawing without words")
    svg = IDS.sub(lambda m: m[1] + " ".join(f"{prefix}-{name}" for name in m[2].split()) + m[3], svg)
    svg = USES.sub(lambda m: f"{m[1]}{prefix}-{m[2]}", svg)
    return f'<div class="drawing {PLAIN}">{svg.strip()}</div>'


def _shown(output, name: str, picture) -> str:
    data, about = output.get("data", {}), output.get("metadata", {})
    if "image/svg+xml" in data:
        return drawing(data["image/svg+xml"], name)
    if "image/png" in data:
        return _figure(data["image/png"].strip(), about.get("image/png", {}), name, picture)
    if "text/html" in data:
        return f'<div class="table {PLAIN}">{data["text/html"]}</div>'
    if "text/plain" in data:
        return _text(data["text/plain"])
    if output["output_type"] == "error":
        return _text(f"{output['ename']}: {output['evalue']}")
    raise ValueError(f"{name}: no way to show {sorted(data) or output['output_type']}")


def _figure(png: str, about: dict, name: str, picture) -> str:
    if not about.get("alt"):
        raise ValueError(f"{name}: a figure without words")
    address = picture(png) if picture else "data:image/png;base64," + png.replace("\n", "")
    size = "".join(f' {key}="{about[key]}"' for key in ("width", "height") if key in about)
    return f'<div class="figure"><img src="{address}" alt="{escape(about["alt"])}"{size} loading="lazy"></div>'


def _text(text: str) -> str:
    text = text.strip("\n")
    if not text.strip() or FLEETING.fullmatch(text):
        return ""
    return f'<pre class="result {PLAIN}">{escape(text, quote=False)}</pre>'
