"""The specimen holds every trap that data/README.md promises, where it promises it; read with plain json only."""

import json
import re
import unicodedata

import pytest

from helpers import data_path

LINES = data_path("sample_comments.jsonl").read_text(encoding="utf-8").splitlines()
README = data_path("README.md").read_text(encoding="utf-8")
RECORDS = {number: json.loads(line) for number, line in enumerate(LINES[:-1], start=1)}
BY_ID = {record["id"]: record for record in RECORDS.values()}


def body(name: str) -> str:
    return BY_ID[name]["body"]


def test_the_last_line_is_cut_off_and_is_the_only_broken_one():
    assert len(LINES) == 84
    with pytest.raises(json.JSONDecodeError):
        json.loads(LINES[-1])


def test_six_threads_of_a_dozen_comments():
    threads = {}
    for record in RECORDS.values():
        threads.setdefault(record["link_id"], []).append(record)
    assert list(threads) == [
        "t3_zzbread",
        "t3_zzbikes",
        "t3_zzguita",
        "t3_zzcomet",
        "t3_zzsoups",
        "t3_zzchess",
    ]
    assert all(12 <= len(thread) <= 17 for thread in threads.values())


def test_the_readme_names_each_line_by_its_right_id():
    rows = [row for row in README.splitlines() if row.startswith("|") and "`zz" in row]
    named = [pair for row in rows for pair in re.findall(r"(?<![–\d])(\d+) `(zz\w\w\d{3})`", row)]
    assert len(named) > 35
    assert [(number, RECORDS[int(number)]["id"]) for number, _ in named] == named
    for first, last, begin, end in re.findall(r"(\d+)–(\d+) `(zz\w+)` … `(zz\w+)`", README):
        assert (RECORDS[int(first)]["id"], RECORDS[int(last)]["id"]) == (begin, end)


def test_no_real_user_can_be_in_it():
    authors = {record["author"] for record in RECORDS.values()} - {None, "[deleted]", "AutoModerator"}
    mentioned = {
        name for record in RECORDS.values() for name in re.findall(r"(?:u/|@)(\w+_\w+)", record.get("body", ""))
    }
    assert len(authors) > 35 and mentioned
    assert all(len(name) > 20 for name in authors | mentioned), "Reddit allows 20 characters: a shorter name may exist"
    assert all(record["id"].startswith("zz") and record["link_id"].startswith("t3_zz") for record in RECORDS.values())


def test_personal_data_uses_reserved_ranges_only():
    text = "\n".join(record.get("body", "") for record in RECORDS.values())
    assert {host.split(".", host.count(".") - 1)[-1] for host in re.findall(r"[\w.-]+\.(?:org|com|net)\b", text)} <= {
        "example.org",
        "example.com",
        "example.net",
    }
    assert all("555-01" in number for number in re.findall(r"[\d() ]*\d{3}-\d{4}", text))
    addresses = re.findall(r"\d+\.\d+\.\d+\.\d+", text)
    assert addresses and all(address.startswith("192.0.2.") for address in addresses)


def test_types_by_era():
    def kinds(lines, field):
        return {type(RECORDS[number][field]) for number in lines if field in RECORDS[number]}

    assert kinds(range(1, 15), "created_utc") == {int} and kinds(range(1, 15), "score") == {int}
    assert kinds(range(15, 29), "created_utc") == {str} and kinds(range(15, 29), "score") == {int}
    assert kinds(range(29, 43), "created_utc") == {str, int}
    assert kinds(range(43, 49), "score") == {type(None)}
    assert kinds(range(49, 55), "score") == kinds(range(49, 55), "created_utc") == {str}
    assert kinds(range(55, 72), "parent_id") == {int, str, type(None)}
    assert kinds(range(72, 84), "created_utc") == {float} and kinds(range(72, 84), "author") == {
        str,
        type(None),
    }


def test_numbers_for_parents_mean_comments_or_the_thread():
    assert BY_ID["zzsp002"]["parent_id"] == int("zzsp001", 36)
    assert BY_ID["zzsp007"]["parent_id"] == int("zzsoups", 36)
    assert BY_ID["zzsp001"]["parent_id"] is None


