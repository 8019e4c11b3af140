"""Notebook 08: every check accepts the solution the notebook shows and names each wrong answer's own mistake."""

import torch
from torch.nn import functional

from helpers.checks import nb08
from tests.answers.common import closing_tests


# -- Exercise 1 --------------------------------------------------------------------------------------------------------
def judge(real, generated):
    return functional.softplus(-real).mean() + functional.softplus(generated).mean()


def maker(generated):
    return functional.softplus(-generated).mean()


def exchanged(real, generated):
    return maker(generated), judge(real, generated)


def clamped(real, generated):
    never = torch.log(1 - generated.sigmoid()).clamp(min=0).mean()
    return -torch.log(real.sigmoid()).mean() - never, -torch.log(generated.sigmoid()).mean()


def only_the_generated(real, generated):
    return functional.softplus(generated).mean(), maker(generated)


def the_same_for_both(real, generated):
    return judge(real, generated), judge(real, generated)


def sums(real, generated):
    return 3 * judge(real, generated), 3 * maker(generated)


def halved(real, generated):
    return judge(real, generated) / 2, maker(generated)


def without_the_minus(real, generated):
    return -judge(real, generated), -maker(generated)


def saturating(real, generated):
    return judge(real, generated), -functional.softplus(generated).mean()


def generator_reads_the_real(real, generated):
    return judge(real, generated), functional.softplus(-real).mean() + maker(generated)


def detached(real, generated):
    return judge(real, generated), maker(generated.detach())


def one_by_one(real, generated):
    return -torch.log(real.sigmoid()).mean() - torch.log(1 - generated.sigmoid()).mean(), maker(generated)


# -- Exercise 2 --------------------------------------------------------------------------------------------------------
def summed(rewards, lengths, gamma, counted=None):
    inside = torch.arange(rewards.shape[1]) < lengths[:, None] if counted is None else counted
    rewards, out, later = rewards * inside, torch.zeros_like(rewards), 0
    for step in reversed(range(rewards.shape[1])):
        later = rewards[:, step] + gamma * later
        out[:, step] = later
    return out


def counts_the_padding(rewards, lengths, gamma):
    return summed(rewards, lengths, gamma, torch.ones_like(rewards))


def off_by_one(rewards, lengths, gamma):
    return summed(rewards, lengths - 1, gamma)


def only_the_later(rewards, lengths, gamma):
    return summed(rewards, lengths, gamma) - rewards * (torch.arange(rewards.shape[1]) < lengths[:, None])


def not_discounted(rewards, lengths, gamma):
    return summed(rewards, lengths, 1.0)


def from_the_beginning(rewards, lengths, gamma):
    inside = torch.arange(rewards.shape[1]) < lengths[:, None]
    out, before = torch.zeros_like(rewards), 0
    for step in range(rewards.shape[1]):
        before = (rewards * inside)[:, step] + gamma * before
        out[:, step] = before
    return out


def discounts_by_the_place(rewards, lengths, gamma):
    return summed(rewards * gamma ** torch.arange(rewards.shape[1]), lengths, 1.0)


def the_rewards(rewards, lengths, gamma):
    return rewards * (torch.arange(rewards.shape[1]) < lengths[:, None])


def one_for_all(rewards, lengths, gamma):
    return summed(rewards, lengths, gamma)[:, :1].expand_as(rewards)


def returns_at_padding(rewards, lengths, gamma):
    out = summed(rewards, lengths, gamma)
    return torch.where(torch.arange(rewards.shape[1]) < lengths[:, None], out, 1.0)


def in_place(rewards, lengths, gamma):
    rewards *= torch.arange(rewards.shape[1]) < lengths[:, None]
    return summed(rewards, lengths, gamma)


# -- Exercise 3 --------------------------------------------------------------------------------------------------------
def through(logits, noise, soft):
    hard = functional.one_hot((logits + noise).argmax(-1), logits.shape[-1])
    return hard + soft - soft.detach()


def weights(logits, noise, temperature):
    return ((logits + noise) / temperature).softmax(-1)


def the_number(logits, noise, temperature):
    return (logits + noise).argmax(-1)


def soft_only(logits, noise, temperature):
    return weights(logits, noise, temperature)


def not_subtracted(logits, noise, temperature):
    return functional.one_hot((logits + noise).argmax(-1), len(logits)) + weights(logits, noise, temperature)


def greedy(logits, noise, temperature):
    return through(logits, 0 * noise, weights(logits, noise, temperature))


def no_gradient(logits, noise, temperature):
    return functional.one_hot((logits + noise).argmax(-1), len(logits)).double()


def no_temperature(logits, noise, temperature):
    return through(logits, noise, (logits + noise).softmax(-1))


def multiplies(logits, noise, temperature):
    return through(logits, noise, ((logits + noise) * temperature).softmax(-1))


def only_the_logits(logits, noise, temperature):
    return through(logits, noise, (logits / temperature + noise).softmax(-1))


def other_noise(logits, noise, temperature):
    return through(logits, noise, (logits / temperature).softmax(-1))


