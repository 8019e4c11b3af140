"""The surprisal of a text under a model, in bits per character, word or byte (built in notebook 02).

Every model is read in the same way: ``<end>`` first, then the conversation as ``encode_conversation`` writes it. A
tokenizer's ``<unknown>`` stands for any character there is, so predicting it does not yet predict which: each costs
ln(1,114,112 − vocabulary characters) nats more, as if all characters the model does not know were equally likely.
Without that, a model would gain by knowing fewer characters. A tokenizer without ``<unknown>`` needs none of this.

A model with an attribute ``context``, the most tokens it can read, reads what is longer in windows that overlap by half.
"""

import math
from collections.abc import Iterable, Iterator, Sequence

import numpy as np
import torch
from torch.nn import functional

from helpers.corpus.batches.base import Pair, padded
from helpers.corpus.conversations import Conversation
from helpers.corpus.tokenizers.bpe import BPETokenizer
from helpers.corpus.tokenizers.characters import CharTokenizer
from helpers.generation.scoring import reply_log_probabilities, token_log_probabilities
from helpers.models.encoder_decoder import EncoderDecoder
from helpers.models.rnn import CharRNN
from helpers.models.utils import device_of, evaluating

CODE_POINTS = 1_114_112  # every character that Unicode has room for
BATCH = 32  # conversations read side by side
WINDOW = 512  # tokens read at once; the state is carried over
MOST_LOGITS = 1 << 24  # of one call of the model: with a large vocabulary fewer conversations are read side by side
SPEAKERS = "AB"


def surprisal(model, tokenizer, text: str, context: Sequence[str] = ()) -> tuple[list[str], np.ndarray]:
    """Return the characters of ``text`` (of another tokenizer: its tokens) and the bits of each, −log2 p, float64 [N].

    Joined, the tokens are the text: where several tokens share a character, an emoji say, they stand as one, with the
    sum of their bits. ``context`` holds the messages so far, the oldest first; A and B take turns, and ``text`` is the
    next turn. The model reads ``<end>``, the messages with their speaker tokens, then the text; the token that closes
    the text is left out. An unknown character costs more, see above. The model is put into evaluation mode
    and back. Raises TypeError when ``context`` is one string.
    """
    ids, tokens = _tokens_of(tokenizer, text, context)
    with evaluating(model), torch.no_grad():
        (nats,) = _score(model, tokenizer, [ids])
    return _whole(tokenizer, text, tokens, nats[len(nats) - len(tokens) :] / math.log(2))


def _tokens_of(tokenizer, text: str, context: Sequence[str]) -> tuple[np.ndarray, list[int]]:
    """Return the tokens of ``<end>``, the messages so far and ``text``, and those of ``text`` alone."""
    if isinstance(context, str):
        raise TypeError(f"context is one text: put it into a list, context=[{context[:20]!r}]")
    ids = [tokenizer.end]
    for turn, message in enumerate([*context, text]):
        tokens = tokenizer.encode(message)
        ids += [tokenizer.speaker(SPEAKERS[turn % 2]), *tokens]
    return np.array(ids), tokens


def by_word(tokens: Sequence[str], bits: Sequence[float]) -> tuple[list[str], np.ndarray]:
    """Join tokens to words, each with the white space before it, and add up their bits, float64 [words].

    A word's bits can be compared between models with different tokens. White space at the end of the text stands alone.
    Raises ValueError when there is not one number per token.
    """
    if len(tokens) != len(bits):
        raise ValueError(f"give one number per token: got {len(tokens)} tokens and {len(bits)} numbers")
    words, sums = [], []
    for token, value in zip(tokens, bits):
        inside = words and not (words[-1].strip() and (words[-1][-1].isspace() or token[:1].isspace()))
        if inside:
            words[-1] += token
            sums[-1] += value
        else:
            words.append(token)
            sums.append(value)
    return words, np.array(sums, dtype=np.float64)


def conversation_nats(model, tokenizer, conversations: Iterable[Conversation]) -> tuple[float, int]:
    """Return the negative log-likelihood of all tokens in nats, and the UTF-8 bytes of all turns.

    The tokens are those of ``encode_conversation``: characters, speaker tokens and ``<end>``; each conversation is read
    from ``<end>`` with nothing before it. An unknown character costs more, see above. Networks read up to 32
    conversations of similar length side by side; a model with ``negative_log_likelihood(ids)``, such as ``NGram``, reads one
    after the other; the sum is the same. Raises ValueError when there is no conversation.
    """
    conversations = list(conversations)
    size = sum(len(turn.text.encode("utf-8")) for conversation in conversations for turn in conversation.turns)
    return math.fsum(float(nats.sum()) for nats in token_nats(model, tokenizer, conversations)), size


