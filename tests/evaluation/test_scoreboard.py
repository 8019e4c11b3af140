"""The scoreboard: a row per bot of the course, and a file nobody edited by hand."""

import pytest

from helpers.evaluation import scoreboard

HEAD = ",".join(["bot", *scoreboard.COLUMNS])


@pytest.fixture
def board(tmp_path, monkeypatch):
    path = tmp_path / "scoreboard.csv"
    monkeypatch.setattr(scoreboard, "data_path", lambda *parts: path)
    return path


def test_the_file_of_the_course_reads_and_untrained_bots_say_so():
    table = scoreboard.read()
    assert list(table.index) == [entry.name for entry in scoreboard.ENTRIES]
    assert set(table["status"]) <= {"trained", "not trained yet"}


def test_a_row_fills_its_bot_only(board):
    row = ["rnn"] + [str(number) for number in range(len(scoreboard.COLUMNS))]
    board.write_text(f"{HEAD}\n{','.join(row)}\n")
    table = scoreboard.read()
    assert table.loc["rnn", "status"] == "trained" and table.loc["rnn", "bits per byte"] == "2"
    assert table.loc["n-gram", "status"] == "not trained yet" and table.loc["n-gram", "bits per byte"] == ""


def test_unknown_bots_and_columns_are_refused(board):
    board.write_text(f"{HEAD}\nskynet{',1' * len(scoreboard.COLUMNS)}\n")
    with pytest.raises(ValueError, match="skynet"):
        scoreboard.read()
    board.write_text("bot,score\n")
    with pytest.raises(ValueError, match="make checkpoints"):
        scoreboard.read()
