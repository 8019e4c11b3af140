"""Threads and the conversations cut from them: who answers whom, whatever the order, the files and the memory."""

import errno
import gzip
import io
import json
import multiprocessing
import os
import random
import subprocess
import sys
import threading
from collections import Counter
from concurrent.futures import Future

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from helpers.corpus.cleaning import Filter
from helpers.corpus.conversations import split_of
from helpers.corpus.dumps import group_by_thread as partitions_module
from helpers.corpus.dumps import parallel
from helpers.corpus.dumps.archives import DamagedFile
from helpers.corpus.dumps.reddit import Comment, ReadStats
from helpers.corpus.dumps.threads import Thread, build_threads, conversations

NAMES = ["Ada", "Ben", "Cleo", "Dan", "Eve"]


def comment(id, parent, body=None, link="t3_link", author=None, score=1, created=None, **rest) -> Comment:
    """A comment; ``parent`` is another's id, or None for the top level."""
    parent_id = link if parent is None else parent if parent.startswith(("t1_", "t3_")) else f"t1_{parent}"
    # Every text its own, and English: no filter has a reason to drop it.
    body = f"This is what I have to say about the number {id}." if body is None else body
    author = f"writer_{id}" if author is None else author
    created = 1_500_000_000 + int(id, 36) if created is None else created
    fields = {"subreddit": "test", "distinguished": None, "stickied": False, **rest}
    return Comment(id, parent_id, link, author, body, score, created, **fields)


def only_thread(comments) -> Thread:
    (thread,) = build_threads(comments)
    return thread


def ids(comments) -> list[str]:
    return [c.id for c in comments]


def cut(comments, **options) -> list:
    return sorted(conversations(comments, **options), key=lambda conversation: conversation.id)


def texts(conversation) -> list[str]:
    return [turn.text for turn in conversation.turns]


# a (b (d, e (f)), c), g
TREE = [
    comment("a", None),
    comment("b", "a", score=2),
    comment("c", "a", score=5),
    comment("d", "b", score=1),
    comment("e", "b", score=9),
    comment("f", "e"),
    comment("g", None),
]


# -- threads ---------------------------------------------------------------------------------------------------------


def test_a_thread_is_a_tree():
    thread = only_thread(TREE)
    assert thread.id == "t3_link"
    assert ids(thread.roots()) == ["a", "g"]
    assert ids(thread.children["t1_b"]) == ["d", "e"]
    assert ids(thread.path(thread.comments["f"])) == ["a", "b", "e", "f"]
    assert [(depth, c.id) for depth, c in thread.walk()] == [
        (0, "a"), (1, "b"), (2, "d"), (2, "e"), (3, "f"), (1, "c"), (0, "g"),
    ]  # fmt: skip
    assert thread.orphans == thread.cycles == []


def test_siblings_stand_oldest_first_then_by_id():
    late, early = comment("b", None, created=20), comment("c", None, created=10)
    twin = comment("a", None, created=20)
    assert ids(only_thread([late, early, twin]).roots()) == ["c", "a", "b"]


def test_comments_without_a_time_have_a_place_too():
    unknown = comment("b", None)._replace(created=None)
    assert ids(only_thread([comment("a", None), unknown, comment("c", "b")]).roots()) == ["b", "a"]


def test_the_order_of_the_input_makes_no_difference():
    expected = [(depth, c) for depth, c in only_thread(TREE).walk()]
    for seed in range(20):
        shuffled = random.Random(seed).sample(TREE, len(TREE))
        assert list(only_thread(shuffled).walk()) == expected


def test_an_answer_older_than_its_parent_is_still_its_answer():
    thread = only_thread([comment("a", None, created=50), comment("b", "a", created=10), comment("c", "b", created=5)])
    assert [(d, c.id) for d, c in thread.walk()] == [(0, "a"), (1, "b"), (2, "c")]
    assert thread.orphans == thread.cycles == []


def test_orphans_are_named_and_keep_their_answers():
    thread = only_thread([comment("a", None), comment("b", "gone"), comment("c", "b"), comment("d", "t3_other")])
    assert ids(thread.orphans) == ["b", "d"]
    assert ids(thread.path(thread.comments["c"])) == ["b", "c"]
    assert thread.cycles == []
    assert ids(c for _, c in thread.walk()) == ["a"]


