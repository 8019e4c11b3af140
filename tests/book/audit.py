"""What a page of the book must be for its reader, one function a rule: each asks a page open in Chromium for its faults.

A fault is a sentence; an empty list is what everyone hopes for. contrast.py has one more rule. Used by browser.py.
"""

import json
from pathlib import Path

from axe_playwright_python.sync_playwright import Axe

# Colors are computed by contrast.py, in drawings too; the theme's logo lies outside every landmark, which no rule of WCAG
# forbids; and axe must not fetch the style sheets, which a page on a disk may not.
LEFT_OUT = {"color-contrast": {"enabled": False}, "region": {"enabled": False}}
AXE = {"rules": LEFT_OUT, "resultTypes": ["violations"], "preload": False}

SCRIPT = Path(__file__).with_suffix(".js").read_text(encoding="utf-8")


def ready(page) -> None:
    """Wait until the equations are typeset, unfold what is folded, and let no color be on its way to another."""
    page.add_style_tag(content="*, ::before, ::after { transition: none !important; animation: none !important; }")
    _ask(page, "ready")


def overflow(page) -> list[str]:
    """Return what makes the page wider than the window."""
    return _ask(page, "overflow")


def pictures(page) -> list[str]:
    """Return the pictures that have no words, and those that do not load."""
    return _ask(page, "pictures")


def equations(page) -> list[str]:
    """Return the equations that are not typeset, wrong, or silent for a screen reader."""
    return _ask(page, "equations")


def code(page) -> list[str]:
    """Return code, tables and drawings that are too small, or wider than what can be scrolled to."""
    return list(dict.fromkeys(_ask(page, "code")))


def phone(page) -> list[str]:
    """Return figures and columns too narrow to be read, controls too small to be touched, and arrows outside the window."""
    return list(dict.fromkeys(_ask(page, "phone")))


def axe(page) -> list[str]:
    """Return what axe-core finds in the page's HTML: names, labels, landmarks, headings, ids."""
    found = Axe().run(page, options=AXE).response["violations"]
    return [
        f"{rule['id']} ({rule['impact']}): {rule['help']}: {json.dumps(node['target'])}, {' '.join(node['html'].split())[:120]}"
        for rule in found
        for node in rule["nodes"][:3]
    ]


def _ask(page, rule: str):
    return page.evaluate(f"{SCRIPT}.{rule}()")
