"""Both directions of a GPT over words and codes: a picture for a caption, a caption for a picture (notebook 16).

The tokens are sampled by the course's one sampler. Guidance without a classifier (Ho & Salimans 2022, 2207.12598) mixes the
scores of two readings, with the caption and without it; Bayes' rule turns a model of pictures into a reader.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import torch

from helpers.corpus.pictures import from_patches
from helpers.corpus.tokenizers.words_and_codes import WordsAndCodes
from helpers.generation.sampling import sample_tokens
from helpers.models.multimodal import caption_first
from helpers.models.utils import device_of, evaluating


def guided(conditional: torch.Tensor, unconditional: torch.Tensor, w: float) -> torch.Tensor:
    """Return scores [..., V] moved away from what is likely without the caption: u + w (c − u), with log-probabilities c, u.

    w = 0 forgets the caption, w = 1 is the model as it is, above 1 exaggerates what the caption changes. Both inputs are logits
    [..., V]. Raises ValueError for a w that is no number or below 0.
    """
    if not 0 <= w < float("inf"):
        raise ValueError(f"w is {w}: give 1 (no guidance) or more, usually 1.5 to 4; 0 forgets the caption")
    c, u = conditional.float().log_softmax(-1), unconditional.float().log_softmax(-1)
    return u + w * (c - u)


def paint(
    model,
    tokenizer: WordsAndCodes,
    captions: Sequence[str],
    *,
    length: int = 16,
    guidance: float = 1.0,
    temperature: float = 1.0,
    seed: int = 0,
    mix: Callable = guided,
) -> torch.Tensor:
    """Return codes int64 [N, length], one picture for each caption; of the same captions and seed always the same.

    With ``guidance`` other than 1 the model reads each picture twice: after its caption, and after ``<media>`` alone, as at the
    beginning of the picture-first rows; ``mix(with caption [N, V], without [N, V], guidance)`` makes one of both scores. Raises
    ValueError for unknown words, and for settings that make no sense.
    """
    words, number, device = tokenizer.captions(captions), len(captions), device_of(model)
    begin = caption_first(tokenizer, captions, words[:, :0])[:, :-1]  # <caption> words <media>
    alone = torch.full((number, 1), tokenizer.media)
    with_caption, without = _Reader(model, begin.to(device)), _Reader(model, alone.to(device))

    def read(tokens):
        scores = with_caption(tokens)
        return scores if guidance == 1 else mix(scores, without(tokens), guidance)

    return tokenizer.decode_codes(_sample(tokenizer, read, length, tokenizer.code_ids, temperature, seed))


def write_captions(
    model, tokenizer: WordsAndCodes, codes: torch.Tensor, *, words: int = 3, temperature: float = 0.0, seed: int = 0
) -> list[str]:
    """Return a caption of ``words`` words for each picture or sound ``codes`` [N, L]: the likeliest words, unless sampled."""
    media, caption = (torch.full((len(codes), 1), number) for number in (tokenizer.media, tokenizer.caption))
    begin = torch.cat((media, tokenizer.encode_codes(codes), caption), dim=1)
    read = _Reader(model, begin.to(device_of(model)))
    return [
        tokenizer.decode(row) for row in _sample(tokenizer, read, words, tokenizer.word_ids, temperature, seed).tolist()
    ]


class _Reader:
    """Gives a model the ids of N rows [N, T], then the tokens sampled: returns the scores [N, V] of the next ones."""

    def __init__(self, model, begin: torch.Tensor):
        self.model, self.begin, self.state = model, begin, None

    def __call__(self, tokens: torch.Tensor | None) -> torch.Tensor:
        ids = self.begin if tokens is None else tokens.to(self.begin.device)[:, None]
        with evaluating(self.model):
            logits, self.state = self.model(ids, self.state)
        return logits[:, -1]


def _sample(tokenizer: WordsAndCodes, read, length: int, allowed: range, temperature: float, seed: int) -> torch.Tensor:
    forbidden = [number for number in range(len(tokenizer)) if number not in allowed]
    rng = torch.Generator().manual_seed(seed)
    settings = {"max_tokens": length, "temperature": temperature, "forbidden": forbidden, "generator": rng}
    return torch.stack(list(sample_tokens(read, **settings)), dim=1).cpu()


def to_images(tokenizer: WordsAndCodes, codes: torch.Tensor, width: int = 8) -> torch.Tensor:
    """Return the pictures [N, H, width] that codes [N, L] stand for, float32; square patches as the tokenizer holds them."""
    size = round(tokenizer.codes.shape[1] ** 0.5)
    return from_patches(tokenizer.codes[codes], size, width)


# --- reading by Bayes' rule --------------------------------------------------------------------------------------------


@torch.no_grad()
def caption_log_likelihoods(
    model, tokenizer: WordsAndCodes, codes: torch.Tensor, captions: Sequence[str]
) -> torch.Tensor:
    """Return log p(picture | caption) in nats, [N, C]: of N pictures ``codes`` [N, L] after each of C captions.

    The sum over the L codes, each given the caption and the codes before it: C readings of the model for N rows.
    """
    columns, first = [], tokenizer.captions(captions).shape[1] + 2  # where the codes begin in a row
    with evaluating(model):
        for caption in captions:
            rows = caption_first(tokenizer, [caption] * len(codes), codes).to(device_of(model))
            scores = model(rows[:, :-2])[0].float().log_softmax(-1)  # what is read before <end> needs no score
            nats = scores.gather(-1, rows[:, 1:-1, None])[..., 0]
            columns.append(nats[:, first - 1 :].sum(-1).cpu())
    return torch.stack(columns, dim=1)


def bayes_reading(log_likelihoods: torch.Tensor, log_prior: torch.Tensor | None = None) -> torch.Tensor:
    """Return p(caption | picture) [N, C] by Bayes' rule from log p(picture | caption) [N, C] and log p(caption) [C].

    Without a prior all captions are as likely. Rows sum to 1. Raises ValueError when the prior has another length.
    """
    if log_prior is None:
        return log_likelihoods.softmax(-1)
    if log_prior.shape != log_likelihoods.shape[-1:]:
        raise ValueError(
            f"the prior has shape {list(log_prior.shape)}: give one for each of {log_likelihoods.shape[-1]}"
        )
    return (log_likelihoods + log_prior).softmax(-1)