def test_traps_of_the_tree():
    parents = {name: record["parent_id"] for name, record in BY_ID.items()}
    assert (parents["zzch010"], parents["zzch011"]) == ("t1_zzch011", "t1_zzch010")
    assert parents["zzbk010"] == "t1_zzbk010"
    assert parents["zzbk011"][3:] not in BY_ID
    assert body("zzbr005") == "[deleted]" and parents["zzbr006"] == "t1_zzbr005" and parents["zzbr009"] == "t1_zzbr006"
    assert BY_ID["zzbr013"]["author"] == BY_ID["zzbr012"]["author"] and parents["zzbr013"] == "t1_zzbr012"
    assert LINES[58] == LINES[70] and len(BY_ID) == len(RECORDS) - 1
    neighbors = zip(list(RECORDS.values()), list(RECORDS.values())[1:], strict=False)
    followers = sum(after["parent_id"] == "t1_" + before["id"] for before, after in neighbors)
    assert followers < len(RECORDS) / 2, "reading neighbors as question and answer must go wrong here"


def test_a_thread_crosses_the_end_of_a_year():
    new_year = 1136073600  # 2006-01-01 00:00 UTC
    assert BY_ID["zzbr009"]["created_utc"] < new_year <= BY_ID["zzbr010"]["created_utc"]


TRAPS = {
    "zzbr011": r"\A\Z",
    "zzbr014": r"\A&gt; .*\r\n\r\n",
    "zzbr003": r"&amp;",
    "zzbk003": r"\A>:\( .* -> ",
    "zzbk004": r"\*ding\* .* \*\*DONG\*\*",
    "zzbk007": r"\A&gt;\w",
    "zzbk013": r"\A> .*\n> .*\n\n",
    "zzbk014": r"\A.\Z",
    "zzgt001": r"I am a bot",
    "zzgt004": r"(?s)### .*\* \*\*Ten.*~~can play~~.*1\. .*badly\^again.*`conviction`.*---.*\(http://example\.org/notes_\(late\)",
    "zzgt008": r"\n\n    e\|",
    "zzgt009": r"\^\(I am a bot",
    "zzgt011": r"\n:--\|--:\|:--\n",
    "zzgt012": r"\A\[removed\]\Z",
    "zzgt013": r"2\*3\*4.*24 > 20.*scales_to_practise_v2.*¯\\\\\\_\(ツ\)\\_/¯",
    "zzgt014": r"\A#1 .*C# .*\^_\^\Z",
    "zzcm003": "😄",
    "zzcm005": r"\A&lt;3",
    "zzcm006": r"&amp;amp;",
    "zzcm009": r"\bnicht\b",
    "zzcm011": r"https://\S+&amp;.*www\.\S+.* comet-watch\.example\.net",
    "zzcm012": r"\Ahttps://\S+\Z",
    "zzsp002": r"\n\n&amp;#x200B;\n\n",
    "zzsp003": r"&gt;!.*!&lt;",
    "zzsp007": r"\A(soup ?){5}\Z",
    "zzsp014": "(?s).{1001}",
    "zzsp016": r"u/\w+.*@\w+",
    "zzch008": r"192\.0\.2\.17.*2001:db8::.*00:00:5E.* 1\.2\.3 .*12:30:45",
}


@pytest.mark.parametrize("name", TRAPS)
def test_trap_in_the_body(name):
    assert re.search(TRAPS[name], body(name)), body(name)
    assert f"`{name}`" in README


def test_traps_of_people_and_programs():
    assert BY_ID["zzgt001"]["author"] == "AutoModerator" and BY_ID["zzgt001"]["stickied"]
    assert BY_ID["zzch002"]["distinguished"] == "moderator" and BY_ID["zzch002"]["stickied"]
    assert BY_ID["zzgt009"]["author"].endswith("_bot")
    assert BY_ID["zzch004"]["author"] is None and body("zzch004") != "[deleted]"
    assert len({(BY_ID[f"zzsp{n:03d}"]["author"], body(f"zzsp{n:03d}")) for n in range(8, 12)}) == 1
    assert BY_ID["zzsp012"]["score"] < 0 < BY_ID["zzsp013"]["score"]
    assert not unicodedata.is_normalized("NFC", body("zzsp014"))
    assert "body" not in BY_ID["zzch012"] and "name" not in BY_ID["zzgt011"] and "name" in BY_ID["zzgt013"]
