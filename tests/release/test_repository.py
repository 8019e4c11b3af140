"""The lines of the release check about the repository's files: silent on a course in order, and not on a spoiled one."""

import pytest

from tests.notebooks import books
from tests.release import repository
from tests.release.conftest import change, commit, put


def test_a_course_in_order_is_silent(course):
    for line in (repository.clean, repository.sizes, repository.paths, repository.secrets, repository.links):
        assert line(course) == [], line


def test_what_is_not_committed_is_named(course):
    put(course, "notes.txt", "mine")
    change(course, "README.md", "# A course", "# Another")
    (words,) = repository.clean(course)
    assert "README.md" in words and "notes.txt" in words
    commit(course)
    assert repository.clean(course) == []


def test_the_placeholder_and_a_second_address_are_named(course):
    assert "YOUR_ACCOUNT stands in pyproject.toml" in repository.address(course)[0]
    change(course, "pyproject.toml", "YOUR_ACCOUNT", "ada")
    assert repository.address(course) == []
    change(course, "pyproject.toml", "https://github.com/ada/one-conversation/issues", "https://github.com/bob/x/issues")
    change(course, "pyproject.toml", "https://ada.github.io", "https://bob.github.io")
    assert [words.split()[1] for words in repository.address(course)] == ["Documentation", "Issues"]


def test_a_large_file_and_a_large_repository_are_named(course, monkeypatch):
    monkeypatch.setattr(repository, "LARGEST", 0.05)
    monkeypatch.setattr(repository, "ALL", 0.15)
    put(course, "data/a.txt", "1" * 60_000)
    commit(course)
    (words,) = repository.sizes(course)
    assert words.startswith("data/a.txt has 0 MB")
    for name in "bcd":
        put(course, f"data/{name}.txt", "1" * 40_000)
    commit(course)
    assert "all files together" in repository.sizes(course)[-1]
    put(course, "of_mine.txt", "1" * 60_000)  # not kept by git
    assert len(repository.sizes(course)) == 2


def test_a_folder_of_this_computer_is_named(course, tmp_path):
    home = tmp_path / "home" / "ada"
    put(course, "notebooks/00_start.ipynb", f"read {course}/data/x.csv")
    put(course, "helpers/a.py", f'FOLDER = "{home}/dumps"\n')
    commit(course)
    found = repository.paths(course, home)
    assert len(found) == 2 and found[0].startswith("helpers/a.py names") and found[1].startswith("notebooks/00_start")
    assert repository.paths(course, tmp_path / "another") != found


@pytest.mark.parametrize("begin, length", [("ghp_", 36), ("hf_", 34), ("sk-", 48), ("AKIA", 16), ("pypi-", 80)])
def test_a_key_is_named(course, begin, length):
    put(course, "helpers/a.py", f'TOKEN = "{begin}{"A" * length}"\n')
    put(course, "README.md", f"A key begins with {begin}AAAA.\n")
    put(course, ".env", "")
    commit(course)
    assert [words.split()[0] for words in repository.secrets(course)] == [".env", "helpers/a.py"]


def test_a_private_key_is_named(course):
    put(course, "data/key.pem", f"-----BEGIN {'RSA PRIVATE'} KEY-----\n")
    commit(course)
    assert len(repository.secrets(course)) == 1


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("[a](gone.md)", "there is no gone.md"),
        ("![a [b] c](.github/gone.png)", "there is no .github/gone.png"),
        ('<img src="gone.png" alt="">', "there is no gone.png"),
        ("[a](#nowhere)", "no heading #nowhere"),
        ("[a](data/README.md#nowhere)", "no heading #nowhere"),
        ("[a](data/README.md#data) [b](https://example.org/gone.md) `[c](gone.md)` [d](mailto:x@example.org)", None),
        ("```\n[a](gone.md)\n```\n\n## Über `code` & [more](data/README.md)\n\n[a](#über-code--more)", None),
        ("## The end\n\n[the second one](#the-end-1)", None),
        ("[a](#the-end-2)", "no heading #the-end-2"),
    ],
)
def test_a_link_that_leads_nowhere_is_named(course, text, says):
    put(course, "README.md", f"## The end\n\n{text}\n")
    found = repository.links(course)
    assert (len(found) == 1 and says in found[0]) if says else not found, found


def test_a_folder_that_is_no_clone_is_a_sentence(tmp_path):
    with pytest.raises(ValueError, match="no clone"):
        repository.tracked(tmp_path)
    assert repository.clean(tmp_path) == ["this folder is no clone"]


@pytest.mark.skipif(not (books.ROOT / ".git").exists(), reason="this is no clone")
def test_our_own_pages_and_sizes_are_in_order():
    assert repository.sizes(books.ROOT) == []
    assert repository.secrets(books.ROOT) == []
    assert repository.links(books.ROOT) == []
