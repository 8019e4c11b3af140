"""What every drawing must be: XML on its own paper, its texts inside it and none on another, its words in the label."""

import pytest

from helpers.show.svg import WIDTH, Drawing
from tests.show.legible import edges, problems


@pytest.fixture
def legible(parse):
    """A function that checks a drawing and returns its words."""

    def check(drawing) -> str:
        assert isinstance(drawing, Drawing) and drawing.title
        parse(drawing.svg)
        assert problems(drawing.svg) == []
        left, right, bottom = edges(drawing.svg)
        height = float(drawing.svg.split(f'viewBox="0 0 {WIDTH} ')[1].split('"')[0])
        assert left >= 0 and right <= WIDTH and bottom <= height
        assert "None" not in drawing.words and "  " not in drawing.words and drawing.words.endswith((".", "…"))
        return drawing.words

    return check