def test_a_comment_named_like_its_submission_is_not_the_submission():
    thread = only_thread([comment("link", None), comment("b", "link"), comment("c", None)])
    assert ids(thread.roots()) == ["c", "link"]
    assert ids(thread.children["t1_link"]) == ["b"]


@pytest.mark.parametrize(
    "ring, stuck",
    [
        ([("x", "x")], ["x"]),
        ([("x", "y"), ("y", "x")], ["x", "y"]),
        ([("x", "z"), ("y", "x"), ("z", "y"), ("u", "z"), ("v", "u")], ["u", "v", "x", "y", "z"]),
    ],
)
def test_rings_of_parents_are_counted_and_stop_nothing(ring, stuck):
    comments = TREE + [comment(id, parent) for id, parent in ring]
    stats = ReadStats()
    (thread,) = build_threads(comments, stats)
    assert ids(thread.cycles) == stuck
    assert stats.cycles == len(stuck)
    assert thread.orphans == []
    assert list(thread.walk()) == list(only_thread(TREE).walk())
    with pytest.raises(ValueError, match="ring"):
        thread.path(thread.comments[stuck[-1]])
    assert cut(comments) == cut(TREE)
    assert cut(comments, pairs=True) == cut(TREE, pairs=True)


def test_duplicates_are_kept_once_and_counted():
    stats = ReadStats()
    (thread,) = build_threads(TREE + TREE[2:4], stats)
    assert list(thread.walk()) == list(only_thread(TREE).walk())
    assert thread.duplicates == stats.duplicates == 2


@pytest.mark.parametrize("notice", ["[deleted]", "[removed by moderator]"])
def test_of_two_copies_the_deleted_one_counts_whatever_the_order(notice):
    alive, deleted = comment("b", "a", score=50), comment("b", "a", body=notice, author="[deleted]")
    for copies in ([alive, deleted], [deleted, alive]):
        assert only_thread([TREE[0], *copies]).comments["b"].body == notice
        assert cut([TREE[0], *copies]) == []


def test_of_two_living_copies_the_higher_score_counts_whatever_the_order():
    first, later = comment("b", "a", score=1), comment("b", "a", score=7)
    for copies in ([first, later], [later, first]):
        assert only_thread([TREE[0], *copies]).comments["b"].score == 7


def test_threads_come_oldest_submission_first():
    comments = [comment("a", None, link=link) for link in ("t3_100", "t3_zz", "t3_b")]
    assert [thread.id for thread in build_threads(comments)] == ["t3_b", "t3_zz", "t3_100"]


def test_a_path_of_ten_thousand_answers():
    chain = [comment("1", None)] + [comment(str(n), str(n - 1)) for n in range(2, 10_001)]
    thread = only_thread(reversed(chain))
    assert len(thread.path(thread.comments["10000"])) == 10_000
    (conversation,) = cut(chain)
    assert len(conversation.turns) == 10_000  # nothing is cut off without a word


@st.composite
def forests(draw):
    """Comments whose parents are any comment at all, themselves included, or nobody."""
    size = draw(st.integers(1, 12))
    parents = draw(st.lists(st.none() | st.integers(1, size + 2), min_size=size, max_size=size))
    times = draw(st.lists(st.integers(1, 3), min_size=size, max_size=size))
    every = zip(range(1, size + 1), parents, times, strict=True)
    comments = [comment(f"{n}", None if p is None else f"{p}", created=t, score=t) for n, p, t in every]
    return draw(st.permutations(comments))


@given(forests())
def test_every_comment_is_somewhere_exactly_once(comments):
    thread = only_thread(comments)
    below = list(thread.orphans)
    for c in below:
        below += thread.children.get("t1_" + c.id, [])
    found = ids(c for _, c in thread.walk()) + ids(below) + ids(thread.cycles)
    assert sorted(found) == sorted(ids(comments))
    for orphan in thread.orphans:
        assert orphan.parent_id[3:] not in thread.comments
    for stuck in thread.cycles:
        steps = {stuck.id}
        while (stuck := thread.comments[stuck.parent_id[3:]]).id not in steps:
            steps.add(stuck.id)


