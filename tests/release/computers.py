"""The same code, the same seeds, the same versions, on this computer and on it imitating an older one: what differs?

python -m tests.release.computers        print the measured numbers as JSON, under the settings it was started with
"""

import json
import os
import platform
import re
import subprocess
import sys
from collections.abc import Mapping

from helpers import about
from tests.notebooks import books

OPENING = "My dog learned to open the"
# What is measured: its name, and the digits with which the notebooks would print it.
QUANTITIES = {
    "sum of a million random numbers, float32": 0,
    "logit of gpt's likeliest next token": 2,
    "bits per byte of gpt on one conversation": 2,
    "loss of a small GPT after 1 step of training": 2,
    "loss after 30 steps": 2,
    "loss after 120 steps": 2,
}
REPLIES = ("gpt-chat's reply, always the likeliest token", "gpt-chat's reply, sampled at temperature 0.7")


def older_computer() -> dict[str, str]:
    """Return the variables with which `make test-portable` imitates an older computer, as they stand in the Makefile."""
    text = (books.ROOT / "Makefile").read_text(encoding="utf-8")
    lines = re.search(r"^OTHER_COMPUTER := ((?:.*\\\n)*.*)$", text, re.MULTILINE)[1]
    return dict(word.split("=", 1) for word in lines.replace("\\\n", " ").split())


def measure() -> dict[str, float | str]:
    """Return {quantity: its number or text} on this computer, under the settings of this process."""
    import torch

    from helpers.bots import checkpoints
    from helpers.corpus.load import load
    from helpers.evaluation.likelihood import bits_per_byte_on

    names, found = iter(QUANTITIES), {}
    numbers = torch.rand(1_000_000, generator=torch.Generator().manual_seed(0))
    found[next(names)] = numbers.sum().item()
    gpt, corpus = checkpoints.load("gpt"), load("chitchat")
    with torch.no_grad():
        logits, _ = gpt.model(torch.tensor([gpt.tokenizer.encode(OPENING)]))
    found[next(names)] = logits[0, -1].max().item()
    found[next(names)] = bits_per_byte_on(gpt.model, gpt.tokenizer, corpus.val[:1])
    losses = train(corpus.train, gpt.tokenizer, (1, 30, 120))
    found |= {next(names): loss for loss in losses}
    chat = checkpoints.load("gpt-chat")
    for name, temperature in zip(REPLIES, (0, 0.7)):
        found[name] = chat.reply(["What do you do for fun?"], temperature=temperature, seed=0)
    return found


def train(conversations, tokenizer, steps: tuple[int, ...]) -> list[float]:
    """Train a small GPT from the same start and return its loss, in nats per token, after each number of ``steps``."""
    import torch

    from helpers.corpus.batches.token_stream import StreamBatches, stream
    from helpers.models.gpt import GPT, GPTConfig
    from helpers.training import fit
    from helpers.training.losses import next_token_loss

    batches = StreamBatches(stream(conversations[:300], tokenizer).long(), batch_size=16, context=64)
    found = []
    for count in steps:
        torch.manual_seed(0)
        model = GPT(GPTConfig.modern(len(tokenizer), n_embd=32, n_layer=2, n_head=2, context=64))
        fit(model, batches, steps=count, schedule="constant", learning_rate=2e-3, progress=False)
        with torch.no_grad():
            found.append(next_token_loss(model.eval(), batches[0]).item())
    return found


def elsewhere(settings: Mapping[str, str]) -> dict[str, float | str]:
    """Return what ``measure`` returns in a process of its own with these variables."""
    others = {name: value for name, value in os.environ.items() if name not in older_computer()}
    command = [sys.executable, "-m", "tests.release.computers"]
    done = subprocess.run(command, cwd=books.ROOT, env=others | settings, capture_output=True, text=True, check=True)
    return json.loads(done.stdout.splitlines()[-1])


def table() -> str:
    """Measure on this computer and on it imitating an older one; return the table as Markdown."""
    return f"{heading()}\n\n{rows(elsewhere({}), elsewhere(older_computer()))}"


def heading() -> str:
    """Return a sentence about this computer, without a name of its owner."""
    known, torch = about.computer(), about.installed("torch")
    return f"*This computer: {platform.machine()}, {known['instructions']}; threads: {known['threads']}; torch {torch}.*"


def rows(here: dict, older: dict) -> str:
    """Return the table of two measurements: their numbers, their difference, and whether a notebook would print the same."""
    lines = ["| | this computer | imitating an older one | difference | printed the same |", "|---|---|---|---|---|"]
    for name, digits in QUANTITIES.items():
        one, other = here[name], older[name]
        same = f"{one:.{digits}f}" == f"{other:.{digits}f}"
        words = f"yes, as {one:,.{digits}f}" if same else f"no: {one:,.{digits}f} and {other:,.{digits}f}"
        gap = f"{abs(one - other):.0e}".replace("e-0", "e-") if one != other else "0"
        lines.append(f"| {name} | {one:.7f} | {other:.7f} | {gap} | {words} |")
    for name in REPLIES:
        one, other = here[name], older[name]
        lines.append(f"| {name} | “{cut(one)}” | “{cut(other)}” | | {'yes' if one == other else 'no'} |")
    return "\n".join(lines) + "\n"


def cut(text: str, most: int = 60) -> str:
    """Return the beginning of a text."""
    return text if len(text) <= most else f"{text[: most - 1].rstrip()}…"


if __name__ == "__main__":
    print(json.dumps(measure()))
