"""The learner's votes: kept through crashes, two windows and damage; merged without doubles; sent nowhere."""

import json
import os
import signal
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from helpers.bots import votes as module
from helpers.bots.votes import KEYS, VOTES_FILE, VoteFile, merge_votes, usual_file
from helpers.evaluation.comparisons import Vote


@pytest.fixture
def path(tmp_path):
    return tmp_path / "kept" / "votes.jsonl"


@pytest.fixture
def file(path):
    file = VoteFile(path, voter="ann")
    for number, winner in enumerate(("left", "tie", "both bad")):
        file.add(f"t3_{number}", "gpt", "rnn", winner, seconds=1.5)
    return file


def test_what_is_added_is_read(file, path):
    assert file.votes() == [Vote(f"t3_{n}", "gpt", "rnn", w, "ann") for n, w in enumerate(("left", "tie", "both bad"))]
    assert VoteFile(path).votes() == file.votes() and file.report == ""
    record = file.records()[0]
    assert list(record) == [*KEYS, "seconds"] and len(record["id"]) == 32 and record["time"].endswith("+00:00")
    assert [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()] == file.records()


def test_a_file_is_made_with_the_first_vote_and_the_voter_stays(path):
    file = VoteFile(path)
    assert file.votes() == [] and not path.exists() and len(file.voter) == 8
    file.add(7, "ä", "b\nc", "right")
    assert VoteFile(path).voter == file.voter != VoteFile(path.with_name("other.jsonl")).voter
    assert VoteFile(path).votes() == [Vote(7, "ä", "b\nc", "right", file.voter)]
    assert VoteFile(path, voter="bob").voter == "bob"


def test_nothing_leaves_the_computer(path, monkeypatch):
    def refused(*_, **__):
        raise AssertionError("a vote opened a connection")

    monkeypatch.setattr(socket, "socket", refused)
    file = VoteFile(path)
    file.add("t3_1", "gpt", "rnn", "left")
    assert len(merge_votes(path.parent).votes) == 1
    names = {name.name for name in path.parent.iterdir()}
    assert names == {"votes.jsonl", ".votes.jsonl.lock"}


def test_the_usual_file_is_one_that_git_does_not_see_or_the_one_you_choose(monkeypatch):
    monkeypatch.setenv("HELPERS_VOTES", "~/class/votes.jsonl")
    assert usual_file() == Path.home() / "class" / "votes.jsonl"
    monkeypatch.delenv("HELPERS_VOTES")
    assert usual_file().parts[-3:] == ("build", "votes", "votes.jsonl")


def test_no_test_reads_your_own_votes():
    assert not VOTES_FILE.exists() and "build" not in VOTES_FILE.parts


# --- damage ------------------------------------------------------------------------------------------------------------

DAMAGE = [
    b'{"id": "5c0e", "time": "2024',  # torn by a power cut
    b"\x00\x00\x00\x00",
    b'{"id": "\xff"}',
    b"[]",
    b"[" * 100_000,
    b'{"id": "1", "time": "t", "voter": "v", "prompt": "p", "left": "a", "right": "b", "winner": "a"}',
    b'{"id": "1", "time": "t", "voter": "v", "prompt": "p", "left": "a", "right": "a", "winner": "tie"}',
    b'{"id": "1", "time": "t", "voter": "v", "prompt": null, "left": "a", "right": "b", "winner": "tie"}',
    b'{"id": "1", "time": "t", "voter": "v", "prompt": "p", "left": "a", "right": "b"}',
]


@pytest.mark.parametrize("line", DAMAGE, ids=lambda line: line[:20].decode("latin-1").replace("\x00", "0"))
def test_a_damaged_line_is_kept_aside_and_reported(file, path, line):
    whole = path.read_bytes().splitlines()
    path.write_bytes(b"\n".join([whole[0], line, *whole[1:]]))  # and no line end at the end
    opened = VoteFile(path)
    assert opened.votes() == file.votes()
    assert opened.report == "1 damaged line moved from votes.jsonl to votes.damaged.jsonl; 3 votes whole."
    assert opened.damaged_path.read_bytes() == line + b"\n" and path.read_bytes().splitlines() == whole
    assert VoteFile(path).report == ""  # said once
    opened.add("t3_9", "a", "b", "left")
    assert len(opened.votes()) == 4


def test_more_damage_is_added_to_what_is_aside(file, path):
    for line in DAMAGE[:2]:
        path.write_bytes(path.read_bytes() + line)
        assert len(file.votes()) == 3 and file.report.startswith("1 damaged line moved")
    assert file.damaged_path.read_bytes() == DAMAGE[0] + b"\n" + DAMAGE[1] + b"\n"


def test_a_vote_after_a_torn_line_is_whole(file, path):
    path.write_bytes(path.read_bytes()[:-40])  # the last vote lost its end
    file.add("t3_9", "a", "b", "left")
    assert [vote.prompt for vote in file.votes()] == ["t3_0", "t3_1", "t3_9"]


def test_a_crash_while_damage_moves_loses_nothing(file, path, monkeypatch):
    path.write_bytes(DAMAGE[0] + b"\n" + path.read_bytes())

    def crash(*_):
        raise KeyboardInterrupt

    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(module, "write_bytes", crash)
        file.votes()
    assert len(VoteFile(path).votes()) == 3 and DAMAGE[0] in file.damaged_path.read_bytes()


def test_a_folder_that_may_only_be_read_is_read(file, path, monkeypatch):
    path.write_bytes(path.read_bytes() + DAMAGE[0])

    def denied(*_):
        raise PermissionError("read-only")

    monkeypatch.setattr(module, "locked", denied)
    assert len(file.votes()) == 3
    assert file.report == "1 damaged line left out, and could not be moved: read-only."
    with pytest.raises(PermissionError):
        file.add("p", "a", "b", "left")


