"""The dialogue GAN's three kinds of step, against the errors others made, on a language of fifteen tokens."""

import math

import pytest
import torch

from helpers.corpus.batches.base import Pair
from helpers.corpus.batches.context_reply_pairs import PairBatches, batch_of
from helpers.generation.rollout import sample_replies
from helpers.generation.scoring import log_probabilities_of
from helpers.models.discriminators import Discriminator, concatenated
from helpers.models.utils import without_dropout
from helpers.training.dialogue_gan import DialogueGAN, DialogueGANConfig, prefix_loss, train_adversarially
from helpers.training.reward_shaping import discriminator_rewards
from tests.factories import seq2seq

# People answer every context with 10 11 12 and hand over.
PEOPLE = [Pair([2, 6 + n % 3, 9], [3, 10, 11, 12, 4]) for n in range(48)]
BATCHES = PairBatches(PEOPLE, 16, pad=0)
SMALL = DialogueGANConfig(steps=3, discriminator_pretraining=2, discriminator_steps=1, max_tokens=4, monitor_every=2)


def networks(seed=0, **changes):
    writer = seq2seq(seed=seed, **changes)
    return writer, Discriminator(writer)


def game(config=SMALL, **changes):
    writer, discriminator = networks(**changes)
    return DialogueGAN(writer.train(), discriminator.train(), config)


def copied(model):
    return {name: value.clone() for name, value in model.state_dict().items()}


def same(model, before):
    return all(torch.equal(value, before[name]) for name, value in model.state_dict().items())


# --- the discriminator's step --------------------------------------------------------------------------------------------------


def test_the_discriminators_loss_by_hand_weighs_people_and_machine_the_same():
    _, discriminator = networks()
    human = batch_of([PEOPLE[0]], 0)
    machine = batch_of([Pair([2, 6, 9], [3, 13, 4]), Pair([2, 6, 9], [3, 4])], 0)
    logits = discriminator(concatenated(human, machine, 0))[0]
    person = [-torch.nn.functional.logsigmoid(logits[0, t]) for t in range(4)]
    bot = [-torch.nn.functional.logsigmoid(-logits[row, t]) for row, t in ((1, 0), (1, 1), (2, 0))]
    assert prefix_loss(discriminator, human, machine).item() == pytest.approx(
        (sum(person) / 4 + sum(bot) / 3).item() / 2
    )


def test_the_discriminator_learns_to_tell_and_the_generator_stays():
    gan = game(DialogueGANConfig(max_tokens=4, discriminator_rate=3e-3))
    before = copied(gan.generator)
    losses = [gan.discriminator_step(BATCHES[number]).item() for number in range(30)]
    assert losses[0] == pytest.approx(math.log(2), abs=0.15) and losses[-1] < 0.35
    assert same(gan.generator, before)


# --- the generator's step ----------------------------------------------------------------------------------------------


def test_in_a_generator_step_no_gradient_reaches_the_discriminator_and_only_its_own_error_the_critic():
    gan = game()
    before = copied(gan.discriminator)
    gan.generator_step(BATCHES[0])
    assert all(value.grad is None for name, value in gan.discriminator.named_parameters() if "critic" not in name)
    moved = {name for name, value in gan.discriminator.state_dict().items() if not torch.equal(value, before[name])}
    assert moved == {"critic.weight", "critic.bias"}


class Taste(torch.nn.Module):
    """A discriminator that is known: certain of "a person" where the token is ``liked``, of "a machine" elsewhere."""

    def __init__(self, discriminator, liked):
        super().__init__()
        self.head, self.critic, self.liked = discriminator.head, discriminator.critic, liked

    def score(self, batch):
        values = self.critic(torch.zeros(*batch.targets.shape, self.critic.in_features))[..., 0]
        return torch.where(batch.targets == self.liked, 3.0, -3.0), values


