"""Train, measure and save the bots of the course, and write their rows on the scoreboard."""

from dataclasses import asdict
from pathlib import Path

from torch import nn

from helpers.bots import adversarial_success, checkpoints
from helpers.bots.bot import Bot
from helpers.bots.measure import measure, record
from helpers.bots.recipes import RECIPES
from helpers.corpus.load import load
from helpers.corpus.tokenizers.bpe import BPETokenizer
from helpers.corpus.tokenizers.characters import CharTokenizer
from helpers.runtime import describe, start


def make_tokenizer(tokens: str, corpus):
    """Return the tokenizer of the recipes with these ``tokens``, trained on the training conversations."""
    texts = (turn.text for talk in corpus.train for turn in talk.turns)
    return CharTokenizer.train(texts, min_count=20) if tokens == "characters" else BPETokenizer.train(texts)


def resume_file(name: str) -> Path:
    """Return where a training that is interrupted is kept: build/training/NAME.pt in the folder the command runs in."""
    return Path.cwd() / "build" / "training" / f"{name}.pt"


def train(names: list[str] | None = None) -> None:
    """Train the bots called ``names`` (all, if none is named), save and measure each, and write its scoreboard row.

    Raises ValueError, with the known names, before anything is trained if one is unknown.
    """
    if unknown := [name for name in names or () if name not in RECIPES]:
        raise ValueError(f"there is no recipe for {unknown[0]!r}; known are {', '.join(RECIPES)}")
    corpus, tokenizers, names = load(), {}, list(names or RECIPES)
    for name in names:
        recipe, resume = RECIPES[name], resume_file(name)
        print(f"Training {name}: {recipe}")
        device = start(seed=0)
        if base := getattr(recipe, "base", None):  # a bot that goes on from another one reads with its tokenizer
            tokenizers[recipe.tokens] = checkpoints.load(base).tokenizer
        elif recipe.tokens not in tokenizers:
            tokenizers[recipe.tokens] = make_tokenizer(recipe.tokens, corpus)
        tokenizer = tokenizers[recipe.tokens]
        model, seconds = recipe.train(corpus, tokenizer, device, resume)
        checkpoints.save(Bot(model, tokenizer, name), {"recipe": type(recipe).__name__, **asdict(recipe)}, {})
        adversarial_success.forget(checkpoints.names() if name in adversarial_success.READERS else [name])
        trained_on = describe(device.torch.type if isinstance(model, nn.Module) else "cpu")
        _measure(name, corpus, {"training seconds": seconds, "device": trained_on})
        resume.unlink(missing_ok=True)
    all_are_new = set(names) & set(adversarial_success.READERS)
    adversarial_success.evaluate([] if all_are_new else names, corpus.test, required=False)


def measure_again(names: list[str] | None = None) -> None:
    """Measure trained bots again (all, if none is named) and rewrite their rows; how they were trained stays as it is.

    Raises ValueError, with the known names, if one is unknown, before anything is measured.
    """
    cards = {name: checkpoints.card(name) for name in names or checkpoints.names()}
    corpus = load()
    for name, card in cards.items():
        kept = ("training seconds", "device", adversarial_success.COLUMN)
        _measure(name, corpus, {column: card["metrics"][column] for column in kept if column in card["metrics"]})
    adversarial_success.evaluate(list(cards), corpus.test, required=False)


def _measure(name: str, corpus, known: dict) -> None:
    """Measure the saved bot (what is measured is what was saved) and write the figures to its card and its row."""
    figures = measure(checkpoints.load(name), corpus.test) | {"bytes": checkpoints.size(name)}
    record(name, figures | {adversarial_success.COLUMN: None} | known)  # None: evaluated after all are measured
    print(f"{name}: {figures['bits per byte']:.3f} bits per byte, {figures['bytes'] / 1e6:.1f} MB")
