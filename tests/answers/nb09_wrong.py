"""Wrong answers of notebook 09's second lesson: the pieces of RLHF and of DPO, each with words of its own message."""

import torch
from torch.nn.functional import logsigmoid


# -- Build: leave-one-out advantages -----------------------------------------------------------------------------------
def others_of(scores):
    return scores.sum(1, keepdim=True) - scores


def includes_itself(scores):
    return scores - scores.mean(1, keepdim=True)


def divided_by_n(scores):
    return scores - others_of(scores) / scores.shape[1]


def sum_of_the_others(scores):
    return scores - others_of(scores)


def by_column(scores):
    return scores - (scores.sum(0, keepdim=True) - scores) / (scores.shape[0] - 1)


def over_the_batch(scores):
    return scores - (scores.sum() - scores) / (scores.numel() - 1)


def baseline_minus_score(scores):
    return others_of(scores) / (scores.shape[1] - 1) - scores


def only_the_baseline(scores):
    return others_of(scores) / (scores.shape[1] - 1)


def as_grpo(scores):
    return (scores - scores.mean(1, keepdim=True)) / scores.std(1, keepdim=True)


def always_four(scores):
    return scores - others_of(scores) / 3


def in_place(scores):
    scores -= others_of(scores) / (scores.shape[1] - 1)
    return scores


def mean_of_the_batch(scores):
    return scores - scores.mean()


# -- Build: rewards with a KL penalty ----------------------------------------------------------------------------------
def at(positions, scores, mask):
    return torch.zeros(mask.shape).index_put((torch.arange(len(mask)), positions), scores)


def at_the_end(scores, mask):
    return at(mask.sum(1) - 1, scores, mask)


def rewards_for_moving(scores, log_p, log_p_ref, beta, mask):
    return beta * (log_p - log_p_ref) * mask + at_the_end(scores, mask)


def no_beta(scores, log_p, log_p_ref, beta, mask):
    return -(log_p - log_p_ref) * mask + at_the_end(scores, mask)


def score_everywhere(scores, log_p, log_p_ref, beta, mask):
    return (-beta * (log_p - log_p_ref) + scores[:, None]) * mask


def score_in_the_last_column(scores, log_p, log_p_ref, beta, mask):
    return -beta * (log_p - log_p_ref) * mask + at(torch.full((len(mask),), mask.shape[1] - 1), scores, mask)


def score_after_the_last(scores, log_p, log_p_ref, beta, mask):
    return -beta * (log_p - log_p_ref) * mask + at(mask.sum(1).clamp(max=mask.shape[1] - 1), scores, mask)


def score_first(scores, log_p, log_p_ref, beta, mask):
    return -beta * (log_p - log_p_ref) * mask + at(torch.zeros(len(mask), dtype=torch.long), scores, mask)


def all_at_the_end(scores, log_p, log_p_ref, beta, mask):
    return at_the_end(scores - beta * ((log_p - log_p_ref) * mask).sum(1), mask)


def no_score(scores, log_p, log_p_ref, beta, mask):
    return -beta * (log_p - log_p_ref) * mask


def no_reference(scores, log_p, log_p_ref, beta, mask):
    return -beta * log_p * mask + at_the_end(scores, mask)


def of_probabilities(scores, log_p, log_p_ref, beta, mask):
    return -beta * (log_p.exp() - log_p_ref.exp()) * mask + at_the_end(scores, mask)


def penalizes_padding(scores, log_p, log_p_ref, beta, mask):
    return -beta * (log_p - log_p_ref) + at_the_end(scores, mask)


def on_the_cpu(scores, log_p, log_p_ref, beta, mask):
    rewards = torch.where(mask, -beta * (log_p - log_p_ref), 0.0)
    last = (
        torch.zeros(mask.shape).scatter(1, mask.cpu().sum(1, keepdim=True) - 1, 1.0)
        if mask.device.type == "cpu"
        else None
    )
    return rewards + (torch.zeros(mask.shape) if last is None else last * scores[:, None])


def score_assigned(scores, log_p, log_p_ref, beta, mask):
    return (-beta * (log_p - log_p_ref) * mask).index_put((torch.arange(len(mask)), mask.sum(1) - 1), scores)


def score_in_every_row(scores, log_p, log_p_ref, beta, mask):
    rewards = -beta * (log_p - log_p_ref) * mask
    rewards[:, mask.sum(1) - 1] += scores
    return rewards


def score_subtracted(scores, log_p, log_p_ref, beta, mask):
    return -beta * (log_p - log_p_ref) * mask - at_the_end(scores, mask)


def score_too_early(scores, log_p, log_p_ref, beta, mask):
    return -beta * (log_p - log_p_ref) * mask + at((mask.sum(1) - 2).clamp(min=0), scores, mask)


# -- Build: the policy-gradient loss -----------------------------------------------------------------------------------
def to_go(rewards):
    return rewards.detach().flip(1).cumsum(1).flip(1)


def white(values, keep, correction=0):
    return (values - values[keep].mean()) / values[keep].std(correction=correction)


