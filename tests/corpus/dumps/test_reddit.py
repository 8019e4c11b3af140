"""The reader of dumps: every era's fields, every dialect, every kind of file, and every kind of damage."""

import bz2
import gzip
import json
import lzma
import random
from collections import Counter

import pytest
import zstandard
from hypothesis import given
from hypothesis import strategies as st

from helpers.corpus.dumps import archives
from helpers.corpus.dumps.reddit import Comment, ReadStats, base36, read_comments


def record(**changes) -> dict:
    """A comment as the dumps of 2016 have it; a field set to ... is left out."""
    fields = {
        "id": "d0001",
        "parent_id": "t3_5abcd",
        "link_id": "t3_5abcd",
        "author": "someone",
        "body": "Hello there",
        "score": 3,
        "created_utc": 1456617601,
        "subreddit": "test",
        "distinguished": None,
        "stickied": False,
        "edited": False,
        "retrieved_on": 1463229553,
        **changes,
    }
    return {name: value for name, value in fields.items() if value is not ...}


def many(number: int) -> list[dict]:
    return [record(id=f"d{n:04}", body=f"Comment number {n}, Zoë ☃ 🙂 said") for n in range(number)]


def as_lines(records, ascii: bool = False) -> bytes:
    return b"".join(json.dumps(r, ensure_ascii=ascii).encode() + b"\n" for r in records)


@pytest.fixture
def read(tmp_path):
    """Write records (or raw bytes) to a file, read it back, return comments and stats."""

    def write_and_read(content, name="RC_2016-02.jsonl"):
        path = tmp_path / name
        path.write_bytes(content if isinstance(content, bytes) else as_lines(content))
        stats = ReadStats()
        return list(read_comments(path, stats)), stats

    return write_and_read


def one(read, **changes) -> Comment:
    comments, stats = read([record(**changes)])
    assert stats.bad_lines == 0
    return comments[0]


# -- fields, by era --------------------------------------------------------------------------------------------------


def test_a_plain_comment_keeps_its_ids_and_its_body_as_in_the_dump(read):
    comments, stats = read([record(parent_id="t1_czzzz", body="a &gt; b &amp; c\r\n**bold**")])
    assert comments == [
        Comment(
            "d0001",
            "t1_czzzz",
            "t3_5abcd",
            "someone",
            "a &gt; b &amp; c\r\n**bold**",
            3,
            1456617601,
            "test",
            None,
            False,
        )
    ]
    assert not stats.repaired
    assert str(stats) == "1 comment from 1 line of 1 file."


@pytest.mark.parametrize("number, identity", [(41497293111, "j2af0af"), (41785179015, "j71teh3")])
def test_parent_as_a_number_is_the_base_36_id(read, number, identity):
    assert base36(number) == identity
    assert int(identity, 36) == number
    for written in (number, str(number), float(number)):
        assert one(read, parent_id=written).parent_id == f"t1_{identity}"


def test_parent_null_means_top_level(read):
    comments, stats = read([record(parent_id=None), record(parent_id=...), record(parent_id="")])
    assert [c.parent_id for c in comments] == ["t3_5abcd"] * 3
    assert stats.repaired == {"parent_id missing": 3}


def test_parent_number_of_the_submission_means_top_level(read):
    assert one(read, parent_id=int("5abcd", 36)).parent_id == "t3_5abcd"


@pytest.mark.parametrize("wrong", [True, -5, 0, [], {}, "what", "t9_x", 1e999])
def test_parent_that_is_neither_name_nor_number_is_a_bad_line(read, wrong):
    comments, stats = read([record(parent_id=wrong), record()])
    assert (len(comments), stats.bad_lines) == (1, 1)


@given(st.integers(min_value=1, max_value=36**13))
def test_base36_undoes_int(number):
    assert int(base36(number), 36) == number
    assert base36(number) == base36(number).lower().lstrip("0")


