"""What stands on the scoreboard about a bot: measured in the same way for all (notebook 02 on)."""

import time
import warnings

from helpers.bots import checkpoints
from helpers.evaluation import scoreboard
from helpers.evaluation.likelihood import bits_per_byte_on
from helpers.evaluation.text_metrics import distinct, entropy, self_bleu
from helpers.models.utils import parameter_count

CONTEXTS = 200  # replies that each bot gives at most: to the first three turns of so many test conversations
TEMPERATURE = 0.7
WORDS = 1000  # diversity falls with the length of a text, so every bot is measured on equally many words


def measure(bot, test) -> dict:
    """Return a bot's figures, named as the scoreboard's columns: bits per byte on ``test``, and what its replies are like.

    ``test`` is a list of Conversations. The replies answer the first three turns of 200 of them (of the course's there are
    177 with four turns), at temperature 0.7, with seeds 0, 1, 2, …; distinct-1, distinct-2 and entropy-4 look at the first
    1,000 words of these replies, Self-BLEU-4 at all replies. With a few conversations only it takes seconds and is a rough
    guess; figures are comparable between bots that were measured on the same ones.
    """
    contexts = [[turn.text for turn in talk.turns[:3]] for talk in test if len(talk.turns) > 3][:CONTEXTS]
    start = time.perf_counter()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # a bot with a short context reads the end of a long conversation: that is its measure
        replies = [bot.reply(context, temperature=TEMPERATURE, seed=seed) for seed, context in enumerate(contexts)]
    seconds = (time.perf_counter() - start) / len(contexts)
    words = [reply.split() for reply in replies]
    first = first_words(words, WORDS)
    return {
        "parameters": parameter_count(bot.model),
        "bits per byte": bits_per_byte_on(bot.model, bot.tokenizer, test),
        "distinct-1": distinct(first, 1),
        "distinct-2": distinct(first, 2),
        "entropy-4": entropy(first, 4),
        "self-bleu-4": self_bleu(words, 4),
        "reply length": sum(map(len, words)) / len(words),
        "seconds per reply": seconds,
    }


def first_words(replies: list[list[str]], number: int) -> list[list[str]]:
    """Return the first replies that have ``number`` words in sum, the last of them cut."""
    kept, left = [], number
    for words in replies:
        if left <= 0:
            break
        kept.append(words[:left])
        left -= len(kept[-1])
    return kept


def record(name: str, figures: dict) -> None:
    """Write a bot's figures to its card and to its row on the scoreboard."""
    checkpoints.note_metrics(name, figures)
    scoreboard.write(name, figures)
