"""A dialogue GAN: a bot learns from a judge that learns to tell it from people (built in notebook 08).

Li et al. 2017 train it by turns: the judge learns what people say and what the bot says, the bot raises what the judge took
for a person's (REINFORCE), and between these steps it goes on reading what people really said (MLE mixing, or teacher
forcing), which keeps it from falling into a few sentences that please the judge.

``fit`` does not serve here: it makes one loss small for one model. Here two models with an optimizer each take turns, the loss
of each is what the other has just become, and none of the losses says how good the replies are. So there is no "best"
validation to keep either; ``watch`` looks at both from outside.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass, field

import torch
from torch.nn import functional

from helpers.corpus.batches.context_reply_pairs import PairBatch
from helpers.generation.rollout import sample_replies
from helpers.generation.scoring import log_probabilities_of
from helpers.models.discriminators import Discriminator, side_by_side
from helpers.models.utils import device_of, without_dropout
from helpers.training.losses import on, reply_loss
from helpers.training.optimizers import make_optimizer
from helpers.training.reinforce import discounted, reinforce_loss
from helpers.training.reward_shaping import changes, evened, judge_rewards, paid_out

REWARDS = ("judge", "constant", "shuffled")
PAYS = ("verdict", "change", "evened")


@dataclass(frozen=True)
class Schedule:
    """Who learns how often. One step is one of the generator, and what goes with it."""

    steps: int = 300
    judge_first: int = 150  # steps of the judge before the first of the generator
    judge_steps: int = 3  # and after that, before each
    likelihood_steps: int = 1  # MLE steps after each step of the generator: 0 takes the mixing away
    max_tokens: int = 24  # longest reply
    gamma: float = 0.95
    advantage: float = 5.0  # larger ones are clipped
    clip: float = 1.0  # longest gradient
    critic: bool = True  # False: no baseline
    pay: str = "verdict"  # after each token; "change": what the token changed in it; "evened": less what length costs
    reward: str = "judge"  # or a control: "constant" pays all replies the mean, "shuffled" each what another earned
    learning_rate: float = 1e-4
    likelihood_rate: float = 1e-4
    judge_rate: float = 5e-4
    critic_rate: float = 5e-3
    watch_every: int = 15
    seed: int = 0

    def __post_init__(self):
        if self.reward not in REWARDS:
            raise ValueError(f"there is no reward {self.reward!r}; known are {', '.join(REWARDS)}")
        if self.pay not in PAYS:
            raise ValueError(f"there is no pay {self.pay!r}; known are {', '.join(PAYS)}")
        if min(self.steps, self.max_tokens, self.watch_every) < 1:
            raise ValueError("steps, max_tokens and watch_every must be 1 or more")


@dataclass
class DialogueGANHistory:
    """What ``watch`` saw: ``rows`` of numbers by name, each with its "step", and the ``replies`` after some steps.

    "reward" and "length" are means since the row before, of the judge's reward at the end of a reply (also where a control was
    paid out instead) and of the tokens in a reply. ``stopped`` says in a sentence why the training ended early, or is empty.
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
        said = ", ".join(f"{name} {value:.2f}" for name, value in last.items() if name != "step")
        return f"A dialogue GAN after {last['step']:,} steps: {said}. {self.stopped}".strip()


def judge_loss(judge: Discriminator, human: PairBatch, machine: PairBatch) -> torch.Tensor:
    """Return the mean surprise in nats at who wrote each prefix, people's and the machine's weighing the same."""
    both = side_by_side(human, machine, judge.pad)
    logits, counted = judge(both)[0], both.targets >= 0
    person = (torch.arange(len(logits), device=logits.device) < len(human.targets)).float()[:, None].expand_as(logits)
    losses = functional.binary_cross_entropy_with_logits(logits, person, reduction="none")
    of_people, of_machine = (_mean(losses, counted & (person == who)) for who in (1, 0))
    return (of_people + of_machine) / 2


def _mean(values: torch.Tensor, counted: torch.Tensor) -> torch.Tensor:
    return values.where(counted, 0.0).sum() / counted.sum()


