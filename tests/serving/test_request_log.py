"""The log tells how long and how many, never what."""

import hashlib
import io
import json

import pytest

from helpers.serving.request_log import Log, log_line, text_facts


def test_equal_texts_are_seen_and_no_text_can_be_read():
    facts = text_facts("hello", b"secret")
    assert facts == text_facts("hello", b"secret") != text_facts("hello!", b"secret")
    assert facts["characters"] == 5 and len(facts["hash"]) == 16
    assert text_facts("\ud83d", b"")["characters"] == 1


def test_nobody_can_find_a_text_by_hashing_it():
    plain = hashlib.sha256(b"hello").hexdigest()
    assert text_facts("hello", b"one")["hash"] not in plain
    assert text_facts("hello", b"one")["hash"] != text_facts("hello", b"two")["hash"]
    assert Log().of_text("hello") != Log().of_text("hello")  # each log has a secret of its own


def test_a_line_is_one_line_of_json():
    line = log_line(id="a\nb\u2028c", nothing=None, number=2)
    assert "\n" not in line and "\u2028" not in line and line.isascii()
    record = json.loads(line)
    assert record.pop("time").endswith("Z") and record == {"id": "a\nb\u2028c", "number": 2}


def test_texts_are_logged_only_when_asked_for_and_redacted():
    text = "call me at 212-555-0187 or jo@example.org"
    assert "text" not in Log().of_text(text)
    kept = Log(texts="redacted").of_text(text)["text"]
    assert "555" not in kept and "example.org" not in kept and "[phone]" in kept and "[email]" in kept


def test_a_long_text_is_redacted_before_it_is_cut():
    text = "x" * 600 + " 212-555-0187" + "y" * 487  # the cut at 500 characters would go through the number
    kept = Log(texts="redacted").of_text(f"{text[:613]} {text[613:]}")["text"]
    assert len(kept) == 500 and "0187" not in kept


def test_a_file_is_added_to(tmp_path):
    for number in range(2):
        log = Log(tmp_path / "log")
        log.write(number=number)
        log.close()
    assert [json.loads(line)["number"] for line in (tmp_path / "log").read_text().splitlines()] == [0, 1]


def test_a_file_that_cannot_be_opened_is_a_sentence(tmp_path):
    with pytest.raises(OSError, match="no such folder"):
        Log(tmp_path / "nowhere" / "log")


def test_a_full_disk_stops_no_request(capsys):
    class Full(io.StringIO):
        def write(self, text):
            raise OSError("no space left")

    Log(Full()).write(id="1")
    assert "a line of the log was lost" in capsys.readouterr().err


def test_no_log_is_no_log():
    Log(None).write(id="1")
