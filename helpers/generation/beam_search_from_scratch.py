"""Beam search as a short function that can be read at one sitting, and its tree (built in notebook 03).

It asks for the log-probabilities of the next token after each beginning, whatever model they come from. ``beam_search`` of
``helpers.generation.beam_search`` finds the same replies and stops sooner.
"""

from collections.abc import Callable, Iterable, Sequence

import torch

from helpers.models.utils import device_of, evaluating

NextLogProbabilities = Callable[[list[list[int]]], torch.Tensor]
Found = list[tuple[list[int], float]]


def beam_search(
    log_p: NextLogProbabilities, width: int, max_tokens: int, end: int, length_penalty: float = 0.0
) -> Found:
    """Return the replies that a beam search finds, (tokens, log-probability), the best first.

    ``log_p(beginnings)`` returns log p [n, V] of the token after each of n lists of tokens. At each step the ``width``
    likeliest of all continuations are kept; those that end in ``end`` are set aside, without it. What has not ended after
    ``max_tokens`` tokens is set aside as it is. The order is by log-probability / (tokens + 1) ** ``length_penalty``: at 0
    by the sum, which favors short replies.
    """
    beams, done = [([], 0.0)], []
    for _ in range(max_tokens):
        table = log_p([tokens for tokens, _ in beams])
        children = [
            ([*tokens, token], total + log_probability)
            for (tokens, total), row in zip(beams, table)
            for log_probability, token in zip(*(best.tolist() for best in row.topk(min(width, len(row)))))
        ]
        kept = sorted(children, key=lambda child: child[1], reverse=True)[:width]
        done += [(tokens[:-1], total) for tokens, total in kept if tokens[-1] == end]
        beams = [child for child in kept if child[0][-1] != end]
        if not beams:
            break
    return sorted(done + beams, key=lambda reply: reply[1] / (len(reply[0]) + 1) ** length_penalty, reverse=True)


class NextToken:
    """What a beam search asks a model: ``NextToken(model, ids, …)(beginnings)`` is log p [n, V] of the next token.

    The reply goes on from the tokens ``ids``. A reply may end with any token of ``stop``: their probabilities are added
    and stand in the column of ``end``, the first of them. ``forbidden`` tokens have probability 0. Beginnings that continue
    those of the call before cost one step of the model; others are read anew. ``asked`` keeps the beginnings of each call.
    """

    def __init__(self, model, ids: Sequence[int], stop: Iterable[int], forbidden: Iterable[int] = ()):
        self.model, self.ids, self.stop, self.forbidden = model, list(ids), list(stop), list(forbidden)
        self.end = self.stop[0]
        self.asked: list[list[list[int]]] = []
        self._state = None

    @torch.no_grad()
    def __call__(self, beginnings: list[list[int]]) -> torch.Tensor:
        before = {tuple(tokens): row for row, tokens in enumerate(self.asked[-1])} if self.asked else {}
        rows = [before.get(tuple(tokens[:-1])) if tokens else None for tokens in beginnings]
        device = device_of(self.model)
        if None in rows or not hasattr(self.model, "select_rows"):
            read, state = [[*self.ids, *tokens] for tokens in beginnings], None
        else:
            read = [tokens[-1:] for tokens in beginnings]
            state = self.model.select_rows(self._state, torch.tensor(rows, device=device))
        with evaluating(self.model):
            logits, self._state = self.model(torch.tensor(read, device=device), state)
        self.asked.append([list(tokens) for tokens in beginnings])
        log_p = logits[:, -1].double().cpu().log_softmax(-1)
        ends = log_p[:, self.stop].logsumexp(-1)
        log_p[:, [*self.stop, *self.forbidden]] = float("-inf")
        log_p[:, self.end] = ends
        return log_p


def search_tree(log_p: NextToken, tokenizer, steps: int = 4, candidates: int = 6) -> list[list[tuple]]:
    """Return the first steps of a search that asked ``log_p``, as ``drawings.beam_search`` takes them.

    Of each step the likeliest ``candidates`` are listed: (token, log-probability of the whole so far, index of its parent in
    the step before, whether the search went on with it). Raises ValueError when nothing has been asked yet.
    """
    if not log_p.asked:
        raise ValueError("nothing has been asked yet: search first")
    again, levels, parents = NextToken(log_p.model, log_p.ids, log_p.stop, log_p.forbidden), [], {(): (None, 0.0)}
    for beginnings, following in list(zip(log_p.asked, [*log_p.asked[1:], []]))[:steps]:
        table, kept = again(beginnings), {tuple(tokens) for tokens in following}
        children = [
            ((*tokens, token), parents[tuple(tokens)][0], parents[tuple(tokens)][1] + value)
            for tokens, row in zip(beginnings, table)
            for value, token in zip(*(best.tolist() for best in row.topk(candidates)))
        ]
        children = sorted(children, key=lambda child: -child[2])
        chosen = [child for child in children if child[0] in kept]
        chosen += [child for child in children if child[0] not in kept][: candidates - len(chosen)]
        chosen.sort(key=lambda child: -child[2])
        name = ["■" if child[0][-1] == log_p.end else tokenizer.decode([child[0][-1]]) for child in chosen]
        levels.append([(text, total, parent, tokens in kept) for text, (tokens, parent, total) in zip(name, chosen)])
        parents = {tokens: (index, total) for index, (tokens, _, total) in enumerate(chosen)}
    return levels