# -- conversations ---------------------------------------------------------------------------------------------------


def test_the_chain_follows_the_best_answer():
    conversation, *others = cut(TREE)
    assert conversation.id == "t3_link/c"  # c has the better score, so the chain ends there
    assert texts(conversation) == [TREE[0].body, TREE[2].body]
    assert not others  # g has no answer
    assert conversation.thread == "t3_link"
    assert conversation.meta == {"subreddit": "test", "scores": [1, 5], "created": TREE[0].created}


def test_the_chain_goes_all_the_way_down():
    (conversation,) = cut([c._replace(score=3) if c.id == "c" else c._replace(score=4) for c in TREE])
    assert conversation.id == "t3_link/d"  # of equals (d, e) the oldest


def test_an_answer_without_score_is_followed_last():
    null, low = comment("b", "a", score=None), comment("c", "a", score=1)
    assert cut([TREE[0], null, low])[0].id == "t3_link/c"
    assert cut([TREE[0], null])[0].id == "t3_link/b"


def test_pairs_are_every_parent_with_every_answer():
    pairs = cut(TREE, pairs=True)
    assert [pair.id.split("/")[1] for pair in pairs] == ["b", "c", "d", "e", "f"]
    body = {c.id: c.body for c in TREE}
    assert [texts(pair) for pair in pairs] == [[body[p], body[c]] for p, c in ("ab", "ac", "bd", "be", "ef")]
    assert all([turn.speaker for turn in pair.turns] == ["A", "B"] for pair in pairs)


def test_neighbors_in_the_file_are_no_conversation():
    """The commonest mistake: the answer to a stands three lines further down, between other people's words."""
    comments = [
        comment("a", None, "Where is the best soup in this town?"),
        comment("b", None, "My bicycle has been stolen again.", link="t3_other"),
        comment("c", "b", "I am sorry, was it locked this time?", link="t3_other"),
        comment("d", "a", "At my mother's, but you have to call first."),
    ]
    expected = [[comments[1].body, comments[2].body], [comments[0].body, comments[3].body]]
    for pairs in (False, True):
        assert sorted(texts(c) for c in cut(comments, pairs=pairs)) == sorted(expected)


@pytest.mark.parametrize(
    "gone",
    [
        {"body": "[deleted]", "author": "[deleted]"},
        {"body": "[removed]"},
        {"body": ""},
        {"author": "AutoModerator"},
        {"score": -10},
    ],
    ids=str,
)
def test_a_dropped_comment_takes_everything_below_it(gone):
    comments = [c._replace(**gone) if c.id == "b" else c for c in TREE if c.id != "c"]
    stats, filter = ReadStats(), Filter()
    assert cut(comments, stats=stats, filter=filter) == []
    assert cut(comments, pairs=True) == []
    assert stats.orphans == 0  # their parent is here, it only has nothing to say
    assert filter.counts["kept"] == 5 and sum(filter.counts.values()) == 6


def test_the_chain_takes_another_way_around_a_dropped_answer():
    comments = [c._replace(body="[removed]") if c.id == "c" else c for c in TREE]
    assert cut(comments)[0].id == "t3_link/f"


def test_orphans_start_no_conversation():
    stats = ReadStats()
    comments = [comment("b", "gone"), comment("c", "b"), comment("d", "c")]
    assert cut(comments, stats=stats) == cut(comments, pairs=True) == []
    assert stats.orphans == 1


def test_one_author_in_a_row_is_one_turn():
    comments = [
        comment("a", None, "I have found a cat.", author="Ada", score=4),
        comment("b", "a", "I mean, it has found me.", author="Ada", score=9),
        comment("c", "b", "And what does it want from you?", author="Ben", score=2),
        comment("d", "c", "It will not tell me.", author="Ada", score=3),
    ]
    (conversation,) = cut(comments)
    assert [(turn.speaker, turn.text) for turn in conversation.turns] == [
        ("A", "I have found a cat.\nI mean, it has found me."),
        ("B", "And what does it want from you?"),
        ("A", "It will not tell me."),
    ]
    assert conversation.meta["scores"] == [4, 2, 3]
    assert [pair.id for pair in cut(comments, pairs=True)] == ["t3_link/c", "t3_link/d"]  # a and b are no pair


