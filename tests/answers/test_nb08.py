"""Notebook 08, first lesson: every check accepts the solution the notebook shows and names each wrong answer's own mistake."""

import torch
from torch.nn import functional

from helpers.checks import nb08_points
from tests.answers import test_nb08_text
from tests.answers.common import closing_tests
from tests.answers.solutions import solutions


# -- Build 1: the discriminator's loss -----------------------------------------------------------------------------------
def right_d(real, generated):
    return functional.softplus(-real).mean() + functional.softplus(generated).mean()


def clamped(real, generated):
    return functional.softplus(-real).mean() - torch.log(1 - generated.sigmoid()).clamp(min=0).mean()


def only_the_generated(real, generated):
    return functional.softplus(generated).mean()


def all_are_real(real, generated):
    return functional.softplus(-real).mean() + functional.softplus(-generated).mean()


def labels_exchanged(real, generated):
    return functional.softplus(real).mean() + functional.softplus(-generated).mean()


def sums(real, generated):
    return functional.softplus(-real).sum() + functional.softplus(generated).sum()


def one_mean(real, generated):
    return functional.softplus(torch.cat((-real, generated))).mean()


def halved(real, generated):
    return right_d(real, generated) / 2


def without_the_minus(real, generated):
    return -right_d(real, generated)


def a_detached_half(real, generated):
    return right_d(real.detach(), generated)


def one_by_one(real, generated):
    return -torch.log(real.sigmoid()).mean() - torch.log(1 - generated.sigmoid()).mean()


# -- Build 2: the generator's loss ---------------------------------------------------------------------------------------
def right_g(generated):
    return functional.softplus(-generated).mean()


def saturating(generated):
    return -functional.softplus(generated).mean()


def the_discriminators(generated):
    return functional.softplus(generated).mean()


def a_sum(generated):
    return functional.softplus(-generated).sum()


def sign_turned(generated):
    return -right_g(generated)


def no_logarithm(generated):
    return -generated.sigmoid().mean()


def log_of_the_mean(generated):
    return -generated.sigmoid().mean().log()


def detached(generated):
    return right_g(generated.detach())


def sigmoid_then_log(generated):
    return -torch.log(generated.sigmoid()).mean()


# -- Build 3: one step of a GAN ------------------------------------------------------------------------------------------
def learn(loss, optimizer, retain=False):
    optimizer.zero_grad()
    loss.backward(retain_graph=retain)
    optimizer.step()


def detach_forgotten(generator, discriminator, optimizer_g, optimizer_d, real, noise):
    generated = generator(noise)
    loss_d = right_d(discriminator(real), discriminator(generated))
    learn(loss_d, optimizer_d)
    loss_g = right_g(discriminator(generated))
    learn(loss_g, optimizer_g)
    return loss_d.item(), loss_g.item()


def detach_forgotten_and_retained(generator, discriminator, optimizer_g, optimizer_d, real, noise):
    generated = generator(noise)
    loss_d = right_d(discriminator(real), discriminator(generated))
    learn(loss_d, optimizer_d, retain=True)
    loss_g = right_g(discriminator(generated))
    learn(loss_g, optimizer_g)
    return loss_d.item(), loss_g.item()


def detach_forgotten_and_generated_anew(generator, discriminator, optimizer_g, optimizer_d, real, noise):
    loss_d = right_d(discriminator(real), discriminator(generator(noise)))
    learn(loss_d, optimizer_d)
    loss_g = right_g(discriminator(generator(noise)))
    learn(loss_g, optimizer_g)
    return loss_d.item(), loss_g.item()


def detached_in_both(generator, discriminator, optimizer_g, optimizer_d, real, noise):
    generated = generator(noise).detach()
    loss_d = right_d(discriminator(real), discriminator(generated))
    learn(loss_d, optimizer_d)
    loss_g = right_g(discriminator(generated))
    learn(loss_g, optimizer_g)
    return loss_d.item(), loss_g.item()


def logits_from_before_the_step(generator, discriminator, optimizer_g, optimizer_d, real, noise):
    logits = discriminator(generator(noise))
    learn(right_d(discriminator(real), logits.detach()), optimizer_d)
    learn(right_g(logits), optimizer_g)
    return 0.0, 0.0


def no_step_of_the_discriminator(generator, discriminator, optimizer_g, optimizer_d, real, noise):
    generated = generator(noise)
    loss_d = right_d(discriminator(real), discriminator(generated.detach()))
    loss_g = right_g(discriminator(generated))
    learn(loss_g, optimizer_g)
    return loss_d.item(), loss_g.item()


def no_step_at_all(generator, discriminator, optimizer_g, optimizer_d, real, noise):
    generated = generator(noise)
    loss_d = right_d(discriminator(real), discriminator(generated.detach()))
    loss_d.backward()
    loss_g = right_g(discriminator(generated))
    loss_g.backward()
    return loss_d.item(), loss_g.item()


def step_with(generator_loss=right_g, swap=False, tensors=False, zero=True, helps=False):
    def gan_step(generator, discriminator, optimizer_g, optimizer_d, real, noise):
        generated = generator(noise)
        loss_d = right_d(discriminator(real), discriminator(generated.detach()))
        if zero:
            optimizer_d.zero_grad()
        loss_d.backward()
        optimizer_d.step()
        loss_g = generator_loss(discriminator(generated))
        learn(loss_g, optimizer_g)
        if helps:
            optimizer_d.step()
        if tensors:
            return loss_d, loss_g
        return (loss_g.item(), loss_d.item()) if swap else (loss_d.item(), loss_g.item())

    return gan_step


