"""Universal triggers: one string that pulls every reply the same way (Wallace et al. 2019, arXiv:1908.07125; notebook 11).

The trigger stands at the end of the last message, whatever that is. It is searched in tokens, with the gradient of the target's
probability; but a person types text. So a candidate counts only if the message with the trigger, tokenized again, has exactly
the tokens that were searched.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import torch

from helpers.models.utils import device_of, evaluating

FIRST = " the"  # where the search begins, in every position (Wallace et al.)


class TriggerPrompts(NamedTuple):
    """Prompts to which a trigger can be added: all but the trigger and the speaker's token that follows it."""

    ids: torch.Tensor  # [B, T] int64, padded at the beginning
    padding: torch.Tensor  # [B] int64: how much of each row is padding
    speakers: torch.Tensor  # [B] int64: the token of whoever replies


def trigger_prompts(tokenizer, contexts: Sequence[Sequence[str]]) -> TriggerPrompts:
    """Return contexts, lists of messages of A and B in turn, as prompts. Raises ValueError for none, or an empty one."""
    _check(contexts)
    rows = []
    for context in contexts:
        turns = ([tokenizer.speaker("AB"[n % 2]), *tokenizer.encode(text)] for n, text in enumerate(context))
        rows.append([tokenizer.end, *(token for turn in turns for token in turn)])
    longest = max(map(len, rows))
    ids = torch.tensor([[tokenizer.pad] * (longest - len(row)) + row for row in rows])
    speakers = torch.tensor([tokenizer.speaker("AB"[len(context) % 2]) for context in contexts])
    padding = torch.tensor([longest - len(row) for row in rows])
    return TriggerPrompts(ids, padding, speakers)


def survives(tokenizer, contexts: Sequence[Sequence[str]], trigger: Sequence[int]) -> np.ndarray:
    """Return for which contexts the last message with the trigger's text after it has exactly these tokens, bool [N].

    That text, tokenized again, must be the message's own tokens and then ``trigger``. The tokens "wh" and "at" do not survive
    where "what" is a token of its own. Raises ValueError for an empty context.
    """
    _check(contexts)
    text, trigger = tokenizer.decode(list(trigger)), list(trigger)
    messages = (context[-1] for context in contexts)
    return np.array([list(tokenizer.encode(each + text)) == [*tokenizer.encode(each), *trigger] for each in messages])


def _check(contexts: Sequence[Sequence[str]]) -> None:
    if not len(contexts) or any(isinstance(context, str) or not len(context) for context in contexts):
        raise ValueError("give one context at least, a list of one message or more each: the trigger goes to its end")


