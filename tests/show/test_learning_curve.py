"""The learning curve, after a training and during it: words from the data, few points, and little time."""

import math
from types import SimpleNamespace

import ipywidgets
import numpy as np
import pytest

from helpers.show import LiveCurve, plots
from helpers.show.svg import Drawing
from helpers.show.theme import xml
from helpers.training.history import History


def a_history(steps=200, every=50, bounce=0.0):
    """Loss 4 + bounce, then falling from 4 to 1 in a straight line; validation is half a nat above it, at the end one."""
    history = History()
    for step in range(1, steps + 1):
        loss = 4 - 3 * (step - 1) / max(steps - 1, 1)
        history.add(10, 0.1, loss + bounce * (-1) ** step, 1e-3, 1.0)
        if every and step % every == 0:
            history.validated(loss + (1.0 if step == steps else 0.5))
    return history


def drawn(picture):
    from matplotlib.text import Text

    picture.fig.draw_without_rendering()
    return {text.get_text() for text in picture.fig.findobj(Text) if text.get_text()}


def test_words_give_start_end_lowest_validation_and_baselines():
    picture = plots.learning_curve(a_history(), "It learns", {"n-gram": 2.5, "best": 0.5})
    # Lowest validation: 4 - 3·149/199 + 0.5 at step 150. End: the mean of steps 151 to 200. Below 2.5 first at step 150.
    assert picture.words == (
        "It learns. Over 200 steps the training loss goes from 4.00 to 1.37 nats per token; the lowest validation loss is "
        "2.00, after step 200; n-gram, 2.50, is beaten at step 150; best, 0.50, is not beaten."
    )
    assert {"training", "validation", "n-gram 2.50", "best 0.50", "loss in nats per token"} <= drawn(picture)
    picture.show()


def test_the_lowest_validation_is_not_the_last():
    history = a_history()
    history.validated(3.0)
    assert "the lowest validation loss is 2.25, after step 150" in plots.learning_curve(history, "t").words


def test_without_validation_the_training_loss_is_compared():
    words = plots.learning_curve(a_history(every=0), "t", {"n-gram": 2.5}).words
    assert "validation" not in words and words.endswith("n-gram, 2.50, is beaten at step 101.")


def test_a_factor_changes_the_unit_of_the_losses_not_of_the_baselines():
    picture = plots.learning_curve(a_history(), "t", {"chance": 5.0}, unit="bits per byte", factor=1 / math.log(2))
    assert "from 5.77 to 1.98 bits per byte; the lowest validation loss is 2.89" in picture.words
    assert {"chance 5.00", "loss in bits per byte"} <= drawn(picture)
    assert "bits per token" in plots.learning_curve(a_history(), "t", unit="bits").words


def test_the_lines_are_raw_smoothed_and_measured():
    lines = plots.learning_curve(a_history(400, bounce=0.5), "t", {"n-gram": 2.5}).fig.axes[0].lines
    raw, smooth, validation, baseline = lines
    straight = 4 - 3 * (smooth.get_xdata() - 1) / 399
    inner = slice(10, -10)  # near its ends the mean is one-sided
    assert np.abs(raw.get_ydata() - straight)[inner].min() == pytest.approx(0.5)
    assert np.abs(smooth.get_ydata() - straight)[inner].max() < 0.05
    assert raw.get_alpha() < 0.5 and len(raw.get_xdata()) == len(smooth.get_xdata()) == 200
    assert validation.get_xdata().tolist() == list(range(50, 401, 50)) and validation.get_marker() == "o"
    assert list(baseline.get_ydata()) == [2.5, 2.5]


def test_steps_whose_loss_is_no_number_are_left_out():
    history = a_history()
    history.add(10, 0.1, math.nan, 1e-3, 1.0)
    assert "Over 200 steps" in plots.learning_curve(history, "t").words
    for empty in (History(), History([(1, 10, 0.1, math.inf, math.nan, 1e-3, 1.0)])):
        with pytest.raises(ValueError, match="train first"):
            plots.learning_curve(empty, "t")
    assert "Over 1 step the" in plots.learning_curve(a_history(1, every=0), "t").words


