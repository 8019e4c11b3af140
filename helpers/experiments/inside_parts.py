"""The parts of the experiment ``inside``: each takes a model, a tokenizer, conversations and a seed, and returns rows.

Those about features and explanations are in ``inside_features``.
"""

from collections.abc import Sequence
from itertools import combinations, product

import numpy as np
import torch

from helpers.generation.rollout import generate_replies
from helpers.interpretability.attribution import (
    METHODS,
    baseline_change,
    deletion_test,
    integrated_gradients,
    mean_embedding,
    random_scores,
    recency_scores,
)
from helpers.interpretability.controls import random_direction
from helpers.interpretability.probes import probe_task
from helpers.interpretability.sparse_features import token_losses
from helpers.interpretability.steering import difference_of_means, steered
from helpers.interpretability.token_activations import TokenActivations, text_rows, token_activations
from helpers.models.utils import evaluating

LENGTH, SHORT, APART = 128, 48, 10_000  # tokens of a text; of one to attribute; the number of the first held-out text
CONTEXTS, RANDOM, DELETED = 40, 3, 5  # texts to attribute, random scores for each, tokens deleted
KEPT = (1, 6)  # of the last tokens, which are never deleted
STRENGTHS, TOKENS = (-4.0, 2.0, 4.0, 8.0), 30
STEERED = "blocks.2.hook_resid_post"


def row(item: str, measure: str, values, count: int | None = None) -> dict:
    """Return a row: the mean of values and its standard error, or one number that stands for ``count`` of something."""
    values = np.atleast_1d(np.asarray(values, float))
    spread = float(values.std(ddof=1) / len(values) ** 0.5) if len(values) > 1 else None
    return {
        "item": item,
        "measure": measure,
        "value": float(values.mean()),
        "spread": spread,
        "count": count or len(values),
    }


# --- attribution --------------------------------------------------------------------------------------------------------


