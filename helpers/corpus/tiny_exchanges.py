"""A tiny world of messages and replies in which every right reply is known (built for notebook 08).

Six nouns and three kinds of messages: "do you like tea ?", "is there any tea ?" and "shall we get tea ?". Each of the 18
messages has exactly four right replies, all equally likely, so that both can be counted: how many of a bot's replies are right
(quality), and how many of the right ones it ever says (coverage). Three messages are held out: no model sees them in training.
"""

from typing import NamedTuple

import torch

NOUNS = ("tea", "rain", "dogs", "jazz", "pizza", "snow")
END = "."  # number 0: it fills what a sentence leaves empty
KINDS = {
    "do you like {} ?": ("yes i love {}", "no i hate {}", "{} is great", "not so much"),
    "is there any {} ?": ("yes lots of {}", "no more {}", "a little {}", "only a bit"),
    "shall we get {} ?": ("yes {} please", "no {} today", "{} sounds good", "if you like"),
}
HELD_OUT = ("do you like jazz ?", "is there any snow ?", "shall we get dogs ?")
REPLIES = 4  # right ones for each message



class TinyExchanges(NamedTuple):
    """The world in numbers: N messages of S words, each with R right replies of T words."""

    vocabulary: list[str]  # the words; a word's number is its index
    messages: torch.Tensor  # [N, S] int64
    replies: torch.Tensor  # [N, R, T] int64
    held_out: torch.Tensor  # [N] bool: messages that no model sees in training

    def text(self, numbers) -> str:
        """Return a sentence [S] or [T] as words, without what fills it up."""
        return " ".join(self.vocabulary[int(number)] for number in numbers if int(number))

    def sample(self, rows: int, rng: torch.Generator) -> tuple[torch.Tensor, torch.Tensor]:
        """Return random training messages [rows, S], each with one of its right replies [rows, T]."""
        training = (~self.held_out).nonzero()[:, 0]
        numbers = training[torch.randint(len(training), (rows,), generator=rng)]
        return self.messages[numbers], self.replies[numbers, torch.randint(REPLIES, (rows,), generator=rng)]


def tiny_exchanges() -> TinyExchanges:
    """Return the world: the same on every computer, nothing in it is random."""
    world = {kind.format(noun): [reply.format(noun) for reply in KINDS[kind]] for kind in KINDS for noun in NOUNS}
    words = sorted({word for message, replies in world.items() for text in (message, *replies) for word in text.split()})
    vocabulary = [END, *words]

    def numbers(texts, length):
        rows = [[vocabulary.index(word) for word in text.split()] for text in texts]
        return torch.tensor([row + [0] * (length - len(row)) for row in rows])

    messages = numbers(world, max(len(text.split()) for text in world))
    longest = max(len(reply.split()) for replies in world.values() for reply in replies)
    replies = torch.stack([numbers(replies, longest) for replies in world.values()])
    return TinyExchanges(vocabulary, messages, replies, torch.tensor([message in HELD_OUT for message in world]))