def generator_first(generator, discriminator, optimizer_g, optimizer_d, real, noise):
    generated = generator(noise)
    loss_g = right_g(discriminator(generated))
    learn(loss_g, optimizer_g)
    loss_d = right_d(discriminator(real), discriminator(generated.detach()))
    learn(loss_d, optimizer_d)
    return loss_d.item(), loss_g.item()


def both_backward_first(generator, discriminator, optimizer_g, optimizer_d, real, noise):
    generated = generator(noise)
    loss_d = right_d(discriminator(real), discriminator(generated.detach()))
    loss_g = right_g(discriminator(generated))
    optimizer_d.zero_grad(), optimizer_g.zero_grad()
    loss_d.backward(), loss_g.backward()
    optimizer_d.step(), optimizer_g.step()
    return loss_d.item(), loss_g.item()


def one_loss(generator, discriminator, optimizer_g, optimizer_d, real, noise):
    return step_with()(generator, discriminator, optimizer_g, optimizer_d, real, noise)[0]


# -- Build 4: there and back again ---------------------------------------------------------------------------------------
def square(a, b):
    return (a - b).square().mean()


def one_trip(there, back, x, y):
    return square(back(there(x)), x)


def the_other_trip(there, back, x, y):
    return square(there(back(y)), y)


def the_other_way(there, back, x, y):
    return square(there(back(x)), x) + square(back(there(y)), y)


def both_begin_alike(there, back, x, y):
    return square(back(there(x)), x) + square(back(there(y)), y)


def one_way(there, back, x, y):
    return square(there(x), x) + square(back(y), y)


def absolute(there, back, x, y):
    return (back(there(x)) - x).abs().mean() + (there(back(y)) - y).abs().mean()


def all_pixels(there, back, x, y):
    return (back(there(x)) - x).square().sum() + (there(back(y)) - y).square().sum()


def mean_of_all_pixels(there, back, x, y):
    return all_pixels(there, back, x, y) / (x.numel() + y.numel())


def mean_of_both(there, back, x, y):
    return (square(back(there(x)), x) + square(there(back(y)), y)) / 2


def roots(there, back, x, y):
    return square(back(there(x)), x).sqrt() + square(there(back(y)), y).sqrt()


def detached_on_the_way(there, back, x, y):
    return square(back(there(x).detach()), x) + square(there(back(y)).detach(), y)


WRONG = {
    "discriminator_loss": {
        clamped: "The generated half is always 0",
        only_the_generated: "The real half is missing",
        all_are_real: "Both halves call everything real",
        labels_exchanged: "The labels are exchanged",
        sums: "You took sums over the batch",
        one_mean: "You took one mean over all logits",
        halved: "You halved it",
        without_the_minus: "The sign is the wrong way around",
        a_detached_half: "the gradient for the real logits is not",
        one_by_one: "Don't take sigmoid and log one by one",
    },
    "generator_loss": {
        saturating: "This is the saturating loss",
        the_discriminators: "This is the discriminator's half",
        a_sum: "You took the sum over the batch",
        sign_turned: "The sign is the wrong way around",
        no_logarithm: "without a logarithm",
        log_of_the_mean: "the logarithm of the mean",
        detached: "Was something detached?",
        sigmoid_then_log: "Don't take sigmoid and log one by one",
    },
    "gan_step": {
        detach_forgotten: "The detach is forgotten",
        detach_forgotten_and_retained: "The detach is forgotten",
        detach_forgotten_and_generated_anew: "The detach is forgotten",
        detached_in_both: "The generator has not moved",
        logits_from_before_the_step: "logits from *before*",
        no_step_of_the_discriminator: "The discriminator has not moved",
        no_step_at_all: "Neither network has moved",
        both_backward_first: "Both losses went backward before a step",
        generator_first: "The generator made its step first",
        step_with(generator_loss=saturating): "which saturates",
        step_with(generator_loss=the_discriminators): "it learned to be recognized",
        step_with(helps=True): "it learned to be fooled",
        step_with(swap=True): "Return the discriminator's loss first",
        step_with(tensors=True): "Return the losses as Python numbers",
        step_with(zero=False): "the second is not: gradients add up",
        one_loss: "Return two losses",
    },
    "cycle_loss": {
        one_trip: "One round trip only",
        the_other_trip: "One round trip only",
        the_other_way: "You began with the wrong translator",
        both_begin_alike: "Both trips begin",
        one_way: "You compared after one way",
        absolute: "You took absolute values",
        all_pixels: "You took the sum over all pixels",
        mean_of_all_pixels: "You took one mean over the pixels of both trips",
        mean_of_both: "You took the mean of the two trips",
        roots: "You took the root",
        detached_on_the_way: "No gradient reaches the translators",
    },
}


globals().update(closing_tests(nb08_points, "08_gan_replies", WRONG))


def test_every_exercise_of_the_notebook_is_tested():  # the second lesson has a file of its own
    assert set(solutions("08_gan_replies")) == set(WRONG) | set(test_nb08_text.WRONG)