@pytest.mark.parametrize(
    "written, created",
    [
        (1134365188, 1134365188),
        ("1393632000", 1393632000),
        (1672419600.0, 1672419600),
        ("1672419600.0", 1672419600),
        (None, None),
    ],
)
def test_time_as_number_text_or_fraction(read, written, created):
    assert one(read, created_utc=written).created == created


def test_time_text_and_number_mixed_in_one_month(read):
    comments, stats = read([record(created_utc="1422748800"), record(created_utc=1422748801)])
    assert [c.created for c in comments] == [1422748800, 1422748801]
    assert stats.repaired == {"number as text": 1}


@pytest.mark.parametrize(
    "written, score",
    [(-6, -6), ("12", 12), ("-3", -3), (None, None), (..., None), (True, None), ("", None), ("many", None), ([], None)],
)
def test_score_number_text_null_or_nonsense(read, written, score):
    assert one(read, score=written).score == score


def test_infinite_and_missing_numbers_do_not_stop_the_month(read):
    lines = as_lines([record()]).replace(b'"score": 3', b'"score": NaN').replace(b"1456617601", b"Infinity")
    comments, _ = read(lines)
    assert (comments[0].score, comments[0].created) == (None, None)


def test_fields_that_come_and_go_are_never_needed(read):
    needed = {"id": "c1", "link_id": "t3_a", "body": "hi"}
    comments, _ = read([needed, {**needed, "id": "c2", "name": "t1_c2", "ups": 1, "downs": 0, "score_hidden": True}])
    assert comments[0] == Comment("c1", "t3_a", "t3_a", "[deleted]", "hi", None, None, "", None, False)
    assert comments[1].id == "c2"


def test_praw_dialect_author_null_and_float_time(read):
    comment = one(read, author=None, created_utc=1520550110.0)
    assert (comment.author, comment.created) == ("[deleted]", 1520550110)


def test_bigquery_dialect_in_an_array(read):
    strings = {"score": "7", "created_utc": "1520550110", "retrieved_on": "1524963292", "stickied": "true", "ups": None}
    array = json.dumps([record(**strings), record(id="d0002", **strings)], indent=2).encode()
    comments, stats = read(array, "thread.json")
    assert [c.id for c in comments] == ["d0001", "d0002"]
    assert {(c.score, c.created, c.stickied) for c in comments} == {(7, 1520550110, True)}
    assert stats.repaired == {"number as text": 4}
    assert stats.lines == stats.comments == 2


def test_an_array_on_one_long_line(read):
    records = [record(id=f"d{n}", body="word " * 1000) for n in range(400)]
    comments, stats = read(json.dumps(records).encode(), "all.json")
    assert (len(comments), stats.bad_lines) == (400, 0)


def test_deleted_removed_and_empty_bodies_are_handed_on_as_they_are(read):
    comments, _ = read([record(body=body) for body in ("[deleted]", "[removed]", "")])
    assert [c.body for c in comments] == ["[deleted]", "[removed]", ""]


def test_distinguished_and_stickied(read):
    comment = one(read, distinguished="moderator", stickied=True)
    assert (comment.distinguished, comment.stickied) == ("moderator", True)


def test_an_id_with_its_prefix_loses_it(read):
    assert one(read, id="t1_d0001").id == "d0001"


def test_half_a_character_is_replaced_and_whole_ones_stay(read):
    comments, stats = read(as_lines([record(body="half \ud83d here"), record(body="whole 🙂 é")], ascii=True))
    assert [c.body for c in comments] == ["half \ufffd here", "whole 🙂 é"]
    assert stats.repaired == {"half a character replaced": 1}


# -- bad lines -------------------------------------------------------------------------------------------------------

