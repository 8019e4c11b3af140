"""The arena: which prompts, who answers them, and which replies stand side by side."""

import itertools

import pytest

from helpers.bots import arena
from helpers.io import write_rows
from tests.factories import conversation


def talks(number, turns=9):
    return [conversation(*(f"{name} says {turn}" for turn in range(turns)), name=f"c{name}") for name in range(number)]


class Parrot:
    """Says the last message and its seed; nothing at all for the first ``silent`` calls of a prompt."""

    def __init__(self, silent=0):
        self.silent, self.calls = silent, []

    def reply(self, history, temperature, seed):
        self.calls.append((history[-1], temperature, seed))
        silent = sum(text == history[-1] for text, *_ in self.calls) <= self.silent
        return "" if silent else f"{history[-1]} {seed}"


def test_prompts_are_one_a_conversation_of_several_lengths_each_with_what_the_person_said_next():
    long, silent = conversation("x" * 601, "b", "c", "d", name="long"), conversation("a", "b", "c", " ", name="silent")
    wordy = conversation("a", "b", "c", "y" * 201, name="wordy")
    short = conversation("a", "b", "c", name="short")
    prompts = arena.choose_prompts([long, silent, wordy, short, *talks(5)], 4)
    assert [prompt.conversation for prompt in prompts] == ["c0", "c1", "c2", "c3"]
    assert [len(prompt.turns) for prompt in prompts] == [3, 5, 7, 3] and prompts[1].reply == "1 says 5"
    assert [prompt.number for prompt in prompts] == [0, 1, 2, 3]
    with pytest.raises(ValueError, match="6 prompts were asked for, and these conversations give 5"):
        arena.choose_prompts(talks(5), 6)


def test_a_bot_answers_every_prompt_with_a_seed_of_its_own_and_again_where_it_said_nothing():
    prompts = arena.choose_prompts(talks(3), 3)
    first, second = (arena.replies_of(Parrot(), prompts, seed) for seed in (0, 1))
    assert first == ["0 says 2 0", "1 says 4 1", "2 says 6 2"] and second[0] == "0 says 2 1000"
    again = Parrot(silent=2)
    assert arena.replies_of(again, prompts[:1]) == ["0 says 2 200000"] and {call[1] for call in again.calls} == {0.7}
    assert arena.replies_of(Parrot(silent=100), prompts[:1]) == ["…"]


def test_control_characters_of_a_bot_are_left_out():
    prompts = [arena.Prompt(0, "c0", ["a\x00b\rc\nd"], "so")]
    assert arena.replies_of(Parrot(), prompts) == ["abc\nd 0"]


def test_people_elsewhere_say_real_replies_that_belong_to_other_prompts():
    prompts = arena.choose_prompts(talks(8), 8)
    replies = arena.without_bots(prompts)
    assert replies[arena.PEOPLE] == [prompt.reply for prompt in prompts]
    assert sorted(replies[arena.ELSEWHERE]) == sorted(replies[arena.PEOPLE])
    for here, there in zip(replies[arena.PEOPLE], replies[arena.ELSEWHERE]):
        assert here != there and here.split()[-1] == there.split()[-1]  # after equally many turns
    assert all(set(replies[name]) == {text} and len(replies[name]) == 8 for name, text in arena.CONSTANTS.items())


@pytest.fixture
def stored(tmp_path, monkeypatch):
    """Prompts and replies in files, and the conversations they were cut from."""
    monkeypatch.setattr(arena, "data_path", tmp_path.joinpath)
    prompts = arena.choose_prompts(talks(4), 4)
    rows = [{"prompt": each.number, "conversation": each.conversation, "turns": len(each.turns)} for each in prompts]
    write_rows(tmp_path / "arena_prompts.csv", arena.PROMPT_COLUMNS, rows)
    texts = ["007", "two\nlines", "1e3", 'she said "hi", then left']
    rows = [
        {"prompt": number, "seed": seed, "contestant": name, "reply": text if seed == 0 else text.upper()}
        for seed, name in itertools.product((0, 1), ("n-gram", "gpt"))
        for number, text in enumerate(texts)
    ]
    write_rows(tmp_path / "arena_replies.csv", arena.REPLY_COLUMNS, rows)
    return tmp_path, prompts, texts, rows


def test_stored_prompts_and_replies_are_read_as_they_were(stored):
    folder, prompts, texts, rows = stored
    assert arena.read_prompts(talks(6)) == prompts
    replies = arena.read_replies(0, prompts)
    assert list(replies) == ["n-gram", "gpt", arena.PEOPLE, arena.ELSEWHERE, *arena.CONSTANTS]
    assert replies["gpt"] == texts and arena.read_replies(1, prompts)["gpt"][1] == "TWO\nLINES"
    with pytest.raises(ValueError, match="no replies of seed 5"):
        arena.read_replies(5, prompts)
    with pytest.raises(ValueError, match="the conversation c3 of prompt 3 is not among these 3"):
        arena.read_prompts(talks(3))
    with pytest.raises(ValueError, match="the conversation c0 of prompt 0 is not among these"):
        arena.read_prompts(talks(4, turns=3))  # it is there, and has no next turn
    write_rows(folder / "arena_replies.csv", arena.REPLY_COLUMNS, rows[:-1])
    with pytest.raises(ValueError, match="gpt has no reply to prompt 3"):
        arena.read_replies(1, prompts)


REPLIES = {"a": ["hi", "yes", "no"], "b": ["hi", "oh", "so"], "c": ["hey", " ", "no"]}


def test_duels_are_all_pairs_without_those_that_say_the_same():
    duels = arena.duels(REPLIES)
    assert len(duels) == 9 - 2 and (0, "a", "b") not in duels and (2, "a", "c") not in duels and (1, "a", "c") in duels
    assert arena.duels(REPLIES, ["c", "a"]) == [(0, "c", "a"), (1, "c", "a")]


def test_blind_pairs_come_in_random_order_on_random_sides_and_none_can_be_known_at_a_glance():
    pairs = arena.blind_pairs(REPLIES)
    assert sorted((pair.prompt, *sorted(pair[1:])) for pair in pairs) == [
        (0, "a", "c"), (0, "b", "c"), (1, "a", "b"), (2, "a", "b"), (2, "b", "c"),
    ]  # fmt: skip
    assert arena.blind_pairs(REPLIES, 3, seed=1) == arena.blind_pairs(REPLIES, seed=1)[:3]
    many = {name: [f"{name}{number}" for number in range(500)] for name in "ab"}
    drawn = arena.blind_pairs(many, 400)
    assert 160 < sum(pair.left == "a" for pair in drawn) < 240  # a fair coin, 4 standard errors
    assert [pair.prompt for pair in drawn] != sorted(pair.prompt for pair in drawn)
    assert arena.blind_pairs(many, 400, seed=1) != drawn


@pytest.mark.parametrize(
    "call, message",
    [
        (lambda: arena.duels(REPLIES, ["a", "d"]), "there are no replies of 'd'; there are those of a, b, c"),
        (lambda: arena.duels(REPLIES, ["a"]), "two different contestants or more"),
        (lambda: arena.duels(REPLIES, ["a", "a", "b"]), "each named once"),
        (lambda: arena.duels({"a": ["x"], "b": ["x", "y"]}), "must answer the same prompts"),
        (lambda: arena.blind_pairs(REPLIES, 6), "6 pairs were asked for, and there are 5"),
        (lambda: arena.blind_pairs(REPLIES, -1), "-1 pairs were asked for"),
    ],
)
def test_what_cannot_be_paired_is_refused(call, message):
    with pytest.raises(ValueError, match=message):
        call()
