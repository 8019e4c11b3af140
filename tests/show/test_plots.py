"""Figures: a claim, units, words written from the data, a crisp and small PNG with alternative text."""

import base64
import io
import warnings
from collections import Counter

import pytest
from PIL import Image

from helpers.show import plots
from helpers.show.theme import INK, PALETTE

BARS = (["deleted", "bot", "kept"], [9, 4, 31], "Half survives")


def drawn_texts(fig):
    from matplotlib.text import Text

    fig.draw_without_rendering()
    return {text.get_text() for text in fig.findobj(Text) if text.get_text()}


def every_figure():
    return [
        plots.bars(*BARS, xlabel="comments", highlight=["kept"]),
        plots.histogram([1, 2, 3, 5, 8, 13, 200], "Most are short", "words in a turn", log=True, unit="turns"),
        plots.histogram([0.5, 1.5, 9.0], "Floats", "seconds"),
        plots.zipf(Counter("the the the cat sat on the mat a a".split()), "Few words do most"),
        plots.lines([0, 1, 2], {"a": [1, 2, 3], "b": [3, None, 1]}, "They cross", "step", "bits"),
    ]


def test_show_displays_png_with_alternative_text_and_words_below(shown, capsys):

    plots.bars(*BARS, xlabel="comments")._ipython_display_()
    ((data, metadata),) = shown
    image = Image.open(io.BytesIO(base64.b64decode(data["image/png"])))
    alt, width, height = (metadata["image/png"][key] for key in ("alt", "width", "height"))
    assert alt == "Half survives. Comments: deleted 9, bot 4 and kept 31."
    assert image.size == (2 * width, 2 * height) and width == 700  # twice as many pixels as are shown
    assert data["text/plain"] == "[figure: Half survives]"
    assert capsys.readouterr().out == f"In words: {alt}\n"


def test_files_are_small():
    from helpers.show.figure import _png

    assert max(len(_png(picture.fig)) for picture in every_figure()) < 40_000


def test_titles_stand_left_and_axes_have_labels(shown):
    for picture in every_figure():
        fig, words = picture
        assert fig.get_suptitle() and fig._suptitle.get_ha() == "left" and fig._suptitle.get_position()[0] < 0.05
        assert fig.axes[0].get_xlabel()
        assert words.startswith(" ".join(fig.get_suptitle().split()))
        plots.show(*picture)
    assert len(shown) == len(every_figure())


@pytest.mark.parametrize("words", ["", "  \n"])
def test_a_figure_without_words_is_refused(words, shown):
    fig, _ = plots.new("A claim")
    with pytest.raises(ValueError, match="say in words"):
        plots.show(fig, words)
    assert not shown


def test_bars_show_each_value_and_keep_the_order():
    picture = plots.bars(*BARS, unit="%", highlight=["kept"])
    assert {"9 %", "4 %", "31 %", "deleted"} <= drawn_texts(picture.fig)
    bars = picture.fig.axes[0].patches
    assert [bar.get_width() for bar in bars] == [9, 4, 31]
    import matplotlib.colors

    assert [matplotlib.colors.to_hex(bar.get_facecolor()) for bar in bars] == [
        PALETTE[0],
        PALETTE[0],
        PALETTE[1],
    ]
    top, bottom = picture.fig.axes[0].get_ylim()
    assert top > bottom  # the first bar on top


def test_many_bars_are_told_by_their_ends():
    words = plots.bars(range(20), range(20), "Many").words
    assert words == "Many. 19 19, 18 18, 17 17, 16 16, 15 15, 14 more and least of all 0 0."


def test_unknown_glyphs_and_dollars_cause_no_trouble(shown):
    with warnings.catch_warnings():
        warnings.filterwarnings("error", message="Glyph")
        plots.bars(["😀 猫", "$5 and $6", "a_b^c"], [1, 2, 3], "Signs").show()
        plots.zipf(Counter({"$x$": 5, "😀": 3, "_": 1}), "Signs").show()
        plots.lines([1], {"$a$ $": [1]}, "Signs", "x", "y").show()
    assert len(shown) == 3


def test_histogram_of_whole_numbers_in_words():
    words = plots.histogram([1, 2, 2, 3, 4, 10], "Short", "words in a turn", unit="turns").words
    assert words == (
        "Short. 6 turns, words in a turn: median 2.5, the middle half between 2 and 3.8, "
        "all between 1 and 10. The tallest bar, 2, holds 33 %."
    )


def test_a_short_logarithmic_axis_is_numbered_between_the_powers_of_ten():
    picture = plots.lines([1, 2, 3], {"a": [0.3, 2.0, 30.0]}, "It grows", "step", "ms", log=True)
    picture.fig.canvas.draw()
    low, high = picture.fig.axes[0].get_ylim()
    labels = picture.fig.axes[0].get_yticklabels()
    shown = [tick.get_text() for tick in labels if low <= tick.get_position()[1] <= high]
    assert {"0.5", "1", "2", "5", "10", "20"} <= set(shown)


def test_a_long_logarithmic_axis_is_numbered_in_powers_of_ten():
    picture = plots.lines([0, 20, 60], {"RNN": [1, 1e-6, 1e-18]}, "It vanishes", "characters back", "gradient", log=True)
    picture.fig.canvas.draw()
    low, high = picture.fig.axes[0].get_ylim()
    labels = picture.fig.axes[0].get_yticklabels()
    shown = [tick.get_text() for tick in labels if low <= tick.get_position()[1] <= high]
    assert 4 <= len(shown) <= 8 and "10⁻¹⁴" in shown


def test_bars_write_as_many_decimals_as_they_are_told():
    assert "a 3.46 bits and b 3.50 bits" in plots.bars(["a", "b"], [3.456, 3.5], "Close", unit="bits", decimals=2).words
    assert "a 3.5 bits and b 3.5 bits" in plots.bars(["a", "b"], [3.456, 3.5], "Close", unit="bits").words


