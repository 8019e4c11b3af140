"""The capstone: a month of comments of your own, from its file to a row on the scoreboard (after notebook 16).

    python -m helpers capstone read     RC_2012-06.zst     comments become conversations (notebook 01)
    python -m helpers capstone pretrain RC_2012-06.zst     a tokenizer and a GPT of their own (notebook 06)
    python -m helpers capstone finetune RC_2012-06.zst     it learns to reply (notebook 07)
    python -m helpers capstone arena    RC_2012-06.zst     it meets the course's bots and people; its row (notebook 15)
    python -m helpers capstone all      RC_2012-06.zst     the four, one after the other, going on where it stopped

Each stage is a function here, with the same argument: ``capstone.read("RC_2012-06.zst")``. All that they write lies in
build/capstone/RC_2012-06; the course's own files and rows are only read.
"""

import argparse
import os
import time
from dataclasses import asdict, replace

from helpers.bots import checkpoints
from helpers.bots.bot import Bot
from helpers.bots.capstone_folder import FEWEST, Capstone, read_source, write_corpus
from helpers.bots.capstone_recipes import HELD_OUT, MonthChatRecipe, MonthRecipe
from helpers.corpus.conversations import Corpus
from helpers.corpus.tokenizers.bpe import BPETokenizer
from helpers.evaluation.scoreboard import COLUMNS
from helpers.runtime import describe, start

STAGES = ("read", "pretrain", "finetune", "arena")
BASES = ("gpt", "gpt-chat", "gpt-small")
MINUTES, TUNING_MINUTES = 20.0, 8.0
LEAST_TEXT = 1_000_000  # bytes: of less, nine passes teach a GPT no English
TOKENIZER_TEXT = 10_000_000  # characters that the tokenizer learns from: more would change few of its words


def read(source: str | os.PathLike, name: str | None = None) -> Corpus:
    """Read a month (or whatever ``helpers.corpus.load.load`` reads), store its conversations and return them (notebook 01).

    Raises FileNotFoundError and ValueError, in a sentence, where there is no file or too little in it.
    """
    capstone = Capstone(source, name)
    corpus = read_source(capstone.source)
    write_corpus(capstone.file("conversations.jsonl"), corpus)
    sizes = {part: text_bytes(getattr(corpus, part)) for part in ("train", "val", "test")}
    print(corpus.card)
    print(f"{corpus}: " + ", ".join(f"{size / 1e6:,.2f} MB of text in {part}" for part, size in sizes.items()))
    for talk in corpus.train[:2]:
        print(f"\n{talk}"[:600])
    return corpus


def pretrain(
    source: str | os.PathLike, name: str | None = None, minutes: float = MINUTES, base: str | None = None
) -> Bot:
    """Train a tokenizer and a GPT on the conversations that ``read`` stored, for ``minutes`` at most (notebook 06).

    With ``base``, one of BASES, nothing is trained: the course's bot of that name is what fine-tuning goes on from. A month
    of less than LEAST_TEXT bytes of text gets "gpt" as its base, and a sentence that says so. Raises ValueError where
    ``read`` has not run, for an unknown base, for minutes that are not above 0, and when the training is interrupted.
    """
    check_minutes(minutes)
    capstone = Capstone(source, name)
    corpus = capstone.corpus()
    if base is None and (size := text_bytes(corpus.train)) < LEAST_TEXT:
        print(
            f"{size:,} bytes of text are too little to learn English from ({LEAST_TEXT:,} are the least). "
            "So the course's gpt is the pretrained one, and fine-tuning will be all it learns from your month."
        )
        base = "gpt"
    if base is not None:
        return _take(capstone, base)
    device = start(seed=0)
    corpus = with_validation(corpus)
    tokenizer = BPETokenizer.train(_first(corpus.train, TOKENIZER_TEXT))
    return _train(capstone, MonthRecipe(60 * minutes), corpus, tokenizer, device, "pretrained")


