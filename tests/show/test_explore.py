"""Explore: every kind of control, every extreme, words that change, errors that are told and do no harm."""

import warnings

import ipywidgets
import pytest

from helpers.show import Explore, Tokens

SENTENCE = "I walk my corgi every weekend and then we eat".split()


def first_words(n=3, scale=1.0, upper=False, text="", order="given"):
    words = (text.split() or SENTENCE)[:n]
    words = sorted(words) if order == "sorted" else words
    return Tokens(
        [w.upper() if upper else w for w in words], [len(w) * scale for w in words], "Length", "letters"
    )


@pytest.fixture
def explore():
    return Explore(
        first_words,
        n=range(1, 9),
        scale=(0.5, 2.0, 0.5),
        upper=False,
        text="",
        order={"as given": "given", "A to Z": "sorted"},
    )


def test_defaults_of_draw_are_where_the_controls_start(explore):
    assert explore.settings == {"n": 3, "scale": 1.0, "upper": False, "text": "", "order": "given"}
    assert (
        explore.words
        == "Length, in letters: highest “walk” 4.0, “my” 2.0 and “I” 1.0; mean 2.3 over 3 tokens."
    )
    assert repr(explore) == explore.words


def test_without_a_default_the_first_setting_is_taken():
    explore = Explore(lambda n, word: Tokens([word] * n, [1] * n, "t"), n=(2, 5), word=["b", "a"])
    assert explore.settings == {"n": 2, "word": "b"}


@pytest.mark.parametrize(
    ("name", "value", "told"),
    [
        ("n", 8, "over 8 tokens"), ("scale", 2.0, "“walk” 8.0"), ("upper", True, "“WALK”"),
        ("text", "other words", "“other” 5.0"), ("order", "sorted", "“walk” 4.0"),
    ],
)  # fmt: skip
def test_the_words_and_the_picture_change_with_each_control(explore, name, value, told):
    before, picture = explore.words, explore._picture.value
    explore.controls[name].value = value
    assert told in explore.words and explore._picture.value != picture
    assert explore.words != before or name == "order"
    assert explore.words in explore._spoken.value.replace("&quot;", '"')


def test_every_extreme_works(explore, parse):
    seen = []
    for settings in explore.extremes():
        assert explore.error is None, settings
        parse(explore._picture.value)
        seen.append((settings, explore.words))
    assert len(seen) == 2 + 2 + 2 + 3 + 2
    assert explore.settings["n"] == 3  # everything is put back


def test_a_live_region_on_light_paper(explore):
    assert 'role="status" aria-live="polite"' in explore._spoken.value
    assert "background:#f5f6f9" in explore._spoken.value


def test_an_error_is_told_and_the_control_stays_usable():
    explore = Explore(lambda n: Tokens(["a"] * n, [1] * n, "t"), n=(0, 3))
    assert isinstance(explore.error, ValueError)
    assert explore.words.startswith("This setting does not work (ValueError): give one number per token")
    assert explore._picture.value == "" and "does not work" in explore._spoken.value
    explore.controls["n"].value = 2
    assert explore.error is None and explore.words.startswith("t, in bits")


def test_markup_in_an_error_is_shown_not_obeyed():
    explore = Explore(lambda n: {}["<b>"], n=(0, 1))
    assert "&lt;b&gt;" in explore._spoken.value and "<b>" not in explore._spoken.value


@pytest.mark.parametrize(
    ("spec", "kind"),
    [
        ((0, 10), ipywidgets.IntSlider), ((0, 10, 2), ipywidgets.IntSlider), (range(10), ipywidgets.IntSlider),
        ((0.1, 2.0, 0.1), ipywidgets.FloatSlider), ((0, 1.0), ipywidgets.FloatSlider), ([3, 5], ipywidgets.Dropdown),
        ({"one": 1}, ipywidgets.Dropdown), ("text", ipywidgets.Text), (True, ipywidgets.Checkbox),
        (ipywidgets.BoundedIntText(value=2, max=4), ipywidgets.BoundedIntText),
    ],
)  # fmt: skip
def test_plain_values_become_labeled_controls(spec, kind):
    control = Explore(lambda some_value: "words", some_value=spec).controls["some_value"]
    assert type(control) is kind and control.description == "some value"
    if kind in (ipywidgets.IntSlider, ipywidgets.FloatSlider, ipywidgets.Text):
        assert control.continuous_update is False


def test_a_text_or_tick_box_is_its_own_start():
    explore = Explore(lambda text="draw's", lower=False: f"{text} {lower}", text="given", lower=True)
    assert explore.words == "given True"


def test_ranges_and_tuples_have_the_ends_they_say():
    controls = Explore(lambda **_: "words", a=(2, 9), b=range(2, 9, 3), c=(0, 10, 5)).controls
    assert [(c.min, c.max, c.step) for c in controls.values()] == [(2, 9, 1), (2, 8, 3), (0, 10, 5)]


@pytest.mark.parametrize("spec", [None, 5, (1, 2, 3, 4), [], range(0), ("a", "b")])
def test_other_values_are_refused_with_a_sentence(spec):
    with pytest.raises(TypeError, match="the control 'n' is .*: give"):
        Explore(lambda n: "words", n=spec)
    with pytest.raises(ValueError, match="smaller number first"):
        Explore(lambda n: "words", n=(3, 1))


def test_a_control_may_be_called_draw_or_self():
    explore = Explore(lambda draw, self: f"{draw} {self}", draw=(1, 2), self=["x"])
    assert explore.words == "1 x"


def test_recorded_as_its_words_and_live_as_a_widget(explore, shown):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        explore._ipython_display_()
    ((data, _),) = shown
    assert data["text/plain"] == explore.words
    assert data["application/vnd.jupyter.widget-view+json"]["model_id"] == explore.widget.model_id
    assert list(data) == ["text/plain", "application/vnd.jupyter.widget-view+json"]
    assert explore.widget.children == (*explore.controls.values(), explore._picture, explore._spoken)