def loss_of(log_p, advantages, mask):
    return -(advantages * log_p)[mask].sum() / len(log_p)


def makes_good_ones_rarer(log_p, rewards, mask):
    return -loss_of(log_p, white(to_go(rewards), mask), mask)


def no_returns(log_p, rewards, mask):
    return loss_of(log_p, white(rewards.detach(), mask), mask)


def sums_the_past(log_p, rewards, mask):
    return loss_of(log_p, white(rewards.detach().cumsum(1), mask), mask)


def whole_return(log_p, rewards, mask):
    return loss_of(log_p, white(rewards.detach().sum(1, keepdim=True).expand_as(rewards), mask), mask)


def not_whitened(log_p, rewards, mask):
    return loss_of(log_p, to_go(rewards), mask)


def only_centered(log_p, rewards, mask):
    return loss_of(log_p, to_go(rewards) - to_go(rewards)[mask].mean(), mask)


def only_scaled(log_p, rewards, mask):
    return loss_of(log_p, to_go(rewards) / to_go(rewards)[mask].std(correction=0), mask)


def padding_in_the_mean(log_p, rewards, mask):
    return loss_of(log_p, white(to_go(rewards), torch.ones_like(mask)), mask)


def padding_in_the_sum(log_p, rewards, mask):
    return -(white(to_go(rewards), mask) * log_p).sum() / len(log_p)


def mean_over_tokens(log_p, rewards, mask):
    return loss_of(log_p, white(to_go(rewards), mask), mask) * len(log_p) / mask.sum()


def sum_over_replies(log_p, rewards, mask):
    return loss_of(log_p, white(to_go(rewards), mask), mask) * len(log_p)


def mean_of_each_reply(log_p, rewards, mask):
    return -((white(to_go(rewards), mask) * log_p * mask).sum(1) / mask.sum(1)).mean()


def whitened_by_row(log_p, rewards, mask):
    rows = [white(row[keep], keep[keep]) @ p[keep] for row, p, keep in zip(to_go(rewards), log_p, mask)]
    return -torch.stack(rows).mean()


def whitened_by_row_with_padding(log_p, rewards, mask):
    returns = to_go(rewards)
    return loss_of(log_p, (returns - returns.mean(1, keepdim=True)) / returns.std(1, keepdim=True), mask)


def sample_deviation(log_p, rewards, mask):
    return loss_of(log_p, white(to_go(rewards), mask, 1), mask)


def not_detached(log_p, rewards, mask):
    return loss_of(log_p, white(rewards.flip(1).cumsum(1).flip(1), mask), mask)


def all_detached(log_p, rewards, mask):
    return loss_of(log_p, white(to_go(rewards), mask), mask).detach()


# -- Build: the DPO loss -----------------------------------------------------------------------------------------------
def margin(chosen, rejected, ref_chosen, ref_rejected):
    return (chosen - ref_chosen) - (rejected - ref_rejected)


def reference_added(c, r, rc, rr, beta):
    return -logsigmoid(beta * margin(c, r, -rc, -rr)).mean()


def reference_left_out(c, r, rc, rr, beta):
    return -logsigmoid(beta * (c - r)).mean()


def prefers_the_rejected(c, r, rc, rr, beta):
    return -logsigmoid(-beta * margin(c, r, rc, rr)).mean()


def beta_left_out(c, r, rc, rr, beta):
    return -logsigmoid(margin(c, r, rc, rr)).mean()


def beta_outside(c, r, rc, rr, beta):
    return beta * -logsigmoid(margin(c, r, rc, rr)).mean()


def negative_loss(c, r, rc, rr, beta):
    return logsigmoid(beta * margin(c, r, rc, rr)).mean()


def summed_pairs(c, r, rc, rr, beta):
    return -logsigmoid(beta * margin(c, r, rc, rr)).sum()


def mean_first(c, r, rc, rr, beta):
    return -logsigmoid(beta * margin(c, r, rc, rr).mean())


def log_of_sigmoid(c, r, rc, rr, beta):
    return -torch.sigmoid(beta * margin(c, r, rc, rr)).log().mean()


def a_bracket_missing(c, r, rc, rr, beta):
    return -logsigmoid(beta * (c - rc - r - rr)).mean()


def beta_on_the_policy(c, r, rc, rr, beta):
    return -logsigmoid(beta * c - rc - (beta * r - rr)).mean()


def rejected_detached(c, r, rc, rr, beta):
    return -logsigmoid(beta * margin(c, r.detach(), rc, rr)).mean()


def a_python_number(c, r, rc, rr, beta):
    return -logsigmoid(beta * margin(c, r, rc, rr)).mean().item()


# -- Build: the log-probability of a reply -----------------------------------------------------------------------------
def picked(values, labels):
    return values.gather(-1, labels.clamp(min=0)[..., None])[..., 0]


def averaged(logits, labels):
    mask = labels != -100
    return (picked(logits.log_softmax(-1), labels) * mask).sum(1) / mask.sum(1)


def context_counted(logits, labels):
    return picked(logits.log_softmax(-1), labels).sum(1)


