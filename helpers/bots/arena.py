"""The arena: every bot of the course, people and constant replies answer the same prompts, and meet in blind pairs (notebook 15).

A prompt is the beginning of a held-out conversation. The bots' replies are stored (``data/arena_replies.csv``, written by
``python -m helpers experiments arena``); the conversations, and people's replies with them, are looked up in the installed
chitchat package. Beside the bots there are contestants that no ranking should go without: people themselves, people's
replies to *other* prompts, and replies that are the same whatever was said.
"""

import csv
import itertools
import random
import unicodedata
import warnings
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from helpers import data_path
from helpers.io import read_rows

PROMPTS = 60
AFTER = (3, 5, 7)  # turns of a prompt, in turn: a beginning, and two conversations that are under way
PROMPT_ROOM, REPLY_ROOM = 600, 200  # characters: a voter reads the whole prompt; 200 are the most that some bots write
TEMPERATURE = 0.7  # as everywhere on the scoreboard
SEEDS = (0, 1, 2)

PEOPLE = "people"
ELSEWHERE = "people elsewhere"
CONSTANTS = {
    "always fine": "I'm doing good, how are you?",
    "always unsure": "I don't know.",
    "always asking": "That's cool! What do you like to do for fun?",
}

PROMPT_COLUMNS = ("prompt", "conversation", "turns")
REPLY_COLUMNS = ("prompt", "seed", "contestant", "reply")


class Prompt(NamedTuple):
    """The turns so far of a held-out conversation, and what the person said next."""

    number: int
    conversation: str  # its id in the chitchat package
    turns: list[str]
    reply: str


class Duel(NamedTuple):
    """Two contestants whose replies to one prompt stand side by side."""

    prompt: int
    left: str
    right: str


# --- prompts -----------------------------------------------------------------------------------------------------------


def choose_prompts(conversations: Sequence, number: int = PROMPTS) -> list[Prompt]:
    """Return the first ``number`` prompts of ``conversations``, one of each: after 3, 5, 7, 3, … turns.

    A conversation is left out if it is over by then, if its prompt has more than 600 characters, and if what the person
    said next has none, or more than 200. Raises ValueError when there are fewer than ``number``.
    """
    prompts = []
    for talk in conversations:
        after = AFTER[len(prompts) % len(AFTER)]
        if len(prompts) == number or len(talk.turns) <= after:
            continue
        turns, reply = [turn.text for turn in talk.turns[:after]], talk.turns[after].text.strip()
        if sum(map(len, turns)) <= PROMPT_ROOM and 0 < len(reply) <= REPLY_ROOM:
            prompts.append(Prompt(len(prompts), talk.id, turns, reply))
    if len(prompts) < number:
        raise ValueError(f"{number} prompts were asked for, and these conversations give {len(prompts)}: ask for fewer")
    return prompts


def read_prompts(conversations: Sequence | None = None) -> list[Prompt]:
    """Return the prompts of ``data/arena_prompts.csv``; their texts come from ``conversations``, or the test split.

    Raises ValueError when one of them is not there: another version of the chitchat package, or other conversations.
    """
    if conversations is None:
        from helpers.corpus.load import load

        conversations = load().test
    known, prompts = {talk.id: talk for talk in conversations}, []
    for row in read_rows(data_path("arena_prompts.csv")):
        talk, after = known.get(row["conversation"]), row["turns"]
        if talk is None or len(talk.turns) <= after:
            raise ValueError(
                f"the conversation {row['conversation']} of prompt {row['prompt']} is not among these {len(known)}: "
                "give the test split of helpers.corpus.load.load()"
            )
        turns = [turn.text for turn in talk.turns]
        prompts.append(Prompt(row["prompt"], talk.id, turns[:after], turns[after].strip()))
    return prompts


# --- replies -----------------------------------------------------------------------------------------------------------


def replies_of(bot, prompts: Sequence[Prompt], seed: int = 0) -> list[str]:
    """Return the bot's reply to each prompt, at temperature 0.7; a reply without any text is sampled again."""
    replies = []
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # a bot with a short context reads the end of a long prompt
        for prompt in prompts:
            tries = (1000 * seed + prompt.number + 100_000 * attempt for attempt in range(20))
            texts = (_legible(bot.reply(prompt.turns, temperature=TEMPERATURE, seed=number)) for number in tries)
            replies.append(next((text for text in texts if text), "…"))
    return replies


def _legible(text: str) -> str:
    """Leave out control characters: a table of texts cannot hold them all, and no one sees them."""
    return "".join(c for c in text if c == "\n" or unicodedata.category(c) != "Cc").strip()