class DialogueGAN:
    """The two players, an optimizer for each, and their three kinds of step. All batches are PairBatches of people's replies."""

    def __init__(self, generator, judge: Discriminator, schedule: Schedule):
        self.generator, self.judge, self.schedule, self.device = generator, judge, schedule, device_of(generator)
        self.dice = torch.Generator(self.device).manual_seed(schedule.seed)
        verdict = torch.nn.ModuleList([part for name, part in judge.named_children() if name != "critic"])
        self.players = {
            "generator": (generator, make_optimizer("adamw", generator, schedule.learning_rate)),
            "likelihood": (generator, make_optimizer("adamw", generator, schedule.likelihood_rate)),
            "judge": (verdict, make_optimizer("adamw", verdict, schedule.judge_rate)),
            "critic": (judge.critic, make_optimizer("adamw", judge.critic, schedule.critic_rate)),
        }

    def say(self, batch: PairBatch) -> PairBatch:
        """Return replies of the generator to the same contexts."""
        if batch.targets.shape[1] > self.schedule.max_tokens:
            raise ValueError(
                f"people's replies have up to {batch.targets.shape[1]} tokens, the generator's {self.schedule.max_tokens}: "
                "a judge would only count; make the pairs with reply_tokens=max_tokens + 1"
            )
        return sample_replies(self.generator, batch, self.schedule.max_tokens, generator=self.dice)

    def judge_step(self, batch: PairBatch) -> torch.Tensor:
        """Teach the judge one batch of people's and as many of the generator's replies; return its loss."""
        batch = on(batch, self.device)
        loss = judge_loss(self.judge, batch, self.say(batch))
        self._step("judge", loss)
        return loss.detach()

    def generator_step(self, batch: PairBatch) -> tuple[torch.Tensor, torch.Tensor]:
        """Raise what the judge took for a person's; return the judge's mean reward at their end and the mean length."""
        schedule, said = self.schedule, self.say(on(batch, self.device))
        logits, values = self.judge.score(said)
        counted = said.targets >= 0
        rewards = judge_rewards(logits, counted)
        paid = rewards if schedule.pay == "verdict" else changes(rewards, counted)
        paid = evened(paid, counted) if schedule.pay == "evened" else paid
        returns = discounted(paid_out(paid, counted, schedule.reward, self.dice), counted, schedule.gamma)
        advantages = returns - values.detach() if schedule.critic else returns
        with without_dropout(self.generator):
            log_p, _ = log_probabilities_of(self.generator, said)
        loss = reinforce_loss(log_p, advantages.clamp(-schedule.advantage, schedule.advantage), counted)
        self._step("generator", loss)
        self._step("critic", _mean((values - returns) ** 2, counted))
        last = rewards.gather(1, counted.sum(1, keepdim=True) - 1)
        return last.mean(), counted.sum() / len(counted)

    def likelihood_step(self, batch: PairBatch) -> torch.Tensor:
        """Teach the generator what people said, as before the game; return the loss in nats per token."""
        loss = reply_loss(self.generator, on(batch, self.device))
        self._step("likelihood", loss)
        return loss.detach()

    def _step(self, who: str, loss: torch.Tensor) -> None:
        model, optimizer = self.players[who]
        optimizer.zero_grad()
        loss.backward()
        norm = torch.nn.utils.clip_grad_norm_(model.parameters(), self.schedule.clip)
        if not torch.isfinite(norm):  # a step along it would spoil every weight
            raise ValueError(f"the gradient of the {who} is no number: {norm.item()}")
        optimizer.step()


def train_adversarially(
    generator,
    judge: Discriminator,
    batches,
    schedule: Schedule,
    *,
    watch: Callable | None = None,
    seconds: float | None = None,
    progress: bool = True,
) -> DialogueGANHistory:
    """Train both in place, for ``schedule.steps`` or until ``seconds`` have passed; return what was seen on the way.

    ``batches[t]`` is a PairBatch for every t; each step of either takes the next. ``watch(generator, judge)`` returns numbers
    by name, and perhaps "replies", a list of texts; it is called before the first step, every ``watch_every`` and at the end.

    A reward or gradient that is no number ends the training: ``stopped`` says at which step and where in the batch, and all
    weights stay those of before that step. So does an interruption.
    """
    gan, history, began = DialogueGAN(generator, judge, schedule), DialogueGANHistory(), time.perf_counter()
    numbers, seen, step = iter(range(10**12)), [], 0
    generator.train(), judge.train()

    def look():
        row = {"step": step}
        if seen:
            row |= dict(zip(("reward", "length"), torch.stack(seen).mean(0).tolist()))
            seen.clear()
        found = dict(watch(generator, judge)) if watch else {}
        if "replies" in found:
            history.replies[step] = found.pop("replies")
        history.rows.append(row | found)

    from tqdm.auto import tqdm

    try:
        with tqdm(total=schedule.steps, unit="step", disable=not progress, mininterval=0.5) as bar:
            for _ in range(schedule.judge_first):
                gan.judge_step(batches[next(numbers)])
            look()
            while step < schedule.steps and (seconds is None or time.perf_counter() - began < seconds):
                for _ in range(schedule.judge_steps):
                    gan.judge_step(batches[next(numbers)])
                seen.append(torch.stack(gan.generator_step(batches[next(numbers)])))
                for _ in range(schedule.likelihood_steps):
                    gan.likelihood_step(batches[next(numbers)])
                step += 1
                bar.update()
                if step % schedule.watch_every == 0:
                    look()
    except ValueError as error:
        if "is no number" not in str(error):
            raise
        history.stopped = (
            f"Stopped at step {step + 1:,}: {error}. The weights are those of before. Lower the learning rates."
        )
    except KeyboardInterrupt:
        history.stopped = f"Interrupted after step {step:,}: both keep what they have learned."
    if history.stopped:
        print(history.stopped)
    elif history.rows[-1]["step"] < step:
        look()
    history.seconds = time.perf_counter() - began
    generator.eval(), judge.eval()
    return history