def test_who_only_answers_himself_has_no_conversation():
    assert cut([comment("a", None, author="Ada"), comment("b", "a", author="Ada")]) == []


def test_deleted_accounts_are_not_taken_for_one_person():
    comments = [comment(id, parent, author="[deleted]") for id, parent in (("a", None), ("b", "a"), ("c", "b"))]
    (conversation,) = cut(comments, filter=Filter(deleted_accounts=False))
    assert [turn.speaker for turn in conversation.turns] == ["A", "B", "C"]


def test_no_name_gets_out():
    comments = [comment(c.id, c.parent_id, author=f"secret_name_{c.id}") for c in TREE]
    assert "secret_name" not in repr(cut(comments)) + repr(cut(comments, pairs=True))


def test_texts_are_cleaned_and_redacted():
    comments = [
        comment("a", None, "I &amp; my dog are at the lake, where are you?\r\n\r\nWrite to me: ada@example.org"),
        comment("b", "a", "&gt; where are you\n\nI am at home, with the cat. [deleted]"),
    ]
    first, second = texts(cut(comments)[0])
    assert "&amp;" not in first and "ada@example.org" not in first and "[email]" in first
    assert "where are you" not in second and second.startswith("I am at home")


# -- memory and order ------------------------------------------------------------------------------------------------