class TriggerSearch:
    """Triggers for one GPT and some prompts: how likely the reply begins with the token ``target``.

    The prompts are read once; a trigger costs as many steps as it has tokens. ``calls`` counts how often the model was asked.
    Raises ValueError when prompts and trigger do not fit into what the model sees.
    """

    def __init__(self, model, tokenizer, contexts: Sequence[Sequence[str]], target: int, length: int = 3):
        if length < 1:
            raise ValueError(f"length is {length}: a trigger has one token at least, usually 3")
        self.model, self.tokenizer, self.target, self.length, self.calls = model, tokenizer, target, length, 0
        self.contexts, self.prompts = contexts, trigger_prompts(tokenizer, contexts)
        need = self.prompts.ids.shape[1] + length + 1
        if need > model.context:
            raise ValueError(
                f"the longest context and the trigger have {need} tokens, the model sees {model.context}: leave it out"
            )
        device = device_of(model)
        with evaluating(model), torch.no_grad():
            _, self.state = model(self.prompts.ids.to(device), None, self.prompts.padding.to(device))

    def probabilities(self, trigger: Sequence[int]) -> np.ndarray:
        """Return the probability of the target as first token of each reply, float64 [B]; an empty trigger is the base."""
        self.calls += 1
        with evaluating(self.model), torch.no_grad():
            return self._target(trigger).double().cpu().numpy()

    def _target(self, trigger: Sequence[int]) -> torch.Tensor:
        rows = torch.tensor([list(trigger)], dtype=torch.int64).expand(len(self.prompts.speakers), -1)
        ids = torch.cat([rows, self.prompts.speakers[:, None]], dim=1).to(device_of(self.model))
        return self.model(ids, self.state)[0][:, -1].float().softmax(-1)[:, self.target]

    def gradient(self, trigger: Sequence[int]) -> torch.Tensor:
        """Return the gradient of the mean log-probability of the target, for the embedding of each token, [length, D].

        Without dropout; no parameter gets a gradient.
        """
        self.calls += 1
        read: list[torch.Tensor] = []

        def watch(module, inputs, output):
            read.append(output.detach().requires_grad_())
            return read[-1]

        handle = self.model.embed.register_forward_hook(watch)
        try:
            with evaluating(self.model), torch.enable_grad():
                (gradient,) = torch.autograd.grad(self._target(trigger).log().mean(), read)
        finally:
            handle.remove()
        return gradient[:, : len(trigger)].sum(0)

    def candidates(self) -> torch.Tensor:
        """Return the tokens a trigger may consist of, int64 [N]: ASCII letters, with or without a space before them."""
        texts = [self.tokenizer.decode([token]) for token in range(len(self.tokenizer))]
        fits = (text.isascii() and text.removeprefix(" ").isalpha() for text in texts)
        return torch.tensor([token for token, fit in enumerate(fits) if fit])

    def score(self, trigger: Sequence[int]) -> float:
        """Return the mean log-probability of the target: what the searches make large."""
        return float(np.log(self.probabilities(trigger)).mean())

    def survives(self, trigger: Sequence[int]) -> bool:
        """Return whether the trigger survives in all contexts."""
        return bool(survives(self.tokenizer, self.contexts, trigger).all())


class Trigger(NamedTuple):
    """What a search found; ``text`` is to be added to a message as it is."""

    tokens: list[int]
    text: str
    score: float  # mean log-probability of the target, in nats
    calls: int  # how often the model was asked


def find_trigger(search: TriggerSearch, rounds: int = 2, tries: int = 12) -> Trigger:
    """Return the best trigger of a greedy search: position by position, the ``tries`` tokens the gradient likes best.

    Candidates that do not survive are left out before the model is asked. Ends early after a round without a better one.
    """
    tokenizer, allowed = search.tokenizer, search.candidates()
    first = tokenizer.encode(FIRST)
    best = (first * search.length)[: search.length]
    score, begun = search.score(best), search.calls - 1
    table = search.model.embed.weight.detach()
    for _ in range(rounds):
        before = score
        for position in range(search.length):
            gains = (table @ search.gradient(best)[position])[allowed.to(table.device)].cpu()
            found = []
            for token in allowed[gains.argsort(descending=True)].tolist():
                candidate = [*best[:position], token, *best[position + 1 :]]
                if token != best[position] and search.survives(candidate):
                    found.append((search.score(candidate), candidate))
                if len(found) == tries:
                    break
            if found and max(found)[0] > score:
                score, best = max(found)
        if score == before:
            break
    return Trigger(best, tokenizer.decode(best), score, search.calls - begun)


def random_trigger(search: TriggerSearch, calls: int, seed: int = 0) -> Trigger:
    """Return the best of ``calls`` triggers at random that survive: the control, which asks the model as often.

    Raises ValueError for less than one call.
    """
    if calls < 1:
        raise ValueError(f"calls is {calls}: give as many as the other search needed, one at least")
    rng, allowed, best = np.random.default_rng(seed), search.candidates().numpy(), (-np.inf, [])
    for _ in range(calls):
        while not search.survives(tokens := rng.choice(allowed, search.length).tolist()):
            pass
        best = max(best, (search.score(tokens), tokens))
    return Trigger(best[1], search.tokenizer.decode(best[1]), best[0], calls)
