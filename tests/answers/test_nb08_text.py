"""Notebook 08, second lesson: every check accepts the shown solution and names each wrong answer's own mistake."""

import functools

import torch
from torch.nn import functional

from helpers.checks import nb08_gan_step, nb08_text
from helpers.training import reply_gan
from tests.answers.common import closing_tests


# -- Build: a choice with a gradient -----------------------------------------------------------------------------------
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
    return functional.one_hot((logits + noise).argmax(-1), logits.shape[-1]).double()


def no_temperature(logits, noise, temperature):
    return through(logits, noise, (logits + noise).softmax(-1))


def multiplies(logits, noise, temperature):
    return through(logits, noise, ((logits + noise) * temperature).softmax(-1))


def only_the_logits(logits, noise, temperature):
    return through(logits, noise, (logits / temperature + noise).softmax(-1))


def other_noise(logits, noise, temperature):
    return through(logits, noise, (logits / temperature).softmax(-1))


def wrong_sign(logits, noise, temperature):
    soft = weights(logits, noise, temperature)
    return through(logits, noise, soft.detach()) - soft + soft.detach()


def over_the_batch(logits, noise, temperature):
    soft = ((logits + noise) / temperature).softmax(0)
    hard = functional.one_hot((logits + noise).argmax(0), logits.shape[-1])
    return hard.double() + soft - soft.detach() if logits.ndim == 1 else through(logits, -noise, soft)


def softmax_over_the_batch(logits, noise, temperature):
    return through(logits, noise, ((logits + noise) / temperature).softmax(0))


# -- Build: REINFORCE --------------------------------------------------------------------------------------------------
def loss(log_p, advantages, mask):
    return -(log_p * advantages.detach() * mask).sum() / len(mask)


def raises_the_loss(log_p, rewards, baseline, mask):
    return -loss(log_p, rewards - baseline, mask)


def without_baseline(log_p, rewards, baseline, mask):
    return loss(log_p, rewards, mask)


def added_baseline(log_p, rewards, baseline, mask):
    return loss(log_p, rewards + baseline, mask)


def padding_counted(log_p, rewards, baseline, mask):
    return loss(log_p, rewards - baseline, torch.ones_like(mask))


def padding_only(log_p, rewards, baseline, mask):
    return loss(log_p, rewards - baseline, ~mask)


def a_sum(log_p, rewards, baseline, mask):
    return loss(log_p, rewards - baseline, mask) * len(mask)


def mean_over_tokens(log_p, rewards, baseline, mask):
    return loss(log_p, rewards - baseline, mask) * len(mask) / mask.sum()


def mean_over_positions(log_p, rewards, baseline, mask):
    return -(log_p * (rewards - baseline).detach() * mask).mean()


def mean_of_each_reply(log_p, rewards, baseline, mask):
    return -((log_p * (rewards - baseline).detach() * mask).sum(1) / mask.sum(1)).mean()


def whole_reply(log_p, rewards, baseline, mask):
    return loss(log_p, (rewards * mask).sum(1, keepdim=True) - baseline, mask)


def advantage_of_the_reply(log_p, rewards, baseline, mask):
    return loss(log_p, ((rewards - baseline) * mask).sum(1, keepdim=True), mask)


def rewards_to_go(log_p, rewards, baseline, mask):
    return loss(log_p, (rewards * mask).flip(1).cumsum(1).flip(1) - baseline, mask)


def probabilities(log_p, rewards, baseline, mask):
    return loss(log_p.exp(), rewards - baseline, mask)


def detaches_what_learns(log_p, rewards, baseline, mask):
    return -(log_p.detach() * (rewards - baseline) * mask).sum() / len(mask)


def rewards_not_detached(log_p, rewards, baseline, mask):
    return -(log_p * (rewards - baseline.detach()) * mask).sum() / len(mask)


def throws_the_detach_away(log_p, rewards, baseline, mask):
    advantages = rewards - baseline
    advantages.detach()
    return -(log_p * advantages * mask).sum() / len(mask)


# -- Build: the step of the message → reply GAN ------------------------------------------------------------------------
STEPS = {
    functools.wraps(nb08_gan_step._step)(functools.partial(nb08_gan_step._step, mistake=mistake)): words
    for mistake, words in nb08_gan_step.MISTAKES.items()
}


def numbers_not_one_hot(generator, discriminator, optimizer_g, optimizer_d, messages, replies):
    generator(messages)
    discriminator(messages, replies.double())
    return 0.0, 0.0


def generator_never_asked(generator, discriminator, optimizer_g, optimizer_d, messages, replies):
    return 0.0, 0.0


def losses_exchanged(*given):
    return reply_gan.reply_gan_step(*given)[::-1]


def other_losses(*given):
    reply_gan.reply_gan_step(*given)
    return 1.0, 1.0


