"""Which of the ways to a faster bot make it faster: tokens a second beside torch's, in the same minute (notebook 12).

    python -m helpers experiments decoding_speed       run what data/decoding_speed.csv lacks (all: four minutes)

Every variant continues the same conversations by the same number of tokens, in turn; its time, once it has read a conversation,
is divided into that of gpt in torch with its cache and one thread. "all cores" is torch as it comes, with a thread for each core:
for a network this small they wait for each other. Run it on a computer that does nothing else. A row is the median over ROUNDS,
with the lowest and the highest; "without sampling" is the ratio of the models' calls alone, "reading speed" that of a long prompt
read at once. Of speculative decoding it also says why: how often a proposed token was accepted, how often the model was called
for a token, and how long a call of the draft and a call that checks all proposals take, in calls of the model with one token. The
variants with ONNX need the extra [export].
"""

import tempfile
import time
import warnings
from collections.abc import Callable
from pathlib import Path
from statistics import median
from typing import NamedTuple

import torch

from helpers import data_path
from helpers.bots import checkpoints
from helpers.bots.bot import Bot
from helpers.compression.onnx_export import OnnxGPT, export_onnx, quantize_onnx
from helpers.corpus.batches.token_stream import stream
from helpers.corpus.load import load
from helpers.evaluation.likelihood import bits_per_byte_on
from helpers.generation.sampling import generate
from helpers.generation.speculative_decoding import Counts, speculative_generate
from helpers.io import read_rows, write_rows
from helpers.models.ngram import NGram

ROUNDS, PROMPTS, TOKENS, LONG = 5, 3, 40, 192
LOOK_AHEAD = (1, 2, 4)
SMALLER = ("gpt-small", "gpt-int8", "gpt-int4")
COLUMNS = (
    "variant", "temperature", "look ahead", "speed", "lowest", "highest", "without sampling", "reading speed", "acceptance rate",
    "calls per token", "draft call", "checking call", "bytes", "bits per byte",
)  # fmt: skip


class Variant(NamedTuple):
    """One way to continue a text: ``model`` by itself, or checking what ``draft`` proposes."""

    name: str
    model: object
    temperature: float = 0.7
    draft: object = None
    look_ahead: int = 0
    size: int | None = None  # bytes of its file
    threads: int = 1

    @property
    def key(self) -> dict:
        return {"variant": self.name, "temperature": self.temperature, "look ahead": self.look_ahead}

    def continued(self, ids: list[int], forbidden: list[int], seed: int, counts: Counts) -> float:
        """Write TOKENS tokens after ``ids``; return the seconds from the first one on, when ``ids`` have been read."""
        settings = {"max_tokens": TOKENS, "temperature": self.temperature, "forbidden": forbidden, "seed": seed}
        if self.draft is None:
            tokens = generate(self.model, ids, **settings)
        else:
            more = {"look_ahead": self.look_ahead, "counts": counts}
            tokens = speculative_generate(self.model, self.draft, ids, **more, **settings)
        next(tokens)
        return seconds(lambda: list(tokens))


def seconds(function: Callable[[], object], times: int = 1) -> float:
    """Return the median of the seconds that ``function()`` takes."""
    taken = []
    for _ in range(times):
        began = time.perf_counter()
        function()
        taken.append(time.perf_counter() - began)
    return median(taken)


def variants(bot: Bot, others: dict[str, Bot], draft: NGram, folder: Path) -> list[Variant]:
    """Return all variants, the one that the others are compared with first; ``others`` are smaller bots, by name."""
    path = export_onnx(bot.model, folder / "gpt.onnx")
    int8 = quantize_onnx(path, folder / "gpt.int8.onnx")
    alone = [
        Variant("gpt", bot.model, size=checkpoints.size(bot.name)),
        Variant("gpt, all cores", bot.model, threads=torch.get_num_threads()),
        *(Variant(name, other.model, size=checkpoints.size(name)) for name, other in others.items()),
        Variant("onnx", OnnxGPT(path, 1), size=path.stat().st_size),
        Variant("onnx int8", OnnxGPT(int8, 1), size=int8.stat().st_size),
    ]
    drafts = {"n-gram draft": draft, "gpt-small draft": others["gpt-small"].model}
    return [
        *alone,
        Variant("gpt", bot.model, 0.0),
        *(
            Variant(name, bot.model, temperature, model, number)
            for temperature in (0.0, 0.7)
            for name, model in drafts.items()
            for number in LOOK_AHEAD
        ),
    ]


