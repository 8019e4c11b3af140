"""The long runs behind notebook 09: two reward models, best of n, DPO and the policy gradient with and without KL penalty.

    python -m helpers experiments rlhf        train the reward models and write data/preferences (an hour on a core)

Each part is written as soon as it is finished: ``proxy.safetensors`` and ``gold.safetensors`` (the reward models),
``features.npz`` (what a frozen GPT has of many messages), ``history.json`` (all measurements), and the checkpoint ``dpo``.
"""

import json
import time
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import numpy as np
import torch

from helpers import data_path
from helpers.bots import checkpoints
from helpers.bots.bot import Bot
from helpers.bots.dpo_recipe import DPORecipe
from helpers.bots.measure import first_words
from helpers.corpus.batches.prompts import ContextBatches, contexts
from helpers.corpus.load import load
from helpers.corpus.tokenizers.base import special_token_ids
from helpers.evaluation.best_of_n import best_of, best_of_kl
from helpers.evaluation.likelihood import reply_bits_per_byte
from helpers.evaluation.text_metrics import distinct
from helpers.experiments.reward_models import FEATURE_PAIRS, write_features, write_reward_models
from helpers.generation.rollout import generate_replies, sample_rollout
from helpers.generation.scoring import reply_log_probabilities
from helpers.io import write_text
from helpers.models.lora import add_lora
from helpers.models.reward_model import RewardModel
from helpers.runtime import describe, seed_everything, start
from helpers.training import fit
from helpers.training.dpo import DPO
from helpers.training.rlhf import PolicyGradient, reward_function

SHOWN = 100  # characters of a reply that are kept
FRAMES = (0, 3, 6, 9, 12, 16, 20, 25, 30, 40, 50, 60)


@dataclass(frozen=True)
class Sizes:
    """How large the runs are; ``TINY`` is for trying them out."""

    talks: int | None = None  # training conversations; None for all
    held_talks: int | None = None  # and of the other two splits each
    feature_pairs: int = FEATURE_PAIRS
    frame_contexts: int = 48  # contexts at which a frame is measured
    bits_talks: int = 6
    best_contexts: int = 32
    best_replies: int = 32
    policy_steps: int = 30
    policy_contexts: int = 8  # a step, with four replies to each
    policy_rate: float = 2e-3
    betas: tuple[float, ...] = (0.1, 0.0, 0.3)
    seeds: tuple[int, ...] = (0, 1)
    recipe: DPORecipe = DPORecipe()


TINY = Sizes(
    talks=40, held_talks=8, feature_pairs=60, frame_contexts=8, bits_talks=1,
    best_contexts=2, best_replies=8, policy_steps=3, policy_contexts=3, seeds=(0,), betas=(0.0, 0.1),
    recipe=replace(DPORecipe(), contexts=12, batch_size=4, passes=1, max_tokens=12),
)  # fmt: skip


