"""What one worker keeps of a model: ZeRO's own numbers; a layer that is cut in two says where the sum is."""

import pytest

from helpers.show.drawings.cut_models import bytes_text, sharding, tensor_parallel


def test_the_usual_numbers_are_those_of_the_paper(legible):
    words = legible(sharding())  # figure 1 of Rajbhandari et al. 2019: 7.5 billion parameters, 64 workers
    for said in ("nothing is split, 120 GB", "optimizer, 31.4 GB", "gradients, 16.6 GB", "parameters, 1.9 GB."):
        assert said in words


@pytest.mark.parametrize(
    ("n", "parameters", "stages"),
    [(2, 1e5, (0, 3)), (4, 7.5e9, (0, 1, 2, 3)), (16_384, 405e9, (0, 1, 2, 3)), (8, 175e9, (2,))],
)
def test_every_size_is_legible(n, parameters, stages, legible):
    assert f"each of {n:,} workers keeps" in legible(sharding(n, parameters, stages))


@pytest.mark.parametrize(
    ("count", "text"), [(900, "900 bytes"), (2.8e12, "2.8 TB"), (31.4e9, "31.4 GB"), (12e4, "120 kB"), (8e6, "8.0 MB")]
)
def test_bytes_have_a_unit_that_fits(count, text):
    assert bytes_text(count) == text


def test_what_cannot_be_drawn_is_said():
    with pytest.raises(ValueError, match="1 worker cannot split"):
        sharding(1)
    with pytest.raises(ValueError, match="stages 0 to 3"):
        sharding(4, stages=())
    with pytest.raises(ValueError, match="stage from 0 to 3"):
        sharding(4, stages=(4,))


def test_a_layer_is_cut_by_columns_then_by_rows_with_one_sum(legible):
    words = legible(tensor_parallel())
    for said in ("Uᵀ is cut by columns", "Vᵀ is cut by rows", "One sum", "added once"):
        assert said in words
