"""Which head decides *he* or *she*? Each head of three bots, and of one whose weights are shuffled (notebook 10).

    python -m helpers experiments inside_heads       run what data/heads.csv lacks (all: ten minutes on one core)

A row is a head. Three questions, in the order in which the notebook asks them: how strongly does the head attend from the last
token to *brother* or *sister* (the attention map)? What does the loss cost on held-out text when the head's output is replaced,
for pronouns and for all other tokens (ablation)? And which share of the difference between the two sentences comes back when
the head alone is taken from the other sentence (patching)?
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import torch

from helpers import data_path
from helpers.bots import checkpoints
from helpers.corpus.load import load
from helpers.experiments.run_missing import run_missing
from helpers.interpretability.ablation import ablation, activations
from helpers.interpretability.controls import shuffled_weights
from helpers.interpretability.patching import logit_difference, restored_by_head
from helpers.interpretability.sentence_pairs import pronoun_pairs, sentence_pair
from helpers.interpretability.token_activations import text_rows
from helpers.io import read_rows, write_rows
from helpers.models.utils import evaluating

LENGTH, PLAIN, REFERENCE = (
    193,
    40,
    16,
)  # tokens read of a conversation; conversations as they come; those that give the mean
HE, SHE = ("he", "him", "his"), ("she", "her", "hers")
KINDS = {"pronouns": (*HE, *SHE), "they": ("they", "them", "their")}
TOPICS = (("movies", "music"), ("I like {}", "I love {} a lot", "I am into {}"), ("What kind of", "I like"))
COLUMNS = (
    "bot", "weights", "replacement", "layer", "head", "attention", "restored", "restored_low", "restored_high", "difference",
    "topic", "all", "all_error", "pronouns", "pronouns_error", "they", "they_error", "others", "others_error",
    "right", "right_whole", "asked",
)  # fmt: skip


class HeadsRun(NamedTuple):
    """All heads of one model."""

    bot: str
    weights: str  # "trained", or "shuffled 0", … by the seed
    replacement: str  # what takes a head's place: "mean", "zero", "resample"

    @property
    def key(self) -> dict:
        return self._asdict()


RUNS = (
    HeadsRun("gpt", "trained", "mean"),
    *(HeadsRun(bot, "trained", "mean") for bot in ("gpt-chat", "dpo")),
    *(HeadsRun("gpt", f"shuffled {seed}", "mean") for seed in (0, 1)),
    *(HeadsRun("gpt", "trained", replacement) for replacement in ("zero", "resample")),
)


def model_of(run: HeadsRun, bot) -> torch.nn.Module:
    """Return the bot's model, or a copy with its weights shuffled by the seed that the run names."""
    kind, _, seed = run.weights.partition(" ")
    return bot.model if kind == "trained" else shuffled_weights(bot.model, int(seed))


def tokens_of(tokenizer, words: Sequence[str]) -> list[int]:
    """Return the ids of words that are one token, with and without a space before them or a capital letter."""
    forms = {form for word in words for form in (f" {word}", f" {word.capitalize()}", word, word.capitalize())}
    ids = [tokenizer.encode(form) for form in forms]
    return sorted(one[0] for one in ids if len(one) == 1)


# --- ablation on held-out text ------------------------------------------------------------------------------------------


class HeldOut(NamedTuple):
    """Rows of equal length, and which of their tokens are of which kind.

    The first rows are conversations as they come: only these count for "all" and "others". Pronouns are rare, so that they come
    from further conversations as well.
    """

    ids: torch.Tensor  # [B, T + 1]
    kinds: dict[str, torch.Tensor]  # {kind: [B, T] bool}
    he: int
    she: int


def held_out(tokenizer, conversations, length: int, plain: int = PLAIN) -> HeldOut:
    """Return the first tokens of conversations that are long enough: ``plain`` of them, and all others with a pronoun."""
    rows = torch.tensor([row for row in text_rows(tokenizer, conversations, length) if len(row) == length])
    pronouns = torch.tensor(tokens_of(tokenizer, KINDS["pronouns"]))
    chosen = torch.isin(rows[:, 1:], pronouns).any(dim=1)
    chosen[:plain] = True
    rows = rows[chosen]
    targets, as_they_come = rows[:, 1:], torch.arange(len(rows))[:, None] < plain
    kinds = {kind: torch.isin(targets, torch.tensor(tokens_of(tokenizer, words))) for kind, words in KINDS.items()}
    kinds["others"] = as_they_come & ~(kinds["pronouns"] | kinds["they"])
    kinds["all"] = as_they_come.expand_as(targets)
    he, she = tokenizer.encode(" he")[0], tokenizer.encode(" she")[0]
    return HeldOut(rows, kinds, he, she)


@torch.no_grad()
def read(model, text: HeldOut, hooks: dict | None = None) -> tuple[torch.Tensor, torch.Tensor]:
    """Return the loss of every token [B, T], and where he or she comes, whether the right one has the higher score."""
    losses, right = [], []
    with evaluating(model), model.hooks(hooks or {}):
        for ids in text.ids.split(20):
            logits, targets = model(ids[:, :-1])[0].float(), ids[:, 1:]
            losses.append(torch.nn.functional.cross_entropy(logits.transpose(1, 2), targets, reduction="none"))
            for asked, other in ((text.he, text.she), (text.she, text.he)):
                here = logits[targets == asked]
                right.append(here[:, asked] > here[:, other])
    return torch.cat(losses), torch.cat(right)


