"""Frames: for each setting what the live explorable shows, each part stored once, and what a book chooses or leaves out."""

import itertools

import ipywidgets
import pytest

from helpers.show import Drawing, Explore, Tokens
from helpers.show.explore import places
from helpers.show.frames import WORDS, cut, every_setting, make_frames, read_frames

SENTENCE = "I walk my <corgi> & “we” eat".split()


def first_words(n=3, upper=False, text="", order="given", scale=1.0):
    words = [*SENTENCE, *text.split()][:n]
    words = sorted(words) if order == "sorted" else words
    return Tokens([w.upper() if upper else w for w in words], [scale * len(w) for w in words], "Length", "letters")


@pytest.fixture
def explore():
    orders = {"as given": "given", "A to Z": "sorted"}
    return Explore(first_words, n=range(1, 6), upper=False, text="", order=orders)


def test_every_frame_is_what_the_live_explorable_shows(explore):
    made = make_frames(explore)
    settings = list(every_setting(explore))
    assert len(settings) == len(made.order) == 5 * 2 * 2
    for place, setting in enumerate(settings):
        for name, value in setting.items():
            explore.controls[name].value = value
        assert (made.said(place), made.svg(place)) == (explore.words, explore._picture.value), setting


def test_the_order_is_that_of_the_controls_and_starts_where_they_start(explore):
    made = make_frames(explore)
    assert [(c.name, c.kind, c.settings, c.start) for c in made.controls] == [
        ("n", "range", ["1", "2", "3", "4", "5"], 2),
        ("upper", "checkbox", ["no", "yes"], 0),
        ("order", "select", ["as given", "A to Z"], 0),
    ]
    assert made.said(made.start) == explore.words and made.svg(made.start) == explore._picture.value
    chosen = [tuple(s[name] for name in ("n", "upper", "order")) for s in every_setting(explore)]
    assert chosen == list(itertools.product(range(1, 6), (False, True), ("given", "sorted")))


def test_drawing_the_frames_leaves_the_controls_where_they_are(explore):
    seen = []
    for control in explore.controls.values():
        control.observe(seen.append)
    before = explore.words, explore.settings
    make_frames(explore)
    assert not seen and (explore.words, explore.settings) == before


def test_what_frames_share_is_stored_once(explore):
    made = make_frames(explore)
    assert len(set(made.parts)) == len(made.parts) and len(set(made.words)) == len(made.words)
    assert sum(map(len, made.parts)) < sum(len(made.svg(place)) for place in range(len(made.order))) / 3
    assert not any(words in part for part in made.parts for words in made.words)  # words lie in the label, too


def test_settings_that_show_the_same_share_a_frame():
    made = make_frames(Explore(lambda n, m: Tokens(["a"] * n, [1] * n, "t"), n=(1, 3), m=(0, 9)))
    assert len(made.order) == 30 and len(made.frames) == 3


def test_stored_and_read_again(explore):
    made = make_frames(explore.in_book(order=[]))
    assert read_frames(made.text()) == made
    assert all(line.isprintable() for line in made.text().splitlines())


@pytest.mark.parametrize("label", ["", "Another label"])
def test_a_picture_is_cut_and_put_together(label):
    words = "Less < more & “so” isn't \"it\""
    drawing = Drawing('<g id="a"><text>1</text></g><g><rect/></g>', words, "t", 9, label)
    parts = cut(drawing.svg, words)
    assert (WORDS in parts) == (not label)
    assert "".join(drawing.svg.split('aria-label="')[1].split('"')[0] if part == WORDS else part for part in parts) == drawing.svg
    assert {'<text>1</text></g>', '<g id="a">', "<g>", "<rect/></g>"} <= set(parts)


def test_a_book_chooses_settings_and_names_them(explore):
    made = make_frames(explore.in_book(n={"three": 3, "five": 5}, order=[]))
    assert made.controls[0].settings == ["three", "five"] and made.controls[0].start == 0
    assert [c.more for c in made.controls] == ["settings", ""]
    assert [(left.label, left.typed, left.value) for left in made.left] == [("text", True, ""), ("order", False, "as given")]
    assert [s["n"] for s in every_setting(explore)] == [3, 3, 5, 5]


def test_what_is_left_out_stays_where_it_starts():
    explore = Explore(first_words, n=(6, 9), text="two more", order=["sorted", "given"]).in_book(order=[])
    explore.controls["order"].value = "sorted"
    assert make_frames(explore).said(2) == first_words(8, text="two more", order="sorted").words


def test_a_line_of_text_may_have_examples():
    made = make_frames(Explore(first_words, text="").in_book(text=["", "more words"]))
    (control,) = made.controls
    assert (control.kind, control.settings, control.more) == ("select", ["", "more words"], "text")


def test_sliders_of_every_kind():
    menus = {"log": ipywidgets.FloatLogSlider(value=1, base=10, min=-1, max=1, step=0.5, readout_format=".2f")}
    menus |= {"named": ipywidgets.SelectionSlider(options=[("none", 0), ("all", 9)]), "float": (0.0, 0.3, 0.1)}
    made = make_frames(Explore(lambda **settings: str(settings), **menus))
    assert [c.settings for c in made.controls] == [
        ["0.10", "0.32", "1.00", "3.16", "10.00"], ["none", "all"], ["0.00", "0.10", "0.20", "0.30"],
    ]  # fmt: skip
    assert {c.kind for c in made.controls} == {"range"}


def test_a_menu_with_one_entry_is_no_control_and_nothing_is_said_of_it():
    made = make_frames(Explore(first_words, n=(1, 2), order=["given"]).in_book())
    assert [c.name for c in made.controls] == ["n"] and made.left == []


def test_what_no_book_could_show_is_refused(explore):
    with pytest.raises(TypeError, match="no control 'k'; there are n, upper"):
        explore.in_book(k=[1])
    with pytest.raises(ValueError, match="n starts at 3, which is not among 1, 2"):
        make_frames(explore.in_book(n=[1, 2]))
    with pytest.raises(ValueError, match="nothing moves"):
        make_frames(Explore(first_words, text=""))
    with pytest.raises(ValueError, match="400 frames are more than 350"):
        make_frames(Explore(lambda **_: "words", a=(1, 20), b=(1, 20)))
    with pytest.raises(ValueError, match="does not work: {'n': 0}"):
        make_frames(Explore(first_words, n=(0, 3)))


def test_positions_are_counted_from_1_and_end_with_the_last():
    assert places(3) == {"1": 0, "2": 1, "3": 2}
    for count in range(1, 80):
        chosen = list(places(count, 7).values())
        assert chosen[-1] == count - 1 and chosen[0] >= 0 and len(chosen) <= 7
        assert len({b - a for a, b in zip(chosen, chosen[1:])}) <= 1
