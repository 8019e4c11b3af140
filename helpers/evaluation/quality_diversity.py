"""Quality against variety over the temperature: the curve on which text GANs were weighed (used in notebook 08)."""

from collections.abc import Sequence

import torch

from helpers.corpus.batches.base import IGNORED
from helpers.corpus.batches.context_reply_pairs import Pair, batch_of
from helpers.evaluation.human_or_bot_classifier import Evaluator, readings
from helpers.evaluation.text_metrics import distinct, self_bleu
from helpers.generation.rollout import sample_replies
from helpers.models.utils import device_of
from helpers.training.losses import on

WORDS = 1000  # variety is that of equally many words


def answered(model, pairs: Sequence[Pair], pad: int, temperature: float = 1.0, max_tokens: int = 24, seed: int = 0):
    """Return ``pairs`` with the replies of ``model``, an encoder–decoder, in place of people's: a list of Pairs, in order."""
    device, made = device_of(model), [None] * len(pairs)
    dice = torch.Generator(device).manual_seed(seed)
    order = sorted(range(len(pairs)), key=lambda row: len(pairs[row].context))
    for at in range(0, len(order), 128):
        rows = order[at : at + 128]
        batch = on(batch_of([pairs[row] for row in rows], pad), device)
        said = sample_replies(model, batch, max_tokens, temperature=temperature, generator=dice).targets.tolist()
        for row, reply in zip(rows, said):
            spoken = [token for token in reply if token != IGNORED]
            made[row] = Pair(pairs[row].context, [int(pairs[row].reply[0]), *spoken])
    return made


def quality_and_variety(evaluator: Evaluator, replies: Sequence[Pair]) -> dict:
    """Return how good and how varied replies are, as numbers by name.

    "nats" is the quality: the mean nats per token under the evaluator's first reader (lower is what it finds more natural,
    but far below people's own value is dull, not good). "distinct-2" is the variety of the first 1,000 words, None if there
    are fewer; "self-bleu-2" that of the first 200 replies (lower is more varied). "words" is the mean length.
    """
    texts = [evaluator.tokenizer.decode([int(token) for token in pair.reply]).split() for pair in replies]
    together = [word for words in texts for word in words]
    nats = readings(evaluator.readers[0], replies, evaluator.tokenizer.pad)[:, 0]
    lengths = [len(pair.reply) - 1 for pair in replies]
    return {
        "nats": float((nats * lengths).sum() / sum(lengths)),
        "distinct-2": distinct([together[:WORDS]], 2) if len(together) >= WORDS else None,
        "self-bleu-2": self_bleu(texts[:200], 2),
        "words": len(together) / len(texts),
    }