def finetune(source: str | os.PathLike, name: str | None = None, minutes: float = TUNING_MINUTES) -> Bot:
    """Let the pretrained GPT go on with rows of whole turns, for ``minutes`` at most (notebook 07).

    Raises ValueError where ``pretrain`` has not run, for minutes that are not above 0, and when it is interrupted.
    """
    check_minutes(minutes)
    capstone = Capstone(source, name)
    base = capstone.need(capstone.pretrained, "pretrain")
    device, corpus = start(seed=0), with_validation(capstone.corpus())
    before = checkpoints.load(base)
    print(surprise(before, corpus.val))
    return _train(capstone, MonthChatRecipe(60 * minutes, str(base)), corpus, before.tokenizer, device, "bot")


def arena(source: str | os.PathLike, name: str | None = None):
    """Let the bot meet the course's bots and people, measure it, and return its scoreboard, a DataFrame (notebook 15).

    See ``helpers.bots.capstone_arena.results``. Raises ValueError where ``finetune`` has not run.
    """
    from helpers.bots.capstone_arena import results

    capstone = Capstone(source, name)
    capstone.need(capstone.bot, "finetune")
    return results(capstone)


def run_all(source: str | os.PathLike, name: str | None = None, minutes: float = MINUTES, base: str | None = None):
    """Run all stages whose results are not there yet, and return the scoreboard. Raises what they raise."""
    check_minutes(minutes)
    capstone, began = Capstone(source, name), time.perf_counter()
    done = {
        "read": capstone.file("conversations.jsonl"), "pretrain": capstone.pretrained, "finetune": capstone.bot,
    }  # fmt: skip
    stages = {
        "read": lambda: read(source, name),
        "pretrain": lambda: pretrain(source, name, minutes, base),
        "finetune": lambda: finetune(source, name, minutes * TUNING_MINUTES / MINUTES),
        "arena": lambda: arena(source, name),
    }
    for stage, run in stages.items():
        if stage in done and done[stage].exists():
            print(f"== {stage}: done before, in {done[stage].relative_to(capstone.folder.parents[2])}")
            continue
        print(f"== {stage}", flush=True)
        result = run()
    print(f"{(time.perf_counter() - began) / 60:.0f} minutes in all.")
    return result


def pairs(source: str | os.PathLike, name: str | None = None) -> list[tuple]:
    """Return what ``arena`` has compared, for a blind vote of your own: ``helpers.show.Arena(capstone.pairs(FILE))``.

    A list of (number of the prompt, its turns, {contestant: reply}). Raises ValueError where ``arena`` has not run.
    """
    from helpers.bots.capstone_arena import stored_pairs

    return stored_pairs(Capstone(source, name))


def row(source: str | os.PathLike, name: str | None = None) -> dict:
    """Return the bot's figures, as ``helpers.evaluation.scoreboard.with_row`` takes them: measured as the course's bots were.

    Raises ValueError where ``arena`` has not run.
    """
    capstone = Capstone(source, name)
    capstone.need(capstone.file("scoreboard.csv"), "arena")
    metrics = checkpoints.card(capstone.bot)["metrics"]
    return {column: metrics[column] for column in COLUMNS if column in metrics}


# --- what the stages share ------------------------------------------------------------------------------------------------


def text_bytes(conversations) -> int:
    """Return how many UTF-8 bytes of text conversations hold."""
    return sum(len(turn.text.encode("utf-8")) for talk in conversations for turn in talk.turns)


def with_validation(corpus: Corpus) -> Corpus:
    """Return a corpus with FEWEST conversations to validate on, if need be with every tenth of its training ones."""
    if len(corpus.val) >= FEWEST:
        return corpus
    kept = [talk for number, talk in enumerate(corpus.train) if number % 10]
    return replace(corpus, train=kept, val=corpus.val + corpus.train[::10])