def test_places_that_are_whole_are_numbered_as_such():
    for x, whole in (([1, 2, 4, 6, 8, 10, 12, 14, 16, 18, 20], True), ([0.5, 1.0, 1.5, 2.0], False)):
        ax = plots.lines(x, {"a": x}, "It grows", "step", "ms").fig.axes[0]
        assert all(float(tick).is_integer() for tick in ax.get_xticks()) is whole


def test_doubling_bars_name_their_range_and_count_everything():
    picture = plots.histogram([0, -1, 1, 2, 3, 4, 7, 8, 9], "Short", "words", log=True, unit="turns")
    ax = picture.fig.axes[0]
    assert [tick.get_text() for tick in ax.get_xticklabels()] == ["1", "2–3", "4–7", "8–15"]
    assert [bar.get_height() for bar in ax.patches] == [1, 2, 2, 2]
    assert "2 of zero or less cannot be shown" in picture.words
    assert "2 to 3, holds 29 %" in picture.words
    wide = plots.histogram([0.3, 0.6, 1.2], "Halves", "seconds", log=True).fig.axes[0]
    assert [tick.get_text() for tick in wide.get_xticklabels()] == ["0.25–0.50", "0.50–1", "1–2"]


def test_whole_numbers_are_never_split_between_bars():
    picture = plots.histogram(range(100), "Even", "words", bins=30)
    assert {bar.get_height() for bar in picture.fig.axes[0].patches[:-1]} == {4}
    assert sum(bar.get_height() for bar in picture.fig.axes[0].patches) == 100
    floats = plots.histogram([0.5, 1.0, 2.0, float("nan")], "Floats", "s")
    assert sum(bar.get_height() for bar in floats.fig.axes[0].patches) == 3 and "3 values" in floats.words


def test_zipf_finds_the_slope():
    counts = Counter({f"w{rank}": round(1e7 / rank**1.3) for rank in range(1, 3000)})
    picture = plots.zipf(counts, "Zipf")
    assert "slope −1.3: −1.3 up to rank 56, −1.3 beyond." in picture.words and "“w1” 10,000,000" in picture.words
    assert {"fitted slope −1.3", "w10", "w1000"} <= drawn_texts(picture.fig)
    assert "none occurs only once" in picture.words and "the first 5: half of all" in drawn_texts(picture.fig)
    assert "67 % occur only once" in plots.zipf([5, 1, 1], "Z").words


def test_doublings_stand_at_equal_distances_when_the_x_axis_is_logarithmic():
    picture = plots.lines([256, 512, 2048], {"a": [3, 2, 1]}, "Falls", "tokens", "bits", log_x=True)
    ax = picture.fig.axes[0]
    picture.fig.draw_without_rendering()
    assert [tick.get_text() for tick in ax.get_xticklabels()] == ["256", "512", "2,048"]
    places = [ax.transData.transform((x, 1))[0] for x in (256, 512, 1024, 2048)]
    assert places[1] - places[0] == pytest.approx(places[3] - places[2])
    assert picture.words == "Falls. Bits against tokens (256 to 2,048): a falls from 3.0 to 1.0."


def test_lines_tell_their_course_and_bear_their_names():
    x = list(range(5))
    series = {
        "down": [5, 4, 3, 2, 1],
        "dip": [5, 1, 2, 3, 5],
        "flat": [2] * 5,
        "gap": [None, 1, None, 3, None],
    }
    picture = plots.lines(x, series, "Courses", "step", "loss in bits")
    assert picture.words == (
        "Courses. Loss in bits against step (0 to 4): down falls from 5.0 to 1.0; "
        "dip goes from 5.0 to 5.0, lowest 1.0 at 1; flat stays at 2.0; gap rises from 1.0 to 3.0."
    )
    assert set(series) <= drawn_texts(picture.fig)
    drawn = picture.fig.axes[0].lines
    for looks in ([line.get_color() for line in drawn], [line._dash_pattern for line in drawn]):
        assert len(set(map(str, looks))) == 4
    assert len({line.get_marker() for line in drawn}) == 4 and picture.fig.axes[0].get_legend() is None


def test_names_of_lines_do_not_overlap():
    picture = plots.lines([0, 1], {name: [0, 1 + i / 1000] for i, name in enumerate("abcde")}, "Close", "x", "y")
    picture.fig.draw_without_rendering()
    boxes = sorted(text.get_window_extent().y0 for text in picture.fig.axes[0].texts)
    assert min(b - a for a, b in zip(boxes, boxes[1:], strict=False)) >= 12


@pytest.mark.parametrize(
    "wrong",
    [
        lambda: plots.bars(["a"], [1, 2], "t"),
        lambda: plots.bars([], [], "t"),
        lambda: plots.histogram([], "t", "x"),
        lambda: plots.histogram([0, -1], "t", "x", log=True),
        lambda: plots.zipf([1, 1], "t"),
        lambda: plots.lines([1], {}, "t", "x", "y"),
        lambda: plots.lines([0, 1], {"a": [1, 2]}, "t", "x", "y", log_x=True),
        lambda: plots.lines([1, 2], {"a": [1]}, "t", "x", "y"),
        lambda: plots.lines([1], {name: [1] for name in "abcdef"}, "t", "x", "y"),
    ],
)
def test_wrong_input_is_refused_with_a_sentence(wrong):
    with pytest.raises(ValueError, match=r"\w+ \w+ \w+"):
        wrong()


def test_notes_are_ink():
    texts = plots.histogram([1, 2, 3], "t", "x").fig.axes[0].texts
    assert [text.get_color() for text in texts] == [INK]