@pytest.mark.parametrize(
    ("critic", "reward"), [(True, "discriminator"), (False, "discriminator"), (True, "shuffled"), (True, "constant")]
)
def test_the_generator_learns_what_the_judge_likes_and_nothing_from_the_controls(critic, reward):
    writer, discriminator = networks()
    gan = DialogueGAN(
        writer,
        Taste(discriminator, liked=13),
        DialogueGANConfig(max_tokens=4, learning_rate=2e-2, critic=critic, reward=reward),
    )
    shares = []
    for number in range(40):
        replies = sample_replies(writer, BATCHES[number], 4, generator=torch.Generator().manual_seed(0))
        shares.append((replies.targets == 13).sum().item() / (replies.targets >= 0).sum().item())
        gan.generator_step(BATCHES[number])
    if reward == "discriminator":
        assert shares[0] < 0.2 and shares[-1] > 0.7
    else:
        assert shares[-1] < 0.5


def test_replies_are_scored_by_the_model_that_said_them():
    """With dropout on while scoring, the probabilities would be those of another model."""
    noisy = networks(dropout=0.5)[0].train()
    still = networks(dropout=0.0)[0].train()
    replies = sample_replies(noisy, BATCHES[0], 4)
    with without_dropout(noisy):
        assert torch.equal(log_probabilities_of(noisy, replies)[0], log_probabilities_of(still, replies)[0])
    assert noisy.dropout.training
    assert not torch.equal(log_probabilities_of(noisy, replies)[0], log_probabilities_of(still, replies)[0])
    gan, asked = game(dropout=0.5), []
    gan.generator.dropout.register_forward_hook(lambda layer, *_: asked.append(layer.training))
    gan.generator_step(BATCHES[0])
    assert asked and not any(asked)


class Pessimist(Taste):
    """Holds everyone for a machine, whatever the reply."""

    def score(self, batch):
        return torch.full(batch.targets.shape, -3.0), super().score(batch)[1]


@pytest.mark.parametrize(("credit", "shorter"), [("prefix", True), ("difference", False)])
def test_a_reward_below_0_for_every_prefix_teaches_brevity_and_differences_do_not(credit, shorter):
    writer, discriminator = networks()
    gan = DialogueGAN(
        writer,
        Pessimist(discriminator, 13),
        DialogueGANConfig(max_tokens=4, learning_rate=1e-2, credit=credit, gamma=1.0),
    )
    lengths = [gan.generator_step(BATCHES[number])[1].item() for number in range(60)]
    first, last = sum(lengths[:10]) / 10, sum(lengths[-10:]) / 10
    assert (last < 0.6 * first) is shorter


class Numbering(Taste):
    """Gives every token of the reply in row r the reward of its number and its place."""

    def score(self, batch):
        rows, places = (torch.arange(size) for size in batch.targets.shape)
        return -(rows[:, None] + places / 10.0), super().score(batch)[1]


@pytest.mark.parametrize("critic", [False, True])
def test_each_reward_comes_back_to_the_reply_and_the_token_that_earned_it(critic, monkeypatch):
    from helpers.training import dialogue_gan

    seen, real = [], dialogue_gan.reinforce_loss
    monkeypatch.setattr(dialogue_gan, "reinforce_loss", lambda p, a, c: (seen.append((a, c)), real(p, a, c))[1])
    writer, discriminator = networks()
    discriminator.critic.bias.data.fill_(2.5)  # what is expected is taken off, where there is a critic
    config = DialogueGANConfig(max_tokens=4, gamma=0.0, critic=critic, advantage_clip=99.0)
    DialogueGAN(writer, Numbering(discriminator, 13), config).generator_step(BATCHES[0])
    (advantages, counted) = seen[0]
    rows, places = (torch.arange(size) for size in counted.shape)
    expected = discriminator_rewards(-(rows[:, None] + places / 10.0), counted)
    assert not counted.all() and torch.allclose(advantages * counted, expected - 2.5 * critic * counted)


