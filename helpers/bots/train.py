"""Train, measure and save the bots of the course, and write their rows on the scoreboard."""

from dataclasses import asdict
from functools import partial
from inspect import signature
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
from helpers.training.alone import Alone
from helpers.training.launch import stream_processes


def make_tokenizer(tokens: str, corpus):
    """Return the tokenizer of the recipes with these ``tokens``, trained on the training conversations."""
    texts = (turn.text for talk in corpus.train for turn in talk.turns)
    return CharTokenizer.train(texts, min_count=20) if tokens == "characters" else BPETokenizer.train(texts)


def resume_file(name: str) -> Path:
    """Return where a training that is interrupted is kept: build/training/NAME.pt in the folder the command runs in."""
    return Path.cwd() / "build" / "training" / f"{name}.pt"


def train(names: list[str] | None = None, team=None) -> None:
    """Train the bots called ``names`` (all, if none is named), save and measure each, and write its scoreboard row.

    In a ``team`` (``helpers.training.distributed``) each process reads its share of every batch; the first alone saves and
    measures. Raises ValueError, with the known names, before anything is trained if one is unknown, or cannot be shared.
    """
    names = known(names, shared=team is not None)
    shared, team = {"team": team} if team else {}, team or Alone()
    corpus, tokenizers = load(), {}
    for name in names:
        recipe, resume = RECIPES[name], resume_file(name)
        print(f"Training {name}: {recipe}")
        device = start(seed=0)
        if base := getattr(recipe, "base", None):  # a bot that goes on from another one reads with its tokenizer
            tokenizers[recipe.tokens] = checkpoints.load(base).tokenizer
        elif recipe.tokens not in tokenizers:
            tokenizers[recipe.tokens] = make_tokenizer(recipe.tokens, corpus)
        tokenizer = tokenizers[recipe.tokens]
        model, seconds = recipe.train(corpus, tokenizer, device, resume, **shared)
        trained_on = describe(device.torch.type if isinstance(model, nn.Module) else "cpu")
        trained_on += f", {team.size} processes" if team.size > 1 else ""
        figures = {"training seconds": seconds, "device": trained_on}
        team.from_first(partial(_keep, Bot(model, tokenizer, name), recipe, corpus, figures))
        team.from_first(partial(resume.unlink, missing_ok=True))
    all_are_new = set(names) & set(adversarial_success.READERS)
    evaluate = partial(adversarial_success.evaluate, [] if all_are_new else names, corpus.test, required=False)
    team.from_first(evaluate)


def _keep(bot: Bot, recipe, corpus, figures: dict) -> None:
    """Save a bot that was just trained, and measure it."""
    checkpoints.save(bot, {"recipe": type(recipe).__name__, **asdict(recipe)}, {})
    adversarial_success.forget(checkpoints.names() if bot.name in adversarial_success.READERS else [bot.name])
    _measure(bot.name, corpus, figures)


def known(names: list[str] | None, shared: bool) -> list[str]:
    """Return the ``names`` (all, if there are none) of bots to be trained; ``shared``: by a team of processes.

    Raises ValueError if there is no recipe for one, or its recipe is for one process.
    """
    if unknown := [name for name in names or () if name not in RECIPES]:
        raise ValueError(f"there is no recipe for {unknown[0]!r}; known are {', '.join(RECIPES)}")
    can = [name for name, recipe in RECIPES.items() if "team" in signature(recipe.train).parameters]
    if shared and (alone := [name for name in names or RECIPES if name not in can]):
        raise ValueError(f"the recipe of {alone[0]} is for one process; several can train {', '.join(can)}")
    return list(names or RECIPES)


def train_with_processes(names: list[str] | None, processes: int) -> None:
    """The same as ``train`` with ``processes`` processes on this computer, each on a GPU of its own where there are enough.

    Raises ValueError as ``train`` does, ProcessesFailed when one fails, TimeoutError after a day.
    """
    names = known(names, shared=True)
    stream_processes("helpers.bots.train_team", processes, arguments=names)


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
