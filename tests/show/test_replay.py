"""Replay: every kept moment can be drawn and told, the words change with the slider, and repetition is named."""

import math

import pytest
import torch

from helpers.show import Drawing, Replay, replay_points, replay_replies

CORNERS = torch.tensor([[1.0, 1.0], [-1.0, 1.0], [-1.0, -1.0], [1.0, -1.0]])
POINTS = {step: CORNERS * step / 100 for step in (0, 50, 100)}
REPLIES = {0: ["hi", "no", "go <b>\nhome"], 10: ["hi", "hi", "no"], 30: ["hi", "hi", "hi"]}


def walk(replay, parse) -> list[str]:
    """Return the words at every setting of the slider; each must draw, and parse."""
    words = []
    for settings in replay.extremes():
        assert replay.error is None, settings
        parse(replay._picture.value)
        words.append(replay.words)
    return words


def test_it_begins_at_the_last_moment_and_every_moment_differs(parse):
    replay = replay_points(POINTS, CORNERS, "Corners")
    assert replay.settings == {"step": 100}
    assert replay.words == "Corners, after step 100: 4 generated points."
    words = walk(replay, parse)
    assert len(set(words)) == len(words) == 3
    replay.controls["step"].value = 0
    assert replay.words == replay.at(0).words == "Corners, after step 0: 4 generated points."


def test_any_drawing_can_be_replayed():
    replay = Replay({2: "b", 1: "a"}, lambda step, moment: Drawing("", f"{moment} at {step}", "t", 50))
    assert replay.settings == {"step": 2} and replay.words == "b at 2"
    assert [label for label, _ in replay.controls["step"].options] == ["1", "2"]  # in the order of the steps


def test_points_lie_where_they_are(parse):
    svg = replay_points(POINTS, CORNERS, "Corners").at(100).svg
    real, made = svg.split("<g fill=")[1:3]

    def places(part):
        return [
            tuple(float(piece.split('"')[0]) for piece in dot.split('="')[1:3]) for dot in part.split("<circle")[1:]
        ]

    assert places(real) == places(made)  # the last moment is the real thing
    (right, up), (left, _), _, (_, down) = places(made)
    assert right > left and up < down  # y grows upwards
    middle = places(replay_points(POINTS, CORNERS, "Corners").at(0).svg.split("<g fill=")[2])
    assert len(set(middle)) == 1
    parse(replay_points({1: [[math.nan, math.inf]]}, CORNERS, "No numbers").at(1).svg)


def test_a_finding_and_curves_are_told_and_drawn():
    replay = replay_points(POINTS, CORNERS, "Corners", curves={"loss": [3, None, 1.5]})
    assert replay.at(100).words == "Corners, after step 100: 4 generated points. Loss: 1.5."
    assert replay.at(50).words.endswith("Loss: no value.")
    assert replay.at(100).svg.count("<polyline") == 1 and replay.at(0).svg != replay.at(100).svg
    own = replay_points(POINTS, CORNERS, "Corners", lambda points: f"Reach {points.max():.1f}.", {"loss": [3, 2, 1]})
    assert own.at(100).words == "Corners, after step 100: 4 generated points. Reach 1.0."  # instead of the curves
    assert "loss: 1" in own.at(100).svg
    with pytest.raises(ValueError, match="'loss' needs one number for each of the 3 moments"):
        replay_points(POINTS, CORNERS, "Corners", curves={"loss": [1, 2]}).at(0)


def test_replies_tell_how_many_differ(parse):
    replay = replay_replies(REPLIES, "The bot", curves={"reward": [0.1, 0.5, 0.9]})
    assert replay.words == (
        "The bot, after step 30: 1 of 3 replies differ. The most frequent, 3 times: “hi”. Reward: 0.90."
    )
    assert replay.at(0).words == "The bot, after step 0: 3 of 3 replies differ. The first: “hi”. Reward: 0.10."
    assert len(set(walk(replay, parse))) == 3
    assert [title for title, _ in parse(replay.at(0).svg)][:2] == ["hi", "no"]
    assert "go &lt;b&gt;⏎home" in replay.at(0).svg
    marked = [replay.at(step).svg.count(">=<") for step in REPLIES]
    assert marked == [0, 1, 2]  # what was said before is marked, not only colored


def test_long_and_odd_replies_stay_inside(parse):
    replay = replay_replies({1: ["x" * 5000, "", "\x00<&>", "猫" * 400] * 30}, "Odd")
    parse(replay.at(1).svg)
    assert len(replay.at(1).svg) < 20_000


def test_at_most_400_dots_of_each_kind_are_drawn():
    cloud = torch.randn(5000, 2)
    replay = replay_points(dict.fromkeys(range(20), cloud), cloud, "Many", curves={"a": range(20)})
    assert replay.at(7).svg.count("<circle") == 801  # and the place on the curve
    assert "5,000 generated points" in replay.at(7).words


def test_wrong_input_gets_a_sentence():
    with pytest.raises(ValueError, match="nothing to replay"):
        Replay({}, print)
    with pytest.raises(ValueError, match="no moment was kept at step 7; there are 0, 50, 100"):
        replay_points(POINTS, CORNERS, "Corners").at(7)
    assert "no reply was kept" in replay_replies({1: []}, "Silent").words
