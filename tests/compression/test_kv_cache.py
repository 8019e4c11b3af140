"""A cache in few bits: a range for each token and head, written once, and the same text read at once or token by token."""

import pytest
import torch

from helpers.compression.kv_cache import cache_bytes, quantize_vectors, quantized_cache
from tests.factories import gpt, rnn

IDS = torch.randint(16, (2, 20), generator=torch.Generator().manual_seed(0))


def vectors(*shape):
    return torch.randn(shape, generator=torch.Generator().manual_seed(0))


def test_each_token_and_head_has_a_range_of_its_own():
    x = vectors(2, 3, 5, 8)
    rounded = quantize_vectors(x, 4)
    spread = x.amax(-1, keepdim=True).clamp(min=0) - x.amin(-1, keepdim=True).clamp(max=0)
    assert rounded.shape == x.shape and ((rounded - x).abs() <= 1.02 * spread / 15).all()
    loud = x.clone()
    loud[:, :, 2] *= 100
    others = [token for token in range(5) if token != 2]
    assert quantize_vectors(loud, 4)[:, :, others].equal(rounded[:, :, others])  # one loud token coarsens itself alone
    tensor = quantize_vectors(loud, 4, per="tensor")[:, :, others]
    assert (tensor - x[:, :, others]).norm() > 5 * (rounded - x)[:, :, others].norm()


def test_a_token_is_rounded_alike_whatever_comes_after_it():
    """Of per="tensor" this is not so: its range needs tokens that a generating bot has not seen yet."""
    x = 3 * vectors(1, 2, 6, 8)
    x[:, :, 4] *= 5
    assert quantize_vectors(x[:, :, :3], 3).equal(quantize_vectors(x, 3)[:, :, :3])
    assert not quantize_vectors(x[:, :, :3], 3, "tensor").equal(quantize_vectors(x, 3, "tensor")[:, :, :3])


def test_reading_token_by_token_is_reading_at_once():
    model = gpt(std=0.3)
    with quantized_cache(model, 4), torch.no_grad():
        whole, state = model(IDS)
        step, past = model(IDS[:, :9])
        logits = [step]
        for token in range(9, 20):
            step, past = model(IDS[:, token : token + 1], past)
            logits.append(step)
    torch.testing.assert_close(torch.cat(logits, 1), whole, atol=1e-4, rtol=1e-3)
    assert not whole.equal(model(IDS)[0]) and not model.blocks[0].attention.hooked
    torch.testing.assert_close(quantize_vectors(state.keys[0], 4), state.keys[0])  # what is kept is what is rounded


def test_more_bits_change_less():
    model = gpt(std=0.3)
    before, changes = model(IDS)[0], []
    for bits in (2, 4, 8):
        with quantized_cache(model, bits):
            changes.append((model(IDS)[0] - before).abs().mean().item())
    assert changes[0] > 2 * changes[1] > 2 * 2 * changes[2] > 0


def test_the_bytes_of_a_token():
    """Two layers, keys and values, two heads of eight numbers: two bytes each; with fewer bits two more numbers a vector."""
    model = gpt()
    assert (
        cache_bytes(model) == 2 * 2 * 2 * 8 * 2
        and cache_bytes(model, 8) == 8 * (8 + 4)
        and cache_bytes(model, 3) == 8 * 7
    )
    assert cache_bytes(model, 4, "tensor") == cache_bytes(model) / 4
    assert cache_bytes(gpt(n_kv_head=1)) == cache_bytes(model) / 2


def test_what_makes_no_sense_is_said():
    for bits in (1, 17):
        for action in (lambda bits: quantize_vectors(vectors(1, 1, 1, 4), bits), lambda bits: cache_bytes(gpt(), bits)):
            with pytest.raises(ValueError, match=f"{bits} bits were asked for"):
                action(bits)
        with pytest.raises(ValueError, match=f"{bits} bits were asked for"), quantized_cache(gpt(), bits):
            pass
    with pytest.raises(ValueError, match='per="token" or "tensor"'):
        quantize_vectors(vectors(1, 1, 1, 4), 4, "row")
    with pytest.raises(ValueError, match=r"give vectors \[B, H, T, D\], not \[4, 4\]"):
        quantize_vectors(vectors(4, 4), 4)
    with pytest.raises(ValueError, match="per is 'row'"), quantized_cache(gpt(), 4, "row"):
        pass
    with pytest.raises(ValueError, match="only a GPT keeps keys and values"), quantized_cache(rnn(), 4):
        pass
