"""The table is safe to open, replaces nothing but a table of marks, and the summary says what a class gets wrong."""

import csv
import json
import os
import subprocess
import sys

import pytest

from tests.answers import mistakes
from tests.answers.solutions import solutions
from tests.marking import __main__ as marking
from tests.marking import answers, report
from tests.notebooks import books

STEM = "00_start_here"


def row(learner: str, task: str, mark: str, mistake: str = "", remark: str = "") -> dict:
    empty = dict.fromkeys(report.COLUMNS, "")
    return empty | {
        "learner": learner,
        "notebook": STEM,
        "task": task,
        "mark": mark,
        "mistake": mistake,
        "remark": remark,
    }


@pytest.mark.parametrize("value", ["=1+1", "+1", "-1", "@x", "\t=1", "\n=1+1", " =1"])
def test_no_cell_is_a_formula(value):
    assert report.safe(value).startswith("'")
    assert "; '" in report.safe(f"ada; {value}")  # for a spreadsheet that splits at semicolons
    assert report.safe("x = 1 - y; f(x)") == "x = 1 - y; f(x)"


def test_the_table_is_whole_and_readable(tmp_path):
    rows = [row("=ada", "bits", "✔"), row('b"o, b', "bits", "✘", remark="two\nlines")]
    report.write(rows, tmp_path / "marks.csv")
    assert (tmp_path / "marks.csv").read_bytes().startswith(b"\xef\xbb\xbflearner,")
    with (tmp_path / "marks.csv").open(encoding="utf-8-sig", newline="") as file:
        read = list(csv.DictReader(file))
    assert [(one["learner"], one["mark"], one["remark"]) for one in read] == [
        ("'=ada", "✔", ""),
        ('b"o, b', "✘", "two lines"),
    ]
    assert [path.name for path in tmp_path.iterdir()] == ["marks.csv"]
    report.check_target(tmp_path / "marks.csv")  # a table of marks may be written again
    (tmp_path / "notes.csv").write_text("my notes")
    (tmp_path / "more.csv").write_text(",".join([*report.COLUMNS, "my comment"]))
    for name in ("notes.csv", "more.csv"):
        with pytest.raises(FileExistsError, match="not a table of marks"):
            report.check_target(tmp_path / name)
    with pytest.raises(FileExistsError, match="is a folder"):
        report.check_target(tmp_path)


def test_the_mistake_is_the_one_whose_words_are_heard():
    known = mistakes.stored()
    says = next(one["says"] for one in known[STEM]["bits"]["mistakes"] if one["name"] == "in_nats")
    assert report.named(STEM, "bits", says, known) == "in_nats"
    assert report.named(STEM, "bits", "Your code stopped with NameError.", known) == ""


def test_the_summary_names_the_commonest_mistake_once_a_learner(monkeypatch):
    monkeypatch.setattr(report, "misconceptions", lambda: {STEM: {"bits": {"in_nats": "They take log for log2."}}})
    rows = [
        row("ada", "bits", "✘", "in_nats"),
        row("ben", "bits", "✘", "in_nats"),
        row("cy", "bits", "✘", "base_ten"),
        row("cy", "bits", "✘", "base_ten"),
        row("cy", "bits", "✘", "base_ten"),
        row("dee", "bits", "✔"),
        row("eve", "bits", "○"),
        row("fay", "bits", "✘", "", "contained: it took too long"),
    ]
    said = report.summary(rows)
    assert "6 learners, 6 notebooks: 1 answers are right (✔), 6 wrong (✘), 1 not tried (○)." in said
    assert "00 bits: 2 of 5 who tried it: in_nats\n  the check says: That is the natural logarithm" in said
    assert "what it reveals: They take log for log2." in said
    assert "fay, 00_start_here (bits): contained: it took too long" in said


def test_a_class_from_beginning_to_end(tmp_path, capsys):
    right = solutions(STEM)
    wrong = right["bits"].replace("log2", "log")
    handed_in = {
        "ada/00_start_here.ipynb": answers.submission(STEM, right),
        "ben/work.ipynb": answers.submission(STEM, {"bits": wrong}),
        "ben/again.ipynb": answers.submission(STEM, {"bits": right["bits"]}),
        "cy.ipynb": {"cells": []},
        "dee/work.py": {},
    }
    for name, book in handed_in.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(json.dumps(book), encoding="utf-8")
    assert marking.main([str(tmp_path), "--jobs", "1", "--seconds", "60"]) == 0
    said = capsys.readouterr().out
    with (tmp_path / "marks.csv").open(encoding="utf-8-sig", newline="") as file:
        rows = [(one["learner"], one["task"], one["mark"], one["mistake"]) for one in csv.DictReader(file)]
    assert rows == [
        ("ada", "last_words", "✔", ""),
        ("ada", "bits", "✔", ""),
        ("ben", "last_words", "○", ""),
        ("ben", "bits", "✔", ""),
        ("ben", "last_words", "○", ""),
        ("ben", "bits", "✘", "in_nats"),
        ("cy", "", "", ""),
        ("dee", "", "", ""),
    ]
    assert said.startswith("5 files to mark. ") and "no protection against an attacker" in said.splitlines()[0]
    assert "dee, no notebook: not marked: work.py: this is no notebook (.ipynb): ask for that file" in said
    assert "ben, 00_start_here (last_words, bits): one of 2 files: work.ipynb" in said
    assert "cy, no notebook: not marked: cy.ipynb: this is not a notebook of this course" in said
    assert "00 bits: 1 of 2 who tried it: in_nats" in said


def test_nothing_to_mark_is_a_sentence(tmp_path, capsys):
    for arguments in ([""], [str(tmp_path / "none")], [str(tmp_path)]):
        assert marking.main(arguments) == 2
        assert len(capsys.readouterr().err.strip().splitlines()) == 1
    (tmp_path / "x.ipynb").write_text("")
    (tmp_path / "mine.csv").write_text("mine")
    assert marking.main([str(tmp_path), "--out", str(tmp_path / "mine.csv")]) == 2
    assert (tmp_path / "mine.csv").read_text() == "mine"


def test_no_mark_is_lost_and_no_mark_at_all_is_a_status(tmp_path, capsys, monkeypatch):
    (tmp_path / "a" / "class").mkdir(parents=True)
    (tmp_path / "a" / "class" / "x.ipynb").write_text("")
    (tmp_path / "file").write_text("")
    monkeypatch.setattr(marking.tempfile, "mkdtemp", lambda: str(tmp_path))
    assert marking.main([str(tmp_path / "a"), "--out", str(tmp_path / "file" / "x.csv")]) == 1
    said = capsys.readouterr()
    assert said.out.startswith("1 file to mark.") and f"The table is {tmp_path / 'marks.csv'}." in said.out
    assert "cannot write" in said.err and "Not one file could be marked" in said.err
    assert (tmp_path / "marks.csv").exists()


def test_the_command_loads_no_learners_code_and_no_torch_itself():
    code = "import sys, tests.marking.__main__; print('torch' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], cwd=books.ROOT, env=os.environ, capture_output=True, text=True)
    assert done.stdout == "False\n", done.stderr
