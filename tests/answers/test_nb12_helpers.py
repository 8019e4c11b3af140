"""What learners build in notebook 12, in its text and in its exercises, does what the package does."""

import pytest
import torch

from helpers.compression import distillation, gptq, kv_cache, packing, pruning, quantization
from helpers.corpus.batches.token_stream import WindowBatches
from helpers.generation import speculative_decoding
from helpers.training import fit
from tests import factories
from tests.answers.solutions import run, solutions
from tests.notebooks import books, definitions

NOTEBOOK = "12_smaller_and_faster"
SOLUTIONS = solutions(NOTEBOOK)


def solution(name):
    return run(SOLUTIONS[name], name, NOTEBOOK)


def matrix(rows=6, columns=32, seed=0):
    return torch.randn(rows, columns, generator=torch.Generator().manual_seed(seed))


@pytest.mark.parametrize("symmetric", [True, False])
@pytest.mark.parametrize("bits", [2, 4, 8])
def test_scales_and_zero_points_are_the_packages(bits, symmetric):
    low, high = matrix(1, 40)[0] - 0.5, matrix(1, 40)[0] + 1
    for mine, expected in zip(
        solution("scale_and_zero")(low, high, bits, symmetric), quantization.scale_and_zero(low, high, bits, symmetric)
    ):
        torch.testing.assert_close(mine, expected, rtol=0, atol=0)


@pytest.mark.parametrize("symmetric", [True, False])
@pytest.mark.parametrize("group", ["tensor", "row", 8])
def test_a_quantized_matrix_is_the_packages(group, symmetric):
    mine, expected = (
        function(matrix(), 3, group, symmetric) for function in (solution("quantize"), quantization.quantize)
    )
    assert mine.codes.equal(expected.codes) and mine.scale.equal(expected.scale) and mine.zero.equal(expected.zero)
    assert mine.bits == expected.bits and mine.size == expected.size


@pytest.mark.parametrize("columns", [1, 6, 7])
def test_packed_bytes_are_the_packages_and_come_back(columns):
    codes = torch.randint(16, (5, columns), generator=torch.Generator().manual_seed(0)).to(torch.uint8)
    packed = solution("pack_nibbles")(codes)
    assert packed.equal(packing.pack_nibbles(codes))
    assert packing.unpack_nibbles(packed, columns).equal(codes)


@pytest.mark.parametrize("symmetric", [True, False])
def test_gptq_is_the_packages_and_with_the_identity_it_is_rounding_to_the_nearest(symmetric):
    weight, hessian = matrix(), gptq.hessian(matrix(100, 32, 1) @ matrix(32, 32, 2))
    mine = solution("gptq")(weight, hessian, 3, symmetric)
    assert mine.codes.equal(gptq.gptq(weight, hessian, 3, symmetric).codes)
    plain = solution("gptq")(weight, torch.eye(32), 3, symmetric)
    assert plain.codes.equal(quantization.quantize(weight, 3, "row", symmetric).codes)


@pytest.mark.parametrize("share", [0.0, 0.3, 1.0])
def test_the_mask_is_the_packages(share):
    assert solution("magnitude_mask")(matrix(), share).equal(pruning.magnitude_mask(matrix(), share))


def test_pruned_weights_stay_pruned_in_fit_as_with_the_packages():
    batches = WindowBatches(torch.randint(16, (200,), generator=torch.Generator().manual_seed(0)), 2, 8, 0)
    copies = []
    for keeper in (solution("KeepPruned"), pruning.KeepPruned):
        model = factories.gpt()
        masks = pruning.masks_of(model, 0.5)
        copy = pruning.pruned(model, masks)
        fit(copy, batches, steps=3, optimizer="adamw", learning_rate=1e-2, callbacks=[keeper(masks)], progress=False)
        copies.append(copy)
    assert pruning.sparsity(copies[0]) == pytest.approx(0.5, abs=0.01)
    assert all(a.equal(b) for a, b in zip(copies[0].parameters(), copies[1].parameters()))