BAD_LINES = {
    b"{": "not JSON",
    b'{"id": "d1", "body": "cut off in the mid': "not JSON",
    b"\xff\xfe\x00 no text": "not UTF-8 text",
    b'{"id": "d1", "link_id": "t3_a", "body": "\xe9"}': "not UTF-8 text",
    b"[1, 2]": "not a JSON object",
    b'"text"': "not a JSON object",
    b"null": "not a JSON object",
    b"17": "not a JSON object",
    b"{}": "no id and no link_id and no body",
    b'{"id": "d1", "link_id": "t3_a"}': "no body",
    b'{"id": "d1", "body": "x"}': "no link_id",
    b'{"id": "s1", "title": "A submission", "selftext": ""}': "a submission, not a comment",
    b'{"id": 5, "link_id": "t3_a", "body": "x"}': "id, link_id or body is no text",
    b'{"id": "d1", "link_id": "t3_a", "body": null}': "id, link_id or body is no text",
    b'{"id": "d1", "link_id": {}, "body": "x"}': "id, link_id or body is no text",
    b'{"id": "", "link_id": "t3_a", "body": "x"}': "id or link_id is not written as Reddit writes them",
    b'{"id": "d1", "link_id": "a", "body": "x"}': "id or link_id is not written as Reddit writes them",
    b"[" * 100_000: "not JSON",
    b'{"id": "d1", "link_id": "t3_a", "score": ' + b"9" * 10_000 + b', "body": "x"}': "not JSON",
    b"\x00\x01\x02": "not JSON",
}


@pytest.mark.parametrize("line, reason", BAD_LINES.items(), ids=[line[:25].decode("latin-1") for line in BAD_LINES])
@pytest.mark.parametrize("place", [0, 3, 6])
def test_a_bad_line_is_counted_with_its_number_and_ends_nothing(read, line, reason, place):
    lines = as_lines(many(6)).splitlines()
    lines.insert(place, line)
    comments, stats = read(b"\n".join(lines) + b"\n")
    assert [c.id for c in comments] == [f"d{n:04}" for n in range(6)]
    assert (stats.lines, stats.comments, stats.bad_lines) == (7, 6, 1)
    assert stats.first_bad_line == ("RC_2016-02.jsonl", place + 1)
    assert stats.reasons == {reason: 1}
    assert f"the first in RC_2016-02.jsonl, line {place + 1}" in str(stats)


def test_the_quicker_decoder_makes_no_difference(read, monkeypatch):
    from helpers.corpus.dumps import records

    quick = pytest.importorskip("orjson", reason="the quicker decoder is not installed; nothing needs it").loads
    odd = [
        b'  {"id": "d1", "link_id": "t3_a", "body": "x"} ',
        b'{"id": "d1", "link_id": "t3_a", "score": NaN, "body": "x"}',
    ]
    half = as_lines([record(body="half \ud83d here", parent_id=41497293111)], ascii=True)
    lines = b"\n".join([*odd, *BAD_LINES]) + b"\n" + half + as_lines(many(50))
    results = []
    for decoder in (None, quick):
        monkeypatch.setattr(records, "quick_loads", decoder)
        results.append(read(lines))
    assert results[0] == results[1] and len(results[0][0]) == 53


def test_first_bad_line_far_into_the_file(read):
    lines = as_lines(many(3000)).splitlines()
    lines[2345] = lines[2500] = b"{broken"
    comments, stats = read(b"\n".join(lines))
    assert (len(comments), stats.bad_lines, stats.first_bad_line) == (2998, 2, ("RC_2016-02.jsonl", 2346))


def test_blank_lines_are_neither_bad_nor_lost_from_the_count(read):
    comments, stats = read(b"\n\n" + as_lines(many(2)) + b"\r\n  \n" + b"{broken\n")
    assert (len(comments), stats.lines, stats.bad_lines) == (2, 3, 1)
    assert stats.first_bad_line[1] == 7


def test_two_broken_lines_never_join_up_to_one_comment(read):
    whole = as_lines([record(body="one, two")]).strip()
    left, right = whole.split(b",", 1)
    comments, stats = read(b"\n".join([left, right, whole, whole + b"," + whole]) + b"\n")
    assert (len(comments), stats.bad_lines) == (1, 3)