def check_minutes(minutes: float) -> None:
    """Raise ValueError for minutes that are not above 0."""
    if not minutes > 0:
        raise ValueError(f"minutes is {minutes}: give a number above 0, such as --minutes 20")


def _first(conversations, characters: int):
    for talk in conversations:
        for turn in talk.turns:
            if characters <= 0:
                return
            characters -= len(turn.text)
            yield turn.text


def _take(capstone: Capstone, base: str) -> Bot:
    """Keep the course's bot ``base`` as the pretrained one, with what its own training took."""
    if base not in BASES:
        raise ValueError(f"there is no base {base!r}: it is one of {', '.join(BASES)}")
    course = checkpoints.load(base)
    bot = Bot(course.model, course.tokenizer, f"{capstone.name} (pretrained)")
    checkpoints.save(bot, {"recipe": "the course's own", "base": base}, {"training seconds": 0.0}, capstone.pretrained)
    print(f"The pretrained GPT is the course's {base}.")
    return checkpoints.load(capstone.pretrained)


def _train(capstone: Capstone, recipe, corpus: Corpus, tokenizer, device, target: str) -> Bot:
    """Train as ``recipe`` says, keep the bot in the folder ``target``, and say how well it predicts what it has not read."""
    resume = capstone.file(f"{target}.pt")
    resume.parent.mkdir(parents=True, exist_ok=True)
    length = f"{len(corpus.train):,} conversations, {recipe.seconds / 60:g} minutes at most"
    print(f"{length}. Ctrl-C stops it, and the same command goes on.", flush=True)
    model, seconds = recipe.train(corpus, tokenizer, device, resume)
    bot = Bot(model, tokenizer, capstone.name if target == "bot" else f"{capstone.name} (pretrained)")
    figures = {"training seconds": seconds, "device": describe(device.torch.type)}
    checkpoints.save(bot, {"recipe": type(recipe).__name__, **asdict(recipe)}, figures, capstone.folder / target)
    resume.unlink(missing_ok=True)
    bot = checkpoints.load(capstone.folder / target)
    print(f"{seconds / 60:.1f} minutes. {surprise(bot, corpus.val)}")
    return bot


def surprise(bot: Bot, conversations) -> str:
    """Say how well a bot predicts conversations that it has not read."""
    from helpers.evaluation.likelihood import bits_per_byte_on

    few = conversations[:HELD_OUT]
    bits = bits_per_byte_on(bot.model, bot.tokenizer, few)
    return f"{bot.name}: {bits:.3f} bits per byte on {len(few)} held-out conversations."


# --- the command line -----------------------------------------------------------------------------------------------------


def main(arguments: list[str]) -> int:
    """Run ``python -m helpers capstone``; return its exit status. Raises what the stages raise."""
    parser = argparse.ArgumentParser(
        prog="python -m helpers capstone", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("stage", choices=[*STAGES, "all"])
    parser.add_argument("file", help="a month of Reddit comments, a folder of months, or a ConvoKit corpus")
    parser.add_argument("--name", help="the folder in build/capstone (default: the file's name)")
    parser.add_argument("--minutes", type=float, help="the longest training (default: 20 to pretrain, 8 to fine-tune)")
    parser.add_argument("--base", choices=BASES, help="begin with this bot of the course instead of pretraining")
    options = parser.parse_args(arguments)
    takes = {"pretrain": ("minutes", "base"), "finetune": ("minutes",), "all": ("minutes", "base")}.get(
        options.stage, ()
    )
    given = {name: getattr(options, name) for name in ("minutes", "base") if getattr(options, name) is not None}
    if unused := [name for name in given if name not in takes]:
        raise ValueError(f"{options.stage} takes no --{unused[0]}")
    run = {"read": read, "pretrain": pretrain, "finetune": finetune, "arena": arena, "all": run_all}[options.stage]
    run(options.file, options.name, **given)
    return 0
