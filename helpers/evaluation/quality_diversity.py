"""Quality against diversity over the temperature: the curve by which text GANs are compared (used in notebook 08)."""

from collections.abc import Sequence

from helpers.corpus.batches.base import Pair
from helpers.evaluation.human_or_bot_classifier import Evaluator, likelihood_features
from helpers.evaluation.text_metrics import distinct, self_bleu
from helpers.generation.rollout import generate_replies

WORDS = 1000  # diversity is that of equally many words


def with_sampled_replies(
    model, pairs: Sequence[Pair], tokenizer, temperature: float = 1.0, max_tokens: int = 24, seed: int = 0
) -> list[Pair]:
    """Return ``pairs`` in their order, with sampled replies of ``model`` in place of people's (see ``generate_replies``)."""
    prompts = [[*pair.context, int(pair.reply[0])] for pair in pairs]
    settings = {"max_tokens": max_tokens, "temperature": temperature, "rows": 128, "seed": seed}
    return [pair for (pair,) in generate_replies(model, tokenizer, prompts, **settings)]


def quality_and_diversity(evaluator: Evaluator, replies: Sequence[Pair]) -> dict:
    """Return how good and how diverse replies are, as numbers by name.

    "nats" is the quality: the mean nats per token under the evaluator's first reader (lower is what it finds more natural,
    but far below people's own value is dull, not good). "distinct-2" is the diversity of the first 1,000 words, None if there
    are fewer; "self-bleu-2" that of the first 200 replies (lower is more diverse). "words" is the mean length.
    """
    texts = [evaluator.tokenizer.decode([int(token) for token in pair.reply]).split() for pair in replies]
    words = [word for text in texts for word in text]
    nats = likelihood_features(evaluator.readers[0], replies, evaluator.tokenizer.pad)[:, 0]
    lengths = [len(pair.reply) - 1 for pair in replies]
    return {
        "nats": float((nats * lengths).sum() / sum(lengths)),
        "distinct-2": distinct([words[:WORDS]], 2) if len(words) >= WORDS else None,
        "self-bleu-2": self_bleu(texts[:200], 2),
        "words": len(words) / len(texts),
    }