def test_crlf_line_ends_and_a_byte_order_mark(read):
    comments, stats = read(b"\xef\xbb\xbf" + as_lines(many(3)).replace(b"\n", b"\r\n"))
    assert (len(comments), stats.bad_lines) == (3, 0)


def test_line_separators_inside_a_body_end_no_line(read):
    body = "one\u2028two\u2029three\x85four\x0bfive"
    assert one(read, body=body).body == body


def test_last_line_without_a_line_break_counts(read):
    comments, _ = read(as_lines(many(3)).rstrip(b"\n"))
    assert len(comments) == 3


@pytest.mark.parametrize("place", [0, 1, 2])
@pytest.mark.parametrize("pack", [bytes, gzip.compress])
def test_a_comment_of_ten_megabytes_is_a_counted_skip(read, pack, place):
    records = many(2)
    records.insert(place, record(id="long", body="ha" * 5_000_000))
    comments, stats = read(pack(as_lines(records)), "RC_2016-02")
    assert [c.id for c in comments] == ["d0000", "d0001"]
    assert (stats.bad_lines, stats.first_bad_line[1]) == (1, place + 1)
    assert stats.reasons == {"longer than a megabyte": 1}


def test_the_longest_real_comment_is_read(read):
    body = "🙂" * 10_000
    assert one(read, body=body).body == body


@given(st.lists(st.binary(max_size=60) | st.text(max_size=40).map(str.encode), max_size=30))
def test_no_bytes_whatever_crash_the_reader(tmp_path_factory, noise):
    path = tmp_path_factory.mktemp("noise") / "noise.jsonl"
    path.write_bytes(as_lines([record()]) + b"\n".join(noise))
    stats = ReadStats()
    assert len(list(read_comments(path, stats))) == 1
    assert stats.lines == stats.comments + stats.bad_lines


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3),
    max_leaves=5,
)


@given(st.dictionaries(st.sampled_from(list(record())), json_values))
def test_no_wrong_type_crashes_the_reader(tmp_path_factory, changes):
    path = tmp_path_factory.mktemp("types") / "types.jsonl"
    path.write_bytes(as_lines([record(**changes), record(id="good")], ascii=True))
    comments = list(read_comments(path, ReadStats()))
    assert comments[-1].id == "good"
    for comment in comments:
        for value, kind in zip(
            comment, (str, str, str, str, str, int | None, int | None, str, str | None, bool), strict=True
        ):
            assert isinstance(value, kind)
        comment.body.encode()


# -- kinds of file ---------------------------------------------------------------------------------------------------


def zst(data: bytes, window_log: int = 0) -> bytes:
    settings = zstandard.ZstdCompressionParameters.from_level(3, window_log=window_log, write_content_size=0)
    compressor = zstandard.ZstdCompressor(compression_params=settings).compressobj()
    return compressor.compress(data) + compressor.flush()


PACKERS = {"zst": zst, "gz": gzip.compress, "bz2": bz2.compress, "xz": lzma.compress}


@pytest.mark.parametrize("suffix", [*PACKERS, "jsonl", "json", "ndjson"])
def test_every_suffix(read, suffix):
    data = as_lines(many(500))
    comments, stats = read(PACKERS.get(suffix, bytes)(data), f"RC_2016-02.{suffix}")
    assert [c.id for c in comments] == [r["id"] for r in many(500)]
    assert stats.files == [f"RC_2016-02.{suffix}"] and not stats.problems


@pytest.mark.parametrize("pack", [*PACKERS.values(), bytes])
def test_a_file_without_suffix_is_known_by_its_first_bytes(read, pack):
    comments, _ = read(pack(as_lines(many(5))), "RC_2005-12")
    assert len(comments) == 5


def test_a_window_of_two_gigabytes(read):
    data = zst(as_lines(many(50)), window_log=31)
    with pytest.raises(zstandard.ZstdError, match="too much memory"):  # the plain decoder does refuse it
        zstandard.ZstdDecompressor().decompressobj().decompress(data)
    comments, _ = read(data, "RC_2005-12.zst")
    assert len(comments) == 50