def test_the_live_curve_is_one_widget_that_is_set_anew():
    live = LiveCurve({"n-gram": 2.5}, every=0)
    assert isinstance(live.widget, ipywidgets.HTML) and "appears here when training begins" in live.widget.value
    values, history = [], a_history(3, every=0)
    for _ in range(3):
        live._due = 0
        live(history, None)
        values.append(live.widget.value)
        history.add(10, 0.1, 0.5, 1e-3, 1.0)
    assert len(set(values)) == 3 and all(value.startswith("<svg") for value in values)


def test_at_the_end_the_last_step_is_drawn_whenever_the_last_drawing_was():
    live, history = LiveCurve(every=1e9), a_history(1, every=0)
    live(history)
    assert "Loss after 1 step: 4.00 nats per token" in live.widget.value
    history.add(10, 0.1, 2.0, 1e-3, 1.0)
    live(history)
    assert "after 2 steps" not in live.widget.value
    live.finish(history)
    assert "Loss after 2 steps: 3.00 nats per token" in live.widget.value


def test_it_is_drawn_at_most_once_in_a_while(monkeypatch):
    import helpers.show.learning_curve as training

    now, drawings, costs = [100.0], [], [0.0]

    def drawing(*given):
        drawings.append(now[0])
        now[0] += costs[0]
        return Drawing("", "words", "title", 50)

    monkeypatch.setattr(training, "_drawing", drawing)
    monkeypatch.setattr(training, "time", SimpleNamespace(monotonic=lambda: now[0]))
    live = LiveCurve(every=1.0)
    drawings.clear()
    for _ in range(400):
        live(None)
        now[0] += 0.125
    assert len(drawings) == 50  # in 50 seconds
    drawings.clear()
    costs[0] = 0.5  # an expensive drawing: fifty times as much is left to the training
    for _ in range(800):
        live(None)
        now[0] += 0.125
    assert 3 <= len(drawings) <= 5  # in 100 seconds


def test_the_still_twin_has_the_last_step_and_the_words(parse):
    live, history = LiveCurve({"n-gram": 2.5, "a <b> & more": 1.0}, every=1e9), a_history()
    live(history)
    history.validated(0.25)  # after the last call, as ``fit`` does
    picture = live.picture
    assert isinstance(picture, Drawing) and live.widget.value == picture.svg
    assert picture.title == "Loss after 200 steps: 1.37 nats per token"
    assert picture.words.startswith(picture.title + ". Over 200 steps the training loss goes from 4.00 to 1.37 nats")
    assert "the lowest validation loss is 0.25, after step 200; n-gram, 2.50, is beaten at step 150" in picture.words
    assert [title for title, _ in parse(picture.svg)][-1] == "validation 0.25 after step 200"
    assert xml("a <b> & more 1.00") in picture.svg
    assert repr(live).replace("\n", " ") == picture.words


def test_the_svg_stays_small_and_names_do_not_overlap(parse):
    live = LiveCurve(dict.fromkeys("abcd", 1.0), unit="bits", factor=2.0)
    live(a_history(5000, every=10, bounce=0.3))
    assert len(live.picture.svg) < 60_000
    assert len(parse(live.picture.svg)) == 200  # of 500 measurements
    points = [line.split('"')[0].split() for line in live.picture.svg.split('<polyline points="')[1:]]
    assert [len(line) for line in points] == [200, 200]
    heights = sorted(
        float(t.split('y="')[1].split('"')[0]) for t in live.picture.svg.split("<text")[1:] if "13" in t[:130]
    )
    assert min(b - a for a, b in zip(heights, heights[1:])) >= 16.9


def test_extremes_of_a_history(parse):
    flat = History([(step, 10, 0.1, 2.0, math.nan, 1e-3, 1.0) for step in (1, 2)])
    for history in (a_history(1), a_history(1, every=1), flat, a_history(2), History()):
        live = LiveCurve()
        live(history)
        parse(live.picture.svg)
        assert "nan" not in live.picture.svg


def test_recorded_as_words_only(shown):
    live = LiveCurve()
    live.show()
    ((data, _),) = shown
    assert data["text/plain"] == "The learning curve appears here when training begins."
    assert list(data) == ["text/plain", "application/vnd.jupyter.widget-view+json"]