def test_large_advantages_are_clipped(monkeypatch):
    seen = []
    from helpers.training import dialogue_gan

    real = dialogue_gan.reinforce_loss
    monkeypatch.setattr(dialogue_gan, "reinforce_loss", lambda p, a, c: (seen.append(a), real(p, a, c))[1])
    gan = game(DialogueGANConfig(max_tokens=4, advantage_clip=0.01))
    gan.discriminator.head.bias.data.fill_(-8.0)
    gan.generator_step(BATCHES[0])
    assert seen[0].abs().max().item() == pytest.approx(0.01)


def test_people_and_machine_must_have_the_same_longest_reply():
    with pytest.raises(ValueError, match="reply_tokens=max_tokens \\+ 1"):
        game(DialogueGANConfig(max_tokens=3)).discriminator_step(BATCHES[0])


# --- the whole game ----------------------------------------------------------------------------------------------------


def test_the_likelihood_step_is_what_keeps_people_in_mind():
    gan = game(DialogueGANConfig(max_tokens=4, likelihood_rate=1e-2))
    losses = [gan.likelihood_step(BATCHES[number]).item() for number in range(40)]
    assert losses[-1] < 0.3 * losses[0]


def test_a_game_repeats_with_its_seed_and_its_rows_tell_it():
    def play():
        writer, discriminator = networks()
        monitor = lambda generator, discriminator: {"asked": 1.0, "replies": ["hm"]}  # noqa: E731
        return writer, train_adversarially(writer, discriminator, BATCHES, SMALL, monitor=monitor, progress=False)

    (writer, history), (other, again) = play(), play()
    assert same(writer, copied(other)) and history.rows == again.rows
    assert [row["step"] for row in history.rows] == [0, 2, 3] and sorted(history.replies) == [0, 2, 3]
    assert "reward" not in history.rows[0] and 1 <= history.rows[1]["length"] <= 4 and history.rows[2]["asked"] == 1
    assert not writer.training and not history.stopped and "after 3 steps" in repr(history)
    assert list(history.frame["step"]) == [0, 2, 3]


@pytest.mark.parametrize("wrong", [math.nan, math.inf])
def test_a_reward_that_is_no_number_stops_the_game_and_keeps_the_last_good_weights(wrong, monkeypatch, capsys):
    writer, discriminator = networks()
    scored, kept, real = [], {}, Discriminator.score

    def score(self, batch):
        logits, values = real(self, batch)
        scored.append(1)
        if len(scored) == 3:
            kept.update(copied(writer))
            logits = logits.clone()
            logits[5, 0] = wrong if math.isnan(wrong) else -wrong
        return logits, values

    monkeypatch.setattr(Discriminator, "score", score)
    history = train_adversarially(
        writer,
        discriminator,
        BATCHES,
        DialogueGANConfig(steps=9, discriminator_pretraining=0, max_tokens=4),
        progress=False,
    )
    assert "Stopped at step 3: a reward is no number" in history.stopped and "in row 5 at step 0" in history.stopped
    assert history.stopped in capsys.readouterr().out
    assert same(writer, kept) and all(torch.isfinite(value).all() for value in writer.parameters())


def test_a_judge_that_broke_stops_the_game_too():
    writer, discriminator = networks()
    discriminator.head.weight.data.fill_(math.nan)
    before = copied(writer)
    history = train_adversarially(writer, discriminator, BATCHES, SMALL, progress=False)
    assert "the gradient of the discriminator is no number" in history.stopped and same(writer, before)


def test_wrong_configs_are_refused():
    with pytest.raises(ValueError, match="there is no reward 'karma'"):
        DialogueGANConfig(reward="karma")
    with pytest.raises(ValueError, match="there is no credit 'none'"):
        DialogueGANConfig(credit="none")
    with pytest.raises(ValueError, match="must be 1 or more"):
        DialogueGANConfig(steps=0)