def cost(change: torch.Tensor, mask: torch.Tensor) -> tuple[float, float]:
    """Return the mean change [B, T] where ``mask`` [B, T] is true, and its standard error over conversations.

    The error is that of a ratio of sums: tokens of one conversation are not independent.
    """
    sums, sizes = (change * mask).sum(1).double().numpy(), mask.sum(1).double().numpy()
    mean = sums.sum() / sizes.sum()
    return float(mean), float(np.sqrt(np.sum((sums - mean * sizes) ** 2)) / sizes.sum())


def ablation_costs(model, text: HeldOut, replacement: str) -> list[dict]:
    """Return a dict of costs for each head, layer by layer. The mean, or what is resampled, comes from the text itself."""
    reference = text.ids[:REFERENCE, :-1] if replacement == "mean" else text.ids[:, :-1]
    whole, right_whole = read(model, text)
    rows = []
    for layer in range(len(model.blocks)):
        for head in range(model.settings.n_head):
            hooks = {}
            if replacement == "resample":  # read in parts, so each part needs its own rows of the reference
                losses, right = resampled(model, text, layer, head)
            else:
                hooks = ablation(model, reference, layer, head, replacement)
                losses, right = read(model, text, hooks)
            row = {"layer": layer, "head": head, "right": int(right.sum()), "right_whole": int(right_whole.sum())}
            for kind, mask in text.kinds.items():
                row[kind], row[f"{kind}_error"] = cost(losses - whole, mask)
            rows.append({**row, "asked": len(right)})
    return rows


def resampled(model, text: HeldOut, layer: int, head: int) -> tuple[torch.Tensor, torch.Tensor]:
    """As ``read``, while the head has what it holds at the same position of another conversation of the same part."""
    losses, right = [], []
    for ids in text.ids.split(20):
        part = text._replace(ids=ids)
        one, two = read(model, part, ablation(model, ids[:, :-1], layer, head, "resample"))
        losses.append(one)
        right.append(two)
    return torch.cat(losses), torch.cat(right)


# --- pairs of sentences -------------------------------------------------------------------------------------------------


def topic_pairs(tokenizer) -> list[torch.Tensor]:
    """Return pairs that differ in what someone likes, int64 [2, T] each: movies first, then music."""
    words, messages, starts = TOPICS
    return [sentence_pair(tokenizer, words, message, start) for message in messages for start in starts]


def attention_to_the_word(model, pair: torch.Tensor) -> torch.Tensor:
    """Return how strongly each head attends from the last token to the one in which two sentences differ, [n_layer, n_head]."""
    (position,) = (pair[0] != pair[1]).nonzero()[-1].tolist()
    names = [f"blocks.{layer}.attention.hook_pattern" for layer in range(len(model.blocks))]
    cache = activations(model, pair, names)
    return torch.stack([cache[name][:, :, -1, position].mean(dim=0) for name in names])


def patching_rows(model, tokenizer, pairs: Sequence[torch.Tensor], he: int, she: int) -> dict[tuple[int, int], dict]:
    """Return {(layer, head): attention, restored share (median, lowest, highest), difference of the answers, topic's share}."""
    measure = logit_difference(he, she)
    shares = torch.stack([restored_by_head(model, pair, measure) for pair in pairs])  # [pairs, n_layer, n_head]
    attention = torch.stack([attention_to_the_word(model, pair) for pair in pairs]).mean(dim=0)
    with torch.no_grad():
        answers = [measure(model(pair)[0]) for pair in pairs]
    gap = float(np.median([abs(one - other).item() for one, other in answers]))
    movies, music = (tokenizer.encode(f" {word}")[0] for word in TOPICS[0])
    topics = [restored_by_head(model, pair, logit_difference(movies, music)) for pair in topic_pairs(tokenizer)]
    topic = torch.stack(topics).median(dim=0).values
    rows = {}
    for layer, head in np.ndindex(*attention.shape):
        here = shares[:, layer, head]
        spread = {"restored_low": here.min().item(), "restored_high": here.max().item(), "difference": gap}
        numbers = {"attention": attention, "topic": topic, "restored": shares.quantile(0.5, dim=0)}
        rows[layer, head] = {**{name: value[layer, head].item() for name, value in numbers.items()}, **spread}
    return rows


def rows_of(run: HeadsRun, bot, conversations, pairs: Sequence[torch.Tensor] | None = None) -> list[dict]:
    """Return the rows of one model, a head each."""
    model, tokenizer = model_of(run, bot), bot.tokenizer
    text = held_out(tokenizer, conversations, LENGTH)
    rows, patched = ablation_costs(model, text, run.replacement), {}
    if run.replacement == "mean":  # the sentences are the same whatever takes a head's place
        patched = patching_rows(model, tokenizer, pairs or pronoun_pairs(tokenizer), text.he, text.she)
    return [{**run.key, **row, **patched.get((row["layer"], row["head"]), {})} for row in rows]


def main() -> None:
    """Execute every run that the table lacks."""
    path, talks = data_path() / "heads.csv", []

    def execute(run: HeadsRun) -> list[dict]:
        if not talks:
            corpus = load("chitchat")
            talks.extend([*corpus.test, *corpus.val])
        return rows_of(run, checkpoints.load(run.bot), talks)

    run_missing(RUNS, read_rows(path), execute, lambda rows: write_rows(path, COLUMNS, rows))
