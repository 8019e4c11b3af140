"""The lines of the release check about what is made from something else, and the report of all lines."""

from pathlib import Path

import pytest

from tests.release import __main__ as release
from tests.release import fresh
from tests.release.conftest import put


def test_a_command_that_finds_nothing_is_silent_and_another_speaks(tmp_path):
    put(tmp_path, "fine.py", "import sys; assert sys.argv[1:] == ['--check']")
    put(tmp_path, "stale.py", "print('one\\ntwo\\nthree\\n04.ipynb is stale'); raise SystemExit(1)")
    put(tmp_path, "mute.py", "raise SystemExit(1)")
    assert fresh.command("fine", "make it")(tmp_path) == []
    assert fresh.command("stale", "make it")(tmp_path) == ["two", "three", "04.ipynb is stale", "run: make it"]
    assert fresh.command("mute", "make it")(tmp_path) == ["mute failed", "run: make it"]


def test_a_file_that_is_not_what_its_command_makes_is_named(tmp_path):
    line = fresh.compared(Path("a.txt"), lambda: "new\n", "make a")
    assert "a.txt is not what" in line(tmp_path)[0]
    put(tmp_path, "a.txt", "old\n")
    assert line(tmp_path)[0].endswith("run: make a")
    put(tmp_path, "a.txt", "new\n")
    assert line(tmp_path) == []


def test_every_command_of_a_line_exists():
    from importlib.util import find_spec

    assert all(find_spec(module) for _, module, _ in fresh.COMMANDS)


def test_a_task_that_the_list_of_mistakes_does_not_know_is_named(monkeypatch):
    from tests.answers import mistakes

    known = mistakes.stored()
    stem = next(iter(known))
    name, task = next(iter(known[stem].items()))
    monkeypatch.setattr(mistakes, "stored", lambda: known)
    assert fresh.mistakes(Path()) == []
    known[stem][name] = task | {"title": "Another title"}
    assert {words.partition(" has")[0] for words in fresh.mistakes(Path())} == {f"data/mistakes.json: {stem}, {name}"}


def stops(root: Path) -> list[str]:
    raise ValueError("it cannot be built")


@pytest.mark.parametrize(
    ("look", "warns", "mark", "wrong"),
    [
        (lambda root: [], False, "✔", 0),
        (lambda root: ["do this"], False, "✘", 1),
        (lambda root: ["do this"], True, "⚠", 0),
        (lambda root: [], True, "✔", 0),
        (stops, False, "✘", 1),
    ],
)
def test_each_line_has_its_mark(capsys, look, warns, mark, wrong):
    assert release.report([release.Line("something is in order", look, warns)], Path()) == wrong
    first, *rest = capsys.readouterr().out.splitlines()
    assert first == f"{mark} something is in order"
    assert rest == ([] if mark == "✔" else ["    it cannot be built" if look is stops else "    do this"])


def test_many_problems_are_cut_short(capsys):
    release.report([release.Line("x", lambda root: [str(n) for n in range(30)])], Path())
    out = capsys.readouterr().out.splitlines()
    assert len(out) == release.MOST + 2 and out[-1].strip() == f"and {30 - release.MOST} more"


def test_the_status_says_whether_a_line_failed(monkeypatch, capsys):
    monkeypatch.setattr(release, "package_lines", lambda folder: [])
    monkeypatch.setattr(release, "LINES", [release.Line("x", lambda root: [])])
    assert release.main([]) == 0 and "git tag -a v" in capsys.readouterr().out
    monkeypatch.setattr(release, "LINES", [release.Line("x", lambda root: ["do this"])])
    assert release.main([]) == 1 and "Not yet: 1 line has a ✘." in capsys.readouterr().out


def test_a_package_that_cannot_be_built_fails_each_of_its_lines(monkeypatch, tmp_path, capsys):
    monkeypatch.setattr(release.packages, "build", lambda root, folder: stops(root))
    lines = release.package_lines(tmp_path)
    assert release.report(lines, tmp_path) == len(lines) == 5
