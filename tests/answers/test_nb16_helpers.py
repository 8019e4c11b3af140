"""What learners build in notebook 16, in its text and in its exercises, does what the package, torch or scikit-learn does."""

import pytest
import torch

from helpers.checks.nb16_guidance import CAPTIONS, small_gpt
from helpers.checks.nb16_sequence import SmallTokenizer
from helpers.corpus import pictures, vowels
from helpers.corpus.tokenizers.words_and_codes import WordsAndCodes
from helpers.generation import multimodal as generation
from helpers.models import codebook, contrastive, multimodal
from tests.answers.solutions import run, solutions

NOTEBOOK = "16_beyond_words"
SOLUTIONS = solutions(NOTEBOOK)


def solution(name):
    return run(SOLUTIONS[name], name, NOTEBOOK)


def of_the_page(name):
    """Return a function that the notebook defines around the learner's code, with the solutions in it."""
    return run(SOLUTIONS["nearest_mean"], name, NOTEBOOK)


@pytest.fixture
def rng():
    return torch.Generator().manual_seed(0)


@pytest.mark.parametrize("size, height, width", [(1, 3, 5), (2, 8, 8), (3, 6, 9), (4, 4, 12)])
def test_patches_and_back_are_the_packages_and_torchs(rng, size, height, width):
    images = torch.randn(3, height, width, generator=rng)
    rows = solution("patches")(images, size)
    assert rows.equal(pictures.patches(images, size))
    unfolded = torch.nn.functional.unfold(images[:, None], size, stride=size)  # [N, size², L]
    assert rows.equal(unfolded.transpose(1, 2))
    assert solution("from_patches")(rows, size, width).equal(images)
    assert solution("from_patches")(rows, size, width).equal(pictures.from_patches(rows, size, width))


def test_codes_are_the_packages(rng):
    vectors, codes = torch.randn(2, 50, 3, generator=rng), torch.randn(7, 3, generator=rng)
    assert solution("nearest_code")(vectors, codes).equal(codebook.nearest_code(vectors, codes))
    flat = vectors.flatten(0, 1)
    far = torch.cat((codes, torch.full((1, 3), 99.0)))  # no vector is nearest to the last
    assert torch.allclose(solution("kmeans_step")(flat, far), codebook.kmeans_step(flat, far), atol=1e-6)
    assert torch.allclose(of_the_page("kmeans")(flat, 6, 8, 3), codebook.kmeans(flat, 6, 8, 3), atol=1e-5)


def test_codes_are_scikit_learns(rng):
    cluster = pytest.importorskip("sklearn.cluster")
    vectors = torch.randn(200, 4, generator=rng)
    codes, step = vectors[:5].clone(), solution("kmeans_step")
    for _ in range(100):
        codes = step(vectors, codes)
    theirs = cluster.KMeans(5, init=vectors[:5].numpy(), n_init=1, max_iter=300, tol=0).fit(vectors.numpy())
    assert torch.allclose(codes, torch.tensor(theirs.cluster_centers_), atol=1e-4)


def test_rows_are_the_packages(rng):
    tokenizer = WordsAndCodes(pictures.WORDS, torch.randn(9, 4, generator=rng))
    captions, codes = list(pictures.CAPTIONS[::9]), torch.randint(9, (10, 16), generator=rng)
    assert solution("caption_first")(tokenizer, captions, codes).equal(
        multimodal.caption_first(tokenizer, captions, codes)
    )
    assert of_the_page("picture_first")(tokenizer, captions, codes).equal(
        multimodal.picture_first(tokenizer, captions, codes)
    )


def test_guided_scores_and_greedy_pictures_are_the_packages(rng):
    c, u = torch.randn(2, 3, 6, generator=rng), torch.randn(2, 3, 6, generator=rng)
    for w in (0.0, 1.0, 3.5):
        mine, theirs = solution("guided")(c, u, w), generation.guided(c, u, w)
        assert torch.allclose(mine.log_softmax(-1), theirs.log_softmax(-1), atol=1e-5)
    model, tokenizer, paint = small_gpt(), SmallTokenizer(), solution("paint")
    for w in (1.0, 2.5):
        settings = {"guidance": w, "temperature": 0.0, "seed": 1}
        assert paint(model, tokenizer, CAPTIONS, **settings).equal(
            generation.paint(model, tokenizer, CAPTIONS, **settings)
        )