def many_threads(number: int, seed: int = 0) -> list[Comment]:
    """Threads with every oddity, mixed as in a dump."""
    rng = random.Random(seed)
    comments = []
    for thread in range(number):
        link = f"t3_{1000 + thread}"
        members: list[str] = []
        for n in range(rng.randint(1, 12)):
            id = f"{thread}a{n}"
            parent = rng.choice([None, *members, id, "gone"]) if n % 5 == 4 else rng.choice([None, *members])
            body = "[deleted]" if rng.random() < 0.1 else None
            author = f"{rng.choice(NAMES)}_{thread}"
            comments.append(comment(id, parent, body, link, author, rng.choice([None, 1, 2, 3])))
            members.append(id)
    comments += rng.sample(comments, number // 5)
    rng.shuffle(comments)
    return comments


def everything(comments, **options):
    """All that conversations() gives, in its order, with the filter's and the reader's counts."""
    stats, filter = ReadStats(), Filter()
    found = list(conversations(comments, stats=stats, filter=filter, **options))
    counts = (stats.threads, stats.duplicates, stats.orphans, stats.cycles, stats.conversations)
    return [(c, c.meta) for c in found], counts, filter.counts, stats.spilled


@pytest.mark.parametrize("pairs", [False, True])
def test_going_by_way_of_the_disk_changes_nothing(pairs):
    comments = many_threads(300)
    found, counts, dropped, spilled = everything(comments, pairs=pairs)
    assert spilled == 0 and len(found) > 100 and min(counts) > 0
    for memory_limit in (3_000, 50_000, 500_000):
        again = everything(comments, pairs=pairs, memory_limit=memory_limit)
        assert again == (found, counts, dropped, again[3])
        assert again[3] == len(comments)


def test_partitions_too_large_are_parted_again():
    """All on one disk partition of 64 at first: it has to be taken apart by the bits that follow."""
    links = [f"t3_{n}" for n in range(60_000) if partitions_module.crc32(f"t3_{n}".encode()) >> 26 == 17][:400]
    assert len(links) == 400
    comments = [
        comment(id, parent, link=link, author=f"{id} of {link}")
        for link in links
        for id, parent in (("a", None), ("b", "a"))
    ]
    found = everything(comments)
    again = everything(comments, memory_limit=20_000)
    assert again[:3] == found[:3] and len(found[0]) == 400
    assert list(partitions_module.Partitions(1).threads()) == []


def test_partitions_hold_no_more_than_the_limit(monkeypatch):
    largest = Counter()
    in_order = partitions_module._in_order

    def watched(rows):
        rows = list(rows)
        largest["rows"] = max(largest["rows"], len(rows))
        return in_order(rows)

    monkeypatch.setattr(partitions_module, "_in_order", watched)
    comments = many_threads(2000)
    list(conversations(comments, memory_limit=100_000))
    assert 0 < largest["rows"] <= 100_000 / partitions_module.ROW_BYTES + 20 < len(comments) / 20


def test_the_order_of_the_comments_changes_no_conversation():
    comments = many_threads(200)
    found = everything(comments)
    for seed in range(5):
        assert everything(random.Random(seed).sample(comments, len(comments))) == found


def test_a_text_posted_again_and_again_is_dropped_whatever_the_order(tmp_path):
    """The filter remembers texts: neither the order of the file nor the same comment in two files may confuse it."""
    comments = [
        comment(f"{id}{n}", parent and f"{parent}{n}", body, f"t3_{n}", author)
        for n in range(8)
        for id, parent, body, author in (
            ("a", None, f"What is number {n} of the things you like best?", f"asker_{n}"),
            ("b", "a", "Come and see my collection of ladles, it is in my profile.", "collector"),
        )
    ]
    found = everything(comments)
    assert len(found[0]) == 2 and found[2] == {"kept": 10, "same text again": 6}
    for seed in range(5):
        shuffled = random.Random(seed).sample(comments, len(comments))
        assert everything(shuffled) == found
        assert everything(shuffled, memory_limit=3000)[:3] == found[:3]
    thrice = everything(comments[:2] * 3)
    assert len(thrice[0]) == 1 and thrice[2] == {"kept": 6}
    write(tmp_path / "RC_2016-02.jsonl", comments)
    assert everything(tmp_path, processes=2)[:3] == found[:3]


def test_repeats_are_seen_however_far_apart(tmp_path):
    """The filter's own memory would have forgotten; and what it saw in another reading does not count in this one."""
    spam = "Come and see my collection of ladles, it is in my profile."
    comments = many_threads(100) + [comment(f"z{n}", None, spam, f"t3_z{n}", "collector") for n in range(50)]
    filter = Filter(memory=1)
    for memory_limit in (10**9, 5_000, 10**9):
        filter.counts.clear()
        list(conversations(comments, filter=filter, memory_limit=memory_limit))
        assert filter.counts["same text again"] == 48


def test_a_filter_of_ones_own_is_asked_in_this_process(tmp_path):
    class OnlyShort(Filter):
        def reason(self, comment, text=None):
            return "long" if len(text) > 60 else None

    comments = [comment("a", None, "How are you?"), comment("b", "a", "Fine."), comment("c", "b", "Good. " * 20)]
    write(tmp_path / "RC_2016-02.jsonl", comments)
    filter = OnlyShort()
    (conversation,) = conversations(tmp_path, processes=2, filter=filter)
    assert texts(conversation) == ["How are you?", "Fine."]
    assert filter.counts == {"kept": 2, "long": 1}


def test_a_json_array_by_way_of_workers(tmp_path):
    path = tmp_path / "thread.json"
    records = [{**c._asdict(), "created_utc": str(c.created)} for c in many_threads(50)]
    path.write_text(json.dumps([*records, 17]))
    stats = ReadStats()
    assert list(conversations(path, processes=2, stats=stats)) == list(conversations(path, processes=0))
    assert (stats.comments, stats.first_bad_line) == (len(records), ("thread.json", len(records) + 1))


class NoRoom(io.BytesIO):
    """A file on a full disk. What is written may wait in memory at first."""

    at_once = False

    def write(self, data):
        return self.fail() if self.at_once else super().write(data)

    def flush(self):
        self.fail()

    def close(self):
        super().close()
        self.fail()

    def fail(self):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    def __del__(self):
        pass


@pytest.mark.parametrize("at_once", [True, False])
def test_a_full_temporary_folder_is_a_sentence_and_is_cleared(tmp_path, monkeypatch, at_once):
    monkeypatch.setattr(partitions_module.tempfile, "tempdir", str(tmp_path))
    monkeypatch.setattr(NoRoom, "at_once", at_once)
    monkeypatch.setattr(partitions_module.Path, "open", lambda *_: NoRoom())
    with pytest.raises(OSError, match="cannot write .*TMPDIR.*memory_limit.*: the disk is full: free some space"):
        list(conversations(many_threads(10), memory_limit=5_000))
    assert list(tmp_path.iterdir()) == []


def test_without_any_temporary_folder_the_sentence_is_the_same(tmp_path, monkeypatch):
    monkeypatch.setattr(partitions_module.tempfile, "tempdir", str(tmp_path / "missing"))
    with pytest.raises(FileNotFoundError, match="TMPDIR.*: there is no such folder: choose another"):
        list(conversations(many_threads(10), memory_limit=5_000))


@pytest.mark.parametrize("wrong", [{"memory_limit": 0}, {"memory_limit": 1.5}, {"processes": -1}])
def test_a_limit_or_a_number_of_processes_that_makes_no_sense(wrong):
    (name,) = wrong
    with pytest.raises(ValueError, match=f"{name} is .*: give a whole number"):
        list(conversations(TREE, **wrong))


def test_numbers_may_be_numpys(tmp_path):
    comments = [c._replace(score=np.int64(c.score), created=np.int64(c.created)) for c in TREE]
    assert cut(comments, memory_limit=np.int64(1)) == cut(TREE)
    write(tmp_path / "RC_2016-02.jsonl", TREE)
    assert cut(tmp_path, processes=np.int8(1)) == cut(TREE)


@pytest.mark.parametrize("stop", [0, 1, 20])
def test_nothing_is_left_on_the_disk(tmp_path, monkeypatch, stop):
    monkeypatch.setattr(partitions_module.tempfile, "tempdir", str(tmp_path))
    stream = conversations(many_threads(100), memory_limit=10_000)
    for _ in range(stop):
        next(stream)
    if stop == 1:
        assert list(tmp_path.iterdir())
    stream.close() if stop else list(stream)
    assert list(tmp_path.iterdir()) == []


def test_nothing_is_left_on_the_disk_after_an_error(tmp_path, monkeypatch):
    monkeypatch.setattr(partitions_module.tempfile, "tempdir", str(tmp_path))

    def broken():
        yield from many_threads(100)
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        list(conversations(broken(), memory_limit=10_000))
    assert list(tmp_path.iterdir()) == []


# -- files -----------------------------------------------------------------------------------------------------------


def write(path, comments) -> None:
    def record(c):
        fields = c._asdict()
        fields["created_utc"] = fields.pop("created")
        return json.dumps(fields)

    data = "\n".join(map(record, comments)).encode() + b"\n"
    path.write_bytes(gzip.compress(data) if path.suffix == ".gz" else data)


def test_a_thread_that_crosses_months_stays_whole(tmp_path):
    """Cut anywhere, overlapping or not, in two files or one: the same conversations, in one split."""
    comments = [c for c in many_threads(50) if c.body != "[deleted]"]
    whole = cut(comments)
    for place in (1, len(comments) // 2, len(comments) - 1):
        for overlap in (0, 5):
            write(tmp_path / "RC_2016-02.jsonl", comments[: place + overlap])
            write(tmp_path / "RC_2016-03.jsonl.gz", comments[place:])
            (tmp_path / "RC_2016-03.jsonl.gz").rename(tmp_path / "RC_2016-03.gz")
            assert cut(tmp_path) == whole
            assert cut(tmp_path, memory_limit=5000) == whole
    assert len({c.thread: split_of(c.thread) for c in whole}) < len(whole)


@pytest.mark.parametrize("processes", [1, 2, 3])
def test_worker_processes_change_nothing(tmp_path, processes):
    path = tmp_path / "RC_2016-02.gz"
    write(path, many_threads(400))
    lines = gzip.decompress(path.read_bytes()).splitlines()
    lines[777] = b"{broken"
    lines[900] = lines[900].replace(b'"score": 1', b'"score": "1"')
    packed = gzip.compress(b"\n".join(lines))
    for data, problems in ((packed, 0), (packed[: len(packed) // 2], 1)):  # whole, and broken off
        path.write_bytes(data)
        results = []
        for number in (0, processes):
            stats, filter = ReadStats(), Filter()
            found = list(conversations(path, processes=number, stats=stats, filter=filter))
            stats.spilled = 0  # workers always go by way of the disk
            results.append((found, stats, filter.counts))
        assert results[0] == results[1]
        assert (results[0][1].bad_lines, len(results[0][1].problems)) == (1, problems)


def test_worker_processes_pass_on_what_is_wrong_and_go_home(tmp_path):
    path = tmp_path / "RC_2016-02.jsonl"
    path.write_bytes(b"nothing here\n" * 1000)
    with pytest.raises(ValueError, match="holds no comment"):
        list(conversations(path, processes=2))
    with pytest.raises(FileNotFoundError):
        list(conversations(tmp_path / "missing.zst", processes=2))


def test_a_worker_that_dies_is_a_sentence(tmp_path, monkeypatch):
    write(tmp_path / "RC_2016-02.jsonl", many_threads(5))
    monkeypatch.setattr(parallel, "_prepare_worker", os.abort)
    with pytest.raises(RuntimeError, match="a worker process ended unexpectedly.*try processes=0"):
        list(conversations(tmp_path, processes=1))


def test_an_interrupt_leaves_no_worker_behind(tmp_path, monkeypatch):
    def interrupt(*_):
        assert multiprocessing.active_children()
        raise KeyboardInterrupt

    write(tmp_path / "RC_2016-02.jsonl", many_threads(5))
    monkeypatch.setattr(partitions_module.Partitions, "add_packed", interrupt)
    with pytest.raises(KeyboardInterrupt):
        list(conversations(tmp_path, processes=1))
    assert multiprocessing.active_children() == []


KILLED = """
import os, signal
from helpers.corpus.dumps import group_by_thread, threads
group_by_thread.Partitions.add_packed = lambda *_: os.kill(os.getpid(), getattr(signal, "SIGKILL", signal.SIGTERM))
list(threads.conversations({path!r}, processes=1))
"""


def test_workers_end_when_the_process_that_started_them_is_killed(tmp_path):
    path = tmp_path / "RC_2016-02.jsonl"
    write(path, many_threads(5))
    # The workers hold the other end of this pipe, too: only when the last of them has gone does reading end.
    done = subprocess.run([sys.executable, "-c", KILLED.format(path=str(path))], stdout=subprocess.PIPE, timeout=60)
    assert done.returncode


@pytest.mark.parametrize("way", ["script", "-c", "-"])
def test_a_script_needs_no_guard_for_the_sake_of_workers(tmp_path, way):
    path = tmp_path / "RC_2016-02.jsonl"
    write(path, TREE)
    code = (
        "import __main__\nfrom helpers.corpus.dumps.threads import conversations\nbefore = dict(vars(__main__))\n"
        f"print(len(list(conversations({str(path)!r}, processes=1))))\n"
        "assert all(vars(__main__)[name] is value for name, value in before.items())\n"
    )
    (tmp_path / "script.py").write_text(code)
    command = {"script": [str(tmp_path / "script.py")], "-c": ["-c", code], "-": ["-"]}[way]
    done = subprocess.run([sys.executable, *command], input=code, capture_output=True, text=True, timeout=60)
    assert (done.stdout, done.stderr) == ("1\n", "")


def test_results_come_in_order_and_few_are_held():
    """A slow first item holds up the others, but not without a limit; an error comes after the results before it."""
    first, taken = Future(), []

    class Slow:
        def submit(self, function, item):
            future = Future() if item else first
            if item:
                future.set_result(function(item))
            return future

    def items():
        for number in range(50):
            taken.append(number)
            yield number
        raise DamagedFile("broken off")

    results = parallel.map_in_order(Slow(), str, items(), ahead=2)
    threading.Timer(0.2, lambda: first.set_result("0")).start()
    assert next(results) == "0" and len(taken) == 5
    with pytest.raises(DamagedFile):
        for number, result in enumerate(results, start=1):
            assert result == str(number)
    assert number == 49


def test_what_comes_from_a_stats_object_reads_as_a_sentence():
    stats = ReadStats()
    list(conversations(many_threads(30), stats=stats))
    assert "30 threads, in which" in str(stats)
