"""Activation patching: itself changes nothing, the whole stream everything, a head its part alone; bad pairs are refused."""

import pytest
import torch

from helpers.interpretability import patching
from tests import factories

PAIR = torch.tensor([[2, 7, 8, 9, 3, 5], [2, 7, 11, 9, 3, 5]])
DIFFERENCE = patching.logit_difference(6, 9)
Z, STREAM = "blocks.0.attention.hook_z", "blocks.0.hook_resid_post"


def model(seed=0):
    return factories.gpt(noise=0.3, seed=seed)


def share(gpt, name, position, head=None, source=0, pair=PAIR):
    return patching.restored(gpt, pair, name, position, head, source, measure=DIFFERENCE)


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("name, head", [(Z, 0), (Z, 1), (STREAM, None), ("hook_embed", None)])
def test_patching_a_run_with_itself_changes_nothing(seed, name, head):
    gpt = model(seed)
    assert all(abs(share(gpt, name, position, head, source=1)) < 1e-4 for position in range(6))
    assert any(abs(share(gpt, name, position, head)) > 1e-3 for position in range(6))  # and the other run something


def test_the_stream_carries_all_of_it_where_the_word_stands_first_and_at_the_end_last():
    table = patching.restored_by_position(model(), PAIR, DIFFERENCE)
    assert table.shape == (3, 6)
    assert table[0, 2] == pytest.approx(1, abs=1e-4)  # no pair table here: a token's vector is its own
    assert table[-1, -1] == pytest.approx(1, abs=1e-4)
    assert table[0, [0, 1, 3, 4, 5]].abs().max() < 1e-4  # before the first block nothing has moved
    assert table[-1, :-1].abs().max() < 1e-4  # after the last one only the last position is read
    assert table[:, :2].abs().max() < 1e-4  # what stands before the word knows nothing of it


def test_a_hook_patches_one_position_and_one_head():
    x, clean = torch.zeros(2, 4, 5, 3), torch.ones(1, 4, 5, 3)
    patched = patching.patch_hook(clean, 1, 0)(x)  # head 0 is a head
    assert patched.sum() == 2 * 3 and patched[:, 0, 1].sum() == 6 and not x.any()
    patched = patching.patch_hook(clean[0], -1)(x[0])
    assert patched.sum() == 4 * 3 and patched[:, -1].sum() == 12 and not x.any()


def test_every_head_is_measured_by_itself():
    gpt = model()
    table = patching.restored_by_head(gpt, PAIR, DIFFERENCE)
    expected = [[share(gpt, f"blocks.{layer}.attention.hook_z", -1, head) for head in (0, 1)] for layer in (0, 1)]
    assert torch.allclose(table, torch.tensor(expected)) and table.unique().numel() == 4
    elsewhere = patching.restored_by_head(gpt, PAIR, DIFFERENCE, position=2)
    assert not torch.allclose(table, elsewhere)
    assert elsewhere[1].abs().max() < 1e-4  # in the last layer no other position is read any more


def test_it_is_the_clean_run_that_is_put_into_the_other():
    """By hand: hook the value in, run the second sentence alone, and scale from its answer to the first's."""
    gpt, name = model(), "blocks.1.attention.hook_z"
    (logits, _), cache = gpt.run_with_cache(PAIR, names=[name])
    man, woman = logits[:, -1, 6] - logits[:, -1, 9]

    def replace(z):
        z = z.clone()
        z[0, 1, -1] = cache[name][0, 1, -1]
        return z

    with gpt.hooks({name: replace}):
        patched = gpt(PAIR[1:])[0][0, -1]
    expected = (patched[6] - patched[9] - woman) / (man - woman)
    assert share(gpt, name, -1, 1) == pytest.approx(expected.item(), abs=1e-4)


def test_the_difference_is_read_at_the_end():
    logits = torch.arange(24.0).view(2, 3, 4) ** 2
    assert patching.logit_difference(3, 1)(logits).tolist() == [11**2 - 9**2, 23**2 - 21**2]


def test_dropout_is_off_and_the_mode_comes_back():
    gpt = factories.gpt(noise=0.3, dropout=0.5).train()
    assert abs(share(gpt, STREAM, 3, source=1)) < 1e-4 and gpt.training


def test_what_is_no_pair_or_not_there_is_named():
    gpt = model()
    for pair in (PAIR[0], PAIR[:1], torch.zeros(3, 4, dtype=torch.int64)):
        with pytest.raises(ValueError, match="a pair is two sentences with equally many tokens"):
            patching.restored_by_head(gpt, pair, DIFFERENCE)
    with pytest.raises(ValueError, match="both sentences have the same answer"):
        patching.restored_by_head(gpt, PAIR[[0, 0]], DIFFERENCE)
    with pytest.raises(ValueError, match="need the same number of tokens"):
        patching.patch_hook(torch.zeros(1, 5, 4), 0)(torch.zeros(1, 6, 4))
    with pytest.raises(ValueError, match="no head 2: heads are numbered from 0 to 1"):
        share(gpt, Z, -1, 2)
    with pytest.raises(ValueError, match="no head 0: only hook_z has heads"):
        share(gpt, STREAM, -1, 0)
    with pytest.raises(ValueError, match="no position 6: the sentence has 6 tokens"):
        share(gpt, STREAM, 6)
    with pytest.raises(ValueError, match="no hook point 'blocks.7.hook_resid_post'"):
        share(gpt, "blocks.7.hook_resid_post", -1)


def test_shares_on_the_models_device_are_those_of_the_cpu(device):
    for measured in (patching.restored_by_head, patching.restored_by_position):
        expected = measured(model(), PAIR, DIFFERENCE)
        assert torch.allclose(measured(model().to(device), PAIR, DIFFERENCE), expected, atol=1e-3)