VOTING = """
import sys
from helpers.bots.votes import VoteFile
file = VoteFile(sys.argv[1])
for number in range(int(sys.argv[2])):
    print(file.add(number, "gpt", "rnn", "left"), flush=True)
"""


def window(path, votes):
    command = [sys.executable, "-c", VOTING, str(path), str(votes)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True)


def test_a_crash_while_voting_keeps_every_vote_that_was_cast(path):
    voting = window(path, 1_000_000)
    seen = [voting.stdout.readline().strip() for _ in range(30)]
    voting.send_signal(getattr(signal, "SIGKILL", signal.SIGTERM))
    seen += voting.communicate()[0].split()
    file = VoteFile(path)
    kept = [record["id"] for record in file.records()]
    assert kept[: len(seen)] == seen and len(kept) <= len(seen) + 1 and file.report == ""
    assert file.add("after", "a", "b", "left") == file.records()[-1]["id"]  # the lock died with its holder


def test_two_windows_at_once_while_a_third_moves_damage(path):
    VoteFile(path).add("first", "a", "b", "left")
    windows = [window(path, 60) for _ in range(2)]
    third = VoteFile(path)
    while any(voting.poll() is None for voting in windows):
        third.records()
        with open(path, "ab") as torn:
            torn.write(b"\n{torn\n")
    cast = [voting.communicate()[0].split() for voting in windows]
    kept = [record["id"] for record in third.records()]
    assert all(len(ids) == 60 for ids in cast) and set(cast[0] + cast[1]) <= set(kept) and len(kept) == 121
    assert "moved" in third.report


@pytest.mark.parametrize(
    ("vote", "details", "message"),
    [
        (("p", "a", "b", "a"), {}, "vote 0 has the winner 'a'"),
        (("p", "a", "a", "tie"), {}, "meets itself"),
        (("", "a", "b", "tie"), {}, "no vote to keep: look at prompt"),
        ((1.5, "a", "b", "tie"), {}, "look at prompt"),
        (("p", "a", "", "tie"), {}, "look at right"),
        (("p", "a", "b", "tie"), {"id": "1"}, "look at id"),
        (("p", "a", "b", "tie"), {"seconds": {1, 2}}, "a detail of a vote must be text, a finite number"),
        (("p", "a", "b", "tie"), {"seconds": float("nan")}, "a detail of a vote must be"),
    ],
)
def test_what_is_no_vote_is_not_written(file, path, vote, details, message):
    before = path.read_bytes()
    with pytest.raises(ValueError, match=message):
        file.add(*vote, **details)
    assert path.read_bytes() == before


def test_paths_and_names_are_checked(tmp_path, path):
    with pytest.raises(ValueError, match="is a folder: give the path of a file in it"):
        VoteFile(tmp_path)
    with pytest.raises(ValueError, match="a voter's name is some text"):
        VoteFile(path, voter=" ")


# --- a class -----------------------------------------------------------------------------------------------------------


def test_a_class_is_merged_without_doubles(file, path, tmp_path):
    folder = tmp_path / "class"
    (folder / "bob").mkdir(parents=True)
    bob = VoteFile(folder / "bob" / "votes.jsonl", voter="bob")
    bob.add("t3_0", "rnn", "gpt", "right")
    (folder / "ann.jsonl").write_bytes(path.read_bytes() + DAMAGE[0])
    (folder / "ann (copy).jsonl").write_bytes(path.read_bytes())
    (folder / "votes.damaged.jsonl").write_bytes(DAMAGE[1])
    before = {name: name.read_bytes() for name in folder.rglob("*") if name.is_file()}
    merged = merge_votes(folder)
    assert len(merged.votes) == 4 and {vote.voter for vote in merged.votes} == {"ann", "bob"}
    assert (merged.doubles, merged.conflicts, merged.damaged, len(merged.files)) == (3, 0, 1, 3)
    assert merged.words == "4 votes by 2 voters in 3 files; 3 doubles counted once; 1 damaged line left out."
    assert {name: name.read_bytes() for name in folder.rglob("*") if name.is_file()} == before
    assert merge_votes([folder / "ann.jsonl", path]).doubles == 3
    assert merge_votes(str(bob.path)).words == "1 vote by 1 voter in 1 file."


def test_of_two_votes_with_one_id_the_first_counts(file, path, tmp_path):
    changed = path.read_text(encoding="utf-8").replace('"winner": "left"', '"winner": "right"')
    (tmp_path / "zed.jsonl").write_text(changed, encoding="utf-8")
    merged = merge_votes([path, tmp_path / "zed.jsonl"])
    assert (merged.conflicts, merged.doubles, len(merged.votes)) == (1, 2, 3)
    assert [vote.winner for vote in merged.votes].count("left") == 1 and "1 id with two different votes" in merged.words


def test_an_edited_file_is_still_read(file, path):
    path.write_bytes(b"\xef\xbb\xbf" + path.read_bytes().replace(b"\n", b"\r\n") + b"\r\n" + path.read_bytes())
    opened = VoteFile(path)  # saved by an editor of Windows, and its votes pasted a second time
    assert opened.votes() == file.votes() and opened.report == ""


def test_nothing_to_merge_is_said(tmp_path):
    with pytest.raises(FileNotFoundError, match="there is no file or folder"):
        merge_votes(tmp_path / "none")
    with pytest.raises(ValueError, match="there is no vote file"):
        merge_votes(tmp_path)
    with pytest.raises(ValueError, match="there is no vote file"):
        merge_votes([])
    assert os.listdir(tmp_path) == []
