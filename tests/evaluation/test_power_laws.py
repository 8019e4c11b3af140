"""Power laws: a fit finds the law it was made from, and the stored trainings are what the notebook says they are."""

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


def test_the_stored_trainings_are_those_of_the_list():
    points = power_laws.read_runs()
    assert list(points.columns) == list(COLUMNS)
    stored = set(points[["series", "width", "tokens"]].itertuples(index=False, name=None))
    assert stored == {tuple(run.key.values()) for run in RUNS}
    assert (points["parameters"] == points["width"].map(layer_parameters)).all()
    for _, series in points.groupby("series"):
        assert series["loss"].is_monotonic_decreasing  # in the list's order both series grow