def token_nats(model, tokenizer, conversations: Iterable[Conversation]) -> list[np.ndarray]:
    """Return the nats of each token of each conversation, a list of float64 [N], in the order they were given.

    The tokens are those of ``encode_conversation``; how they are read, and the error, are as in ``conversation_nats``.
    """
    rows = [np.array([tokenizer.end, *tokenizer.encode_conversation(each)], dtype=np.int32) for each in conversations]
    if not rows:
        raise ValueError("there is no conversation to measure: give at least one")
    order = sorted(range(len(rows)), key=lambda i: len(rows[i]), reverse=True)  # as ``_score`` reads them
    with evaluating(model), torch.no_grad():
        scored = dict(zip(order, _score(model, tokenizer, [rows[i] for i in order])))
    return [scored[i] for i in range(len(rows))]


def bits_per_byte_on(model, tokenizer, conversations: Iterable[Conversation]) -> float:
    """Return the surprisal in bits per UTF-8 byte, nats / ln 2 / bytes: the scoreboard's measure. Lower is better.

    Speaker tokens and ``<end>`` are included although they have no bytes: whose turn it is, is part of what must be
    predicted. See ``conversation_nats``. Raises ValueError when the turns have no text.
    """
    nats, size = conversation_nats(model, tokenizer, conversations)
    if not size:
        raise ValueError("the conversations have no text: bits per byte needs at least one byte")
    return nats / math.log(2) / size


def reply_bits(bot, replies: Sequence[str], contexts: Sequence[Sequence[str]]) -> np.ndarray:
    """Return the bits of each reply after its context, −log2 p, float64 [N] (notebook 03).

    ``contexts[n]`` holds the messages before ``replies[n]``. Ask it twice, once with the contexts of other replies, and the
    difference is what the right context is worth. Raises ValueError when the two lists are not of one length.
    """
    if len(replies) != len(contexts):
        raise ValueError(f"give one context per reply: got {len(replies)} replies and {len(contexts)} contexts")
    rows = [_tokens_of(bot.tokenizer, text, before) for text, before in zip(replies, contexts)]
    if (
        isinstance(bot.model, EncoderDecoder)
        and bot.tokenizer.unknown is None
        and all(len(tokens) for _, tokens in rows)
    ):
        # Only the last turn is scored, and many of them side by side.
        cut = [Pair(ids[: -len(tokens) - 1], ids[-len(tokens) - 1 :]) for ids, tokens in rows]
        return reply_log_probabilities(bot.model, cut, bot.tokenizer.pad).double().numpy() / -math.log(2)
    order = sorted(range(len(rows)), key=lambda i: -len(rows[i][0]))  # as ``_score`` yields them
    bits = np.zeros(len(rows))
    with evaluating(bot.model), torch.no_grad():
        for i, nats in zip(order, _score(bot.model, bot.tokenizer, [rows[i][0] for i in order])):
            bits[i] = nats[len(nats) - len(rows[i][1]) :].sum() / math.log(2)
    return bits


@torch.no_grad()
def reply_bits_per_byte(model, tokenizer, conversations, speaker: str | None = None, context: int = 256) -> float:
    """Return the bits per UTF-8 byte of one speaker's turns, read in rows of whole turns (notebook 07). Lower is better.

    The turns of ``speaker`` (None: of all) count, with the token that closes each, as
    ``helpers.corpus.batches.reply_only_labels`` has them; the rest is read and costs nothing. ``model`` takes ids [B, T]
    of at most ``context`` tokens. Of a turn that is longer than a row the end is left out, and so are its bytes. Raises
    ValueError when there is no such turn.
    """
    from helpers.corpus.batches.reply_only_labels import ReplyBatches, reply_rows

    rows, device = reply_rows(conversations, tokenizer, context, speaker), device_of(model)
    size = sum(len(tokenizer.decode(row.ids[row.mask]).encode("utf-8")) for row in rows)
    batches, nats = ReplyBatches(rows, BATCH, pad=tokenizer.pad), 0.0
    with evaluating(model):
        for number in range(len(batches)):
            inputs, targets = (part.to(device) for part in batches[number][:2])
            logits, _ = model(inputs)
            nats += functional.cross_entropy(logits.float().flatten(0, 1), targets.flatten(), reduction="sum").item()
    return nats / math.log(2) / size


