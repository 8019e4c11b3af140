"""What `redact` finds, what it must leave alone, and what it is known to miss."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from helpers.corpus.cleaning import clean, redact, redaction

PLACEHOLDERS = ("[email]", "[phone]", "[link]", "[user]", "[machine]")

FOUND = {
    "jo.bloggs+news@mail.example.org": "[email]",
    "jo@example.org.": "[email].",
    "jo (at) example.org": "[email]",
    "jo at example dot org": "[email]",
    "jo (at) example (dot) org": "[email]",
    "jo [at] example [dot] org": "[email]",
    "follow @jo.example_9 now": "follow [user] now",
    "555-0142": "[phone]",
    "(212) 555-0187": "[phone]",
    "212-555-0187": "[phone]",
    "212.555.0187": "[phone]",
    "1-202-555-0142": "[phone]",
    "+1 (202) 555-0142": "[phone]",
    "+44 20 7946 0018": "[phone]",
    "020 7946 0018": "[phone]",
    "07700 900123": "[phone]",
    "+49 30 23125 012": "[phone]",
    "(030) 23125012": "[phone]",
    "01 99 00 12 34": "[phone]",
    "call me on 2025550142": "call me on [phone]",
    "http://example.org": "[link]",
    "HTTP://EXAMPLE.ORG": "[link]",
    "https://www.example.org/a_(b)?c=d&e#f.": "[link].",
    "(see http://example.org/x)": "(see [link])",
    "www.example.com/sky, or": "[link], or",
    "ask at example.net": "ask at [link]",
    "old.example.co.uk/path": "[link]",
    "redd.it/abc12": "[link]",
    "ftp://files.example.org/x": "[link]",
    "192.0.2.17": "[machine]",
    "192.0.2.17:8080": "[machine]:8080",
    "(or 2001:db8::c4e5:5)": "(or [machine])",
    "2001:db8:0:0:0:0:0:1": "[machine]",
    "::1": "[machine]",
    "00:00:5E:00:53:2A": "[machine]",
    "00-00-5e-00-53-2a": "[machine]",
    "u/keeper_of_spoons": "[user]",
    "/u/keeper-of-spoons": "[user]",
    "@somebody, hello": "[user], hello",
}

LEFT_ALONE = """\
in 1987 | 2008-2009 | 10-3 | 9/10 | 2015-02-10 | 12/05/2008 | 05.10.2015 | $1,234.56 | 500-1000 people
pi 3.14159265
978-3-16-148410-0 | 0-306-40615-2 | 0306406152 | 9783161484100
1134365188 | version 1.2.3 | v1.2.3.4 | version 10.0.0.1
300.1.2.3 | 12:30:45 | 1:30 | 16:9:4 | @ 5pm | @home | e.g. this | Node.js | end.So it
ASP.NET | a/b | and/or | 24/7 | u/s
std::vector | a::b | Thanks.It was | 1,000,000 | 5 000 000 | 1-2-3-4-5-6-7-8
2*3*4 | 2005-12-31 20:44 | in 2005, 2006, 2007
r/soup | look at the stars | [link] [phone]""".replace("\n", " | ").split(" | ")

KNOWN_MISSES = [
    "12 Canal Street",
    "five five five, oh one four two",
    "2025550142",
    "printer.local",
    "root@server",
    "@5thfloor",
]


@pytest.mark.parametrize("text", FOUND)
def test_found(text):
    assert redact(text) == FOUND[text]
    assert redact(f"So {text}") == f"So {FOUND[text]}"


@pytest.mark.parametrize("text", LEFT_ALONE)
def test_left_alone(text):
    assert redact(text) == text
    assert redact(f"({text})") == f"({text})"


@pytest.mark.parametrize("text", KNOWN_MISSES)
def test_known_misses_are_still_misses(text):
    """If one of these fails, redact got better: take it off the list here and in the docstring."""
    assert redact(text) == text
    assert "Known misses" in redaction.__doc__


def test_a_comment_with_much_to_hide():
    text = "Call me on 555-0142 or (212) 555-0187, or write to green.bicycle@example.org. Or u/left_it_there!"
    assert redact(text) == "Call me on [phone] or [phone], or write to [email]. Or [user]!"


def test_version_and_time_beside_addresses():
    text = "the computer is 192.0.2.17 (or 2001:db8::c4e5:5), and version 1.2.3 still thinks it is 12:30:45"
    assert redact(text) == "the computer is [machine] (or [machine]), and version 1.2.3 still thinks it is 12:30:45"


PIECES = [
    *FOUND,
    *LEFT_ALONE,
    *PLACEHOLDERS,
    *"@/:.-+() \n0159abufx[]",
    "http://",
    "www.",
    " at ",
    " dot ",
    "(at)",
    ".com",
    "\ud800",
]
nasty = (
    st.lists(st.sampled_from(PIECES), max_size=14).map("".join)
    | st.text(alphabet="@/:.-+()01 ab", max_size=40)
    | st.text()
)


@given(nasty)
def test_redacting_twice_is_redacting_once(text):
    once = redact(text)
    assert redact(once) == once


@given(nasty)
def test_the_quick_look_skips_nothing(text):
    signs = text.encode("utf-8", "surrogatepass").translate(None, redaction._QUIET)
    if redact(text) == text:
        assert redaction._redact_once(text, signs) == text


@given(nasty)
def test_cleaning_leaves_placeholders_alone(text):
    redacted = redact(clean(text))
    cleaned = clean(redacted)
    if ">" not in redacted:  # a quoted line goes, with all that is on it
        assert [cleaned.count(word) for word in PLACEHOLDERS] == [redacted.count(word) for word in PLACEHOLDERS]


def test_a_link_next_to_brackets_is_no_markdown_link():
    redacted = redact("http://example.org (see there) and u/some_body(that one)")
    assert clean(redacted) == redacted == "[link] (see there) and [user](that one)"
