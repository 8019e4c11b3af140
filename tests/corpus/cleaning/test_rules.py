"""The cleaning rules one by one, together, twice, and on texts made to hurt."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from helpers.corpus.cleaning import RULES, clean, rules

RULE = {rule.name: rule for rule in RULES}

# one specimen per rule: before and after this rule alone
ALONE = {
    "entities": (
        "&gt; tea &amp; cake &lt;3 &amp;amp; &#39;so&#39; &notes; AT&T",
        "> tea & cake <3 & 'so' &notes; AT&T",
    ),
    "line endings": ("one\r\ntwo\rthree", "one\ntwo\nthree"),
    "invisible characters": ("so\u200bup\x07 \ufeffand\xad👨\u200d👩", "soup and👨\u200d👩"),
    "Unicode normalization": ("cafe\u0301", "café"),
    "quotes": ("> you said\n>>so\nI say\n>:( and ->", "I say\n>:( and ->"),
    "horizontal rules": ("a\n---\n* * *\n:--|--:\n```python\nb", "a\nb"),
    "links": ('[my notes](http://example.org/a_(b)_c) and [x](/y "z")', "my notes and x"),
    "inline code": ("`this` and ``that``", "this and that"),
    "spoilers": (">!the butler!< did", "the butler did"),
    "emphasis": ("*a* **b** ***c*** _d_ __e__ ~~f~~", "a b c d e f"),
    "superscripts": ("^small ^(print of it) x^2 again^again ^_^", "small print of it x^2 again again ^_^"),
    "headings and lists": ("## Top\n* one\n- two\n1. three\n2) four", "Top\none\ntwo\nthree\nfour"),
    "escapes": (r"1\. a\_b ¯\\\_(ツ)\_/¯", r"1. a_b ¯\_(ツ)_/¯"),
    "whitespace": ("  a \t b  \n\n\n c\u3000d ", "a b\nc d"),
}


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.name)
def test_each_rule_alone(rule):
    before, after = ALONE[rule.name]
    assert rule.apply(before) == after
    assert (
        rule.apply("Nothing here for any rule: 5 o'clock (or so).") == "Nothing here for any rule: 5 o'clock (or so)."
    )
    assert rule.why.endswith(".") and len(rule.why) < 110


SURVIVES = (
    r"""
strength of Washington|the gist of it: &c.|snake_case and _private|2*3*4|2 * 3 * 4
5 > 3 < 7|->|a -> b <- c|>:( no|>:)|C# and F#|#1 rule
~20 of them|~ twenty|^_^|^_^ and ^_^|-_- so -_-|o_O|T_T|10^6|x^2 + y^2|¯\_(ツ)_/¯
M*A*S*H|f*ck|AT&T|Q&A; R&D|40. That was my age.
-5 degrees|+1|wow!!!|<3|a | b|[sic]|(brackets)|[x] done|C:\Users|it's 9/10
naïve café|“quoted”|日本語|😄☄️|`|*|_|~~|[|](|100%|def __init__(self):
http://example.org/snake_case_(x)_y|@ 5pm|e.g. this|[link]|[user](that one)|[email] or [phone]
""".strip()
    .replace("\n", "|")
    .split("|")
)


@pytest.mark.parametrize("text", [*SURVIVES, "a | b", "x || y"])
def test_survives(text):
    assert clean(text) == text.strip()


KNOWN_BUGS = {
    "only the marker of a quote removed": ("&gt; Do you like tea?\n\nI do.", "I do."),
    "a bare marker": ("> Do you like tea?\n> Or cake?\nI do.", "I do."),
    "a quote of a quote": ("&gt;&gt; Tea?\n&gt; Cake?\n\nBoth.", "Both."),
    "a quote in the middle": ("Well.\r\n&gt; Tea?\r\nYes.\r\n&gt; Cake?\r\nNo.", "Well.\nYes.\nNo."),
    "letters eaten": ("strength of Washington", "strength of Washington"),
    "an arrow killed as a quote": ("-> this way", "-> this way"),
    "an angry face killed as a quote": (">:( mine too\n&gt;:( and mine", ">:( mine too\n>:( and mine"),
    "entities of every era": ("a &amp; b &lt;3 &quot;c&quot;", 'a & b <3 "c"'),
    "entities escaped twice": ("more &amp;amp; more &amp;gt;", "more & more >"),
    "zero-width space as twice escaped entity": ("one\n\n&amp;#x200B;\n\ntwo", "one\ntwo"),
    "spoiler taken for a quote": ("&gt;!the rind!&lt; it was", "the rind it was"),
    "link text lost": ("see [my notes](http://example.org/a_(b)).", "see my notes."),
    "link text that is an address": ("[http://example.org](http://example.org)", "http://example.org"),
    "the word link as a link": ("[link](https://example.org)", "link"),
    "bold inside bold": ("**very *very* much**", "very very much"),
    "small print": ("^(I am a ^(bot))", "I am a bot"),
    "every word small": ("^^so ^^very ^^small", "so very small"),
    "pictures of the new editor": ("ha ![gif](giphy|abc123)", "ha"),
    "shrug": (r"¯\\\_(ツ)\_/¯", r"¯\_(ツ)_/¯"),
    "only a quote": ("&gt; You said it.", ""),
    "empty": ("", ""),
    "broken half of an emoji": ("so \ud83d it goes", "so it goes"),
}


@pytest.mark.parametrize("bug", KNOWN_BUGS)
def test_known_bug(bug):
    before, after = KNOWN_BUGS[bug]
    assert clean(before) == after


PIECES = """&amp; &gt; &#59 &# & amp; ; 38 > < >! !< * ** _ __ ~~ ^ ^( ( ) [ ] ]( ](x) http://a.b ` ```
# | |-- --- - .
1. a ab Word é \u0301 \u200b \u200d 😀 \ud800 \x00 \x1f • ¯ \\ [link] >:( -> ! : &#2392; &#64300; &#x26;
[user](""".split()
PIECES += [
    "\n",
    "\r\n",
    "\r",
    "\n\n",
    " ",
    "  ",
    "\t",
    "\x0b",
    "\xa0",
    "\u2028",
    "\x85",
    "# ",
    "- ",
    "+ ",
    "1. ",
    "2) ",
    "\n> ",
]
nasty = (
    st.lists(st.sampled_from(PIECES), max_size=30).map("".join)
    | st.text(alphabet="&gt;amp#38>*_~^`[]()\\|-!\n 1.a", max_size=40)
    | st.text(max_size=40)
)