def not_detached(generator, discriminator, optimizer_g, optimizer_d, messages, replies):
    sampled = generator(messages)
    real = functional.one_hot(replies, sampled.shape[-1]).to(sampled)
    loss_d = functional.softplus(-discriminator(messages, real)).mean()
    loss_d = loss_d + functional.softplus(discriminator(messages, sampled)).mean()
    optimizer_d.zero_grad()
    loss_d.backward(retain_graph=True)
    optimizer_d.step()
    loss_g = functional.softplus(-discriminator(messages, sampled)).mean()
    optimizer_g.zero_grad()
    loss_g.backward()
    optimizer_g.step()
    return loss_d.item(), loss_g.item()


# -- Build: advantages -------------------------------------------------------------------------------------------------
def advantages(rewards, values, mask, gamma, clip, first=True, last=True, discount=True):
    rewards, later, columns = rewards * (mask if first else 1), 0, []
    for t in reversed(range(rewards.shape[1])):
        later = rewards[:, t] + (gamma if discount else 1.0) * later
        columns.append(later)
    returns = torch.stack(columns[::-1], dim=1) * (mask if last else 1)
    return (returns - values.detach()).clamp(-clip, clip) * mask, returns


def padding_in_returns(rewards, values, mask, gamma, clip):
    return advantages(rewards, values, mask, gamma, clip, first=False, last=False)


def padding_masked_too_late(rewards, values, mask, gamma, clip):
    return advantages(rewards, values, mask, gamma, clip, first=False)


def nothing_discounted(rewards, values, mask, gamma, clip):
    return advantages(rewards, values, mask, gamma, clip, discount=False)


def only_rewards(rewards, values, mask, gamma, clip):
    return advantages(rewards, values, mask, 0.0, clip)


def from_the_left(rewards, values, mask, gamma, clip):
    flipped = advantages((rewards * mask).flip(1), values, mask.flip(1), gamma, clip, first=False, last=False)[1]
    returns = flipped.flip(1) * mask
    return (returns - values.detach()).clamp(-clip, clip) * mask, returns


def own_reward_missing(rewards, values, mask, gamma, clip):
    returns = advantages(rewards, values, mask, gamma, clip)[1] - rewards * mask
    return returns, returns


def exchanged(rewards, values, mask, gamma, clip):
    return advantages(rewards, values, mask, gamma, clip)[::-1]


def at_padding(rewards, values, mask, gamma, clip):
    returns = advantages(rewards, values, mask, gamma, clip)[1]
    return (returns - values.detach()).clamp(-clip, clip), returns


def no_critic(rewards, values, mask, gamma, clip):
    returns = advantages(rewards, values, mask, gamma, clip)[1]
    return returns.clamp(-clip, clip), returns


def critic_minus_return(rewards, values, mask, gamma, clip):
    better, returns = advantages(rewards, values, mask, gamma, clip)
    return -better, returns


def critic_added(rewards, values, mask, gamma, clip):
    returns = advantages(rewards, values, mask, gamma, clip)[1]
    return (returns + values.detach()).clamp(-clip, clip) * mask, returns


def rewards_minus_critic(rewards, values, mask, gamma, clip):
    return ((rewards - values.detach()) * mask).clamp(-clip, clip), advantages(rewards, values, mask, gamma, clip)[1]


def critic_learns(rewards, values, mask, gamma, clip):
    returns = advantages(rewards, values, mask, gamma, clip)[1]
    return (returns - values).clamp(-clip, clip) * mask, returns


def returns_clipped(rewards, values, mask, gamma, clip):
    better, returns = advantages(rewards, values, mask, gamma, clip)
    return better, returns.clamp(-clip, clip)


def not_clipped(rewards, values, mask, gamma, clip):
    return advantages(rewards, values, mask, gamma, 1e9)


def clipped_above(rewards, values, mask, gamma, clip):
    better, returns = advantages(rewards, values, mask, gamma, 1e9)
    return better.clamp(max=clip), returns


def advantages_alone(rewards, values, mask, gamma, clip):
    return advantages(rewards, values, mask, gamma, clip)[0]


# -- Exercise 1 --------------------------------------------------------------------------------------------------------
def at_token(rewards, mask, values, last=True):
    position = mask.sum(1, keepdim=True) - 1 if last else torch.full((len(mask), 1), mask.shape[1] - 1)
    return torch.zeros_like(rewards).scatter(1, position, values[:, None])


def own_returns(rewards, mask, order):
    return at_token(rewards, mask, (rewards * mask).sum(1))


def padding_summed(rewards, mask, order):
    return at_token(rewards, mask, rewards.sum(1)[order])


def last_column(rewards, mask, order):
    return at_token(rewards, mask, (rewards * mask).sum(1)[order], last=False)


def first_token(rewards, mask, order):
    return torch.zeros_like(rewards).scatter(1, 0 * order[:, None], (rewards * mask).sum(1)[order][:, None])


