"""Power laws: a fit finds the law it was made from, and the stored runs are what the notebook says they are."""

import numpy as np
import pytest

from helpers.evaluation import power_laws
from helpers.experiments.scaling_laws import COLUMNS, RUNS, layer_parameters

SIZES = [1e3, 1e4, 1e5, 1e6]


@pytest.mark.parametrize("law", [power_laws.PowerLaw(5.0, 0.08), power_laws.PowerLaw(40.0, 0.34, 1.69)])
def test_points_of_a_law_give_the_law(law):
    found = power_laws.fit_power_law(SIZES, [law.at(size) for size in SIZES], law.floor)
    assert found == pytest.approx(law)


def test_a_floor_bends_the_line_down_less():
    losses = [power_laws.PowerLaw(5.0, 0.08).at(size) for size in SIZES]
    straight, floored = (power_laws.fit_power_law(SIZES, losses, floor) for floor in (0.0, 1.0))
    assert floored.exponent > straight.exponent
    assert floored.at(1e12) > straight.at(1e12) and floored.at(1e300) == pytest.approx(1.0, abs=1e-6)


@pytest.mark.parametrize("sizes, losses", [([1], [2]), ([3, 3], [2, 1]), ([1, 2], [3]), ([], [])])
def test_too_few_points_are_refused(sizes, losses):
    with pytest.raises(ValueError, match="two different sizes"):
        power_laws.fit_power_law(sizes, losses)


@pytest.mark.parametrize(
    "sizes, losses, floor", [([0, 1], [2, 1], 0), ([1, 2], [2, 1], 1), ([1, 2], [2, float("nan")], 0)]
)
def test_what_has_no_logarithm_is_refused(sizes, losses, floor):
    with pytest.raises(ValueError, match="their logarithms are taken"):
        power_laws.fit_power_law(sizes, losses, floor)


def test_points_on_a_line_leave_no_doubt_and_scattered_ones_do():
    law = power_laws.PowerLaw(5.0, 0.08)
    exact = power_laws.power_law_intervals(SIZES, [law.at(size) for size in SIZES], at=1e9)
    assert exact.exponent == pytest.approx((0.08, 0.08)) and exact.loss == pytest.approx((law.at(1e9),) * 2)
    sizes = SIZES * 3
    scattered = [law.at(size) * wobble for size, wobble in zip(sizes, [1.0, 1.02, 0.98, 1.01, 0.99, 1.0] * 2)]
    (low, high), (least, most) = power_laws.power_law_intervals(sizes, scattered, at=1e9)
    assert low < 0.08 < high and least < law.at(1e9) < most
    near = power_laws.power_law_intervals(sizes, scattered, at=1e5).loss
    assert most / least - 1 > 1.5 * (near[1] / near[0] - 1)  # the farther from the points, the less is known
    again = power_laws.power_law_intervals(sizes, scattered, at=1e9)
    assert again.exponent == (low, high)  # the same seed, the same draws


def test_the_interval_holds_the_true_exponent_about_as_often_as_it_says():
    law, rng, inside = power_laws.PowerLaw(5.0, 0.08), np.random.default_rng(0), 0
    sizes = np.repeat([1e4, 3e4, 1e5, 3e5, 1e6, 3e6], 3)
    for trial in range(60):
        losses = law.at(sizes) * np.exp(rng.normal(0, 0.01, len(sizes)))
        (low, high), _ = power_laws.power_law_intervals(sizes, losses, at=1e9, confidence=0.8, draws=200, seed=trial)
        inside += low <= 0.08 <= high
    assert 0.65 < inside / 60 < 0.92


def test_intervals_of_too_few_points_are_refused():
    with pytest.raises(ValueError, match="two different sizes"):
        power_laws.power_law_intervals([3, 3], [2, 1], at=10)


def test_the_stored_runs_are_those_of_the_list():
    points = power_laws.read_runs(seeds=True)
    assert list(points.columns) == list(COLUMNS)
    stored = set(points[["series", "width", "tokens", "seed"]].itertuples(index=False, name=None))
    assert stored == {tuple(run.key.values()) for run in RUNS}
    assert (points["parameters"] == points["width"].map(layer_parameters)).all()


def test_a_size_has_the_mean_of_its_seeds_and_their_spread():
    points, sizes = power_laws.read_runs(seeds=True), power_laws.read_runs()
    assert list(sizes.columns) == ["series", "width", "parameters", "tokens", "loss", "spread"]
    one = points[(points["series"] == "parameters") & (points["width"] == 32)]["loss"]
    row = sizes[(sizes["series"] == "parameters") & (sizes["width"] == 32)].iloc[0]
    assert len(one) == 3 and row["loss"] == pytest.approx(one.mean()) and row["spread"] == pytest.approx(one.std())
    for _, series in sizes.groupby("series"):
        assert series["loss"].is_monotonic_decreasing  # in the list's order both series grow
