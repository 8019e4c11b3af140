"""What to look at while a bot and a judge play against each other: four numbers and a few replies (used in notebook 08)."""

from collections.abc import Sequence

import torch

from helpers.corpus.batches.base import IGNORED
from helpers.corpus.batches.context_reply_pairs import Pair, batch_of
from helpers.evaluation.text_metrics import distinct
from helpers.generation.rollout import sample_replies
from helpers.models.discriminators import side_by_side
from helpers.models.utils import device_of, evaluating
from helpers.training.losses import on, reply_loss

SHOWN = 0.7  # the temperature of the replies that are kept: that of a chat


class ReplyWatch:
    """Called as ``watch(generator, judge)`` by ``train_adversarially``; looks at pairs that neither of them learns from.

    Returns "accuracy" (of the judge, at the end of each reply, half of them people's), "likelihood" (nats per token of what
    people said, under the generator: lower is better), "distinct-2" of the first ``words`` words of its replies at
    temperature 1, their mean "words", and "replies" to ``prompts``, lists of token numbers that end with the own speaker's
    token. The dice are the same each time, so what changes is the generator. With fewer words than ``words``, distinct-2
    is left out: it would not compare.
    """

    def __init__(
        self,
        pairs: Sequence[Pair],
        tokenizer,
        prompts: Sequence[Sequence[int]] = (),
        max_tokens: int = 24,
        words: int = 1000,
        rows: int = 128,
    ):
        # In order of length, so that a row carries little padding.
        ordered = sorted(pairs, key=lambda pair: len(pair.reply))
        self.batches = [batch_of(ordered[at : at + rows], tokenizer.pad) for at in range(0, len(ordered), rows)]
        asked = [Pair(ids[:-1], [ids[-1], tokenizer.end]) for ids in prompts]
        self.prompts = batch_of(asked, tokenizer.pad) if asked else None
        self.tokenizer, self.max_tokens, self.words = tokenizer, max_tokens, words

    def __call__(self, generator, judge) -> dict:
        """Return the figures of this moment."""
        dice, device = torch.Generator(device_of(generator)).manual_seed(0), device_of(generator)
        right = said = nats = tokens = 0
        texts = []
        for batch in self.batches:
            human = on(batch, device)
            machine = sample_replies(generator, human, self.max_tokens, generator=dice)
            verdicts = last_verdicts(judge, side_by_side(human, machine, self.tokenizer.pad))
            half = len(verdicts) // 2
            right += int((verdicts[:half] > 0).sum() + (verdicts[half:] <= 0).sum())
            said += 2 * half
            counted = int((human.targets != IGNORED).sum())
            with evaluating(generator), torch.no_grad():
                nats += reply_loss(generator, human).item() * counted
            tokens += counted
            texts += reply_texts(machine, self.tokenizer)
        words = [text.split() for text in texts]
        figures = {"accuracy": right / said, "likelihood": nats / tokens, "words": sum(map(len, words)) / len(words)}
        # The texts came in order of length: mixed, their first words are those of short and long ones.
        mixed = [
            word
            for place in torch.randperm(len(words), generator=torch.Generator().manual_seed(0))
            for word in words[place]
        ]
        if len(mixed) >= self.words:
            figures["distinct-2"] = distinct([mixed[: self.words]], 2)
        if self.prompts is not None:
            dice = torch.Generator(device).manual_seed(0)
            said = sample_replies(generator, on(self.prompts, device), 40, temperature=SHOWN, generator=dice)
            figures["replies"] = reply_texts(said, self.tokenizer)
        return figures


def last_verdicts(judge, batch) -> torch.Tensor:
    """Return the judge's logit at the last token of each reply, [B]: its verdict on the whole."""
    lengths = (batch.targets != IGNORED).sum(1)
    with torch.no_grad():
        return judge.score(batch)[0].gather(1, lengths[:, None] - 1)[:, 0]


def reply_texts(batch, tokenizer) -> list[str]:
    """Return what the replies of a PairBatch say, without special tokens."""
    return [tokenizer.decode([token for token in row if token != IGNORED]).strip() for row in batch.targets.tolist()]
