"""The real wheel, in a fresh environment, from another folder: the one slow test of the release check."""

import shutil

import pytest

import helpers
from tests.notebooks import books
from tests.release import elsewhere, packages


@pytest.fixture(scope="module")
def python(tmp_path_factory):
    """The Python of a fresh environment with the wheel of the working tree in it."""
    folder = tmp_path_factory.mktemp("elsewhere")
    packages._hatchling(books.ROOT, folder / "dist", "wheel")
    return elsewhere.install(next((folder / "dist").glob("*.whl")), folder / "fresh")


def test_the_course_works_where_it_was_not_made(python, tmp_path):
    assert elsewhere.try_out(python, tmp_path / "a folder", helpers.__version__) == []
    assert list((tmp_path / "a folder").iterdir()) == []
    # And what is broken there is told.
    (own,) = python.parents[1].glob("lib/python3*/site-packages")
    shutil.rmtree(own / "helpers" / "_data" / "checkpoints" / "gpt-chat")
    found = elsewhere.try_out(python, tmp_path / "a folder", "0.9")
    assert len(found) >= 3 and all("gpt-chat" in words for words in found), found


def test_a_wheel_that_is_none_is_a_sentence(tmp_path):
    wheel = tmp_path / "one_conversation-1.0.0-py3-none-any.whl"
    wheel.write_text("no zip")
    with pytest.raises(ValueError, match="the wheel cannot be installed"):
        elsewhere.install(wheel, tmp_path / "fresh")


def test_the_variables_that_lead_elsewhere_stay_out(monkeypatch):
    monkeypatch.setenv("PYTHONPATH", str(books.ROOT))
    monkeypatch.setenv("PIP_USER", "1")
    monkeypatch.setenv("KEPT", "1")
    known = elsewhere.environment()
    assert "PYTHONPATH" not in known and "PIP_USER" not in known and known["KEPT"] == "1"
