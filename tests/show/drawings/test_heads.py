"""Heads: widths are divided evenly, and groups of queries share what they read."""

import pytest

from helpers.show.drawings.heads import grouped_query_attention, split_into_heads


@pytest.mark.parametrize(
    ("seq_len", "d_model", "n_head"), [(10, 256, 4), (128, 768, 12), (2048, 12_288, 96), (3, 8, 1), (5, 8, 8)]
)
def test_each_head_has_its_part(seq_len, d_model, n_head, legible):
    words = legible(split_into_heads(seq_len, d_model, n_head))
    assert f"of [{seq_len}, {d_model // n_head}]" in words and f"a matrix [{d_model}, {d_model}]" in words


def test_heads_that_do_not_divide_are_refused():
    with pytest.raises(ValueError, match="3 heads cannot share d_model = 8 evenly"):
        split_into_heads(4, 8, 3)
    with pytest.raises(ValueError, match="at least 1"):
        split_into_heads(0, 8, 2)


@pytest.mark.parametrize(("n_head", "n_kv_head", "times"), [(8, 2, 4), (16, 1, 16), (2, 1, 2), (12, 4, 3)])
def test_groups_share_keys_and_values(n_head, n_kv_head, times, legible):
    words = legible(grouped_query_attention(n_head, n_kv_head))
    assert f"{times} times smaller" in words and f"{n_head} query heads" in words


@pytest.mark.parametrize("n_head", [1, 2, 16])
def test_with_as_many_nothing_is_shared(n_head, legible):
    assert "nothing is shared" in legible(grouped_query_attention(n_head, n_head))


@pytest.mark.parametrize(
    ("n_head", "n_kv_head", "sentence"),
    [(17, 1, "1 to 16"), (8, 3, "divides 8"), (4, 8, "divides 4"), (4, 0, "divides")],
)
def test_groups_that_do_not_fit_are_refused(n_head, n_kv_head, sentence):
    with pytest.raises(ValueError, match=sentence):
        grouped_query_attention(n_head, n_kv_head)