class Runs:
    """All runs on one device, each part saved in ``out`` when it is done."""

    def __init__(self, out: Path, sizes: Sizes, seconds: float, base: str, checkpoint: bool):
        self.out, self.sizes, self.base, self.checkpoint = out, sizes, base, checkpoint
        self.until = time.perf_counter() + seconds
        out.mkdir(parents=True, exist_ok=True)
        self.device = start(seed=0)
        corpus = load()
        held = slice(sizes.held_talks)
        self.corpus = replace(corpus, train=corpus.train[: sizes.talks], val=corpus.val[held], test=corpus.test[held])
        self.record = {"base": base, "device": describe(self.device.torch.type)}

    def note(self, **parts) -> None:
        self.record.update(parts)
        write_text(self.out / "history.json", json.dumps(self.record, separators=(",", ":")) + "\n")
        print(f"{', '.join(parts)} written, {self.until - time.perf_counter():.0f} s left", flush=True)

    def ready(self) -> None:
        """Load what the later parts need: the reward models, the initial policy, and what policies are measured on."""
        bot = checkpoints.load(self.base, self.device.torch)
        self.bot, self.tokenizer = bot, bot.tokenizer
        base = checkpoints.load("gpt", self.device.torch).model
        self.proxy, self.gold = (RewardModel.load(self.out / f"{name}.safetensors", base, **special_token_ids(bot.tokenizer))
                                 for name in ("proxy", "gold"))  # fmt: skip
        prompts = contexts(self.corpus.val, bot.tokenizer)
        order = np.random.default_rng(0).permutation(len(prompts))
        self.frame_contexts = [prompts[number] for number in order[: self.sizes.frame_contexts]]
        self.best_contexts = [prompts[number] for number in order[-self.sizes.best_contexts :]]
        prompts = json.loads(data_path("prompts.json").read_text(encoding="utf-8"))
        self.prompts = ContextBatches.of([bot.prompt([prompt]) for prompt in prompts], 1, bot.tokenizer.pad)
        self.question_ids = [number for number, token in enumerate(bot.tokenizer.tokens) if "?" in token]

    # --- what a policy is like ----------------------------------------------------------------------------------------

    def frame(self, model, replies: bool = True) -> dict:
        """Measure a policy: both rewards, the KL divergence, what its replies are like, and how they are answered."""
        tokenizer, reference = self.tokenizer, self.bot.model
        with torch.no_grad():
            sampled = generate_replies(model, tokenizer, self.frame_contexts, 1, max_tokens=32, seed=1)
            sampled = [pair for (pair,) in sampled]
            now, before = (reply_log_probabilities(part, sampled, tokenizer.pad) for part in (model, reference))
            closed = [self.proxy.with_closing_token(pair) for pair in sampled]
            answers = [pair for (pair,) in generate_replies(reference, tokenizer, closed, 1, seed=2)]
        texts = [tokenizer.decode(pair.reply) for pair in sampled]
        words = [text.split() for text in texts]
        figures = {
            "proxy": float(self.proxy.score(sampled).mean()),
            "gold": float(self.gold.score(sampled).mean()),
            "kl": float((now - before).mean()),
            "questions": sum("?" in text for text in texts) / len(texts),
            "words": sum(map(len, words)) / len(words),
            "distinct-2": distinct(first_words(words, 1000), 2),
            "bits": reply_bits_per_byte(model, tokenizer, self.corpus.val[: self.sizes.bits_talks]),
            "answer words": sum(len(tokenizer.decode(pair.reply).split()) for pair in answers) / len(answers),
        }
        figures = {name: round(value, 4) for name, value in figures.items()}
        if replies:
            rng = torch.Generator(self.device.torch.type).manual_seed(0)
            special = special_token_ids(tokenizer, forbidden=True)
            sampled = sample_rollout(model, self.prompts, 32, temperature=0.7, generator=rng, **special).pairs()
            figures["replies"] = [tokenizer.decode(pair.reply).strip()[:SHOWN] for pair in sampled]
        return figures

    # --- the runs -----------------------------------------------------------------------------------------------------

    def best_of(self) -> None:
        """Choose the best of n by one reward model, and score them with both."""
        replies = generate_replies(self.bot.model, self.tokenizer, self.best_contexts, self.sizes.best_replies, max_tokens=32)
        flat = [pair for group in replies for pair in group]
        proxy, gold = (reward.score(flat).view(len(replies), -1) for reward in (self.proxy, self.gold))
        size = torch.tensor([len(self.tokenizer.decode(pair.reply).split()) for pair in flat]).view(len(replies), -1)
        asks = torch.tensor(["?" in self.tokenizer.decode(pair.reply) for pair in flat]).view(len(replies), -1)
        rows = []
        for n in (1, 2, 4, 8, 16, 32, 64):
            if n <= self.sizes.best_replies:
                values = (best_of(proxy, n), *(best_of(proxy, n, other) for other in (gold, size, asks)), best_of_kl(n))
                rows.append([n, *(round(value, 4) for value in values)])
        self.note(best_of={"columns": ["n", "proxy", "gold", "words", "questions", "kl"], "rows": rows})

    def dpo(self) -> None:
        """Fine-tune by DPO, as the recipe says, and write the checkpoint."""
        recipe, monitor = replace(self.sizes.recipe, base=self.base), _Monitor(self, FRAMES)
        monitor.measure(0, self.bot.model)
        loss, how = DPO(recipe.beta), {"reward_model": self.proxy, "callbacks": [monitor]}
        model, seconds = recipe.train(self.corpus, self.tokenizer, self.device, None, loss=loss, **how)
        monitor.measure(len(loss.records), model)
        if self.checkpoint:
            figures = {"training seconds": seconds, "device": self.record["device"]}
            checkpoints.save(
                Bot(model, self.tokenizer, "dpo"), {"recipe": type(recipe).__name__, **asdict(recipe)}, figures
            )
        self.note(dpo={"records": _thinned(loss.records), "frames": monitor.frames, "recipe": asdict(recipe)})

    def policy(self) -> None:
        """Fine-tune by the policy gradient, for each KL coefficient β and each seed."""
        sizes, runs = self.sizes, {}
        prompts = contexts(self.corpus.train, self.tokenizer)
        for beta in sizes.betas:
            for seed in sizes.seeds:
                if time.perf_counter() > self.until:
                    print(f"no time left for beta {beta}, seed {seed}")
                    continue
                seed_everything(seed)
                model = add_lora(checkpoints.load(self.base, self.device.torch).model, 16, 32.0)
                loss = PolicyGradient(
                    reward_function(self.proxy),
                    self.bot.model,
                    beta,
                    watched=self.question_ids,
                    seed=seed,
                    **special_token_ids(self.tokenizer, forbidden=True),
                )
                first = seed == sizes.seeds[0]
                monitor = _Monitor(self, FRAMES if first else (), replies=first)
                monitor.measure(0, model)
                history = fit(
                    model, ContextBatches(prompts, sizes.policy_contexts, 4, seed, pad=self.tokenizer.pad),
                    steps=sizes.policy_steps, learning_rate=sizes.policy_rate, schedule="constant", loss=loss,
                    callbacks=[monitor], progress=False,
                )  # fmt: skip
                monitor.measure(history.steps, model)
                runs[f"{beta:g}/{seed}"] = {
                    "records": _thinned(loss.records), "frames": monitor.frames, "seconds": round(history.seconds, 1),
                    "stopped": history.stopped,
                }  # fmt: skip
                self.note(policy=runs)