def turned_round(logits, noise, temperature):
    soft = weights(logits, noise, temperature)
    return through(logits, noise, soft.detach()) - soft + soft.detach()


# -- Exercise 4 --------------------------------------------------------------------------------------------------------
def loss(log_probabilities, advantages):
    return -(log_probabilities * advantages.detach()).mean()


def raises_the_loss(log_probabilities, rewards, baseline):
    return -loss(log_probabilities, rewards - baseline)


def without_baseline(log_probabilities, rewards, baseline):
    return loss(log_probabilities, rewards)


def added_baseline(log_probabilities, rewards, baseline):
    return loss(log_probabilities, rewards + baseline)


def a_sum(log_probabilities, rewards, baseline):
    return -(log_probabilities * (rewards - baseline).detach()).sum()


def probabilities(log_probabilities, rewards, baseline):
    return loss(log_probabilities.exp(), rewards - baseline)


def means_first(log_probabilities, rewards, baseline):
    return -log_probabilities.mean() * (rewards - baseline).mean().detach()


def detaches_what_learns(log_probabilities, rewards, baseline):
    return -(log_probabilities.detach() * (rewards - baseline)).mean()


def throws_the_detach_away(log_probabilities, rewards, baseline):
    advantages = rewards - baseline
    advantages.detach()
    return -(log_probabilities * advantages).mean()


def rewards_learn(log_probabilities, rewards, baseline):
    return -(log_probabilities * (rewards - baseline.detach())).mean()


# -- Exercise 5 --------------------------------------------------------------------------------------------------------
def square(a, b):
    return (a - b).square().mean()


def one_trip(there, back, left, right):
    return square(back(there(left)), left)


def the_other_way(there, back, left, right):
    return square(there(back(left)), left) + square(back(there(right)), right)


def one_way(there, back, left, right):
    return square(there(left), left) + square(back(right), right)


def absolute(there, back, left, right):
    return (back(there(left)) - left).abs().mean() + (there(back(right)) - right).abs().mean()


def all_pixels(there, back, left, right):
    return (back(there(left)) - left).square().sum() + (there(back(right)) - right).square().sum()


def mean_of_both(there, back, left, right):
    return (square(back(there(left)), left) + square(there(back(right)), right)) / 2


def roots(there, back, left, right):
    return square(back(there(left)), left).sqrt() + square(there(back(right)), right).sqrt()


def detached_on_the_way(there, back, left, right):
    return square(back(there(left).detach()), left) + square(there(back(right)).detach(), right)


WRONG = {
    "gan_losses": {
        exchanged: "The two are exchanged",
        clamped: "Is log(1 − D) clamped?",
        only_the_generated: "The real half of the discriminator's loss is missing",
        the_same_for_both: "Both have the same loss",
        sums: "You took the sum over the batch",
        halved: "You halved the discriminator's loss",
        without_the_minus: "The sign of a loss is the wrong way around",
        saturating: "This is the saturating loss",
        generator_reads_the_real: "The generator's loss reads the real data",
        detached: "the right value and no gradient",
        one_by_one: "loses 600 nats",
    },
    "discounted_returns": {
        counts_the_padding: "You took the padding's rewards in",
        off_by_one: "The last reward of each reply is missing",
        only_the_later: "A token's own reward is missing",
        not_discounted: "Nothing is discounted",
        from_the_beginning: "added up the rewards *before*",
        discounts_by_the_place: "discounted from the beginning",
        the_rewards: "These are the rewards",
        one_for_all: "All tokens of a reply got the same number",
        returns_at_padding: "There are returns at the padding",
        in_place: "You changed the rewards",
    },
    "straight_through": {
        the_number: "You returned which token was sampled",
        soft_only: "This is the soft draw",
        not_subtracted: "Draw and soft weights are added up",
        greedy: "You took the likeliest token",
        no_gradient: "The draw is right and has no gradient",
        no_temperature: "The temperature is missing",
        multiplies: "You multiplied by the temperature",
        only_the_logits: "Only the logits were divided",
        other_noise: "that of the weights without noise",
        turned_round: "The gradient is turned round",
    },
    "reinforce": {
        raises_the_loss: "The sign is the wrong way around",
        without_baseline: "The baseline is not used",
        added_baseline: "You added the baseline",
        a_sum: "You took the sum over the replies",
        probabilities: "You took probabilities",
        means_first: "You multiplied two means",
        detaches_what_learns: "No gradient reaches the log-probabilities",
        throws_the_detach_away: "A gradient reaches the critic",
        rewards_learn: "A gradient reaches the rewards",
    },
    "cycle_loss": {
        one_trip: "One round trip only",
        the_other_way: "You began with the wrong translator",
        one_way: "You compared after one way",
        absolute: "You took absolute values",
        all_pixels: "You took the sum over all pixels",
        mean_of_both: "You took the mean of the two trips",
        roots: "You took the root",
        detached_on_the_way: "No gradient reaches the translators",
    },
}


globals().update(closing_tests(nb08, "08_gan_replies", WRONG))