def _whole(tokenizer, text: str, ids: list[int], bits: np.ndarray) -> tuple[list[str], np.ndarray]:
    """Return the tokens as text, with their bits; tokens that hold parts of one character are joined."""
    if isinstance(tokenizer, CharTokenizer):
        return list(text), bits
    if not isinstance(tokenizer, BPETokenizer):
        return [tokenizer.decode([number]) for number in ids], bits
    pieces, starts, run = [], [], b""
    for index, number in enumerate(ids):
        starts += [index] * (not run)
        run += tokenizer.bytes[number]
        try:
            pieces.append(run.decode("utf-8"))
            run = b""
        except UnicodeDecodeError:
            pass  # the character goes on in the next token
    return pieces, np.add.reduceat(bits, starts) if starts else bits


def _score(model, tokenizer, rows: list[np.ndarray]) -> Iterator[np.ndarray]:
    """Yield the nats of each row's tokens but the first, float64 [N - 1], for the longest row first."""
    rows = sorted(rows, key=len, reverse=True)  # rows of similar length side by side: little padding
    unknown = tokenizer.unknown
    extra = math.log(CODE_POINTS - len(tokenizer.characters)) if unknown is not None else 0.0
    for row, nats in zip(rows, _scored(model, tokenizer, rows)):
        yield nats + extra * (row[1:] == unknown) if unknown is not None else nats


def _scored(model, tokenizer, rows: list[np.ndarray]) -> Iterator[np.ndarray]:
    if hasattr(model, "negative_log_likelihood"):
        for row in rows:
            yield np.asarray(model.negative_log_likelihood(row), dtype=np.float64)
        return
    context = getattr(model, "context", None)
    batch_size = min(BATCH, max(1, MOST_LOGITS // ((context or WINDOW) * len(tokenizer))))
    if context is not None:
        yield from _in_windows(model, rows, tokenizer.pad, context, batch_size)
        return
    batch_size = batch_size if isinstance(model, torch.nn.Module) else 1
    for start in range(0, len(rows), batch_size):
        yield from _read(model, rows[start : start + batch_size], tokenizer.pad)


def _read(model, rows: list[np.ndarray], pad: int) -> list[np.ndarray]:
    """Read up to 32 rows side by side, the longest first, and return the nats of each."""
    ids = padded(rows, pad)
    nats, state, device = np.empty((len(rows), len(rows[0]) - 1)), None, device_of(model)
    for start in range(0, nats.shape[1], WINDOW):
        count = len(rows)
        if start and isinstance(model, CharRNN):  # rows that have ended are read no further; its states are [layers, B, H]
            count = sum(len(row) - 1 > start for row in rows)
            pair = isinstance(state, tuple)
            state = tuple(part[:, :count].contiguous() for part in state) if pair else state[:, :count].contiguous()
        window = ids[:count, start : start + WINDOW + 1].to(device)  # [B, T + 1]
        targets = window[:, 1:]
        logits, state = model(window[:, :-1], state)
        nats[:count, start : start + WINDOW] = _nats(logits, targets)
    # What follows a row's end is padding. No model looks ahead, so it changed nothing before it.
    return [line[: len(row) - 1] for line, row in zip(nats, rows)]


def _in_windows(model, rows: list[np.ndarray], pad: int, context: int, batch_size: int) -> list[np.ndarray]:
    """Read rows of any length with a model that takes ``context`` tokens at most, and return the nats of each.

    A window begins ``context // 2`` tokens after the one before it and scores what that one had not reached. So every
    token is scored once, and with at least half a window before it, where there is as much.
    """
    nats, step = [np.empty(len(row) - 1) for row in rows], max(1, context // 2)
    windows = [(index, start, min(context, len(row) - 1 - start)) for index, row in enumerate(rows)
             for start in range(0, max(1, len(row) - 1 - context + step), step)]  # fmt: skip
    windows.sort(key=lambda window: -window[2])  # windows of similar length side by side
    for first in range(0, len(windows), batch_size):
        chosen = windows[first : first + batch_size]
        ids = padded([rows[index][start : start + length + 1] for index, start, length in chosen], pad)
        ids = ids.to(device_of(model))
        for (index, start, length), line in zip(chosen, _nats(model(ids[:, :-1])[0], ids[:, 1:])):
            scored = 0 if start == 0 else context - step
            nats[index][start + scored : start + length] = line[scored:length]
    return nats


def _nats(logits: torch.Tensor, targets: torch.Tensor) -> np.ndarray:
    """Return −ln p of each target [B, T], given logits [B, T, V], float64."""
    return -token_log_probabilities(logits, targets)[0].double().cpu().numpy()