@pytest.mark.parametrize("suffix", PACKERS)
def test_archives_of_several_streams(read, suffix):
    pack = PACKERS[suffix]
    data = as_lines(many(300))
    packed = pack(data[:1000]) + pack(data[1000:20_001]) + pack(data[20_001:])
    comments, stats = read(packed, f"RC_2016-02.{suffix}")
    assert (len(comments), stats.bad_lines, stats.problems) == (300, 0, [])


def test_skippable_frames_and_padding(read):
    skip = b"\x50\x2a\x4d\x18\x04\x00\x00\x00abcd"
    data = as_lines(many(20))
    comments, stats = read(skip + zst(data[:500]) + skip + zst(data[500:]) + b"\0" * 64, "RC_2016-02.zst")
    assert (len(comments), stats.problems) == (20, [])


@pytest.mark.parametrize("piece, batch", [(1, 7), (3, 64), (17, 200), (4096, 65536)])
def test_characters_cut_by_the_edge_of_a_chunk_stay_whole(read, monkeypatch, piece, batch):
    monkeypatch.setattr(archives, "COMPRESSED_PIECE", piece)
    monkeypatch.setattr(archives, "BATCH", batch)
    records = [record(id=f"d{n}", body="é☃🙂" * (n % 7)) for n in range(100)]
    for pack, name in ((zst, "a.zst"), (gzip.compress, "a.gz"), (bytes, "a.jsonl")):
        comments, stats = read(pack(as_lines(records)), name)
        assert [c.body for c in comments] == [r["body"] for r in records]
        assert stats.bad_lines == 0


