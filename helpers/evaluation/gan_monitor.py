"""What to watch while a bot and a discriminator train against each other: four numbers and a few replies (notebook 08)."""

from collections.abc import Sequence

import torch

from helpers.corpus.batches.base import IGNORED, Pair
from helpers.corpus.batches.context_reply_pairs import batch_of
from helpers.evaluation.text_metrics import distinct
from helpers.generation.rollout import sample_replies
from helpers.models.discriminators import concatenated
from helpers.models.utils import device_of, evaluating
from helpers.training.losses import reply_loss, to_device

TEMPERATURE = 0.7  # of the replies that are kept: that of a chat


class ReplyMonitor:
    """Called as ``watch(generator, discriminator)`` by ``train_adversarially``; measures on pairs neither learns from.

    Returns "accuracy" (of the discriminator, at the end of each reply, half of them people's), "likelihood" (nats per token
    of people's replies, under the generator: lower is better), "distinct-2" of the first ``words`` words of its replies at
    temperature 1, their mean "words", and "replies" to ``prompts``, lists of token ids that end with the own speaker's
    token. The random seed is the same each time, so what changes is the generator. With fewer words than ``words``,
    distinct-2 is left out: it would not compare.
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

    def __call__(self, generator, discriminator) -> dict:
        """Return the figures of this moment."""
        device, right, total, nats, tokens, words = device_of(generator), 0, 0, 0, 0, []
        rng = torch.Generator(device).manual_seed(0)
        for batch in self.batches:
            human = to_device(batch, device)
            machine = sample_replies(generator, human, self.max_tokens, generator=rng)
            logits = last_logits(discriminator, concatenated(human, machine, self.tokenizer.pad))
            half, size = len(logits) // 2, int((human.targets != IGNORED).sum())
            right += int((logits[:half] > 0).sum() + (logits[half:] <= 0).sum())
            total += 2 * half
            with evaluating(generator), torch.no_grad():
                nats += reply_loss(generator, human).item() * size
            tokens += size
            words += [text.split() for text in reply_texts(machine, self.tokenizer)]
        figures = {"accuracy": right / total, "likelihood": nats / tokens, "words": sum(map(len, words)) / len(words)}
        # The texts came in order of length: shuffled, their first words are those of short and long ones.
        order = torch.randperm(len(words), generator=torch.Generator().manual_seed(0))
        shuffled = [word for number in order for word in words[number]]
        if len(shuffled) >= self.words:
            figures["distinct-2"] = distinct([shuffled[: self.words]], 2)
        if self.prompts is not None:
            rng = torch.Generator(device).manual_seed(0)
            replies = sample_replies(generator, to_device(self.prompts, device), 40, temperature=TEMPERATURE, generator=rng)
            figures["replies"] = reply_texts(replies, self.tokenizer)
        return figures


def last_logits(discriminator, batch) -> torch.Tensor:
    """Return the discriminator's logit at the last token of each reply, [B]: its output for the whole."""
    lengths = (batch.targets != IGNORED).sum(1)
    with torch.no_grad():
        return discriminator.score(batch)[0].gather(1, lengths[:, None] - 1)[:, 0]


def reply_texts(batch, tokenizer) -> list[str]:
    """Return the replies of a PairBatch as texts, without special tokens."""
    return [tokenizer.decode([token for token in row if token != IGNORED]).strip() for row in batch.targets.tolist()]
