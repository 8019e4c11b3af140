"""The judges of notebook 09: a frozen GPT reads the messages of many votes once, and a row of weights learns from them.

``features.npz`` holds what the GPT has of each message, in a few numbers; ``proxy.safetensors`` and ``gold.safetensors`` are
two reward models, each taught by the votes of one half of the conversations.
"""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch

from helpers.bots import checkpoints
from helpers.bots.reward_models import JUDGED
from helpers.corpus.implicit_feedback import Vote, preferences, votes
from helpers.models.encoder_decoder import marks
from helpers.models.reward_model import RewardModel
from helpers.training.reward_modeling import bradley_terry_loss

CONTEXT, REPLY = 64, 64  # tokens that a judge reads before a message, and of it
COMPONENTS = 24  # numbers kept of the 256 that the GPT has of a message: with more, votes are learned by heart
FEATURE_VOTES = 8_000
SCALE = 32  # features are kept as whole numbers of 1/32


def halves(conversations: Sequence) -> dict[str, list]:
    """Return two halves that share no conversation: what the judge learns from, and what a second one does."""
    return {"proxy": list(conversations[::2]), "gold": list(conversations[1::2])}


def train_judge(pairs, basis, device="cpu", steps: int = 200, learning_rate: float = 0.02):
    """Return a RewardModel whose score is one row of weights on what the frozen judge reads, trained on votes.

    ``pairs`` [N, 2, K] are the features of the chosen and the other messages along the K directions ``basis`` [width, K]
    (``features.npz``). So few numbers learn in a second; with all of the GPT's numbers the votes are learned by heart.
    """
    pairs, basis = torch.as_tensor(pairs).float(), torch.as_tensor(basis).float()
    weights = torch.zeros(pairs.shape[-1], requires_grad=True)
    optimizer = torch.optim.Adam([weights], learning_rate)
    for _ in range(steps):  # all votes at once: no batches, so no need of ``fit``
        optimizer.zero_grad()
        bradley_terry_loss(*(pairs @ weights).unbind(1)).backward()
        optimizer.step()
    bot = checkpoints.load(JUDGED, device)
    model = RewardModel(bot.model, rank=0, **marks(bot.tokenizer))
    with torch.no_grad():
        model.head.weight.copy_((basis @ weights)[None])
    return model.eval()


def some_votes(conversations: Sequence, number: int) -> list[Vote]:
    """Return ``number`` votes from all over the conversations: those whose messages stand in ``features.npz``, in its order."""
    found = votes(conversations)
    return found[:: max(1, len(found) // number)][:number]


def write_features(folder: Path, corpus, number: int = FEATURE_VOTES, device="cpu") -> dict:
    """Write ``features.npz``; return its shapes.

    ``train`` and ``held_out`` are int8 [votes, 2, K], the chosen message first, in units of 1/32; ``…_turns`` the messages'
    turn numbers; ``mean`` [width] and ``basis`` [width, K] make them of what the GPT has: (read − mean) @ basis.
    """
    bot, arrays = checkpoints.load(JUDGED, device), {}
    reader = RewardModel(bot.model, rank=0, **marks(bot.tokenizer))
    for name, some in (("train", some_votes(corpus.train, number)), ("held_out", votes(corpus.val + corpus.test))):
        read = _read(reader, some, bot.tokenizer).double().numpy()
        if name == "train":
            mean = read.mean(0)
            basis = np.linalg.svd(read - mean, full_matrices=False)[2][:COMPONENTS].T
            basis = basis / ((read - mean) @ basis).std(0).max()  # the first direction has a spread of 1
            arrays |= {"mean": mean.astype(np.float16), "basis": basis.astype(np.float16)}
        kept = (read - arrays["mean"].astype(float)) @ arrays["basis"].astype(float)
        arrays[name] = np.clip(np.round(kept * SCALE), -127, 127).astype(np.int8).reshape(len(some), 2, -1)
        arrays[f"{name}_turns"] = np.array([(vote.chosen, vote.rejected) for vote in some], dtype=np.int16)
    folder.mkdir(parents=True, exist_ok=True)
    np.savez_compressed(folder / "features.npz", **arrays)
    return {"features": {name: list(array.shape) for name, array in arrays.items()}}


def _read(reader: RewardModel, some: Sequence[Vote], tokenizer) -> torch.Tensor:
    """Return what the GPT has of chosen, rejected, chosen, …: float32 [2 · votes, width]."""
    return reader.read([side for pair in preferences(some, tokenizer, CONTEXT, REPLY) for side in pair])


def write_judges(folder: Path, corpus, number: int = FEATURE_VOTES, device="cpu") -> dict:
    """Train both judges on ``features.npz``, write them, and return what they can: shares of held-out votes foretold."""
    file = np.load(folder / "features.npz")
    train, held = (torch.from_numpy(file[name]).float() / SCALE for name in ("train", "held_out"))
    basis, mean = (torch.from_numpy(file[name]).float() for name in ("basis", "mean"))
    some, bot = some_votes(corpus.train, number), checkpoints.load(JUDGED, device)
    reader = RewardModel(bot.model, rank=0, **marks(bot.tokenizer))
    wide = _read(reader, votes(corpus.val + corpus.test, None), bot.tokenizer)
    found = {}
    for name, talks in halves(corpus.train).items():
        inside = {talk.id for talk in talks}
        own = torch.tensor([vote.conversation.id in inside for vote in some])
        model = train_judge(train[own], basis, device)
        head = model.head.weight[0].detach().cpu()
        scores, other = held @ (basis.pinverse() @ head), (wide @ head).view(-1, 2)
        model.mean.fill_(float(scores.mean() + mean @ head)), model.spread.fill_(float(scores.std()))
        model.save(folder / f"{name}.safetensors")
        found[name] = {"votes": int(own.sum()), "matched": _foretold(scores), "any lengths": _foretold(other)}
    return {"judges": found, "held_out": len(held)}


def _foretold(scores: torch.Tensor) -> float:
    return round(float((scores[:, 0] > scores[:, 1]).float().mean()), 4)