@pytest.mark.parametrize(("temperature", "soft"), [(1.0, 1.0), (2.0, 0.3), (4.0, 0.0)])
def test_the_distillation_loss_is_the_packages(temperature, soft):
    torch.manual_seed(0)
    student, teacher, targets = torch.randn(2, 5, 7), torch.randn(2, 5, 7), torch.randint(7, (2, 5))
    targets[0, :2] = -100
    given = (student, teacher, targets, temperature, soft)
    torch.testing.assert_close(solution("distillation_loss")(*given), distillation.distillation_loss(*given))


def test_accepted_tokens_are_the_packages():
    torch.manual_seed(0)
    p, q = torch.randn(4, 6).double().softmax(-1), torch.randn(3, 6).double().softmax(-1)
    torch.testing.assert_close(solution("residual")(p[0], q[0]), speculative_decoding.residual(p[0], q[0]))
    for seed in range(40):
        proposed = torch.multinomial(q, 1, generator=torch.Generator().manual_seed(seed))[:, 0].tolist()
        mine, expected = (
            function(p, q, proposed, torch.Generator().manual_seed(seed))
            for function in (solution("accept"), speculative_decoding.accept)
        )
        assert mine == expected


@pytest.mark.parametrize("per", ["token", "tensor"])
def test_a_cache_in_few_bits_is_the_packages(per):
    x = torch.randn(2, 3, 5, 8, generator=torch.Generator().manual_seed(0))
    torch.testing.assert_close(solution("quantize_vectors")(x, 3, per), kv_cache.quantize_vectors(x, 3, per))


def test_with_all_of_a_row_the_clipped_scale_is_the_symmetric_one():
    weight = matrix()
    scale, _ = quantization.scale_and_zero(weight.amin(1), weight.amax(1), 4)
    torch.testing.assert_close(solution("clipped_scale")(weight, 4, 100).half().float(), scale)


@pytest.mark.parametrize("acceptance", [0.2, 0.7, 0.95])
def test_the_best_look_ahead_has_the_packages_highest_speedup(acceptance):
    speeds = {gamma: speculative_decoding.speedup(acceptance, gamma, 0.1, 1.2) for gamma in range(1, 9)}
    expected = max(speeds, key=speeds.get) if max(speeds.values()) > 1 else 0
    assert solution("best_look_ahead")(acceptance, 0.1, lambda tokens: 1.2, 8) == expected


# -- what the page itself is made of -----------------------------------------------------------------------------------
def lifted(name, **names):
    """A function of the page, with what it finds there."""
    function = definitions.lift(books.paths(["12"])[0], name)
    function.__globals__.update(names)
    return function


def test_a_rounded_bot_is_the_packages():
    model = factories.gpt()
    rounded = lifted("rounded", model=model, quantize=solution("quantize"))
    for settings in ({"bits": 4}, {"bits": 3, "group": 8, "symmetric": False}):
        expected = quantization.quantized(model, **settings)
        assert all(a.equal(b) for a, b in zip(rounded(**settings).parameters(), expected.parameters()))


def test_blocks_by_gptq_are_the_packages():
    model, ids = factories.gpt(), torch.randint(16, (4, 12), generator=torch.Generator().manual_seed(0))
    mine = lifted("gptq_blocks", model=model, calibration=ids, gptq=solution("gptq"))(3)
    expected = gptq.gptq_model(model, ids, 3)
    assert all(a.equal(b) for a, b in zip(mine.parameters(), expected.parameters()))


def test_the_loss_of_the_live_student_is_the_packages():
    teacher, student = factories.gpt(seed=1).eval(), factories.gpt().eval()
    batch = WindowBatches(torch.randint(16, (100,), generator=torch.Generator().manual_seed(0)), 2, 8, 0)[0]
    taught = lifted("taught_by_teacher", model=teacher, distillation_loss=solution("distillation_loss"))
    torch.testing.assert_close(taught(student, batch), distillation.Distillation(teacher)(student, batch))
