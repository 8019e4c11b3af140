"""The house style: colors that survive, numbers that agree between computers, text that cannot break a page."""

import itertools
import subprocess
import sys
from pathlib import Path
from xml.etree import ElementTree

import pytest
from hypothesis import given
from hypothesis import strategies as st

from helpers.show import theme
from helpers.show.display import publish

# Machado, Oliveira and Fernandes 2009, full strength: linear RGB as seen by each kind of color blindness.
READER_SETS = {
    "usual": [(1, 0, 0), (0, 1, 0), (0, 0, 1)],
    "protanopia": [
        (0.152286, 1.052583, -0.204868),
        (0.114503, 0.786281, 0.099216),
        (-0.003882, -0.048116, 1.051998),
    ],
    "deuteranopia": [
        (0.367322, 0.860646, -0.227968),
        (0.280085, 0.672501, 0.047413),
        (-0.01182, 0.04294, 0.968881),
    ],
    "tritanopia": [
        (1.255528, -0.076749, -0.178779),
        (-0.078411, 0.930809, 0.147602),
        (0.004733, 0.691367, 0.3039),
    ],
}


def lab(color, eye):
    """CIE L*a*b* of "#rrggbb" as one kind of eye sees it."""
    linear = []
    for i in (1, 3, 5):
        channel = int(color[i : i + 2], 16) / 255
        linear.append(channel / 12.92 if channel <= 0.04045 else ((channel + 0.055) / 1.055) ** 2.4)
    r, g, b = (min(max(sum(a * c for a, c in zip(row, linear, strict=True)), 0), 1) for row in READER_SETS[eye])
    x = (0.4124 * r + 0.3576 * g + 0.1805 * b) / 0.9505
    y = 0.2126 * r + 0.7152 * g + 0.0722 * b
    z = (0.0193 * r + 0.1192 * g + 0.9505 * b) / 1.089
    fx, fy, fz = (v ** (1 / 3) if v > 0.008856 else 7.787 * v + 16 / 116 for v in (x, y, z))
    return 116 * fy - 16, 500 * (fx - fy), 200 * (fy - fz)


def test_neighboring_colors_differ_in_grey():
    lightness = [lab(color, "usual")[0] for color in theme.PALETTE]
    assert min(abs(a - b) for a, b in itertools.pairwise(lightness)) > 12
    assert min(abs(a - b) for a, b in itertools.combinations(lightness, 2)) > 7


@pytest.mark.parametrize("eye", READER_SETS)
def test_all_colors_differ_for_every_eye(eye):
    seen = [lab(color, eye) for color in theme.PALETTE]
    for one, other in itertools.combinations(seen, 2):
        assert sum((a - b) ** 2 for a, b in zip(one, other, strict=True)) ** 0.5 > 20


def test_contrasts_are_readable():
    assert all(theme.contrast(color, theme.PAPER) >= 3 for color in theme.PALETTE)
    assert min(theme.contrast(theme.INK, theme.PAPER), theme.contrast(theme.SOFT, theme.PAPER)) >= 4.5
    assert theme.contrast(theme.INK, theme.ORANGE) >= 4.5  # the darkest token
    assert theme.contrast("#000000", "#ffffff") == pytest.approx(21)
    assert len(theme.DASHES) == len(theme.MARKERS) == len(theme.PALETTE)


@given(st.integers(0, 255), st.integers(0, 255), st.integers(0, 255), st.sampled_from((*theme.PALETTE, theme.SOFT)))
def test_letters_can_be_read_on_every_ground(red, green, blue, color):
    ground = f"#{red:02x}{green:02x}{blue:02x}"
    assert theme.contrast(theme.letters_on(ground), ground) >= 4.5
    assert theme.contrast(theme.readable(color, ground), ground) >= 4.5


