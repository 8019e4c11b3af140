"""English from documentation strings: sentences stay, code goes, nothing is imported, and the order is always the same."""

import sys

import pytest

from helpers.corpus import documentation_strings
from helpers.corpus.documentation_strings import docstrings, documentation_text, english_paragraphs, source_files

MODULE = '''"""Soup is a meal that is cooked in a pot and eaten with a spoon.

It is eaten by most of the people who are cold, and by some who are not.

    >>> cook("soup")
    The soup that is cooked in a pot and eaten with a spoon.
"""
raise SystemExit("this file must not be imported")


class Pot:
    """A thing to cook in."""

    async def cook(self):
        """Cook what is in the pot,
        and stir it with a spoon so that it does not burn.

        SOUP is a meal that is cooked in a pot and eaten with a spoon.

        Parameters
        ----------
        lid : bool

        spoon : Spoon, optional
            Which of the spoons is to be used when the soup is stirred.
        """
'''
SPOON = '"""Return the spoon that was used in the soup, or the one that is nearest to it."""'


@pytest.fixture
def fake(tmp_path, monkeypatch):
    folder = tmp_path / "soup_package"
    (folder / "tests").mkdir(parents=True)
    for name in ("__init__.py", "a.py"):
        (folder / name).write_text(MODULE, encoding="utf-8")
    (folder / "b.py").write_text(SPOON, encoding="utf-8")
    (folder / "broken.py").write_text("def (:", encoding="utf-8")
    (folder / "tests" / "c.py").write_text(SPOON.replace("nearest", "farthest"), encoding="utf-8")
    monkeypatch.syspath_prepend(tmp_path)
    return folder


def test_the_sentences_of_a_package_come_once_and_without_importing_it(fake):
    text = documentation_text(["soup_package", "no_such_package"])
    assert text.paragraphs == (
        "Soup is a meal that is cooked in a pot and eaten with a spoon.",
        "It is eaten by most of the people who are cold, and by some who are not.",
        "Cook what is in the pot, and stir it with a spoon so that it does not burn.",
        "Which of the spoons is to be used when the soup is stirred.",
        "Return the spoon that was used in the soup, or the one that is nearest to it.",
    )
    assert text.versions == {"soup_package": "unknown"} and "soup_package" not in sys.modules
    again = documentation_text(["soup_package"])
    assert again == text and again.sha256 == text.sha256
    (fake / "b.py").write_text(SPOON.replace("nearest", "next"), encoding="utf-8")
    assert documentation_text(["soup_package"]).sha256 != text.sha256
    with pytest.raises(ValueError, match="none of these packages is installed: no_such_package"):
        documentation_text(["no_such_package"])


def test_the_order_of_the_files_is_that_of_their_names(fake, monkeypatch):
    names = [path.name for path in source_files(fake)]
    assert names == ["__init__.py", "a.py", "b.py", "broken.py"]  # tests left out
    listed = list(fake.rglob("*.py"))
    monkeypatch.setattr(type(fake), "rglob", lambda self, pattern: iter(listed[::-1]))
    assert [path.name for path in source_files(fake)] == names


def test_every_kind_of_documentation_string_is_found():
    assert len(list(docstrings(MODULE))) == 3 and list(docstrings("x = '''no docstring'''")) == []
    assert list(docstrings("def f():\n    'One \\d.'")) == ["One \\d."]  # and no warning about the backslash
    assert list(docstrings("\0")) == []


@pytest.mark.parametrize(
    "block",
    [
        ">>> soup = cook(pot)  # this is the one that is in the pot",
        "This is how the soup is cooked in a pot that is hot:\n>>> cook()",
        "Too short to be of use.",
        "this begins in the middle of a sentence, and it is not the beginning of the text.",
        "This is a heading that ends without a full stop and is not a sentence",
        "These are the things that are in a list of things:\n- the soup and the pot.",
        ".. versionadded:: 3.0 This is the version in which the soup was added to the list.",
        ":param pot: This is the pot in which the soup is to be cooked by the function.",
        "X_1 = {a: 1, b: 2} + [3, 4] * (5 / 6) is the formula of the soup in the pot.",
        "Soup noodles carrots onions salt pepper parsley celery leek oil.",
    ],
)
def test_what_is_no_english_is_left_out(block):
    assert english_paragraphs(block) == []


def test_markup_is_taken_away_and_lines_are_joined():
    text = "Use :func:`~soup.cook` or ``cook_all`` for *all* of the pots\nthat are on the **stove**, as in `stir`_."
    assert english_paragraphs(text) == ["Use soup.cook or cook_all for all of the pots that are on the stove, as in stir."]
    assert english_paragraphs("pot (str): The pot in which the soup\n    is to be cooked by the function.") == [
        "The pot in which the soup is to be cooked by the function."
    ]


def test_the_standard_library_is_there_and_its_own_tests_are_not(monkeypatch):
    folder = documentation_strings.package_folder("python")
    assert (folder / "json" / "__init__.py").exists()
    assert documentation_strings._version("python") == ".".join(map(str, sys.version_info[:3]))
    text = " ".join(p for d in docstrings((folder / "json" / "__init__.py").read_text("utf-8")) for p in english_paragraphs(d))
    assert ">>>" not in text and "JSON" in text
