"""Wheel and sdist of a small course with our own settings of hatchling; each line about them on a spoiled copy, too."""

import shutil
import tarfile
import zipfile
from pathlib import Path

import pytest

from tests.notebooks import books
from tests.release import packages
from tests.release.conftest import change, commit, put


@pytest.fixture
def built(course, tmp_path):
    return packages.build(course, tmp_path / "built")


def test_a_course_in_order_is_silent(built, course):
    assert packages.wheel(built, course) == []
    assert packages.sdist(built, course) == []
    assert packages.sizes(built) == []
    assert packages.metadata(built, course) == []


def test_the_wheel_has_no_tests_and_no_key_to_exercises(built):
    names = packages.wheel_names(built.wheel)
    assert "helpers/_data/sample_comments.jsonl" in names and "helpers/__main__.py" in names
    assert any(name.endswith(".dist-info/licenses/helpers/LICENSE") for name in names)
    assert not [name for name in names if "test" in name or "mistakes" in name or "explorables" in name]


def rewritten(wheel: Path, leave: str = "", add: str = "") -> Path:
    """Return a copy of a wheel without the file called ``leave`` and with one called ``add``."""
    copy = wheel.with_name("copy.whl")
    with zipfile.ZipFile(wheel) as old, zipfile.ZipFile(copy, "w") as new:
        for name in old.namelist():
            if name != leave:
                new.writestr(name, old.read(name))
        if add:
            new.writestr(add, "")
    return copy


@pytest.mark.parametrize(
    ("leave", "add", "says"),
    [
        ("helpers/_data/README.md", "", "the wheel lacks helpers/_data/README.md"),
        ("", "tests/test_it.py", "the wheel holds tests/test_it.py, which does not belong in it"),
        ("", "helpers/_data/explorables/00_a.json", "the wheel holds helpers/_data/explorables/00_a.json"),
        ("one_conversation-1.2.0.dist-info/licenses/helpers/LICENSE", "", "the wheel lacks one_conversation-1.2.0.dist-info/lic"),
    ],
)
def test_a_wheel_with_one_file_too_few_or_too_many_is_named(built, course, leave, add, says):
    built.wheel = rewritten(built.wheel, leave, add)
    (words,) = packages.wheel(built, course)
    assert words.startswith(says)


def test_what_the_package_needs_is_missed_even_where_git_does_not_keep_it(course, tmp_path):
    (course / "data" / "checkpoints" / "gpt-chat" / "model.safetensors").unlink()
    commit(course)
    found = packages.wheel(packages.build(course, tmp_path / "built"), course)
    assert found == ["the wheel lacks helpers/_data/checkpoints/gpt-chat/model.safetensors"]


def test_an_sdist_that_leaves_something_out_is_named(course, tmp_path):
    change(course, "pyproject.toml", '    "/tests",\n', "")
    put(course, "outside.txt", "neither included nor ignored")
    commit(course)
    found = packages.sdist(packages.build(course, tmp_path / "built"), course)
    assert [words.partition(":")[0] for words in found] == ["the sdist lacks outside.txt", "the sdist lacks tests/test_it.py"]


def test_an_sdist_that_lacks_files_gives_another_wheel(course, tmp_path):
    change(course, "pyproject.toml", '    "/data",\n', "")
    found = packages.wheel(packages.build(course, tmp_path / "built"), course)
    assert any("the wheel built from the sdist is another one" in words for words in found)


def test_what_git_does_not_keep_is_named(course, tmp_path):
    put(course, "notebooks/of_mine.ipynb", "{}")
    put(course, "helpers/of_mine.py", "")
    built = packages.build(course, tmp_path / "built")
    assert packages.sdist(built, course) == [
        "the sdist holds helpers/of_mine.py, which git does not keep",
        "the sdist holds notebooks/of_mine.ipynb, which git does not keep",
    ]
    assert packages.wheel(built, course) == ["the wheel holds helpers/of_mine.py, which does not belong in it"]


def test_a_large_package_is_named(built, monkeypatch):
    monkeypatch.setattr(packages, "LIMIT", 0.0001)
    assert [words.split()[0] for words in packages.sizes(built)] == [built.wheel.name, built.sdist.name]


def test_what_cannot_be_built_is_a_sentence(course, tmp_path):
    change(course, "pyproject.toml", 'readme = "README.md"', 'readme = "GONE.md"')
    with pytest.raises(ValueError, match=r"the wheel cannot be built: .*GONE\.md"):
        packages.build(course, tmp_path / "built")


GOOD = """Metadata-Version: 2.4
Name: x
Version: 1.0
Summary: A course
License-Expression: MIT
Keywords: course
Classifier: Topic :: Education
Project-URL: Documentation, https://example.org
Project-URL: Changelog, https://example.org
Project-URL: Issues, https://example.org

# A course
"""


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ("Name: x", "Name: -x-", "'-x-' is invalid"),
        ("Version: 1.0", "Version: one", "'one' is invalid"),
        ("Topic :: Education", "Topic :: Fun", "there is no classifier 'Topic :: Fun'"),
        ("MIT", "Mine", "'Mine' is invalid"),
        ("Summary: A course\n", "", "a summary is missing"),
        ("Keywords: course\n", "", "keywords is missing"),
        ("Changelog", "News", "the changelog is missing"),
        ("\n# A course\n", "\n", "a description (readme in pyproject.toml) is missing"),
    ],
)
def test_metadata_that_an_index_would_refuse_is_named(old, new, says):
    assert packages.metadata_faults(GOOD.encode()) == []
    assert old in GOOD
    found = packages.metadata_faults(GOOD.replace(old, new, 1).encode())
    assert len(found) == 1 and says in found[0], found


def test_an_archive_s_folders_are_no_files(tmp_path):
    (tmp_path / "a-1.0" / "helpers").mkdir(parents=True)
    (tmp_path / "a-1.0" / "helpers" / "x.py").touch()
    with tarfile.open(tmp_path / "a.tar.gz", "w:gz") as archive:
        archive.add(tmp_path / "a-1.0", "a-1.0")
    assert packages.sdist_names(tmp_path / "a.tar.gz") == {"helpers/x.py"}


def test_the_excluded_files_are_none_that_the_package_reads():
    table = packages.tomllib.loads((books.ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    code = "\n".join(path.read_text(encoding="utf-8") for path in (books.ROOT / "helpers").rglob("*.py"))
    for name in table["tool"]["hatch"]["build"]["targets"]["wheel"]["exclude"]:
        assert f'"{name.removeprefix("data/")}"' not in code, name
    assert shutil.which("git") is None or packages._is_in("data/explorables/00_a.json", ["data/explorables"])
    assert not packages._is_in("data/explorables.md", ["data/explorables"])
