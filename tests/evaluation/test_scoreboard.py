"""The scoreboard: a row per bot of the course, and a file nobody edited by hand."""

import csv

import pytest

from helpers.evaluation import scoreboard

HEAD = ",".join(["bot", *scoreboard.COLUMNS])


@pytest.fixture
def board(tmp_path, monkeypatch):
    monkeypatch.setattr(scoreboard, "data_path", tmp_path.joinpath)
    return tmp_path / "scoreboard.csv"


def figures(**others):
    """Return a full row: 0.5 everywhere, but for `others` (an underscore there stands for a space)."""
    row = dict.fromkeys(scoreboard.COLUMNS, 0.5) | {"parameters": 1000, "bytes": 4000, "device": "the CPU"}
    return row | {name.replace("_", " "): value for name, value in others.items()}


def cells(path):
    with path.open(encoding="utf-8", newline="") as file:
        return {row["bot"]: row for row in csv.DictReader(file)}


def test_the_file_of_the_course_reads_and_untrained_bots_say_so():
    table = scoreboard.read()
    assert list(table.index) == [entry.name for entry in scoreboard.BOTS]
    assert set(table["status"]) <= {"trained", "not trained yet"}


def test_a_row_fills_its_bot_only(board):
    row = ["rnn"] + [str(number) for number in range(len(scoreboard.COLUMNS))]
    board.write_text(f"{HEAD}\n{','.join(row)}\n")
    table = scoreboard.read()
    assert table.loc["rnn", "status"] == "trained" and table.loc["rnn", "bits per byte"] == "2"
    assert table.loc["n-gram", "status"] == "not trained yet" and table.loc["n-gram", "bits per byte"] == ""


def test_other_columns_are_shown_if_asked_for(board):
    scoreboard.write("rnn", figures(**{"adversarial_success": None, "reply_length": 7}))
    table = scoreboard.read(("adversarial success", "reply length"))
    assert list(table.columns[-2:]) == ["adversarial success", "reply length"] and len(table.columns) == 6
    assert table.loc["rnn", "adversarial success"] == "" and table.loc["rnn", "reply length"] == "7"
    with pytest.raises(ValueError, match="no column 'charm'; it has: parameters, bytes"):
        scoreboard.read(("charm",))


def test_only_a_figure_that_comes_later_may_be_missing(board):
    with pytest.raises(ValueError, match="bits per byte"):
        scoreboard.write("rnn", figures(bits_per_byte=None))


def test_unknown_bots_and_columns_are_refused(board):
    board.write_text(f"{HEAD}\nskynet{',1' * len(scoreboard.COLUMNS)}\n")
    with pytest.raises(ValueError, match="skynet"):
        scoreboard.read()
    board.write_text("bot,score\n")
    with pytest.raises(ValueError, match="make checkpoints"):
        scoreboard.read()


def test_rows_with_too_few_or_too_many_cells_are_refused(board):
    for cells_ in (3, len(scoreboard.COLUMNS) + 1):
        board.write_text(f"{HEAD}\nrnn{',1' * cells_}\n")
        with pytest.raises(ValueError, match="make checkpoints"):
            scoreboard.read()


def test_what_is_written_is_read(board):
    row = figures(**{"bits_per_byte": 1.98765, "distinct-2": 0.25, "seconds_per_reply": 0.0000312345})
    scoreboard.write("rnn", row)
    table = scoreboard.read()
    assert table.loc["rnn", "status"] == "trained"
    assert list(table.loc["rnn", ["bits per byte", "distinct-2", "seconds per reply"]]) == [
        "1.988",
        "0.25",
        "0.00003123",
    ]
    assert list(table[table["status"] == "trained"].index) == ["rnn"]


def test_the_file_is_exactly_this(tmp_path):
    path = tmp_path / "board.csv"
    row = figures(parameters=12345678.0, bytes=49_382_713, training_seconds=12345.6, device="a GPU, a large one")
    scoreboard.write("gpt", row, path)
    expected = 'gpt,12345678,49382713,0.5,0.5,0.5,0.5,0.5,0.5,0.5,0.5,12350,"a GPU, a large one"'
    assert path.read_bytes().decode() == f"{HEAD}\n{expected}\n"
    assert cells(path)["gpt"]["device"] == "a GPU, a large one"


