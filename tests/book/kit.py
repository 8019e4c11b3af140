"""What the teacher's edition says of the teacher's kit: links from each notebook, and a page that lists all of it."""

from html import escape

from tests.book import marks, reference

KIT = "../../kit"  # build/kit/ beside build/book/, seen from a page of the teacher's edition
PER_NOTEBOOK = {
    "Lesson plan": "plans/{}.html",
    "Slides": "slides/{}.html",
    "Predictions to hand out": "predictions/{}.html",
    "Wrong answers": "mistakes/{}.html",
}
FOR_THE_COURSE = {
    "The whole kit, on one page of links": "index.html",
    "Every box for the teacher": "boxes.html",
    "Syllabus for a semester": "syllabus_semester.html",
    "Syllabus for a week": "syllabus_week.html",
    "Syllabus for an afternoon": "syllabus_afternoon.html",
}
ABOUT = """Made from the same notebooks as this book, by `make kit`: for each notebook a lesson plan, slides, its predictions as a
handout, and the wrong answers that its exercises often get, with what each reveals."""


def links(notebook: str) -> dict[str, str]:
    """Return {words: address} of what the kit has for a notebook, "04"."""
    return {words: f"{KIT}/{path.format(notebook)}" for words, path in PER_NOTEBOOK.items()}


def buttons(found: dict[str, str]) -> str:
    """Return links as a line of buttons, in Markdown."""
    shown = " ".join(f'<a class="button" href="{address}">{escape(words)}</a>' for words, address in found.items())
    return marks.raw(f'<p class="buttons">{shown}</p>')


def page() -> str:
    """Return the page that leads to the kit, as Markdown."""
    parts = ["# The teacher’s kit", ABOUT, buttons({words: f"{KIT}/{path}" for words, path in FOR_THE_COURSE.items()})]
    for entry in reference.course():
        number = entry["notebook"]
        parts += [f"## {number} · {entry['title']}", buttons(links(number))]
    return "\n\n".join(parts) + "\n"