def test_a_color_changes_no_more_than_it_must():
    assert theme.readable(theme.BLUE) == theme.BLUE and theme.readable(theme.SOFT) == theme.SOFT
    assert theme.contrast(theme.readable(theme.ORANGE), theme.PAPER) < 5.5  # still an orange, not ink
    assert [theme.letters_on(ground) for ground in ("#ffffff", theme.BLUE, theme.TEAL)] == [
        theme.INK, theme.PAPER, "#000000"
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (41204, "41,204"), (0, "0"), (-7, "−7"), (True, "1"), (0.0, "0"), (3.14159, "3.1"), (0.00123, "0.0012"),
        (1234.5, "1,200"), (9.96, "10"), (99.6, "100"), (-0.25, "−0.25"), (1.0, "1.0"), (float("inf"), "∞"),
        (float("nan"), "no value"), (None, "no value"), (1e-9, "1.0e−09"),
        (5e-324, "4.9e−324"), (-1.75e308, "−1.8e+308"), (1.2e-5, "0.000012"),
    ],
)  # fmt: skip
def test_numbers_for_a_sentence(value, text):
    assert theme.number(value) == text


@given(st.floats() | st.integers(min_value=-(10**18), max_value=10**18))
def test_any_number_can_be_written(value):
    assert theme.number(value)


def test_numpy_numbers_read_like_python_numbers():
    import numpy as np

    assert theme.number(np.int64(41204)) == "41,204"
    assert theme.number(np.float32(3.14159)) == "3.1"


def test_shares_are_honest_at_the_ends():
    assert [theme.percent(part, 1000) for part in (0, 1, 350, 999, 1000)] == [
        "0 %", "under 1 %", "35 %", "over 99 %", "100 %"
    ]  # fmt: skip
    assert theme.percent(0, 0) == "0 %"


def test_listing_and_shortening():
    assert theme.listing(["a", "b", "c"]) == "a, b and c"
    assert theme.listing(["a"]) == "a"
    assert theme.shorten("one two  three\nfour", 12) == "one two…"
    assert len(theme.shorten("x" * 100, 10)) == 10
    assert theme.shorten("short", 10) == "short"


def test_words_are_wrapped_at_about_a_hundred_columns():
    wrapped = theme.wrap("word " * 100 + "\n  kept indent " + "word " * 30, "In words: ")
    assert wrapped.startswith("In words: word")
    assert max(map(len, wrapped.split("\n"))) <= 100
    assert "\n  kept indent word" in wrapped


@given(st.text())
def test_any_text_is_safe_in_xml(text):
    escaped = theme.xml(text)
    ElementTree.fromstring(f'<a b="{escaped}">{escaped}</a>')


def test_markup_is_shown_not_obeyed():
    assert theme.xml("<script>alert('&\"')</script>\x00") == (
        "&lt;script&gt;alert(&#x27;&amp;&quot;&#x27;)&lt;/script&gt;\\x00"
    )


def test_outside_a_notebook_the_text_is_printed(capsys, monkeypatch):
    monkeypatch.delitem(sys.modules, "IPython.core.interactiveshell", raising=False)
    publish({"text/plain": "a drawing", "image/svg+xml": "<svg/>"})
    assert capsys.readouterr().out == "a drawing\n"


def test_importing_the_room_loads_nothing_heavy():
    code = (
        "import sys; from helpers import show; from helpers.show import plots, Tokens, quiz, timeline; dir(show)\n"
        "print([m for m in ('torch', 'matplotlib', 'numpy', 'pandas', 'ipywidgets', 'IPython') if m in sys.modules])\n"
        "try: show.nothing\nexcept AttributeError as error: print(error)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    heavy, error = done.stdout.strip().split("\n")
    assert heavy == "[]"
    assert "'nothing'" in error and "ChatBox" in error


def test_every_public_name_is_there():
    from helpers import show

    assert all(callable(getattr(show, name)) for name in show.__all__ if name not in ("plots", "drawings"))
    assert {"plots", "Tokens", "Explore", "quiz", "ChatBox", "Timeline"} <= set(dir(show))


def test_no_file_hides_the_function_of_its_name():
    # Once such a file is imported, the room hands on the module instead of the function.
    from helpers import show

    files = {path.stem for path in Path(show.__file__).parent.iterdir()}
    assert {name for name, home in show._WHERE.items() if home and name in files} == set()
