"""The parts of the experiment ``inside`` about what a feature or a head stands for: an autoencoder, a sentence that is scored."""

import re
from collections.abc import Sequence

import numpy as np
import torch

from helpers.experiments.inside_parts import APART, LENGTH, is_special, row
from helpers.interpretability.ablation import ablation
from helpers.interpretability.explanations import ablation_contrast, explanation_score, score_explanation
from helpers.interpretability.logit_attribution import direct_logit_attribution
from helpers.interpretability.sparse_autoencoder import (
    ActivationBatch,
    ablated_feature,
    reconstruction_loss,
    train_autoencoder,
)
from helpers.interpretability.sparse_features import loss_recovered, token_losses, token_purity
from helpers.interpretability.token_activations import text_rows, token_activations

STREAM, HEAD = "blocks.1.hook_resid_post", (2, 3)
STRONGEST = 40  # activations, the ones that a person would look at
MEN = "he him his brother dad father man guy boy boyfriend husband son uncle".split()
WOMEN = "she her hers sister mom mother woman lady girl girlfriend wife daughter aunt".split()


def feature_rows(model, tokenizer, train, test, seed) -> list[dict]:
    """What a sparse autoencoder recovers, how pure its features are, and an explanation that only names a token."""
    texts, held_out = text_rows(tokenizer, train, LENGTH), text_rows(tokenizer, test, LENGTH)
    acts, other = token_activations(model, texts, STREAM), token_activations(model, held_out, STREAM, APART)
    autoencoder = train_autoencoder(acts.values, seed=seed)
    features, unseen = autoencoder.encode(acts.values), autoencoder.encode(other.values)
    purity, recovered = token_purity(features, acts.ids), loss_recovered(model, autoencoder, STREAM, held_out)
    error = reconstruction_loss(autoencoder, ActivationBatch(other.values, other.ids)).item()
    known = purity[~purity.isnan()]
    rows = [row("autoencoder", name, value, len(other.ids)) for name, value in recovered._asdict().items()]
    rows += [row("autoencoder", "share recovered", recovered.share, len(other.ids)), row("autoencoder", "error", error)]
    rows += [row("features", "median purity", known.median().item(), len(known))]
    rows += [row("features", "share alive", len(known) / len(purity), len(purity))]
    scores, costs = [], []
    whole = torch.cat(token_losses(model, held_out))
    alive = (~purity.isnan() & ((unseen > 0).sum(0) >= 20)).nonzero()[:, 0]
    chosen = alive[torch.randperm(len(alive), generator=torch.Generator().manual_seed(seed))]
    for number, feature in enumerate(chosen.tolist()):
        token = acts.ids[features[:, feature].topk(20).indices].mode().values  # the explanation: "it is this token"
        scores.append(explanation_score((other.ids == token).float(), unseen[:, feature]))
        if number < 12:
            hooks = {STREAM: ablated_feature(autoencoder, feature)}
            change = torch.cat(token_losses(model, held_out, hooks)) - whole
            active = torch.cat([unseen[other.rows == text, feature][:-1] for text in other.rows.unique()]) > 0
            costs.append(change[active].mean().item())
    rows.append(row("features", "correlation with the token it names", scores))
    return [*rows, row("features", "cost of ablation where active", costs)]


def last_person(tokens: Sequence[str]) -> list[float]:
    """The rule "it says of which sex the person named last is": 1 after a word for a man, −1 for a woman, 0 before any."""
    pattern, text, values = re.compile(rf"\b(?:({'|'.join(MEN)})|({'|'.join(WOMEN)}))\b"), "", []
    for token in tokens:
        text = "" if token == "<end>" else text + (" " if is_special(token) else token.lower())
        named = list(pattern.finditer(text))  # again from the beginning: what was "he" may have become "hello"
        values.append(0.0 if not named else 1.0 if named[-1][1] else -1.0)
    return values


def explanation_rows(model, tokenizer, train, test, seed) -> list[dict]:
    """How well that rule predicts what each head adds to the logit of he minus that of she; and ablation where it speaks."""
    he, she = (tokenizer.encode(f" {word}")[0] for word in ("he", "she"))
    texts = [ids for ids in text_rows(tokenizer, test, LENGTH) if len(ids) == LENGTH]
    pieces = [[tokenizer.tokens[token] for token in ids] for ids in texts]
    predicted = np.array([last_person(tokens) for tokens in pieces])
    names, parts = direct_logit_attribution(model, torch.tensor(texts), he, she)
    rows, found = [], f"head {HEAD[0]}.{HEAD[1]}"
    for name, part in zip(names, parts.numpy()):
        if name == found:
            score = score_explanation(last_person, pieces, list(part), seed)
            rows += [row(name, kind, value, len(texts)) for kind, value in score._asdict().items()]
            strongest = np.abs(part).ravel().argsort()[-STRONGEST:]
            agree = part.ravel()[strongest] * predicted.ravel()[strongest] > 0
            rows.append(row(name, "strongest activations that agree", agree.mean(), STRONGEST))
        elif name.startswith("head"):
            rows.append(row(name, "correlation", explanation_score(predicted.ravel(), part.ravel()), len(texts)))
    whole = torch.stack(token_losses(model, texts))
    hooks = ablation(model, torch.tensor(texts)[:, :-1], *HEAD)
    change = (torch.stack(token_losses(model, texts, hooks)) - whole).numpy()
    asked = np.isin(np.array(texts)[:, 1:], (he, she))
    inside, outside, *errors = ablation_contrast(change.ravel(), np.abs(predicted[:, :-1]).ravel())
    speaks = int((predicted[:, :-1] != 0).sum())
    rows.append({**row(found, "cost where the rule speaks", inside, speaks), "spread": errors[0]})
    rows.append({**row(found, "cost elsewhere", outside, change.size - speaks), "spread": errors[1]})
    if asked.any():
        rows.append(row(found, "cost at he and she", change[asked]))
    return [*rows, row("rule", "share of texts where it speaks", (predicted != 0).any(axis=1).mean(), len(texts))]
