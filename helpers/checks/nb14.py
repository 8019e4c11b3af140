"""Checks of notebook 14's build cells and exercises: over the wire, batches, load, who may come in, what is measured."""

from helpers.checks.nb14_batch import check_ContinuousBatch, check_join_caches
from helpers.checks.nb14_exercises import check_FairQueue, check_fingerprint, check_Pages
from helpers.checks.nb14_limits import check_known_key, check_TokenBucket
from helpers.checks.nb14_load import check_alert_states, check_quantile, check_waits
from helpers.checks.nb14_wire import check_EventParser, check_route, check_settled

__all__ = [
    "check_alert_states",
    "check_ContinuousBatch",
    "check_EventParser",
    "check_FairQueue",
    "check_fingerprint",
    "check_join_caches",
    "check_known_key",
    "check_Pages",
    "check_quantile",
    "check_route",
    "check_settled",
    "check_TokenBucket",
    "check_waits",
]