def test_rows_stand_in_the_order_of_the_course_and_only_one_is_replaced(board):
    for number, bot in enumerate(["gpt", "n-gram", "rnn"]):
        scoreboard.write(bot, figures(reply_length=number))
    before = cells(board)
    assert list(before) == ["n-gram", "rnn", "gpt"]
    scoreboard.write("rnn", figures(reply_length=9))
    after = cells(board)
    assert list(after) == ["n-gram", "rnn", "gpt"] and after["rnn"]["reply length"] == "9"
    assert [after[bot] for bot in ("n-gram", "gpt")] == [before[bot] for bot in ("n-gram", "gpt")]
    assert [path.name for path in board.parent.iterdir()] == ["scoreboard.csv"]  # no temporary file stays


def test_the_order_of_the_figures_does_not_matter(board):
    row = figures(parameters=7, reply_length=3)
    scoreboard.write("rnn", row)
    first = board.read_text()
    scoreboard.write("rnn", dict(reversed(row.items())))
    assert board.read_text() == first


def test_writing_refuses_unknown_names_and_says_the_known_ones(board):
    with pytest.raises(ValueError, match="skynet.*n-gram, rnn.*dpo"):
        scoreboard.write("skynet", figures())
    with pytest.raises(ValueError, match="unknown column 'charm'.*parameters, bytes.*device"):
        scoreboard.write("rnn", figures(charm=1))
    short = figures()
    del short["entropy-4"]
    with pytest.raises(ValueError, match="misses 'entropy-4'.*parameters, bytes.*device"):
        scoreboard.write("rnn", short)
    assert not board.exists()


@pytest.mark.parametrize("value", ["fast", None, -1, float("nan"), float("inf")])
def test_writing_refuses_what_is_no_number(board, value):
    scoreboard.write("rnn", figures())
    before = board.read_bytes()
    with pytest.raises(ValueError, match="'seconds per reply' must be a number"):
        scoreboard.write("rnn", figures(seconds_per_reply=value))
    assert board.read_bytes() == before


def test_a_file_edited_by_hand_is_not_overwritten(board):
    skynet = f"{HEAD}\nskynet{',1' * len(scoreboard.COLUMNS)}\n"
    for text, fault in (("bot,score\nrnn,3\n", "make checkpoints"), (skynet, "skynet")):
        board.write_text(text)
        with pytest.raises(ValueError, match=fault):
            scoreboard.write("rnn", figures())
        assert board.read_text() == text


# --- a row for the session --------------------------------------------------------------------------------------------


def test_a_bot_of_ones_own_has_a_row_for_the_session_and_no_file_changes(board):
    scoreboard.write("rnn", figures())
    before, table = board.read_bytes(), scoreboard.read()
    more = scoreboard.with_row(table, "your GPT", {"bits per byte": 2.34567, "parameters": 12}, year=2018, notebook="06")
    assert list(more.index) == [*table.index, "your GPT"] and "your GPT" not in table.index
    expected = ["2018", "06", "this session", "trained in this session", "2.346", "", ""]
    assert list(more.loc["your GPT"]) == expected and list(more.loc["rnn"]) == list(table.loc["rnn"])
    again = scoreboard.with_row(more, "your GPT", {"bits per byte": 2}, idea="longer")
    assert again.loc["your GPT", ["idea", "bits per byte"]].tolist() == ["longer", "2"] and len(again) == len(more)
    assert board.read_bytes() == before


@pytest.mark.parametrize(
    ("bot", "row", "words"),
    [
        ("gpt", {}, "'gpt' is a bot of the course"),
        ("mine", {"charm": 1}, "no column 'charm'"),
        ("mine", {"bits per byte": "low"}, "'bits per byte' must be a number"),
    ],
)
def test_a_row_for_the_session_that_makes_no_sense_is_refused(board, bot, row, words):
    board.write_text(f"{HEAD}\n")
    with pytest.raises(ValueError, match=words):
        scoreboard.with_row(scoreboard.read(), bot, row)
