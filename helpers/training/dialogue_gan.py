"""A dialogue GAN: a bot learns from a discriminator that learns to tell it from people (built in notebook 08).

Li et al. 2017 train them in turn: the discriminator on replies of people and of the bot, the bot (REINFORCE) on what the
discriminator took for a person's, and between these steps the bot goes on learning from people's own replies (MLE mixing, or
teacher forcing), which keeps it from falling into a few sentences that fool the discriminator.

``fit`` does not serve here: it makes one loss small for one model. Here two models with an optimizer each take turns, the loss
of each is what the other has just become, and none of the losses says how good the replies are. So there is no "best"
validation to keep either; ``monitor`` measures both from outside.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass, field

import torch
from torch.nn import functional

from helpers.corpus.batches.context_reply_pairs import PairBatch
from helpers.generation.rollout import sample_replies
from helpers.generation.scoring import log_probabilities_of
from helpers.models.discriminators import Discriminator, concatenated
from helpers.models.utils import device_of, without_dropout
from helpers.training.losses import NotFinite, reply_loss, to_device
from helpers.training.optimizers import make_optimizer
from helpers.training.reinforce import reinforce_loss, rewards_to_go
from helpers.training.reward_shaping import controlled, discriminator_rewards, length_normalized, reward_differences

REWARDS = ("discriminator", "constant", "shuffled")
CREDITS = ("prefix", "difference", "length-normalized")


@dataclass(frozen=True)
class DialogueGANConfig:
    """How much each side learns. One step is one of the generator, and what goes with it."""

    steps: int = 300
    discriminator_pretraining: int = 150  # steps of the discriminator before the first of the generator
    discriminator_steps: int = 3  # and after that, before each
    likelihood_steps: int = 1  # MLE steps after each step of the generator: 0 leaves the mixing out
    max_tokens: int = 24  # longest reply
    gamma: float = 0.95
    advantage_clip: float = 5.0  # the largest advantage
    clip: float = 1.0  # the longest gradient
    critic: bool = True  # False: no baseline
    # What a token's reward is: that of the prefix it ends, its change by this token, or that with no effect of length.
    credit: str = "prefix"
    reward: str = "discriminator"  # or a control: see ``reward_shaping.controlled``
    learning_rate: float = 1e-4
    likelihood_rate: float = 1e-4
    discriminator_rate: float = 5e-4
    critic_rate: float = 5e-3
    monitor_every: int = 15
    seed: int = 0

    def __post_init__(self):
        for name, value, known in (("reward", self.reward, REWARDS), ("credit", self.credit, CREDITS)):
            if value not in known:
                raise ValueError(f"there is no {name} {value!r}; known are {', '.join(known)}")
        if min(self.steps, self.max_tokens, self.monitor_every) < 1:
            raise ValueError("steps, max_tokens and monitor_every must be 1 or more")


@dataclass
class DialogueGANHistory:
    """What ``monitor`` measured: ``rows`` of numbers by name, each with its "step", and the ``replies`` after some steps.

    "reward" and "length" are means since the row before, of the discriminator's reward at the end of a reply (also where the
    generator's was a control) and of the tokens in a reply. ``stopped`` says in a sentence why the training ended early, or
    is empty.
    """

    rows: list[dict] = field(default_factory=list)
    replies: dict[int, list[str]] = field(default_factory=dict)
    stopped: str = ""
    seconds: float = 0.0

    @property
    def frame(self):
        """The rows as a pandas DataFrame."""
        import pandas

        return pandas.DataFrame(self.rows)

    def __repr__(self) -> str:
        last = self.rows[-1] if self.rows else {"step": 0}
        numbers = ", ".join(f"{name} {value:.2f}" for name, value in last.items() if name != "step")
        return f"A dialogue GAN after {last['step']:,} steps: {numbers}. {self.stopped}".strip()


def prefix_loss(discriminator: Discriminator, human: PairBatch, machine: PairBatch) -> torch.Tensor:
    """Return the cross-entropy in nats of "who wrote this prefix?", the mean of people's prefixes and of the machine's."""
    both = concatenated(human, machine, discriminator.pad)
    logits, mask = discriminator(both)[0], both.targets >= 0
    person = (torch.arange(len(logits), device=logits.device) < len(human.targets)).float()[:, None].expand_as(logits)
    losses = functional.binary_cross_entropy_with_logits(logits, person, reduction="none")
    of_people, of_machine = (_mean(losses, mask & (person == who)) for who in (1, 0))
    return (of_people + of_machine) / 2


def _mean(values: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
    return values.where(mask, 0.0).sum() / mask.sum()


class DialogueGAN:
    """Both networks, their optimizers, and their three kinds of step. All batches are PairBatches of people's replies."""

    def __init__(self, generator, discriminator: Discriminator, config: DialogueGANConfig):
        self.generator, self.discriminator, self.config = generator, discriminator, config
        self.device = device_of(generator)
        self.rng = torch.Generator(self.device).manual_seed(config.seed)
        classifier = torch.nn.ModuleList([part for name, part in discriminator.named_children() if name != "critic"])
        self.optimizers = {
            name: (model, make_optimizer("adamw", model, rate))
            for name, model, rate in (
                ("generator", generator, config.learning_rate),
                ("likelihood", generator, config.likelihood_rate),
                ("discriminator", classifier, config.discriminator_rate),
                ("critic", discriminator.critic, config.critic_rate),
            )
        }

    def sample(self, batch: PairBatch) -> PairBatch:
        """Return replies of the generator to the same contexts."""
        longest, limit = batch.targets.shape[1], self.config.max_tokens
        if longest > limit:
            raise ValueError(
                f"people's replies have up to {longest} tokens, the generator's {limit}: their length alone would tell them "
                "apart; make the pairs with reply_tokens=max_tokens + 1"
            )
        return sample_replies(self.generator, batch, limit, generator=self.rng)

    def discriminator_step(self, batch: PairBatch) -> torch.Tensor:
        """Train the discriminator on one batch of people's and as many of the generator's replies; return its loss."""
        batch = to_device(batch, self.device)
        loss = prefix_loss(self.discriminator, batch, self.sample(batch))
        self._step("discriminator", loss)
        return loss.detach()

    def generator_step(self, batch: PairBatch) -> tuple[torch.Tensor, torch.Tensor]:
        """Raise what the discriminator took for a person's; return its mean reward at a reply's end and the mean length."""
        config, replies = self.config, self.sample(to_device(batch, self.device))
        logits, values = self.discriminator.score(replies)
        mask = replies.targets >= 0
        prefix_rewards = discriminator_rewards(logits, mask)
        rewards = prefix_rewards if config.credit == "prefix" else reward_differences(prefix_rewards, mask)
        rewards = length_normalized(rewards, mask) if config.credit == "length-normalized" else rewards
        returns = rewards_to_go(controlled(rewards, mask, config.reward, self.rng), mask, config.gamma)
        advantages = returns - values.detach() if config.critic else returns
        with without_dropout(self.generator):
            log_p, _ = log_probabilities_of(self.generator, replies)
        loss = reinforce_loss(log_p, advantages.clamp(-config.advantage_clip, config.advantage_clip), mask)
        self._step("generator", loss)
        self._step("critic", _mean((values - returns) ** 2, mask))
        last = prefix_rewards.gather(1, mask.sum(1, keepdim=True) - 1)
        return last.mean(), mask.sum() / len(mask)

    def likelihood_step(self, batch: PairBatch) -> torch.Tensor:
        """Train the generator on people's replies, as before the game; return the loss in nats per token."""
        loss = reply_loss(self.generator, to_device(batch, self.device))
        self._step("likelihood", loss)
        return loss.detach()

    def _step(self, name: str, loss: torch.Tensor) -> None:
        model, optimizer = self.optimizers[name]
        optimizer.zero_grad()
        loss.backward()
        norm = torch.nn.utils.clip_grad_norm_(model.parameters(), self.config.clip)
        if not torch.isfinite(norm):  # a step along it would spoil every weight
            raise NotFinite(f"the gradient of the {name} is no number: {norm.item()}")
        optimizer.step()


