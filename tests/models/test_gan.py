"""The networks of notebook 08: shapes, every layer used, and what each part may see."""

import pytest
import torch

from helpers.models.gan import (
    DigitClassifier,
    DigitDiscriminator,
    DigitGenerator,
    LocalTranslator,
    PointDiscriminator,
    PointGenerator,
    WideTranslator,
)

IMAGES, POINTS = torch.rand(4, 1, 8, 8) * 2 - 1, torch.randn(4, 2)
NETWORKS = [
    (PointGenerator(3, 16), torch.randn(4, 3), (4, 2)),
    (PointDiscriminator(16), POINTS, (4,)),
    (PointDiscriminator(16, pack=2), POINTS, (2,)),
    (DigitGenerator(5, 8), torch.randn(4, 5), (4, 1, 8, 8)),
    (DigitDiscriminator(8), IMAGES, (4,)),
    (DigitDiscriminator(8, pack=4), IMAGES, (1,)),
    (DigitClassifier(8), IMAGES, (4, 10)),
    (WideTranslator(8), IMAGES, (4, 1, 8, 8)),
    (LocalTranslator(8), IMAGES, (4, 1, 8, 8)),
]
EACH = pytest.mark.parametrize("network, x, shape", NETWORKS, ids=lambda part: type(part).__name__)


@EACH
def test_shapes_and_no_layer_left_out(network, x, shape):
    """A listing often shown defines a second layer and never uses it: here every weight has a gradient."""
    network.train()
    for number, weights in enumerate(network.parameters()):  # no unit may be dead by bad luck
        torch.nn.init.normal_(weights, std=0.3, generator=torch.Generator().manual_seed(number))
    out = network(x)
    assert out.shape == shape
    out.square().sum().backward()
    unused = [name for name, weights in network.named_parameters() if weights.grad is None or not weights.grad.any()]
    # A bias before a norm is subtracted again: it has no gradient by right.
    assert not [name for name in unused if not name.endswith("bias")], unused


@pytest.mark.parametrize("network", [DigitGenerator(5, 8), WideTranslator(8), LocalTranslator(8)])
def test_pictures_stay_between_paper_and_ink(network):
    x = torch.randn(6, 5) * 50 if isinstance(network, DigitGenerator) else torch.rand(6, 1, 8, 8) * 2 - 1
    for weights in network.parameters():
        torch.nn.init.normal_(weights, std=3)
    assert network(x).abs().max() <= 1


def test_the_local_translator_sees_seven_by_seven_and_the_wide_one_everything():
    def seen(network):
        network.eval()
        image = torch.zeros(1, 1, 8, 8, requires_grad=True)
        for weights in network.parameters():
            torch.nn.init.uniform_(weights, 0.1, 0.2)  # all positive: no gradient is canceled
        network(image)[0, 0, 4, 4].backward()
        return image.grad[0, 0] != 0

    local, wide = seen(LocalTranslator(4)), seen(WideTranslator(4))
    assert local[1:, 1:].all() and not local[0].any() and not local[:, 0].any()
    assert wide.all()


def test_a_packed_discriminator_judges_neighbors_together():
    network = PointDiscriminator(16, pack=2)
    with torch.no_grad():
        before = network(POINTS)
        moved = POINTS.clone()
        moved[3] += 1  # the fourth point belongs to the second pair
        after = network(moved)
        exchanged = network(POINTS[[2, 3, 0, 1]])
    assert before[0] == after[0] and before[1] != after[1]
    torch.testing.assert_close(exchanged, before.flip(0))


def test_wrong_shapes_get_a_sentence():
    """The listing feeds its discriminator what the generator reads, or the other way around."""
    with pytest.raises(
        ValueError, match=r"reads points \[B, 2\], what the generator puts out: got a tensor of shape \[4, 3\]"
    ):
        PointDiscriminator()(torch.randn(4, 3))
    with pytest.raises(ValueError, match="3 cannot be classified 2 at a time"):
        PointDiscriminator(pack=2)(torch.randn(3, 2))
    readers = [DigitDiscriminator(), DigitClassifier(), WideTranslator(), LocalTranslator()]
    for network, who in zip(readers, ("discriminator", "classifier", "translator", "translator")):
        with pytest.raises(
            ValueError, match=rf"the {who} reads images \[B, 1, 8, 8\]: got a tensor of shape \[4, 64\]"
        ):
            network(torch.randn(4, 64))


def test_they_work_on_a_gpu():
    if not torch.cuda.is_available():
        pytest.skip("no GPU")
    for network, x, shape in NETWORKS:
        assert network.to("cuda")(x.to("cuda")).shape == shape
        network.to("cpu")
