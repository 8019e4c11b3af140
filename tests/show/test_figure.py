"""The frame of all figures: its style stays inside, no setting of a person and no sign in a text changes a figure."""

import io

import pytest
from PIL import Image

from helpers.show import figure, plots
from helpers.show.theme import PALETTE, PAPER, READABLE, contrast

BARS = (["deleted", "bot", "kept"], [9, 4, 31], "Half survives")


def test_figures_of_pyplot_are_closed_and_ours_are_not_its(shown):
    import matplotlib.pyplot as plt

    before = plt.get_fignums()
    fig, ax = plt.subplots()
    ax.set_title("Its own")
    plots.show(fig, "A line.")
    plots.bars(*BARS).show()
    assert plt.get_fignums() == before
    assert [data["text/plain"] for data, _ in shown] == ["[figure: Its own]", "[figure: Half survives]"]


def test_the_style_stays_in_its_figures():
    import matplotlib

    before = dict(matplotlib.rcParams)
    _, ax = plots.new("A claim", "x", "y")
    assert dict(matplotlib.rcParams) == before
    assert [line.get_color() for line in ax.plot([[1, 2], [3, 4]])] == list(PALETTE[:2])
    assert ax.spines["bottom"].get_visible() and not ax.spines["top"].get_visible()


FOREIGN = {
    "text.usetex": True, "savefig.transparent": True, "savefig.facecolor": "black", "axes.facecolor": "black",
    "text.color": "white", "font.size": 40, "lines.linewidth": 0, "figure.dpi": 20, "path.sketch": (1, 100, 2),
    "axes.formatter.use_locale": True, "savefig.bbox": "tight", "font.family": "serif", "figure.constrained_layout.use": True,
}  # fmt: skip


def claims(settings: dict) -> list[bytes]:
    """Return the pictures of two figures drawn and shown while matplotlib has these settings."""
    import matplotlib

    with matplotlib.rc_context(settings):
        fig, ax = plots.new("A claim", "x", "y")
    with matplotlib.rc_context(settings):  # another cell
        ax.plot([1, 2, 3], [1, 4, 9], label="a line")
        ax.legend()
        ax.set_yscale("log")
        ax.text(2, 2, "50 % of a_b")
    with matplotlib.rc_context(settings):
        return [figure._png(fig), figure._png(plots.bars(*BARS).fig)]


def test_every_letter_of_a_figure_can_be_read():
    from matplotlib.colors import to_hex
    from matplotlib.text import Text

    five = {name: [0, number] for number, name in enumerate("abcde")}  # a name in each color of the palette
    for picture in (plots.lines([0, 1], five, "Five", "x", "y"), plots.bars(*BARS), plots.histogram([1, 2, 3], "Three", "x")):
        drawn = [text for text in picture.fig.findobj(Text) if text.get_text()]
        assert len(drawn) >= 3 and min(contrast(to_hex(text.get_color()), PAPER) for text in drawn) >= READABLE
    looks = [figure.STYLE[name] for name in ("text.color", "axes.labelcolor", "xtick.color", "ytick.color")]
    assert min(contrast(look, PAPER) for look in looks) >= READABLE


@pytest.mark.parametrize("setting", FOREIGN)
def test_no_setting_of_a_person_reaches_a_figure(setting):
    assert claims({setting: FOREIGN[setting]}) == claims({})


def test_figures_are_opaque_and_stay_legible_when_they_are_a_persons_own():
    import matplotlib
    from matplotlib.figure import Figure

    def corner(fig):
        image = Image.open(io.BytesIO(figure._png(fig)))
        assert "transparency" not in image.info
        return image.convert("RGBA").getpixel((0, 0))

    assert corner(plots.bars(*BARS).fig) == (255, 255, 255, 255)
    with matplotlib.style.context("dark_background"):
        dark = Figure()  # its letters are white, so it keeps its paper
    assert corner(dark) == (0, 0, 0, 255)
    assert corner(Figure(facecolor="none")) == (255, 255, 255, 255)
    with matplotlib.rc_context({"savefig.bbox": "tight", "savefig.pad_inches": 3}):
        assert Image.open(io.BytesIO(figure._png(Figure(figsize=(2, 1))))).size == (400, 200)


def test_no_dollar_begins_a_formula(shown, monkeypatch):
    import matplotlib.mathtext

    def refuse(*_, **__):
        raise AssertionError("math")

    monkeypatch.setattr(matplotlib.mathtext.MathTextParser, "parse", refuse)
    odd = '$5_a and $6 `%` "quoted"'
    plots.bars([odd], [1], odd, odd, unit=odd).show()
    plots.lines([1, 2], {odd: [1, 2]}, odd, odd, odd).show()
    plots.histogram([1, 2], odd, odd, unit=odd).show()
    assert [data["text/plain"] for data, _ in shown] == [f"[figure: {odd}]"] * 3
