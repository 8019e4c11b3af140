"""The reward models of notebook 09: a frozen GPT reads the messages of many preference pairs once, and a linear head learns.

``features.npz`` holds the GPT's hidden states of each message, in a few numbers; ``proxy.safetensors`` and
``gold.safetensors`` are two reward models, each trained on the preferences of one half of the conversations.
"""

import io
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch

from helpers.bots import checkpoints
from helpers.bots.reward_models import BASE
from helpers.corpus.implicit_feedback import PreferencePair, preference_pairs, preferences
from helpers.corpus.tokenizers.base import special_token_ids
from helpers.io import write_bytes
from helpers.models.reward_model import RewardModel
from helpers.training.reward_modeling import bradley_terry_loss

CONTEXT, REPLY = 64, 64  # tokens that a reward model reads before a message, and of it
COMPONENTS = 24  # numbers kept of the 256 that the GPT has of a message: with more, the preferences are memorized
FEATURE_PAIRS = 8_000
SCALE = 32  # features are kept as whole numbers of 1/32


def halves(conversations: Sequence) -> dict[str, list]:
    """Return two halves that share no conversation: one for the proxy reward model, one for the gold one."""
    return {"proxy": list(conversations[::2]), "gold": list(conversations[1::2])}


def train_reward_model(pairs, basis, device="cpu", steps: int = 200, learning_rate: float = 0.02) -> RewardModel:
    """Return a RewardModel whose score is one row of weights on the frozen GPT's hidden state, trained on preferences.

    ``pairs`` [N, 2, K] are the features of the chosen and the rejected messages along the K directions ``basis``
    [n_embd, K] (``features.npz``). So few numbers learn in a second; all of the GPT's numbers would memorize the pairs.
    """
    pairs, basis = torch.as_tensor(pairs).float(), torch.as_tensor(basis).float()
    weights = torch.zeros(pairs.shape[-1], requires_grad=True)
    optimizer = torch.optim.Adam([weights], learning_rate)
    for _ in range(steps):  # all pairs at once: no batches, so no need of ``fit``
        optimizer.zero_grad()
        bradley_terry_loss(*(pairs @ weights).unbind(1)).backward()
        optimizer.step()
    model, _ = feature_reader(device)
    with torch.no_grad():
        model.head.weight.copy_((basis @ weights)[None])
    return model.eval()


def feature_reader(device) -> tuple[RewardModel, object]:
    """Return an untrained RewardModel, whose hidden states are the features, and the tokenizer."""
    bot = checkpoints.load(BASE, device)
    return RewardModel(bot.model, rank=0, **special_token_ids(bot.tokenizer)), bot.tokenizer


def _sampled(conversations: Sequence, number: int) -> list[PreferencePair]:
    """Return ``number`` pairs from all over the conversations: those whose messages are in ``features.npz``, in its order."""
    pairs = preference_pairs(conversations)
    return pairs[:: max(1, len(pairs) // number)][:number]


def _hidden(reader: RewardModel, pairs: Sequence[PreferencePair], tokenizer) -> torch.Tensor:
    """Return the GPT's hidden states of chosen, rejected, chosen, …: float32 [2 · pairs, n_embd]."""
    return reader.read([side for pair in preferences(pairs, tokenizer, CONTEXT, REPLY) for side in pair])


def write_features(folder: Path, corpus, number: int = FEATURE_PAIRS, device="cpu") -> dict:
    """Write ``features.npz``; return its shapes.

    ``train`` and ``held_out`` are int8 [pairs, 2, K], the chosen message first, in units of 1/32; ``…_turns`` the messages'
    turn numbers; ``mean`` [n_embd] and ``basis`` [n_embd, K] give them from a hidden state: (hidden − mean) @ basis.
    """
    (reader, tokenizer), arrays = feature_reader(device), {}
    parts = {"train": _sampled(corpus.train, number), "held_out": preference_pairs(corpus.val + corpus.test)}
    for name, pairs in parts.items():
        hidden = _hidden(reader, pairs, tokenizer).double().numpy()
        if name == "train":
            mean = hidden.mean(0)
            basis = np.linalg.svd(hidden - mean, full_matrices=False)[2][:COMPONENTS].T
            basis = basis / ((hidden - mean) @ basis).std(0).max()  # along the first direction the standard deviation is 1
            arrays |= {"mean": mean.astype(np.float16), "basis": basis.astype(np.float16)}
        kept = (hidden - arrays["mean"].astype(float)) @ arrays["basis"].astype(float)
        arrays[name] = np.clip(np.round(kept * SCALE), -127, 127).astype(np.int8).reshape(len(pairs), 2, -1)
        arrays[f"{name}_turns"] = np.array([(pair.chosen, pair.rejected) for pair in pairs], dtype=np.int16)
    content = io.BytesIO()
    np.savez_compressed(content, **arrays)
    write_bytes(folder / "features.npz", content.getvalue())
    return {"features": {name: list(array.shape) for name, array in arrays.items()}}


def write_reward_models(folder: Path, corpus, number: int = FEATURE_PAIRS, device="cpu") -> dict:
    """Train both reward models on ``features.npz``, write them, and return their accuracies on held-out preferences."""
    file = np.load(folder / "features.npz")
    train, held_out = (torch.from_numpy(file[name]).float() / SCALE for name in ("train", "held_out"))
    basis, mean = (torch.from_numpy(file[name]).float() for name in ("basis", "mean"))
    (reader, tokenizer), pairs, results = feature_reader(device), _sampled(corpus.train, number), {}
    hidden = _hidden(reader, preference_pairs(corpus.val + corpus.test, None), tokenizer)
    for name, talks in halves(corpus.train).items():
        ids = {talk.id for talk in talks}
        own = torch.tensor([pair.conversation.id in ids for pair in pairs])
        model = train_reward_model(train[own], basis, device)
        head = model.head.weight[0].detach().cpu()
        scores, any_lengths = held_out @ (basis.pinverse() @ head), (hidden @ head).view(-1, 2)
        model.mean.fill_(float(scores.mean() + mean @ head)), model.std.fill_(float(scores.std()))
        model.save(folder / f"{name}.safetensors")
        accuracies = {"matched": _accuracy(scores), "any lengths": _accuracy(any_lengths)}
        results[name] = {"votes": int(own.sum()), **accuracies}
    return {"judges": results, "held_out": len(held_out)}


def _accuracy(scores: torch.Tensor) -> float:
    return round(float((scores[:, 0] > scores[:, 1]).float().mean()), 4)