def attribution_rows(model, tokenizer, train, test, seed) -> list[dict]:
    """How much the prediction changes without the 5 tokens that each method names, without 5 random ones, and the last 5.

    The last tokens matter so much that naming them is hard to beat; with the last 6 kept the methods are told apart.
    """
    texts = torch.tensor([ids for ids in text_rows(tokenizer, test, SHORT) if len(ids) == SHORT])
    texts = texts[:: max(1, len(texts) // CONTEXTS)][:CONTEXTS]
    baseline = mean_embedding(model, texts)
    changed, ranks, gaps = {}, {}, {"zero": [], "mean": []}
    for number, ids in enumerate(texts):
        with torch.no_grad(), evaluating(model):
            target = int(model(ids[None])[0][0, -1].argmax())
        scores = {name: method(model, ids, target, baseline).detach() for name, method in METHODS.items()}
        named = {**{name: [score] for name, score in scores.items()}, "latest": [recency_scores(SHORT)]}
        named["random"] = [random_scores(SHORT, RANDOM * number + draw) for draw in range(RANDOM)]
        for (name, draws), keep in product(named.items(), KEPT):
            effect = np.mean([deletion_test(model, ids, score, DELETED, keep) for score in draws])
            changed.setdefault((name, f"KL after deletion, last {keep} kept"), []).append(effect)
        for one, other in combinations(METHODS, 2):
            ranks.setdefault(f"{one} / {other}", []).append(_spearman(scores[one], scores[other]))
        zero = torch.zeros_like(baseline)
        sums = {
            "zero": integrated_gradients(model, ids, target, zero).sum(),
            "mean": scores["integrated gradients"].sum(),
        }
        for name, start in (("zero", zero), ("mean", baseline)):
            gaps[name].append(abs(float(sums[name]) - baseline_change(model, ids, target, start)))
    rows = [row(*key, values) for key, values in changed.items()]
    rows += [row(name, "rank correlation", values) for name, values in ranks.items()]
    return rows + [row(f"baseline {name}", "completeness error", values) for name, values in gaps.items()]


def _spearman(one: torch.Tensor, other: torch.Tensor) -> float:
    ranks = [scores.argsort().argsort().double() for scores in (one[1:-1], other[1:-1])]
    return float(np.corrcoef(*ranks)[0, 1])


# --- probes and steering ------------------------------------------------------------------------------------------------


def question_ahead(ids: Sequence[int], tokenizer) -> list[int]:
    """Return for each token whether a question mark follows in the same turn: 1 or 0."""
    labels, ahead = [], 0
    for token in reversed([tokenizer.tokens[token] for token in ids]):
        ahead = 0 if is_special(token) else ahead
        labels.append(ahead)
        ahead = 1 if "?" in token else ahead
    return labels[::-1]


def speaker_b(ids: Sequence[int], tokenizer) -> list[int]:
    """Return for each token whether B is speaking: 1 or 0."""
    labels, speaks = [], 0
    for token in (tokenizer.tokens[token] for token in ids):
        speaks = int(token == "<B>") if is_special(token) else speaks
        labels.append(speaks)
    return labels


def is_special(token: str) -> bool:
    return token.startswith("<") and token.endswith(">") and len(token) > 2


TASKS = {"speaker": speaker_b, "question ahead": question_ahead}


def labeled(model, tokenizer, rows, name: str, task, first_row: int = 0) -> tuple[TokenActivations, torch.Tensor]:
    """Return the activations of all tokens of the texts but the special ones, and their labels."""
    acts = token_activations(model, rows, name, first_row)
    labels = torch.tensor([label for ids in rows for label in task(ids, tokenizer)])
    kept = torch.tensor([not is_special(tokenizer.tokens[token]) for token in acts.ids.tolist()])
    return acts.where(kept), labels[kept]


def probe_rows(model, tokenizer, train, test, seed) -> list[dict]:
    """What a probe and its control task score on held-out texts, at the embedding and after each layer."""
    texts, held_out = text_rows(tokenizer, train, LENGTH), text_rows(tokenizer, test, LENGTH)
    names = ["hook_embed", *(f"blocks.{layer}.hook_resid_post" for layer in range(len(model.blocks)))]
    rows = []
    for task, function in TASKS.items():
        for layer, name in enumerate(names):
            acts, labels = labeled(model, tokenizer, texts, name, function)
            other, truth = labeled(model, tokenizer, held_out, name, function, APART)
            result = probe_task(acts, labels, other, truth, seed)
            measures = {**result._asdict(), "selectivity": result.selectivity}
            rows += [row(f"{task}, layer {layer}", measure, value, len(truth)) for measure, value in measures.items()]
    return rows


def steering_rows(model, tokenizer, train, test, seed) -> list[dict]:
    """Questions, words and fluency of replies while the direction of coming questions is added, beside a random direction."""
    acts, labels = labeled(model, tokenizer, text_rows(tokenizer, train, LENGTH), STEERED, question_ahead)
    direction = difference_of_means(acts.values[labels == 1], acts.values[labels == 0])
    prompts = [ids for ids in (_prompt(talk, tokenizer) for talk in test) if ids] * 3
    rows = _replies("none, strength 0", model, tokenizer, prompts, direction, 0.0, seed)
    for name, added in (("question", direction), ("random", random_direction(direction, seed))):
        for strength in STRENGTHS:
            rows += _replies(f"{name}, strength {strength:g}", model, tokenizer, prompts, added, strength, seed)
    size = (direction.norm() / acts.values.norm(dim=1).mean()).item()
    return [*rows, row("direction", "share of the stream's norm", size, len(labels))]


def _prompt(talk, tokenizer, turns: int = 5) -> list[int] | None:
    """Return the first turns of a conversation, and the token of the speaker who is to reply."""
    ids, seen = [tokenizer.end], 0
    for token in tokenizer.encode_conversation(talk):
        ids.append(token)
        seen += is_special(tokenizer.tokens[token])
        if seen > turns:
            return ids[-120:]
    return None


def _replies(item: str, model, tokenizer, prompts, direction, strength: float, seed: int) -> list[dict]:
    """Return rows about one reply to each prompt: does it ask, how long is it, how likely for the model without steering."""
    with steered(model, STEERED, direction, strength):
        replies = generate_replies(model, tokenizer, prompts, max_tokens=TOKENS, temperature=0.8, seed=seed)
    replies = [reply.reply[1:] for (reply,) in replies]
    texts = [tokenizer.decode(reply) for reply in replies]
    read = [[*prompt, *reply] for prompt, reply in zip(prompts, replies) if len(reply)]
    lengths = [len(reply) for reply in replies if len(reply)]
    nats = [losses[-length:].mean() for losses, length in zip(token_losses(model, read), lengths)]
    measures = {"asks": ["?" in text for text in texts], "words": [len(text.split()) for text in texts], "nats": nats}
    return [row(item, measure, values) for measure, values in measures.items()]