def train_adversarially(
    generator,
    discriminator: Discriminator,
    batches,
    config: DialogueGANConfig,
    *,
    monitor: Callable | None = None,
    seconds: float | None = None,
    progress: bool = True,
) -> DialogueGANHistory:
    """Train both in place, for ``config.steps`` or until ``seconds`` have passed; return what was measured on the way.

    ``batches[t]`` is a PairBatch for every t; each step of either takes the next. ``monitor(generator, discriminator)`` returns
    numbers by name, and perhaps "replies", a list of texts; it is called before the first step, every ``monitor_every`` and at
    the end.

    A reward or gradient that is no number ends the training: ``stopped`` says at which step and where in the batch, and all
    weights stay those of before that step. So does an interruption.
    """
    gan, history, began = DialogueGAN(generator, discriminator, config), DialogueGANHistory(), time.perf_counter()
    numbers, recent, step = iter(range(10**12)), [], 0
    generator.train(), discriminator.train()

    def measure():
        row = {"step": step}
        if recent:
            row |= dict(zip(("reward", "length"), torch.stack(recent).mean(0).tolist()))
            recent.clear()
        measured = dict(monitor(generator, discriminator)) if monitor else {}
        if "replies" in measured:
            history.replies[step] = measured.pop("replies")
        history.rows.append(row | measured)

    from tqdm.auto import tqdm

    try:
        with tqdm(total=config.steps, unit="step", disable=not progress, mininterval=0.5) as bar:
            for _ in range(config.discriminator_pretraining):
                gan.discriminator_step(batches[next(numbers)])
            measure()
            while step < config.steps and (seconds is None or time.perf_counter() - began < seconds):
                for _ in range(config.discriminator_steps):
                    gan.discriminator_step(batches[next(numbers)])
                recent.append(torch.stack(gan.generator_step(batches[next(numbers)])))
                for _ in range(config.likelihood_steps):
                    gan.likelihood_step(batches[next(numbers)])
                step += 1
                bar.update()
                if step % config.monitor_every == 0:
                    measure()
    except NotFinite as error:
        history.stopped = (
            f"Stopped at step {step + 1:,}: {error}. The weights are those of before. Lower the learning rates."
        )
    except KeyboardInterrupt:
        history.stopped = f"Interrupted after step {step:,}: both keep what they have learned."
    if history.stopped:
        print(history.stopped)
    elif history.rows[-1]["step"] < step:
        measure()
    history.seconds = time.perf_counter() - began
    generator.eval(), discriminator.eval()
    return history
