"""The timeline: sorted, sourced, in the course; nothing overlaps; every event is reached by the slider."""

import re
from pathlib import Path

import pytest

from helpers.show.timelines import BUILT, PLANNED, THREADS, TOLD, Timeline, explore_timeline, read_events, timeline
from tests.notebooks import books
from tests.notebooks.rules.wording import BRITISH

EVENTS = read_events()
ARXIV = re.compile(r"\d{2}(0[1-9]|1[0-2])\.\d{4,5}")


def test_events_are_sorted_and_dates_are_dates():
    dates = [event["date"] for event in EVENTS]
    assert dates == sorted(dates) and dates[0] == "1948" and dates[-1].startswith("2024")
    assert all(re.fullmatch(r"(19|20)\d\d(-(0[1-9]|1[0-2])(-[0-3]\d)?)?", date) for date in dates)


@pytest.mark.parametrize("event", EVENTS, ids=lambda event: f"{event['date']} {event['label']}")
def test_each_event_is_complete_and_sourced(event):
    about = {"date", "thread", "notebook", "how", "term", "label", "title", "why", "source"}
    assert set(event) - {"arxiv", "url"} == about and event["how"] in (BUILT, TOLD, PLANNED)
    assert event["thread"] in THREADS and event["notebook"] in range(17)
    assert 15 <= len(event["source"]) and len(event["label"]) <= 20 and len(event["title"]) <= 70
    assert event["why"].endswith(".") and len(event["why"].split()) <= 30
    if "arxiv" in event:
        assert ARXIV.fullmatch(event["arxiv"])
        # An identifier begins with year and month: a slip in either shows here (the file of 2005 is described later).
        if event["label"] != "first comments":
            year, month = int(event["date"][2:4]), int(event["date"][5:7])
            assert (int(event["arxiv"][:2]), int(event["arxiv"][2:4])) == (year, month)
    assert event.get("url", "https://").startswith("https://")


def test_papers_after_2013_have_an_identifier_or_an_address():
    bare = {e["label"] for e in EVENTS if e["date"] > "2013" and "arxiv" not in e and "url" not in e}
    assert bare == {"OpenAI's Reddit plan", "State of GPT"}  # a magazine's story and a talk


def test_every_notebook_after_the_first_is_on_it():
    assert {event["notebook"] for event in EVENTS if event["how"] != TOLD} >= set(range(2, 17))
    assert {event["notebook"] for event in EVENTS} == set(range(17))
    assert {event["thread"] for event in EVENTS} == set(THREADS)


@pytest.mark.parametrize("event", EVENTS, ids=lambda event: f"{event['notebook']:02} {event['label']}")
def test_the_notebook_of_an_event_really_speaks_of_it(event):
    """Its term stands in the notebook's own text or code; a line under "Read on" does not make a notebook build something."""
    written = {int(path.name[:2]): path for path in books.paths()}
    assert (event["notebook"] in written) == (event["how"] != PLANNED)
    if event["how"] == PLANNED:
        return
    text = "\n".join(cell.source for cell in books.read(written[event["notebook"]]).cells).lower()
    if event["how"] == BUILT:
        text = text.partition("**read on:**")[0]
    assert event["term"].lower() in text, "the notebook says nothing about it: give the event to another, or another term"


def test_events_are_written_in_american_english():
    assert not BRITISH.findall(" ".join(f"{event['title']} {event['why']}" for event in EVENTS))


def test_the_drawing_has_all_events_and_tells_them(parse):
    drawing = timeline()
    reached = parse(drawing.svg)
    assert len(reached) == len(EVENTS)
    assert ("June 2017: Attention alone is enough", ["04", "Transformer"]) in reached
    assert drawing.words.startswith(f"{len(EVENTS)} events from 1948 to 2024 in 8 threads.")
    written = {BUILT: "({:02})", TOLD: "(see {:02})", PLANNED: "({:02}*)"}
    words = " ".join(drawing.words.split())
    for event in EVENTS:
        assert f"{event['date'][:4]} {event['label']} {written[event['how']].format(event['notebook'])}" in words
    assert drawing.svg.count("stroke-dasharray") == sum(event["how"] == PLANNED for event in EVENTS)


def test_a_card_says_whether_the_notebook_builds_tells_or_is_to_come():
    said = {event["label"]: timeline(index).words.splitlines()[-1] for index, event in enumerate(EVENTS)}
    assert said["LoRA"].endswith("Notebook 07 builds it.") and said["DialoGPT"].endswith("Notebook 07 tells of it.")
    for event in EVENTS:
        assert ("Planned for" in said[event["label"]]) == (event["how"] == PLANNED)


def test_dashes_and_stars_are_explained_where_there_are_some():
    for events in (EVENTS, [EVENTS[0] | {"how": PLANNED}, *EVENTS[1:]]):
        drawing, planned = Timeline(events), any(event["how"] == PLANNED for event in events)
        assert (("Dashed:" in drawing.svg), ("a star:" in drawing.words)) == (planned, planned)


def test_dots_and_labels_do_not_overlap():
    boxes = []
    for group in timeline().svg.split('<g tabindex="0">')[1:]:
        x, y = (float(group.split(f'{name}="')[1].split('"')[0]) for name in ("cx", "cy"))
        label = re.search(r'x="([\d.]+)" y="[\d.]+" font-size="11" text-anchor="(\w+)">(.*?)<', group)
        start, width = float(label[1]), 6.0 * len(label[3])
        left = start - width if label[2] == "end" else start
        boxes.append((min(x - 9, left), max(x + 9, left + width), y))
    assert len(boxes) == len(EVENTS)
    for i, (left, right, y) in enumerate(boxes):
        assert left > 16 and right < 820, EVENTS[i]
        for other_left, other_right, other_y in boxes[i + 1 :]:
            assert abs(y - other_y) >= 18 or right <= other_left or other_right <= left


def test_the_slider_walks_through_all_events(parse):
    explore = explore_timeline()
    told = set()
    for place in range(1, len(EVENTS) + 1):
        explore.controls["event"].value = place
        assert explore.error is None
        assert (
            explore.words.startswith(f"Event {place} of {len(EVENTS)}, ")
            and EVENTS[place - 1]["why"] in explore.words
        )
        told.add(explore.words)
    assert len(told) == len(EVENTS)
    parse(explore._picture.value)
    assert explore._picture.value.count('stroke-width="3"') == 1  # one ring
    chosen = explore._picture.value.partition('data-here=""')[2].partition("</g>")[0]
    assert EVENTS[-1]["label"] in chosen and 'stroke-width="3"' in chosen
    assert next(iter(explore.extremes())) == {"event": 1}


def test_a_card_names_date_source_and_notebook():
    index = next(i for i, event in enumerate(EVENTS) if event["label"] == "char-rnn")
    words = timeline(index).words
    assert "21 May 2015" in words and "karpathy.github.io" in words and "Notebook 02 builds it." in words


@pytest.mark.parametrize(
    ("events", "event", "told"),
    [
        ([], None, "no events"),
        (EVENTS, 99, "no event 99"),
        (EVENTS, -1, "no event"),
        ([{"thread": "love"}], None, "love"),
    ],
)
def test_wrong_input_is_refused_with_a_sentence(events, event, told):
    with pytest.raises(ValueError, match=told):
        Timeline(events, event)


def test_the_picture_in_the_readme_is_the_timeline():
    path = Path(__file__).parents[2] / ".github" / "timeline.svg"
    assert path.read_text(encoding="utf-8") == timeline().svg + "\n", "write it anew: timeline().svg"
