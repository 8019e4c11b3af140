"""The lines of the release check about the version: each is silent on a course in order, and speaks on a spoiled one."""

import pytest

from tests.notebooks import books
from tests.release import versions
from tests.release.conftest import change, git, put


def test_a_course_in_order_is_silent(course):
    for line in (versions.agree, versions.changelog, versions.cited, versions.tag):
        assert line(course) == [], line


@pytest.mark.parametrize(
    ("file", "old", "new", "says"),
    [
        ("pyproject.toml", '"1.2.0"', '"1.3.0"', "its top entry is 1.2.0"),
        ("pyproject.toml", '"1.2.0"', '"1.2.0.dev1"', "no version of a release"),
        ("pyproject.toml", '"1.2.0"', '"one"', "is no version"),
        (".github/CHANGELOG.md", "[1.2.0] - 2027-03-01", "[1.2.0]", "needs its date"),
        (".github/CHANGELOG.md", "2027-03-01", "2027-13-01", "needs its date"),
        (".github/CHANGELOG.md", "[1.2.0] - 2027-03-01", "[Unreleased]", "its top entry is Unreleased"),
        ("CITATION.cff", "version: 1.2.0\ndate", "version: 1.1.0\ndate", "version is 1.1.0"),
        ("CITATION.cff", "{type: generic,", "{version: 1.1.0, type: generic,", "version is 1.1.0"),
        ("CITATION.cff", "2027-03-01", "2027-03-02", "date-released is 2027-03-02"),
    ],
)
def test_one_place_that_differs_is_named(course, file, old, new, says):
    change(course, file, old, new)
    found = versions.agree(course)
    assert any(says in words for words in found), found


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ("[1.1.0]", "[1.2.0]", "twice"),
        ("2026-12-24", "2027-12-24", "newest entry first"),
        ("- New.\n", "", "1.2.0 says nothing"),
        ("- Old.\n", "", "1.1.0 says nothing"),
    ],
)
def test_a_changelog_out_of_order_is_named(course, old, new, says):
    change(course, ".github/CHANGELOG.md", old, new)
    (words,) = versions.changelog(course)
    assert says in words


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ("message: Please cite it.\n", "", "message is missing"),
        ("cff-version: 1.2.0", "cff-version: 1.1.0", "write cff-version"),
        ("license: MIT", "license: GPL-3.0", "license is not MIT"),
        ("title: A course\nauthors", "colour: red\ntitle: A course\nauthors", "no key 'colour'"),
        ("  - name: The authors\n", "  - alias: us\n", "neither a name"),
        ("{type: generic, ", "{", "preferred-citation needs type"),
    ],
)
def test_a_citation_file_that_breaks_its_format_is_named(course, old, new, says):
    change(course, "CITATION.cff", old, new)
    found = versions.cited(course)
    assert any(says in words for words in found), found


def test_a_citation_file_that_is_no_yaml_is_a_sentence(course):
    put(course, "CITATION.cff", "a: [\n")
    with pytest.raises(ValueError, match="CITATION.cff cannot be read"):
        versions.cited(course)


def test_a_tag_that_exists_is_named(course):
    git(course, "tag", "v1.1.0")
    assert versions.tag(course) == []
    git(course, "tag", "v1.2.0")
    (words,) = versions.tag(course)
    assert "the tag v1.2.0 exists" in words


def test_where_there_is_no_clone_there_is_no_tag(tmp_path):
    put(tmp_path, "pyproject.toml", '[project]\nversion = "1.2.0"\n')
    assert "no clone" in versions.tag(tmp_path)[0]


def test_another_installed_version_is_named(course, monkeypatch):
    monkeypatch.setattr(versions.metadata, "version", lambda name: "1.1.0")
    (words,) = versions.installed(course)
    assert "one-conversation 1.1.0 is installed" in words and "make setup" in words
    monkeypatch.setattr(versions.metadata, "version", lambda name: "1.2.0")
    assert versions.installed(course) == []


def test_our_own_files_are_in_order():
    for line in (versions.agree, versions.changelog, versions.cited):
        assert line(books.ROOT) == [], line
