"""ConvoKit corpora give the same comments as dumps do, whatever year their files were written in."""

import gzip
import json

import pytest
import zstandard

from helpers.corpus.dumps.convokit import read_convokit, utterances_file
from helpers.corpus.dumps.reddit import Comment, ReadStats
from helpers.corpus.dumps.threads import build_threads, conversations
from helpers.corpus.load import load


def utterance(id, reply_to, text=None, **changes) -> dict:
    fields = {
        "id": id,
        "conversation_id": "82ymmx",
        "text": f"This is what I have to say about the letter {id}." if text is None else text,
        "speaker": f"writer_{id}",
        "reply-to": reply_to,
        "timestamp": 1520550110,
        "meta": {"score": 3, "subreddit": "MachineLearning", "stickied": False},
        **changes,
    }
    return {name: value for name, value in fields.items() if value is not ...}


@pytest.fixture
def corpus(tmp_path):
    def write(utterances, name="utterances.jsonl"):
        lines = "".join((u if isinstance(u, str) else json.dumps(u)) + "\n" for u in utterances).encode()
        (tmp_path / name).write_bytes(gzip.compress(lines) if name.endswith(".gz") else lines)
        for other in ("speakers.json", "conversations.json", "corpus.json", "index.json"):
            (tmp_path / other).write_text("{}")
        return tmp_path

    return write


CORPUS = [
    utterance("82ymmx", None, "How do you build a chatbot these days?"),
    utterance("dv1", "82ymmx"),
    utterance("dv2", "dv1"),
]


def test_utterances_become_comments(corpus):
    stats = ReadStats()
    comments = list(read_convokit(corpus(CORPUS), stats))
    assert comments[2] == Comment(
        "dv2", "t1_dv1", "t3_82ymmx", "writer_dv2", CORPUS[2]["text"], 3, 1520550110, "MachineLearning", None, False
    )
    assert [c.parent_id for c in comments] == ["t3_82ymmx", "t1_82ymmx", "t1_dv1"]
    assert (stats.lines, stats.comments, stats.files) == (3, 3, ["utterances.jsonl"])


def test_the_opening_is_the_submissions_text_and_a_turn(corpus):
    (conversation,) = conversations(read_convokit(corpus(CORPUS)))
    assert [turn.text for turn in conversation.turns] == [u["text"] for u in CORPUS]
    assert (conversation.id, conversation.thread) == ("t3_82ymmx/dv2", "t3_82ymmx")


@pytest.mark.parametrize("text", ["", None, "[deleted]", "[removed]", "[ Removed by Reddit ]", " \n"])
@pytest.mark.parametrize("order", [1, -1])
def test_under_an_opening_without_text_the_answers_are_the_top_level(corpus, text, order):
    opening = {**CORPUS[0], "text": text}
    (conversation,) = conversations(read_convokit(corpus([opening, *CORPUS[1:]][::order])))
    assert [turn.text for turn in conversation.turns] == [u["text"] for u in CORPUS[1:]]


def test_a_deleted_answer_still_takes_what_is_below_it(corpus):
    answer = {**CORPUS[1], "text": "[deleted]"}
    assert list(conversations(read_convokit(corpus([CORPUS[0], answer, CORPUS[2]])))) == []


def test_reply_to_with_a_hyphen_or_an_underscore(corpus):
    newer = [{("reply_to" if name == "reply-to" else name): value for name, value in u.items()} for u in CORPUS]
    both = [{**u, "reply_to": u["reply-to"], "reply-to": None} for u in CORPUS]
    assert (
        list(read_convokit(corpus(newer))) == list(read_convokit(corpus(both))) == list(read_convokit(corpus(CORPUS)))
    )


def test_names_of_fields_before_2020(corpus):
    older = [
        {{"conversation_id": "root", "speaker": "user"}.get(name, name): v for name, v in u.items()} for u in CORPUS
    ]
    assert list(read_convokit(corpus(older))) == list(read_convokit(corpus(CORPUS)))


def test_the_conversation_may_have_an_id_of_its_own(corpus):
    """In corpora that are not from Reddit the opening need not be named like the conversation."""
    movie = [utterance("L1", None, conversation_id="C1"), utterance("L2", "L1", conversation_id="C1")]
    (conversation,) = conversations(read_convokit(corpus(movie)))
    assert (conversation.id, len(conversation.turns)) == ("t3_C1/L2", 2)


@pytest.mark.parametrize("text", [CORPUS[0]["text"], ""])
@pytest.mark.parametrize("name", ["reply-to", "reply_to"])
def test_an_opening_that_answers_itself_opens_its_conversation_and_is_counted(corpus, text, name):
    opening = {**CORPUS[0], "text": text, "reply-to": None, name: "82ymmx"}
    stats = ReadStats()
    (conversation,) = conversations(read_convokit(corpus([opening, *CORPUS[1:]]), stats), stats=stats)
    assert [turn.text for turn in conversation.turns] == [u["text"] for u in [opening, *CORPUS[1:]] if u["text"]]
    assert (stats.repaired, stats.cycles) == ({"opening that answers itself": 1}, 0)


