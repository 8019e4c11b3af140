"""The README and its two pictures: there, small, described, and of what the notebook holds today."""

import re
import struct

from tests.notebooks import books
from tests.release import pictures

README = (books.ROOT / "README.md").read_text(encoding="utf-8")
ALTS = dict(re.findall(r'<img src="\.github/([\w.]+)"[^>]*\balt="([^"]+)"', README))


def test_both_are_small_pictures_with_words():
    assert set(ALTS) == {"explorable.png", "your_gpt.png"}
    for name, words in ALTS.items():
        content = (pictures.FOLDER / name).read_bytes()
        width, height = struct.unpack(">II", content[16:24])
        assert content.startswith(b"\x89PNG") and len(content) <= pictures.LIMIT
        assert 1000 < width < 1500 and 300 < height < 1800
        assert 15 <= len(words.split()) <= 70, words


def test_the_words_name_the_gpt_of_the_stored_drawing():
    parameters = re.search(r'aria-label="A GPT with ([\d,]+) parameters', pictures.drawing(pictures.GPT))[1]
    assert f"{parameters} parameters" in ALTS["your_gpt.png"]


def test_the_readme_is_read_in_three_minutes_or_a_little_more():
    text = re.sub(r"<!-- map -->.*?<!-- /map -->|```.*?```|<[^>]+>", "", README, flags=re.DOTALL)
    assert len(text.split()) <= 850


def test_the_first_lines_are_five():
    section = README.partition("## Start in five lines\n")[2].partition("\n## ")[0]
    assert re.findall(r"^(\d)\. ", section, re.MULTILINE) == list("12345")
