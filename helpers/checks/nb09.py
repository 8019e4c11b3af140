"""Checks of notebook 09, *From votes to rewards*; they stand in four files: reward model, policy gradient, DPO, exercises."""

from helpers.checks.nb09_dpo import check_dpo_loss, check_reply_log_probability
from helpers.checks.nb09_exercises import check_clipped_policy_loss, check_expected_best, check_remove_direction
from helpers.checks.nb09_policy import (
    check_kl_penalized_rewards,
    check_leave_one_out_advantages,
    check_policy_gradient_loss,
)
from helpers.checks.nb09_reward import check_bootstrap_interval, check_bradley_terry_loss, check_train_reward_head

__all__ = [
    "check_bootstrap_interval",
    "check_bradley_terry_loss",
    "check_clipped_policy_loss",
    "check_dpo_loss",
    "check_expected_best",
    "check_kl_penalized_rewards",
    "check_leave_one_out_advantages",
    "check_policy_gradient_loss",
    "check_remove_direction",
    "check_reply_log_probability",
    "check_train_reward_head",
]
