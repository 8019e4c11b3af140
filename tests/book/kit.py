"""The page of the teacher's edition that leads to the teacher's kit."""

from tests.book import reference

KIT = "../../kit"
ABOUT = """# The teacher’s kit

`make kit` makes for each notebook a plan of one page, a deck of slides and a handout with its predictions, and for the course
the syllabi, all teacher’s boxes on one page, and the typical wrong answers with what they reveal.
"""


def page() -> str:
    """Return the page as Markdown."""
    rows = [f"- {reference.to(entry['notebook'], entry['notebook'] + ' · ' + entry['title'])}" for entry in reference.course()]
    return "\n".join([ABOUT, *rows]) + "\n"
