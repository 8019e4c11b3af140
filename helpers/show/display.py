"""How a result reaches the page: one output and its words, alike in a notebook, in a script and for a screen reader.

Built for notebook 00, used by all. Nothing here imports ipywidgets.
"""

from __future__ import annotations

import sys

from helpers.show.theme import BLUE, INK, wrap, xml

# A control whose long name is shown whole: what all sliders, menus and lines have in common.
CONTROL = {"style": {"description_width": "initial"}, "layout": {"width": "min(480px, 98%)"}}
WIDE = {"width": "100%"}  # the layout of a box of HTML


def publish(data: dict, metadata: dict | None = None) -> None:
    """Show one output in the notebook; outside a notebook (a plain script) print its text instead."""
    shell = sys.modules.get("IPython.core.interactiveshell")
    if shell is None or not shell.InteractiveShell.initialized():
        print(data["text/plain"])
        return
    from IPython.display import display

    display(data, raw=True, metadata=metadata or {})


def say(words: str) -> None:
    """Print what a picture shows, below it, for everyone who cannot see it."""
    print(wrap(words, "In words: "))


def html(text) -> str:
    """Text of any origin as HTML, its line breaks kept."""
    return xml(text).replace("\n", "<br>")


def spoken(words: str) -> str:
    """Words as HTML which a screen reader reads out when they change, on light paper whatever the theme."""
    return (
        f'<div role="status" aria-live="polite" aria-atomic="true" style="max-width:796px;padding:6px 12px;'
        f'border-left:3px solid {BLUE};background:#f5f6f9;color:{INK};line-height:1.5">{html(words)}</div>'
    )


class Widget:
    """What everything with controls shares: ``self.widget`` is displayed, and its ``repr`` is what is recorded of it."""

    words = ""

    def __repr__(self) -> str:
        return wrap(self.words)

    def show(self) -> None:
        """Display this here, alike in ipywidgets 7.7 and 8. What is recorded of it is its ``repr``: the words."""
        view = {"version_major": 2, "version_minor": 0, "model_id": self.widget.model_id}
        publish({"text/plain": repr(self), "application/vnd.jupyter.widget-view+json": view})

    _ipython_display_ = show
