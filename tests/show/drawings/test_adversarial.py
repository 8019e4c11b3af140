"""The GAN loop says where each gradient goes; the cycle comes back."""

from helpers.models import gan
from helpers.show.drawings.adversarial import cycle_consistency, gan_loop
from helpers.show.drawings.parts import parameter_count, short


def test_the_first_step_is_detached_and_the_second_is_not(legible):
    words = legible(gan_loop())
    first, second = words.split("Step 2")
    assert "detached, so the gradient reaches the discriminator only" in first
    assert "passes through the discriminator, which stays as it is, into the generator" in second


def test_the_sizes_are_those_of_the_networks(legible):
    generator, discriminator = gan.PointGenerator(noise=2, hidden_size=8), gan.PointDiscriminator(hidden_size=16)
    drawing = gan_loop(generator, discriminator)
    legible(drawing)
    for model in (generator, discriminator):
        assert f"{short(parameter_count(model))} parameters" in drawing.svg


def test_the_cycle_is_compared_with_its_beginning(legible):
    assert "compares G(F(x)) with x" in legible(cycle_consistency())