def without_bots(prompts: Sequence[Prompt]) -> dict[str, list[str]]:
    """Return the replies of the contestants that are no bots: people, people elsewhere, and the constant ones.

    "people elsewhere" says what a person said in the conversation of the next prompt with equally many turns: a real
    reply of the same kind, in the wrong place.
    """
    other = {}
    for after in {len(prompt.turns) for prompt in prompts}:
        same = [prompt for prompt in prompts if len(prompt.turns) == after]
        other |= {prompt.number: following.reply for prompt, following in zip(same, same[1:] + same[:1])}
    people = {PEOPLE: [prompt.reply for prompt in prompts], ELSEWHERE: [other[prompt.number] for prompt in prompts]}
    return people | {name: [text] * len(prompts) for name, text in CONSTANTS.items()}


def read_replies(seed: int = 0, prompts: Sequence[Prompt] | None = None) -> dict[str, list[str]]:
    """Return {contestant: its reply to each prompt}: the stored bots, then people, people elsewhere and the constants.

    ``seed`` is that of the bots' replies, one of SEEDS; ``prompts`` are those of ``read_prompts``. Raises ValueError for
    another seed, and when the table lacks a reply.
    """
    prompts = read_prompts() if prompts is None else prompts
    bots: dict[str, dict[int, str]] = {}
    for (name, of, prompt), reply in stored_replies(data_path("arena_replies.csv")).items():
        if of == seed:
            bots.setdefault(name, {})[prompt] = reply
    if not bots:
        raise ValueError(f"there are no replies of seed {seed}: the seeds are {', '.join(map(str, SEEDS))}")
    wanted = [prompt.number for prompt in prompts]
    for name, replies in bots.items():
        if lacking := [number for number in wanted if number not in replies]:
            raise ValueError(f"{name} has no reply to prompt {lacking[0]}: run python -m helpers experiments arena")
    return {name: [replies[number] for number in wanted] for name, replies in bots.items()} | without_bots(prompts)


def stored_replies(path: Path) -> dict[tuple[str, int, int], str]:
    """Return {(bot, seed, number of the prompt): reply} of a file with REPLY_COLUMNS: texts as they are, "007" too."""
    with path.open(encoding="utf-8", newline="") as file:
        return {(row["contestant"], int(row["seed"]), int(row["prompt"])): row["reply"] for row in csv.DictReader(file)}


# --- pairs -------------------------------------------------------------------------------------------------------------


def duels(replies: Mapping[str, Sequence[str]], names: Sequence[str] | None = None) -> list[Duel]:
    """Return all pairs of contestants for every prompt, without those whose replies are the same text.

    ``replies`` is {contestant: its reply to each prompt}; ``names`` are those that take part, in the order that says who
    stands on the left (default: all). Raises ValueError for fewer than two, an unknown one, and lists of unequal length.
    """
    names = _names(replies, names)
    return [
        Duel(prompt, left, right)
        for prompt in range(len(replies[names[0]]))
        for left, right in itertools.combinations(names, 2)
        if replies[left][prompt] != replies[right][prompt]
    ]


def blind_pairs(
    replies: Mapping[str, Sequence[str]], number: int | None = None, seed: int = 0, names: Sequence[str] | None = None
) -> list[Duel]:
    """Return ``number`` duels for a blind vote (default: all), in random order, each side by the toss of a coin.

    A pair whose replies are the same text teaches nothing and is left out, and so is one with an empty reply: anyone
    sees which that is. Raises ValueError as ``duels`` does, and when there are fewer than ``number``.
    """
    rng = random.Random(seed)
    pairs = [duel for duel in duels(replies, names) if all(replies[name][duel.prompt].strip() for name in duel[1:])]
    if number is not None and not 0 <= number <= len(pairs):
        raise ValueError(f"{number} pairs were asked for, and there are {len(pairs)}: ask for fewer")
    rng.shuffle(pairs)
    return [pair if rng.random() < 0.5 else Duel(pair.prompt, pair.right, pair.left) for pair in pairs[:number]]


def _names(replies: Mapping[str, Sequence[str]], names: Sequence[str] | None) -> list[str]:
    names = list(replies if names is None else names)
    if unknown := [name for name in names if name not in replies]:
        raise ValueError(f"there are no replies of {unknown[0]!r}; there are those of {', '.join(replies)}")
    if len(set(names)) < 2 or len(set(names)) < len(names):
        raise ValueError(f"an arena needs two different contestants or more, each named once: got {names}")
    if len({len(replies[name]) for name in names}) > 1:
        raise ValueError("all contestants must answer the same prompts: these lists of replies differ in length")
    return names
