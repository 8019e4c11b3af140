"""What a notebook would receive: every output that the code under test displays."""

from xml.etree import ElementTree

import pytest

SVG = "{http://www.w3.org/2000/svg}"


@pytest.fixture
def shown(monkeypatch):
    """A list that fills with (data, metadata) of each display, as if a notebook were running."""
    import IPython.display
    from IPython.core.interactiveshell import InteractiveShell

    outputs = []

    def display(data, raw=False, metadata=None):
        assert raw
        outputs.append((data, metadata))

    monkeypatch.setattr(InteractiveShell, "initialized", classmethod(lambda cls: True))
    monkeypatch.setattr(IPython.display, "display", display)
    return outputs


@pytest.fixture
def parse():
    """Parse an SVG as XML, check its frame, and return the elements that the Tab key reaches, as (title, texts)."""

    def parsed(svg: str) -> list:
        root = ElementTree.fromstring(svg)
        assert root.tag == f"{SVG}svg" and root.get("role") == "img" and root.get("aria-label").strip()
        # Its own paper: a dark theme behind it must not swallow dark letters.
        paper = root.find(f"{SVG}rect")
        assert paper.get("fill") == "#ffffff" and paper.get("width") == root.get("width")
        reached = [element for element in root.iter() if element.get("tabindex") == "0"]
        return [
            (element.find(f"{SVG}title").text, [text.text or "" for text in element.iter(f"{SVG}text")])
            for element in reached
        ]

    return parsed