def whole_rows(rewards, mask, order):
    return rewards[order]


def whole_rows_masked(rewards, mask, order):
    return rewards[order] * mask


def shuffled_last(rewards, mask, order):
    return own_returns(rewards, mask, order)[order]


def constant(rewards, mask, order):
    return at_token(rewards, mask, (rewards * mask).sum(1).mean().expand(len(mask)))


def inverse_order(rewards, mask, order):
    return at_token(rewards, mask, (rewards * mask).sum(1)[order.argsort()])


# -- Exercise 2 --------------------------------------------------------------------------------------------------------
def right_quality(diversity, quality, level, pick=None):
    points = sorted(zip(diversity, quality))
    for (d0, q0), (d1, q1) in zip(points, points[1:]):
        if d0 <= level <= d1:
            share = (level - d0) / (d1 - d0)
            return q0 + (q1 - q0) * (share if pick is None or share in (0, 1) else pick(share))
    return None


def point_below(diversity, quality, level):
    return right_quality(diversity, quality, level, lambda share: 0)


def point_above(diversity, quality, level):
    return right_quality(diversity, quality, level, lambda share: 1)


def mean_of_both(diversity, quality, level):
    return right_quality(diversity, quality, level, lambda share: 0.5)


def weights_exchanged(diversity, quality, level):
    return right_quality(diversity, quality, level, lambda share: 1 - share)


def extrapolates(diversity, quality, level):
    return right_quality(diversity, quality, min(max(level, min(diversity)), max(diversity)))


def ends_excluded(diversity, quality, level):
    return right_quality(diversity, quality, level) if min(diversity) < level < max(diversity) else 0.0


WRONG = {
    "straight_through": {
        the_number: "number of the sampled token",
        soft_only: "These are the soft weights",
        not_subtracted: "are added",
        greedy: "most likely token",
        no_gradient: "has no gradient",
        no_temperature: "temperature is missing",
        multiplies: "multiplied by the temperature",
        only_the_logits: "Only the logits",
        other_noise: "weights without noise",
        wrong_sign: "wrong sign",
        over_the_batch: "a batch is not",
        softmax_over_the_batch: "those of several are not",
    },
    "reinforce_loss": {
        raises_the_loss: "sign is wrong",
        without_baseline: "baseline is not subtracted",
        added_baseline: "added the baseline",
        padding_counted: "Padding is counted",
        padding_only: "left the tokens out",
        a_sum: "sum over the batch",
        mean_over_tokens: "mean over all tokens",
        mean_over_positions: "mean over all positions",
        mean_of_each_reply: "each reply's mean",
        whole_reply: "credit every token with the whole reply",
        advantage_of_the_reply: "credit every token with the whole reply",
        rewards_to_go: "summed the rewards from each token on",
        probabilities: "used probabilities",
        detaches_what_learns: "No gradient reaches the log-probabilities",
        rewards_not_detached: "reaches the discriminator",
        throws_the_detach_away: "reaches the critic",
    },
    "reply_gan_step": STEPS
    | {
        numbers_not_one_hot: "one-hot replies [B, T, V]",
        generator_never_asked: "never asked for replies",
        losses_exchanged: "discriminator's loss first",
        other_losses: "the losses are",
        not_detached: "thrown away",
    },
    "advantages": {
        padding_in_returns: "before you add them up",
        padding_masked_too_late: "hidden afterwards",
        nothing_discounted: "Nothing is discounted",
        only_rewards: "These are the rewards",
        from_the_left: "*before* a token",
        own_reward_missing: "own reward is missing",
        exchanged: "The two are exchanged",
        at_padding: "advantages at padding",
        no_critic: "are not subtracted",
        critic_minus_return: "sign is wrong",
        critic_added: "added the values",
        rewards_minus_critic: "from the rewards",
        critic_learns: "reaches the critic",
        returns_clipped: "returns are clipped",
        not_clipped: "advantages are not clipped",
        clipped_above: "Only large advantages",
        advantages_alone: "Return two tensors",
    },
    "shuffled_rewards": {
        own_returns: "its own return",
        padding_summed: "Padding is counted",
        last_column: "in the last column",
        first_token: "at the first token",
        whole_rows: "shuffled whole rows",
        whole_rows_masked: "rows and masked",
        shuffled_last: "after placing the returns",
        constant: "constant reward",
        inverse_order: "other way around",
    },
    "quality_at": {
        point_below: "nearest point below",
        point_above: "nearest point above",
        mean_of_both: "mean of the two",
        weights_exchanged: "weights are exchanged",
        extrapolates: "return None",
        ends_excluded: "At a measured point",
    },
}

globals().update(closing_tests(nb08_text, "08_gan_replies", WRONG))
del test_every_exercise_of_the_notebook_is_tested  # noqa: F821  (the first lesson has a file of its own: test_nb08)