def measure(chosen: list[Variant], bot: Bot, talks: list) -> list[dict]:
    """Return a row for each variant, from ROUNDS rounds in which each continues the same conversations in turn."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of a long conversation the end is read
        prompts = [bot.prompt([turn.text for turn in talk.turns[:3]]) for talk in talks if len(talk.turns) > 3][
            :PROMPTS
        ]
    forbidden = [number for number in (bot.tokenizer.pad, bot.tokenizer.unknown) if number is not None]
    counts = [Counts() for _ in chosen]
    speeds, alone, reading, calls = ([[] for _ in chosen] for _ in range(4))
    text = torch.tensor([[token for prompt in prompts for token in prompt][:LONG]])
    for variant in chosen:  # the first call prepares what later ones use
        variant.continued(prompts[0][:8], forbidden, 0, Counts())
    for number in range(ROUNDS):
        taken = [0.0] * len(chosen)
        for seed, prompt in enumerate(prompts, number * len(prompts)):
            for place in range(len(chosen)):
                place = (place + number + seed) % len(chosen)  # no variant always runs after the same one
                variant = chosen[place]
                torch.set_num_threads(variant.threads)
                taken[place] += variant.continued(prompt, forbidden, seed, counts[place])
        base = {variant.temperature: time for variant, time in zip(chosen, taken) if variant.name == "gpt"}
        for place, variant in enumerate(chosen):
            torch.set_num_threads(variant.threads)
            speeds[place].append(base[variant.temperature] / taken[place])
            with torch.no_grad():
                if variant.draft is None:
                    alone[place].append(_greedy(variant.model, text[:, : LONG - TOKENS]))
                    reading[place].append(seconds(lambda: variant.model(text), 3))  # noqa: B023
                else:
                    calls[place].append(_calls(variant, text))
    rows = []
    for place, variant in enumerate(chosen):
        row = variant.key | {
            "speed": median(speeds[place]), "lowest": min(speeds[place]), "highest": max(speeds[place]), "bytes": variant.size
        }  # fmt: skip
        if variant.draft is None:
            row["without sampling"] = median(base / own for base, own in zip(alone[0], alone[place]))
            row["reading speed"] = median(base / own for base, own in zip(reading[0], reading[place]))
        else:
            row["draft call"], row["checking call"] = (median(column) for column in zip(*calls[place]))
            row["acceptance rate"] = counts[place].acceptance_rate
            row["calls per token"] = counts[place].calls_per_token
        rows.append({name: round(value, 3) if isinstance(value, float) else value for name, value in row.items()})
    return rows


def _greedy(model, text: torch.Tensor) -> float:
    """Return the seconds of TOKENS calls with one token, the likeliest, after ``text`` [1, T]: the model and nothing else."""
    logits, state = model(text)

    def write() -> None:
        nonlocal logits, state
        for _ in range(TOKENS):
            logits, state = model(logits[:, -1:].argmax(-1), state)

    return seconds(write)


def _calls(variant: Variant, text: torch.Tensor) -> tuple[float, float]:
    """Return how long a call of the draft and one that checks all proposals take, in calls of the model with one token."""
    one, state, own = text[:, :1], variant.model(text[:, :100])[1], variant.draft(text[:, :100])[1]
    single = seconds(lambda: variant.model(one, state), 9)
    check = seconds(lambda: variant.model(text[:, : variant.look_ahead + 1], state), 9)
    return seconds(lambda: variant.draft(one, own), 9) / single, check / single


def main() -> None:
    """Measure all variants, unless the file has every one of them."""
    path, threads = data_path() / "decoding_speed.csv", torch.get_num_threads()
    if read_rows(path):
        return
    corpus, bot, others = load(), checkpoints.load("gpt"), {name: checkpoints.load(name) for name in SMALLER}
    draft = NGram.count(stream(corpus.train, bot.tokenizer), 3, len(bot.tokenizer))
    try:
        with tempfile.TemporaryDirectory() as folder:
            chosen = variants(bot, others, draft, Path(folder))
            rows = measure(chosen, bot, corpus.test)
            for variant, row in zip(chosen, rows):
                if variant.name in ("gpt", *SMALLER):
                    row["bits per byte"] = checkpoints.card(variant.name)["metrics"]["bits per byte"]
                elif isinstance(variant.model, OnnxGPT):
                    row["bits per byte"] = bits_per_byte_on(variant.model, bot.tokenizer, corpus.test)
    finally:
        torch.set_num_threads(threads)
    write_rows(path, COLUMNS, rows)
