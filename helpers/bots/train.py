"""Train, measure and save the bots of the course, and write their rows on the scoreboard."""

from dataclasses import asdict

from helpers.bots import adversarial_success, checkpoints
from helpers.bots.bot import Bot
from helpers.bots.measure import measure
from helpers.bots.recipes import RECIPES
from helpers.corpus.load import load
from helpers.corpus.tokenizers.bpe import BPETokenizer
from helpers.corpus.tokenizers.characters import CharTokenizer
from helpers.evaluation import scoreboard
from helpers.runtime import describe, start


def make_tokenizer(tokens: str, corpus):
    """Return the tokenizer of the recipes with these ``tokens``, made from the training conversations."""
    texts = (turn.text for talk in corpus.train for turn in talk.turns)
    return CharTokenizer.train(texts, min_count=20) if tokens == "characters" else BPETokenizer.train(texts)


def train(names: list[str] | None = None) -> None:
    """Train the bots called ``names`` (all, if none is named), save and measure each, and write its scoreboard row.

    Raises ValueError, with the known names, before anything is trained if one is unknown.
    """
    if unknown := [name for name in names or () if name not in RECIPES]:
        raise ValueError(f"there is no recipe for {unknown[0]!r}; known are {', '.join(RECIPES)}")
    corpus, tokenizers = load(), {}
    for name in names or RECIPES:
        print(f"Training {name}: {RECIPES[name]}")
        device, tokens = start(seed=0), RECIPES[name].tokens
        base = getattr(RECIPES[name], "base", None)  # who goes on from another bot reads with its tokenizer
        tokenizer = (
            checkpoints.load(base).tokenizer if base else tokenizers.get(tokens) or make_tokenizer(tokens, corpus)
        )
        tokenizers[tokens] = tokenizer
        resume = checkpoints.folder().parents[1] / "build" / "training" / f"{name}.pt"
        model, seconds = RECIPES[name].train(corpus, tokenizer, device, resume)
        recipe = {"recipe": type(RECIPES[name]).__name__, **asdict(RECIPES[name])}
        checkpoints.save(Bot(model, tokenizer, name), recipe, {})
        adversarial_success.forget(checkpoints.names() if name in adversarial_success.READERS else [name])
        trained_on = describe(device.torch.type if hasattr(model, "parameters") else "cpu")
        _note(name, corpus, {"training seconds": seconds, "device": trained_on})
        resume.unlink(missing_ok=True)
    trained_now = list(names or RECIPES)
    adversarial_success.judge_if_possible(
        [] if set(trained_now) & set(adversarial_success.READERS) else trained_now, corpus.test
    )


def measure_again(names: list[str] | None = None) -> None:
    """Measure trained bots again (all, if none is named) and rewrite their rows; how they were trained stays as it is.

    Raises ValueError, with the known names, if one is unknown, before anything is measured.
    """
    cards = {name: checkpoints.card(name) for name in names or checkpoints.names()}
    corpus = load()
    for name, card in cards.items():
        kept = ("training seconds", "device", adversarial_success.COLUMN)
        _note(name, corpus, {column: card["metrics"][column] for column in kept if column in card["metrics"]})
    adversarial_success.judge_if_possible(list(cards), corpus.test)


def _note(name: str, corpus, known: dict) -> None:
    """Measure the saved bot (what is measured is what was saved) and write the figures to its card and its row."""
    figures = measure(checkpoints.load(name), corpus.test)
    figures |= {
        "bytes": checkpoints.size(name),
        adversarial_success.COLUMN: None,
        **known,
    }  # None: judged after all are measured
    checkpoints.note_metrics(name, figures)
    scoreboard.write(name, figures)
    print(f"{name}: {figures['bits per byte']:.3f} bits per byte, {figures['bytes'] / 1e6:.1f} MB")