def averaged_over_everything(logits, labels):
    return picked(logits.log_softmax(-1), labels).mean(1)


def masked_mean(logits, labels):
    return (picked(logits.log_softmax(-1), labels) * (labels != -100)).mean(1)


def without_token_0(logits, labels):
    return (picked(logits.log_softmax(-1), labels) * (labels > 0)).sum(1)


def raw_logits(logits, labels):
    return (picked(logits, labels) * (labels != -100)).sum(1)


def sums_probabilities(logits, labels):
    return (picked(logits.softmax(-1), labels) * (labels != -100)).sum(1)


def softmax_over_positions(logits, labels):
    return (picked(logits.log_softmax(1), labels) * (labels != -100)).sum(1)


def cross_entropy(logits, labels):
    return -(picked(logits.log_softmax(-1), labels) * (labels != -100)).sum(1)


def labels_shifted(logits, labels):
    return (picked(logits[:, :-1].log_softmax(-1), labels[:, 1:]) * (labels[:, 1:] != -100)).sum(1)


def logits_shifted(logits, labels):
    return (picked(logits[:, 1:].log_softmax(-1), labels[:, :-1]) * (labels[:, :-1] != -100)).sum(1)


def over_the_vocabulary(logits, labels):
    return (logits.log_softmax(-1).sum(-1) * (labels != -100)).sum(1)


def one_number(logits, labels):
    return (picked(logits.log_softmax(-1), labels) * (labels != -100)).sum()


def log_of_softmax(logits, labels):
    return (picked(logits.softmax(-1).log(), labels) * (labels != -100)).sum(1)


WRONG = {
    "leave_one_out_advantages": {
        includes_itself: "includes the reply itself",
        divided_by_n: "divided by n. There are",
        sum_of_the_others: "*sum* of the others",
        by_column: "from the columns",
        over_the_batch: "from the whole batch",
        baseline_minus_score: "score minus baseline",
        only_the_baseline: "That is the baseline",
        as_grpo: "as GRPO does",
        always_four: "not a fixed n",
        mean_of_the_batch: "mean of the whole batch",
        in_place: "You changed a tensor",
    },
    "kl_penalized_rewards": {
        rewards_for_moving: "sign of the KL penalty is wrong",
        no_beta: "β is missing",
        score_everywhere: "Every token got the score",
        score_in_the_last_column: "in the last column",
        score_after_the_last: "one position after the last",
        score_first: "at the first token",
        all_at_the_end: "whole penalty stands at the last",
        no_score: "no score: add",
        no_reference: "reference is left out",
        of_probabilities: "difference of the probabilities",
        penalizes_padding: "Padding is penalized",
        score_assigned: "replaces the penalty",
        score_in_every_row: "rows of the other replies",
        score_subtracted: "score is subtracted",
        score_too_early: "one token too early",
        on_the_cpu: "always on the CPU",
    },
    "policy_gradient_loss": {
        makes_good_ones_rarer: "sign is the other way around",
        no_returns: "You whitened the rewards",
        sums_the_past: "what came *before*",
        whole_return: "whole reply's return",
        not_whitened: "are not whitened",
        only_centered: "nothing is divided",
        only_scaled: "did not subtract the mean",
        padding_in_the_mean: "in your mean and standard deviation",
        padding_in_the_sum: "Padding counts in your sum",
        mean_over_tokens: "mean over tokens",
        sum_over_replies: "sum over the replies",
        sample_deviation: "sample standard deviation",
        mean_of_each_reply: "each reply's mean",
        whitened_by_row: "whitened each reply by itself",
        whitened_by_row_with_padding: "whitened each reply by itself",
        not_detached: "Gradient flows through your advantages",
        all_detached: "The loss has no gradient",
    },
    "dpo_loss": {
        reference_added: "sign of the reference",
        reference_left_out: "reference is left out",
        prefers_the_rejected: "prefers the rejected",
        beta_left_out: "β is missing",
        a_bracket_missing: "brackets is missing",
        beta_on_the_policy: "multiplies the policy only",
        rejected_detached: "both replies",
        a_python_number: "not a Python number",
        beta_outside: "outside of the logarithm",
        negative_loss: "loss is negative",
        summed_pairs: "sum over the pairs",
        mean_first: "mean before the logarithm",
        log_of_sigmoid: "Use logsigmoid",
    },
    "reply_log_probability": {
        averaged: "mean over the tokens. The log-probability",
        context_counted: "nothing may be added",
        averaged_over_everything: "mean, and over context",
        masked_mean: "mean over all positions",
        without_token_0: "Token 0 is left out",
        raw_logits: "raw logits",
        sums_probabilities: "You summed probabilities",
        softmax_over_positions: "runs over the positions",
        cross_entropy: "cross-entropy",
        labels_shifted: "shifted the labels",
        logits_shifted: "shifted the logits",
        over_the_vocabulary: "over the vocabulary. Pick",
        one_number: "one number for all rows",
        log_of_softmax: "Use log_softmax",
    },
}