# What rules change: words of the examples above, in any order.
specimens = st.lists(st.sampled_from([word for before, _ in ALONE.values() for word in before.split()])).map(" ".join)


@given(nasty)
def test_cleaning_twice_is_cleaning_once(text):
    once = clean(text)
    assert clean(once) == once


@given(nasty)
def test_clean_is_the_rules_in_order_until_nothing_changes(text):
    expected, before = text, None
    while expected != before:
        before = expected
        for rule in RULES:
            expected = rule.apply(expected)
    assert clean(text) == expected


@pytest.mark.parametrize("rule", [rule for rule in RULES if rule.symbols], ids=lambda rule: rule.name)
@given(text=specimens | nasty)
def test_a_rule_without_its_symbols_changes_nothing(rule, text):
    plain = text.encode("ascii", "ignore").decode().translate(str.maketrans("", "", rule.symbols))
    assert rule.apply(plain) == plain


@given(nasty)
def test_what_comes_out_is_tidy(text):
    out = clean(text)
    assert unicodedata.is_normalized("NFC", out)
    assert all(line and line == " ".join(line.split()) for line in out.split("\n")) or out == ""
    out.encode("utf-8")  # no broken halves of characters


@given(st.text(alphabet="abcxyz ABC,.'?", max_size=60))
def test_words_are_never_eaten(text):
    assert clean(text).replace("\n", " ").split() == text.split()


REPEATED = """[ * _ ~ ^ ` # > < | \\ &amp; &#59 & [a](b) [[ ]( [a]( >! >!a ** a^( - •""".split() + [
    "\n",
    " ",
    "\r",
    "a ",
    "\n>",
    "1. ",
    "\u200b",
]


@pytest.mark.parametrize("piece", REPEATED)
def test_a_megabyte_of_one_mark_ends(piece):
    """A pattern that goes back over its text would need hours for this, and recursion would break."""
    text = "[*a" + piece * (10**6 // len(piece)) + "](b)"
    once = clean(text)
    assert len(once) <= len(text) and clean(once[:1000]) is not None


def test_nested_without_end_loses_its_marks_and_settles():
    depth = 20_000
    once = clean("[" * depth + "tea" + "](b)" * depth)
    assert "tea" in once and clean(once) == once
    assert depth > rules.ROUNDS