def test_dangling_and_self_replies_are_counted_and_skipped(corpus):
    odd = [utterance("dv3", "nowhere"), utterance("dv4", "dv3"), utterance("dv5", "dv5"), utterance("dv6", "dv5")]
    stats = ReadStats()
    (conversation,) = conversations(read_convokit(corpus(CORPUS + odd), stats), stats=stats)
    assert len(conversation.turns) == 3
    assert (stats.orphans, stats.cycles) == (1, 2)
    stats = ReadStats()
    (thread,) = build_threads(read_convokit(corpus(CORPUS + odd)), stats)
    assert ([c.id for c in thread.orphans], [c.id for c in thread.cycles]) == (["dv3"], ["dv5", "dv6"])


def test_a_reply_into_another_conversation_is_dangling(corpus):
    stats = ReadStats()
    build_threads(read_convokit(corpus([*CORPUS, utterance("dv3", "dv1", conversation_id="other")])), stats)
    assert stats.orphans == 1


@pytest.mark.parametrize(
    "changes, field, value",
    [
        ({"timestamp": "1520550110"}, "created", 1520550110),
        ({"timestamp": 1520550110.0}, "created", 1520550110),
        ({"timestamp": None}, "created", None),
        ({"timestamp": ...}, "created", None),
        ({"meta": {"score": "7"}}, "score", 7),
        ({"meta": {}}, "score", None),
        ({"meta": None}, "score", None),
        ({"meta": ...}, "subreddit", ""),
        ({"meta": {"stickied": True, "distinguished": "moderator"}}, "distinguished", "moderator"),
        ({"speaker": {"id": "Ada", "meta": {}}}, "author", "Ada"),
        ({"speaker": None}, "author", "[deleted]"),
        ({"speaker": ...}, "author", "[deleted]"),
    ],
)
def test_fields_of_every_dialect(corpus, changes, field, value):
    (comment,) = read_convokit(corpus([utterance("dv1", "82ymmx", **changes)]))
    assert getattr(comment, field) == value


@pytest.mark.parametrize(
    "line",
    [
        "{broken",
        "[]",
        "null",
        utterance(5, None),
        utterance(..., None, "no id"),
        utterance(["a"], None, ""),
        utterance("x", 7),
        utterance("x", None, 7),
        utterance("x", None, conversation_id=...),
        utterance("x", None, conversation_id={}),
    ],
    ids=str,
)
def test_a_bad_line_is_counted_and_ends_nothing(corpus, line):
    stats = ReadStats()
    comments = list(read_convokit(corpus([CORPUS[0], line, *CORPUS[1:]]), stats))
    assert [c.id for c in comments] == ["82ymmx", "dv1", "dv2"]
    assert (stats.bad_lines, stats.first_bad_line) == (1, ("utterances.jsonl", 2))


PACKERS = {"jsonl": bytes, "jsonl.gz": gzip.compress, "jsonl.zst": zstandard.compress}


@pytest.mark.parametrize("suffix", [*PACKERS, "json"])
def test_a_corpus_is_known_whatever_it_is_packed_in_and_wherever_a_path_is_taken(tmp_path, monkeypatch, suffix):
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("USERPROFILE", str(tmp_path))  # the same on Windows
    lines = "".join(json.dumps(u) + "\n" for u in CORPUS).encode()
    (tmp_path / "tram").mkdir()
    data = json.dumps(CORPUS).encode() if suffix == "json" else PACKERS[suffix](lines)
    (tmp_path / "tram" / f"utterances.{suffix}").write_bytes(data)
    for folder in (tmp_path / "tram", "~/tram"):
        assert len(list(read_convokit(folder))) == 3
        (conversation,) = conversations(folder)
        corpus = load(folder)
        assert conversation in corpus.train + corpus.val + corpus.test
        assert corpus.card.origin == "ConvoKit corpus tram" and corpus.card.counts["comments read"] == 3


def test_a_folder_that_is_no_corpus(tmp_path):
    (tmp_path / "RC_2005-12.zst").write_bytes(b"")
    assert utterances_file(tmp_path) is None
    with pytest.raises(FileNotFoundError, match=r"no utterances\.jsonl"):
        list(read_convokit(tmp_path))
    (tmp_path / "utterances.jsonl").write_bytes(b"")
    assert utterances_file(tmp_path) == tmp_path / "utterances.jsonl"
    with pytest.raises(ValueError, match="empty"):
        list(read_convokit(tmp_path))