class _Monitor:
    """A callback that measures the policy at some steps."""

    def __init__(self, runs: Runs, steps, replies: bool = True):
        self.runs, self.steps, self.replies, self.frames = runs, set(steps), replies, {}

    def __call__(self, history, model) -> None:
        if history.steps in self.steps:
            self.measure(history.steps, model)

    def measure(self, step: int, model) -> None:
        if str(step) not in self.frames:
            self.frames[str(step)] = self.runs.frame(model, self.replies)
            shown = {name: value for name, value in self.frames[str(step)].items() if name != "replies"}
            print(step, shown, (self.frames[str(step)].get("replies") or [""])[1], flush=True)


def _thinned(records: list[dict], most: int = 120) -> dict[str, list]:
    """Return columns of at most ``most`` numbers: of every few records the mean."""
    step = -(-len(records) // most)
    parts = [records[start : start + step] for start in range(0, len(records), step)]
    names = records[0] if records else {}
    columns = {name: [round(sum(row[name] for row in part) / len(part), 4) for part in parts] for name in names}
    return {"every": step, **columns}


def main(
    out: Path | None = None,
    sizes: Sizes = Sizes(),
    seconds: float = 7_200,
    base: str = "gpt-chat",
    checkpoint: bool = True,
) -> None:
    """Do all the runs; those of the policy gradient that no longer fit into ``seconds`` are left out."""
    runs = Runs(out or data_path() / "preferences", sizes, seconds, base, checkpoint)
    runs.note(**write_features(runs.out, runs.corpus, sizes.feature_pairs, runs.device.torch))
    runs.note(**write_reward_models(runs.out, runs.corpus, sizes.feature_pairs, runs.device.torch))
    runs.ready()
    runs.best_of()
    runs.dpo()
    runs.policy()
