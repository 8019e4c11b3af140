"""Files of public votes, in both layouts; what is wrong with a file is said with its line."""

import pytest

from helpers.evaluation.comparisons import Vote
from helpers.evaluation.public_votes import read_public_votes

LLMFAO = """id,prompt,model_x,model_y,worker,winner,left,right
0,8,97,98,58,tie,Airy 70B,"Weaver, 12k"
0,8,97,98,83,right,Airy 70B,"Weaver, 12k"
1,9,98,97,58,left,"Weaver, 12k",Airy 70B
"""
ARENA = "question_id,model_a,model_b,winner,judge\nq1,x,y,model_a,ann\nq2,y,x,tie (bothbad),bob\nq3,x,y,model_b,bob\n"


@pytest.fixture
def file(tmp_path):
    def write(text, encoding="utf-8"):
        path = tmp_path / "votes.csv"
        path.write_bytes(text.encode(encoding))
        return path

    return write


def test_llmfaos_layout(file):
    votes = read_public_votes(file(LLMFAO))
    assert votes == [
        Vote("8", "Airy 70B", "Weaver, 12k", "tie", "58"),
        Vote("8", "Airy 70B", "Weaver, 12k", "right", "83"),
        Vote("9", "Weaver, 12k", "Airy 70B", "left", "58"),
    ]


def test_the_arenas_layout(file):
    assert read_public_votes(file(ARENA)) == [
        Vote("q1", "x", "y", "left", "ann"),
        Vote("q2", "y", "x", "both bad", "bob"),
        Vote("q3", "x", "y", "right", "bob"),
    ]


def test_what_a_spreadsheet_saved_is_read_too(file):
    assert read_public_votes(file("\ufeff" + ARENA.replace("\n", "\r\n"))) == read_public_votes(file(ARENA))


def test_a_judges_file_has_no_voter(file):
    assert read_public_votes(file("prompt,left,right,winner\n1,a,b,both bad\n")) == [Vote("1", "a", "b", "both bad")]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "has no column prompt or question_id: its columns are none"),
        ("prompt,left,winner\n", "has no column right or model_b: its columns are prompt, left, winner"),
        ("prompt,left,right,winner\n", "no vote below them"),
        ("prompt,left,right,winner\n1,a,b,left\n2,a,b,a\n", "line 3 of votes.csv has the winner 'a': known are left"),
        ("prompt,left,right,winner\n1,a,,left\n", "line 2 of votes.csv has no right: the file is damaged"),
        ("prompt,left,right,winner\n1,a\n", "line 2 of votes.csv has no right and no winner"),
        ("prompt,left,right,winner\n1,a,a,left\n", "in vote 0 'a' meets itself"),
    ],
)
def test_damage_is_said_with_its_line(file, text, message):
    with pytest.raises(ValueError, match=message):
        read_public_votes(file(text))


def test_no_file_and_no_text(file, tmp_path):
    with pytest.raises(FileNotFoundError, match="there is no file .*none.csv: give the path"):
        read_public_votes(tmp_path / "none.csv")
    with pytest.raises(ValueError, match="no CSV file in UTF-8"):
        read_public_votes(file(LLMFAO, "utf-16"))
