"""Notebook 14: every check accepts the solution the notebook shows and names each wrong answer's own mistake.

The wrong answers stand in ``nb14_wire_wrong``, ``nb14_batch_wrong``, ``nb14_limits_wrong``, ``nb14_load_wrong`` and
``nb14_exercises_wrong``.
"""

import pytest

from helpers.checks import nb14
from tests.answers import nb14_batch_wrong, nb14_exercises_wrong, nb14_limits_wrong, nb14_load_wrong, nb14_wire_wrong
from tests.answers.common import closing_tests

WRONG = {
    "route": nb14_wire_wrong.ROUTE,
    "EventParser": nb14_wire_wrong.EVENTS,
    "settled": nb14_wire_wrong.SETTLED,
    "join_caches": nb14_batch_wrong.JOIN,
    "ContinuousBatch": nb14_batch_wrong.BATCH,
    "waits": nb14_load_wrong.WAITS,
    "known_key": nb14_limits_wrong.KEYS,
    "TokenBucket": nb14_limits_wrong.BUCKET,
    "quantile": nb14_load_wrong.QUANTILE,
    "alert_states": nb14_load_wrong.ALERT,
    "Pages": nb14_exercises_wrong.PAGES,
    "FairQueue": nb14_exercises_wrong.FAIR,
    "fingerprint": nb14_exercises_wrong.FINGERPRINT,
}


class Stub:
    """What a learner finds in the build cells and exercises that ask for a class."""

    def __init__(self, *arguments): ...

    def _ask(self, *arguments): ...

    feed = step = take = grow = release = put = get = _ask


@pytest.mark.parametrize("name", ["EventParser", "ContinuousBatch", "TokenBucket", "Pages", "FairQueue"])
def test_an_untouched_class_is_not_a_mistake(name, capsys):
    getattr(nb14, f"check_{name}")(Stub)
    assert "Not tried yet" in capsys.readouterr().out


def test_a_queue_into_which_nothing_is_put_was_tried(capsys):
    class Half(nb14_exercises_wrong.Fair):
        put = Stub._ask

    nb14.check_FairQueue(Half)
    assert capsys.readouterr().out.startswith("✘ Of a1 a2")


globals().update(closing_tests(nb14, "14_serving_the_bot", WRONG))