def test_sampled_pictures_have_the_packages_frequencies():
    model, tokenizer, shares = small_gpt(), SmallTokenizer(), []
    for paint in (solution("paint"), generation.paint):
        codes = paint(model, tokenizer, CAPTIONS[:1] * 3000, guidance=2.0, temperature=1.5, seed=3)
        shares.append(torch.stack([(codes == k).float().mean(0) for k in range(5)]))
    assert (shares[0] - shares[1]).abs().max() < 0.06


def test_the_loss_is_the_packages_and_its_gradient_too(rng):
    one, other = (torch.randn(6, 5, generator=rng).requires_grad_() for _ in range(2))
    losses = [loss(one, other, 0.2) for loss in (solution("contrastive_loss"), contrastive.contrastive_loss)]
    gradients = [torch.autograd.grad(loss, one)[0] for loss in losses]
    assert torch.allclose(losses[0], losses[1]) and torch.allclose(*gradients, atol=1e-6)


def test_spectra_are_the_packages_and_torchs(rng):
    sounds, log_spectrum = torch.randn(2, 700, generator=rng), solution("log_spectrum")
    assert torch.allclose(log_spectrum(sounds), vowels.log_spectrum(sounds), atol=1e-5)
    assert torch.allclose(log_spectrum(sounds, 64, 16), vowels.log_spectrum(sounds, 64, 16), atol=1e-5)
    theirs = torch.stft(sounds, 64, 16, window=torch.hann_window(64), center=False, return_complex=True)
    assert torch.allclose(log_spectrum(sounds, 64, 16), (theirs.abs() + 1e-3).log().transpose(1, 2), atol=1e-5)


def test_bayes_reading_is_the_packages(rng):
    likelihoods, prior = 9 * torch.randn(4, 6, generator=rng) - 500, torch.rand(6, generator=rng).log_softmax(-1)
    for log_prior in (None, prior):
        mine = solution("bayes_reading")(likelihoods, log_prior)
        assert torch.allclose(mine, generation.bayes_reading(likelihoods, log_prior), atol=1e-6)
        assert torch.allclose(mine.sum(-1), torch.ones(4), atol=1e-6)


def test_without_repeats_is_the_contrastive_loss_where_none_repeats_and_equal_shares_change_nothing(rng):
    pictures_, words = torch.randn(6, 5, generator=rng), torch.randn(6, 5, generator=rng)
    plain = contrastive.contrastive_loss(pictures_, words, 0.1)
    assert torch.allclose(solution("without_repeats")(pictures_, words, torch.arange(6), 0.1), plain)
    numbers = torch.tensor([0, 1, 0, 2, 0, 1])
    words = words[torch.tensor([0, 1, 0, 3, 0, 1])]  # equal captions have equal vectors, as in a tower
    equal = (numbers[:, None] == numbers).float()
    shared, scores = equal / equal.sum(-1, keepdim=True), contrastive.similarity(pictures_, words) / 0.1
    entropy = torch.nn.functional.cross_entropy
    plain = contrastive.contrastive_loss(pictures_, words, 0.1)
    assert torch.allclose((entropy(scores, shared) + entropy(scores.T, shared)) / 2, plain, atol=1e-5)
    assert solution("without_repeats")(pictures_, words, numbers, 0.1) < plain


def test_the_nearest_mean_is_scikit_learns(rng):
    neighbors = pytest.importorskip("sklearn.neighbors")
    features, new = torch.randn(30, 4, 3, generator=rng), torch.randn(20, 4, 3, generator=rng)
    labels = torch.randint(3, (30,), generator=rng) * 5 + 2
    theirs = neighbors.NearestCentroid().fit(features.mean(1).numpy(), labels.numpy()).predict(new.mean(1).numpy())
    assert solution("nearest_mean")(features, labels, new).tolist() == theirs.tolist()


def test_pictures_from_codes_are_the_packages(rng):
    tokenizer = WordsAndCodes(pictures.WORDS, torch.randn(9, 4, generator=rng))
    drawn_from, codes = of_the_page("drawn_from"), torch.randint(9, (5, 16), generator=rng)
    drawn_from.__globals__["tokenizer"] = tokenizer
    assert drawn_from(codes).equal(generation.to_images(tokenizer, codes))
