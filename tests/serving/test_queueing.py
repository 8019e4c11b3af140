"""The simulated service against queueing theory, Lindley's recursion and Little's law."""

import math
from statistics import mean

import pytest

from helpers.serving.queueing import simulate, traffic
from helpers.serving.waiting import mean_wait, waits

STEP = (0.008, 0.002)  # 10 ms for one row


def let_in(times):
    return [time for time in times if time is not None]


def test_by_hand():
    # two slots, steps of 10 ms for one row and 12 ms for two
    done = simulate([0.0, 0.005, 0.006], [3, 1, 2], slots=2, step=STEP)
    assert done.waits == pytest.approx([0, 0.005, 0.016])  # 1 joins after the first step, 2 when 1 has left
    assert done.firsts == pytest.approx([0.010, 0.017, 0.028])
    assert done.wholes == pytest.approx([0.034, 0.017, 0.038])
    assert done.refused == 0 and done.tokens == pytest.approx(6 / 0.044)
    assert done.utilization == pytest.approx((0.010 + 2 * 0.012 + 2 * 0.012 + 0.010) / (2 * 0.044))


@pytest.mark.parametrize("room", [0, 2, math.inf])
def test_one_slot_is_lindleys_recursion(room):
    arrivals, lengths = traffic(9.0, 10, 400)
    done = simulate(arrivals, lengths, 1, room, STEP)
    expected = waits(arrivals, [0.010 * length for length in lengths], room)
    assert [wait is None for wait in done.waits] == [wait is None for wait in expected]
    assert let_in(done.waits) == pytest.approx(let_in(expected))


@pytest.mark.parametrize("busy", [0.3, 0.6])
def test_the_mean_wait_is_that_of_the_theory(busy):
    arrivals, lengths = traffic(busy / 0.2, 20, 40_000, seed=1)  # replies of 0.2 s on average
    done = simulate(arrivals, lengths, 1, step=STEP)
    assert done.utilization == pytest.approx(busy, rel=0.03)
    theory = mean_wait(busy, 0.2, math.sqrt(1 - 1 / 20))  # a geometric length has this variation
    assert mean(done.waits) == pytest.approx(theory, rel=0.08)


@pytest.mark.parametrize(("slots", "room"), [(1, 5), (4, math.inf), (8, 3)])
def test_littles_law(slots, room):
    done = simulate(*traffic(25.0, 20, 3000), slots, room, STEP)
    assert done.waiting == pytest.approx(done.rate * mean(let_in(done.waits)))


def test_more_slots_wait_less_and_more_arrivals_wait_more():
    arrivals, lengths = traffic(20.0, 20, 1000)
    by_slots = [simulate(arrivals, lengths, slots, step=STEP).first(0.95) for slots in (1, 2, 4, 8, 16)]
    assert by_slots == sorted(by_slots, reverse=True) and by_slots[0] > 20 * by_slots[-1]
    by_rate = [simulate(*traffic(rate, 20, 1000), 4, step=STEP).first(0.95) for rate in (2.0, 10.0, 20.0, 40.0)]
    assert by_rate == sorted(by_rate)


def test_a_bounded_queue_refuses_and_keeps_waits_short():
    arrivals, lengths = traffic(100.0, 20, 1000)
    bounded, endless = (simulate(arrivals, lengths, 4, room, STEP) for room in (8, math.inf))
    assert endless.refused == 0 < bounded.refused < 1 and bounded.first(1.0) < 0.1 * endless.first(1.0)
    assert bounded.utilization > 0.95


def test_arrivals_and_lengths_have_their_means_and_repeat():
    arrivals, lengths = traffic(4.0, 12, 20_000)
    assert arrivals == sorted(arrivals) and arrivals[-1] == pytest.approx(5000, rel=0.03)
    assert mean(lengths) == pytest.approx(12, rel=0.03) and min(lengths) == 1
    assert traffic(4.0, 12, 20_000) == (arrivals, lengths) != traffic(4.0, 12, 20_000, seed=1)
    assert traffic(8.0, 30, 5)[0] == pytest.approx([time / 2 for time in arrivals[:5]])
    assert traffic(4.0, 1, 3)[1] == [1, 1, 1]


def test_the_first_token_comes_before_the_last():
    done = simulate([0.0, 1.0], [5, 3], 1, step=STEP)
    assert done.firsts == pytest.approx([0.010, 0.010]) and done.wholes == pytest.approx([0.050, 0.030])


def test_quantiles_are_values_that_occurred():
    done = simulate([0.0, 10.0, 20.0, 30.0], [1, 1, 1, 1], 1, step=STEP)
    assert [done.first(q) for q in (0, 0.5, 1)] == pytest.approx([0.01, 0.01, 0.01])


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (([], [], 1), "0 arrivals and 0 lengths"),
        (([1.0], [1, 2], 1), "equally many"),
        (([1.0], [0], 1), "from 1 on"),
        (([1.0], [1], 0), "1 slot or more"),
        (([1.0], [1], 1, -1), "room from 0 on"),
        (([1.0], [1], 1, 1, (0, 0)), "a time above 0"),
    ],
)
def test_numbers_that_do_not_fit_are_refused(arguments, sentence):
    with pytest.raises(ValueError, match=sentence):
        simulate(*arguments)


@pytest.mark.parametrize("arguments", [(0, 3, 1), (1, 0, 1), (1, 3, 0), (math.inf, 3, 1)])
def test_traffic_that_is_none_is_refused(arguments):
    with pytest.raises(ValueError, match="give a rate above 0"):
        traffic(*arguments)
