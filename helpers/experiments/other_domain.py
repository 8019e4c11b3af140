"""A chat bot reads medicine: what a few steps on another domain teach, and the control that says how much of it is the domain.

For ``helpers.experiments.pictures`` (notebook 16). The texts are scikit-learn's descriptions of its data sets: breast cancer is
medicine, wine is not, and both have the same headings, lists and tables.
"""

from __future__ import annotations

import copy
from functools import cache

import numpy as np
import torch

from helpers.bots import checkpoints
from helpers.corpus.batches.token_stream import WindowBatches
from helpers.corpus.load import load
from helpers.evaluation.likelihood import bits_per_byte_on, surprisal
from helpers.experiments.run_missing import check_finished
from helpers.runtime import seed_everything
from helpers.training import fit, next_token_loss

BOT, STEPS, CONTEXT, BATCH, RATE = "gpt", 20, 128, 8, 3e-4
CHATS = 10  # validation conversations on which is measured what is lost
VARIANTS = {"before": None, "tuned on medicine": "medicine", "tuned on wine": "wine"}


def descriptions() -> dict[str, tuple[str, str]]:
    """Return both texts, {"medicine": (first half, second half), "wine": …}, cut at the end of a line.

    Raises ImportError with the remedy when scikit-learn is missing.
    """
    try:
        from sklearn.datasets import load_breast_cancer, load_wine
    except ImportError:
        raise ImportError("these texts come with scikit-learn, which is missing: pip install scikit-learn") from None
    texts = {"medicine": load_breast_cancer().DESCR, "wine": load_wine().DESCR}
    return {name: _halves(text) for name, text in texts.items()}


def _halves(text: str) -> tuple[str, str]:
    cut = text.index("\n", len(text) // 2) + 1
    return text[:cut], text[cut:]


def bits_per_byte(model, tokenizer, text: str) -> float:
    """Return the bits per byte of a plain text."""
    return float(np.sum(surprisal(model, tokenizer, text)[1])) / len(text.encode("utf-8"))


def tuned(model, tokenizer, text: str, seed: int = 0, steps: int = STEPS):
    """Return a copy of ``model`` after so many steps on windows of ``text``."""
    seed_everything(seed)
    model = copy.deepcopy(model)
    ids = torch.tensor([tokenizer.end, *tokenizer.encode(text), tokenizer.end])
    batches = WindowBatches(ids, BATCH, CONTEXT, seed)
    check_finished(fit(model, batches, steps=steps, learning_rate=RATE, loss=next_token_loss, progress=False))
    return model


@cache
def _conversations() -> tuple:
    return tuple(load().val[:CHATS])


def domain_rows(variant: str, seed: int, steps: int | None = None) -> list[dict]:
    """Return the bits per byte of the second halves of both texts, and of conversations, after reading one first half."""
    bot, texts = checkpoints.load(BOT), descriptions()
    model, name = bot.model, VARIANTS[variant]
    if name is not None:
        model = tuned(model, bot.tokenizer, texts[name][0], seed, steps or STEPS)
    values = {other: bits_per_byte(model, bot.tokenizer, half) for other, (_, half) in texts.items()}
    values["conversations"] = bits_per_byte_on(model, bot.tokenizer, _conversations())
    counts = {other: len(half.encode("utf-8")) for other, (_, half) in texts.items()} | {"conversations": CHATS}
    return [{"measure": f"bits per byte of {key}", "value": values[key], "count": counts[key]} for key in values]
