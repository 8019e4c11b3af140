"""Activations per token: equal to those of each text read alone, and every token keeps its text and position."""

import pytest
import torch

from helpers.interpretability.token_activations import text_rows, token_activations
from tests import factories

ROWS = [[2, 7, 8, 9, 3], [2, 5], [2, 11, 6, 6, 7, 8, 3]]


def test_side_by_side_equals_one_after_the_other():
    model = factories.gpt(noise=0.3)
    for name in ("blocks.0.hook_resid_post", "blocks.1.attention.hook_z", "hook_embed"):
        acts = token_activations(model, ROWS, name)
        alone = [model.run_with_cache(torch.tensor([row]), names=[name])[1][name] for row in ROWS]
        alone = [part.transpose(1, 2).flatten(2) if name.endswith("hook_z") else part for part in alone]
        assert torch.allclose(acts.values, torch.cat([part[0] for part in alone]).float(), atol=1e-5)
    assert acts.ids.tolist() == sum(ROWS, [])
    assert acts.rows.tolist() == [0] * 5 + [1] * 2 + [2] * 7
    assert acts.positions.tolist() == [*range(5), *range(2), *range(7)]
    assert acts.values.dtype == torch.float32 and not model.training


def test_part_of_them_stays_together_and_sets_are_numbered_apart():
    acts = token_activations(factories.gpt(), ROWS, "hook_embed", first_row=10)
    part = acts.where(acts.ids == 6)
    assert part.rows.tolist() == [12, 12] and part.positions.tolist() == [2, 3] and part.values.shape == (2, 16)


def test_rows_begin_with_the_end_and_are_cut(tokenizer):
    talks = factories.conversations(2)
    rows = text_rows(tokenizer, talks, 12)
    assert [len(row) for row in rows] == [12, 12] and rows[0][0] == tokenizer.end
    assert rows[0][1:] == tokenizer.encode_conversation(talks[0])[:11]
    with pytest.raises(ValueError, match="length is 1: give at least 2"):
        text_rows(tokenizer, talks, 1)


def test_what_is_no_vector_per_token_is_refused():
    model = factories.gpt()
    for rows in ([], [[2, 3], []]):
        with pytest.raises(ValueError, match="give at least one text"):
            token_activations(model, rows, "hook_embed")
    with pytest.raises(ValueError, match="does not hold one vector per token"):
        token_activations(model, ROWS, "blocks.0.attention.hook_pattern")
    with pytest.raises(ValueError, match="there is no hook point 'blocks.7.hook_resid_post'"):
        token_activations(model, ROWS, "blocks.7.hook_resid_post")
