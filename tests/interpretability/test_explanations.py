"""Explanations are scored as NumPy's correlation says, with an interval and chance; ablation is compared inside and outside."""

import numpy as np
import pytest

from helpers.interpretability.explanations import ablation_contrast, explanation_score, score_explanation
from helpers.interpretability.text_features import LABELS


def texts(number=30, seed=0):
    rng = np.random.default_rng(seed)
    return [list(rng.choice(["tea", "soup", "?", " "], size=12)) for _ in range(number)]


def is_soup(tokens):
    return [float(token == "soup") for token in tokens]


def activations(tokens, rng):
    return [2.0 * (token == "soup") + rng.normal(0, 0.5) for token in tokens]


def test_the_score_is_the_correlation():
    rng = np.random.default_rng(0)
    one, two = rng.normal(size=50), rng.normal(size=50)
    assert explanation_score(one, one * 0.1 + two) == pytest.approx(np.corrcoef(one, one * 0.1 + two)[0, 1])
    assert explanation_score(one, -3 * one + 2) == pytest.approx(-1)
    assert explanation_score([0] * 5, [1, 2, 3, 4, 5]) == explanation_score([1, 2], [0.1, 0.1]) == 0
    # Large numbers that hardly vary are no constant.
    assert explanation_score(one + 1000, one) == pytest.approx(1)
    with pytest.raises(ValueError, match=r"\[2\] and \[3\]"):
        explanation_score([1, 2], [1, 2, 3])


def test_a_right_explanation_beats_chance_and_a_wrong_one_does_not():
    rng, talks = np.random.default_rng(1), texts()
    true = [activations(tokens, rng) for tokens in talks]
    right = score_explanation(is_soup, talks, true)
    assert 0.8 < right.low < right.correlation < right.high < 0.95 and right.chance < 0.25
    wrong = score_explanation(lambda tokens: [float(token == "?") for token in tokens], talks, true)
    assert wrong.correlation < 0
    nothing = score_explanation(lambda tokens: [float(len(tokens) % 2)] * len(tokens), talks, true)
    assert nothing[:3] == (0, 0, 0)


def test_the_interval_resamples_whole_texts():
    # All activity is in one of ten texts: whether it is drawn decides, so the interval is wide.
    talks = [["tea"] * 50 for _ in range(9)] + [["soup", "tea"] * 25]
    true = [[0.0] * 50 for _ in range(9)] + [[1.0, 0.0] * 25]
    score = score_explanation(is_soup, talks, true)
    assert score.correlation == pytest.approx(1) and score.low == 0 and score.high == pytest.approx(1)


def test_the_labels_of_notebook_02_are_rules():
    talks = [list("is it hot? it is."), list("are you ok? yes")]
    rule = LABELS["the sentence began with a question word"]
    assert score_explanation(rule, talks, [rule(tokens) for tokens in talks]).correlation == pytest.approx(1)


def test_a_rule_gives_one_number_per_token():
    with pytest.raises(ValueError, match="2 tokens, the rule gave 1 numbers and there are 2"):
        score_explanation(lambda tokens: [1.0], [["a", "b"]], [[0.0, 1.0]])
    with pytest.raises(ValueError, match="1 texts and 2 rows"):
        score_explanation(is_soup, [["a"]], [[0.0], [1.0]])


def test_the_contrast_is_between_where_the_rule_is_active_and_elsewhere():
    contrast = ablation_contrast([1.0, 3.0, 0.0, 0.2, 0.4], [1, 0.5, 0, 0, -1])
    assert contrast[:2] == pytest.approx((2.0, 0.2))
    assert contrast.inside_error == pytest.approx(1.0) and contrast.outside_error == pytest.approx(0.2 / 3**0.5)
    with pytest.raises(ValueError, match="above 0 at 1 of 5"):
        ablation_contrast([1.0] * 5, [1, 0, 0, 0, 0])
    with pytest.raises(ValueError, match=r"\[2\] and \[3\]"):
        ablation_contrast([1, 2], [1, 2, 3])