@pytest.mark.parametrize("suffix", PACKERS)
def test_a_truncated_archive_gives_all_the_lines_it_had_and_a_sentence(read, suffix):
    rng = random.Random(1)
    records = [record(id=f"d{n:05}", body=f"{rng.random()} {rng.random()}") for n in range(20_000)]
    data = as_lines(records)
    packed = PACKERS[suffix](data)
    packed = packed[: len(packed) * 2 // 3]
    comments, stats = read(packed, f"RC_2016-02.{suffix}")
    assert 10_000 < len(comments) < 20_000
    assert [c.id for c in comments] == [r["id"] for r in records[: len(comments)]]
    assert stats.bad_lines == 0  # the half line at the end was no bad line of the dump
    assert len(stats.problems) == 1
    assert f"RC_2016-02.{suffix} breaks off before its end" in str(stats)


def test_a_truncated_archive_loses_no_whole_line(read):
    """Everything the decoder itself can get out of the stump is read, to the last line break."""
    rng = random.Random(2)
    packed = zst(as_lines([record(body=str(rng.random())) for _ in range(5000)]))
    for keep in (0.3, 0.5, 0.9):
        stump = packed[: int(len(packed) * keep)]
        whole = zstandard.ZstdDecompressor().decompressobj().decompress(stump).count(b"\n")
        comments, _ = read(stump, "RC_2016-02.zst")
        assert len(comments) == whole > 0


def test_a_damaged_archive_keeps_what_came_before(read):
    rng = random.Random(3)
    packed = bytearray(gzip.compress(as_lines([record(body=str(rng.random())) for _ in range(20_000)])))
    middle = len(packed) // 2
    packed[middle : middle + 2000] = bytes(2000)
    comments, stats = read(bytes(packed), "RC_2016-02.gz")
    assert 1000 < len(comments) < 20_000
    assert "RC_2016-02.gz is damaged" in str(stats)


def test_without_stats_a_truncated_archive_is_a_warning(tmp_path):
    path = tmp_path / "RC_2016-02.zst"
    rng = random.Random(4)
    packed = zst(as_lines([record(body=str(rng.random())) for _ in range(5000)]))
    path.write_bytes(packed[: len(packed) // 2])
    with pytest.warns(UserWarning, match="breaks off before its end"):
        assert list(read_comments(path))


# -- what cannot be read at all --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "content, name, words",
    [
        (b"", "RC_2016-02.zst", "empty"),
        (b"", "RC_2016-02.jsonl", "empty"),
        (zst(b""), "RC_2016-02.zst", "no comment"),
        (b"\n\n", "RC_2016-02.jsonl", "blank"),
        (b"<!DOCTYPE html><html>", "RC_2016-02.zst", "no zstd file.*download it again"),
        (random.Random(0).randbytes(5000), "RC_2016-02.zst", "no zstd file"),
        (random.Random(0).randbytes(5000), "RC_2016-02.jsonl", "no comment"),
        (zst(as_lines(many(500)))[:40], "RC_2016-02.zst", "breaks off"),
        (b"\x28\xb5\x2f\xfd" + b"\xff" * 50, "RC_2016-02.zst", "damaged"),
        (b"PK\x03\x04 and so on", "RC_2016-02.json", "unpack it"),
        (b'[{"id": "d1", "link_id"', "thread.json", "no comment"),
        (b"[]", "thread.json", "no comment"),
        (
            as_lines([{"id": "s1", "title": "A post", "selftext": ""}]),
            "RS_2016-02.jsonl",
            "1 a submission, not a comment",
        ),
    ],
)
def test_a_file_without_comments_is_a_clear_sentence(tmp_path, content, name, words):
    path = tmp_path / name
    path.write_bytes(content)
    with pytest.raises(ValueError, match=words) as error:
        list(read_comments(path))
    assert name in str(error.value)


def test_a_missing_file_and_a_folder_without_months(tmp_path):
    with pytest.raises(FileNotFoundError, match="no file or folder"):
        list(read_comments(tmp_path / "RC_2016-02.zst"))
    (tmp_path / "notes.txt").write_text("not a month")
    with pytest.raises(FileNotFoundError, match="no months of comments"):
        list(read_comments(tmp_path))


def test_the_sentence_about_a_file_has_the_reasons_of_that_file_only(tmp_path):
    (tmp_path / "RC_2005-12.jsonl").write_bytes(b"{broken")
    (tmp_path / "RC_2006-01.jsonl").write_bytes(b"[]")
    stats = ReadStats()
    with pytest.raises(ValueError):
        list(read_comments(tmp_path, stats))
    assert "(1 not JSON)" in stats.problems[0]
    assert "(all its lines are blank)" in stats.problems[1]


def test_however_many_files_are_wrong_a_sentence_fits_on_a_screen(tmp_path):
    for number in range(500):
        (tmp_path / f"CollegeTalk-{number:03}.json").write_text('{\n "sid": "x",\n "comments": []\n}')
    with pytest.raises(ValueError, match="CollegeTalk-000.json holds no comment.*and 49. more") as error:
        list(read_comments(tmp_path))
    assert len(str(error.value)) < 1000
    (tmp_path / "good.jsonl").write_bytes(as_lines(many(2)))
    with pytest.warns(UserWarning, match="and 49. more") as seen:
        list(read_comments(tmp_path))
    assert len(seen) == 1 and len(str(seen[0].message)) < 1000
    stats = ReadStats()
    list(read_comments(tmp_path, stats))
    assert len(stats.problems) == 500 and len(str(stats)) < 1920  # 24 lines of 80 characters


def test_reasons_without_number_fit_on_a_screen():
    stats = ReadStats(bad_lines=500, first_bad_line=("RC", 1), reasons=Counter(f"strange {n}" for n in range(500)))
    assert "1 strange 0, 1 strange 1" in str(stats) and "more)" in str(stats) and len(str(stats)) < 1000


def test_a_tilde_is_the_home_folder(tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("USERPROFILE", str(tmp_path))  # the same on Windows
    (tmp_path / "dumps").mkdir()
    (tmp_path / "dumps" / "RC_2016-02.jsonl").write_bytes(as_lines(many(2)))
    assert len(list(read_comments("~/dumps"))) == len(list(read_comments("~/dumps/RC_2016-02.jsonl"))) == 2
    assert len(b"".join(archives.decoded("~/dumps/RC_2016-02.jsonl")).splitlines()) == 2
    with pytest.raises(FileNotFoundError, match="no file or folder '~nobody-of-this-name/dumps'"):
        list(read_comments("~nobody-of-this-name/dumps"))


def test_a_path_without_end_is_no_path(tmp_path):
    with pytest.raises(FileNotFoundError, match="no file or folder 'xxx.*…'") as error:
        list(read_comments("x" * 100_000))
    assert len(str(error.value)) < 500


def test_a_second_stream_that_is_noise_is_damage_and_not_the_end(read):
    """The file objects of bz2 and lzma would pass over it in silence."""
    for suffix, pack in PACKERS.items():
        packed = pack(as_lines(many(100)))
        comments, stats = read(packed + b"noise" + packed, f"RC_2016-02.{suffix}")
        assert len(comments) == 100 and "is damaged" in str(stats)


# -- folders ---------------------------------------------------------------------------------------------------------


def test_a_folder_of_months_is_read_in_the_order_of_names(tmp_path):
    names = ["RC_2006-02.zst", "RC_2005-12", "RC_2006-01.gz", "RS_2005-12.jsonl", "notes.txt", ".RC_2004-01.zst"]
    for number, name in enumerate(names):
        pack = PACKERS.get(name.partition(".")[2], bytes)
        (tmp_path / name).write_bytes(pack(as_lines([record(id=f"d{number}")])))
    stats = ReadStats()
    assert [c.id for c in read_comments(tmp_path, stats)] == ["d1", "d2", "d0"]
    assert stats.files == ["RC_2005-12", "RC_2006-01.gz", "RC_2006-02.zst"]


def test_a_folder_of_files_with_other_names(tmp_path):
    (tmp_path / "askreddit_comments.jsonl").write_bytes(as_lines(many(2)))
    (tmp_path / "RS_2016-02.jsonl").write_bytes(as_lines([{"id": "s1", "title": "A submission"}]))
    (tmp_path / "README.md").write_text("hello")
    assert len(list(read_comments(tmp_path))) == 2


def test_one_unreadable_month_does_not_end_the_folder(tmp_path):
    (tmp_path / "RC_2005-12.zst").write_bytes(b"")
    (tmp_path / "RC_2006-01.zst").write_bytes(zst(as_lines(many(2)) + b"{broken\n"))
    (tmp_path / "RC_2006-02.zst").write_bytes(b"garbage, garbage")
    stats = ReadStats()
    assert len(list(read_comments(tmp_path, stats))) == 2
    assert stats.first_bad_line == ("RC_2006-01.zst", 3)
    assert [problem.split()[0] for problem in stats.problems] == ["RC_2005-12.zst", "RC_2006-02.zst"]
    assert all(problem in str(stats) for problem in stats.problems)


def test_one_stats_object_may_count_several_reads(tmp_path):
    (tmp_path / "a.jsonl").write_bytes(as_lines(many(2)))
    stats = ReadStats()
    for _ in range(2):
        list(read_comments(tmp_path / "a.jsonl", stats))
    assert (stats.comments, stats.files) == (4, ["a.jsonl", "a.jsonl"])
    (tmp_path / "b.jsonl").write_bytes(b"{}")
    with pytest.raises(ValueError):
        list(read_comments(tmp_path / "b.jsonl", stats))


def test_memory_stays_flat_on_a_file_without_line_breaks(tmp_path):
    import tracemalloc

    path = tmp_path / "RC_2016-02.gz"
    path.write_bytes(gzip.compress(b"x" * 60_000_000 + b"\n" + as_lines(many(1))))
    tracemalloc.start()
    stats = ReadStats()
    assert len(list(read_comments(path, stats))) == 1
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert (stats.bad_lines, stats.first_bad_line[1]) == (1, 1)
    assert peak < 50_000_000  # eight kilobytes of this file make ten megabytes
