"""The drawing of a reply tree: who answers whom, what is gone, which chain becomes a conversation."""

from helpers.corpus.dumps.reddit import Comment
from helpers.corpus.dumps.reply_chains import cut
from helpers.corpus.dumps.threads import Thread
from helpers.show.plots import thread_tree


def comment(id, parent, author, body, score=1, created=0):
    return Comment(
        id=id, parent_id=parent, link_id="t3_p", author=author, body=body, score=score, created=created,
        subreddit="x", distinguished=None, stickied=False,
    )  # fmt: skip


COMMENTS = [
    comment("a", "t3_p", "ann", "Best advice?\n<b>Go</b>", 120),
    comment("b", "t1_a", "bob", "Never cook bacon naked.", 5),
    comment("c", "t1_a", "cat", "Buy good shoes.", 88),
    comment("d", "t1_c", "ann", "I did!", None),
    comment("e", "t1_b", "dan", "A story?", 400),
    comment("f", "t1_a", "[deleted]", "[deleted]", 999),
    comment("g", "t1_f", "eva_22", "Deep truth.", 7),
    comment("h", "t1_zz", "fred", "Agreed with that.", 2),
    comment("r", "t1_s", "gus", "ring", 2),
    comment("s", "t1_r", "hal", "ring", 2),
]


def test_one_row_per_comment_in_reading_order(parse):
    titles = [title for title, _ in parse(thread_tree(Thread("t3_p", COMMENTS), "A tree").svg)]
    assert titles[0] == "A, score 120: Best advice? <b>Go</b>"
    starts = [title.split(":")[0] for title in titles]
    assert starts.index("B, score 5") < starts.index("C, score 400")
    assert "A, score hidden" in starts and "–, score 999" in starts
    assert len(titles) == 8  # the ring of two is not drawn


def test_the_words_name_chain_gaps_and_ring():
    words = thread_tree(Thread("t3_p", COMMENTS), "A tree").words
    assert words.startswith(
        "A tree: 8 comments, by 6 authors, 3 levels deep (1 deleted, 1 whose parent is missing and 2"
    )
    # The best-scored reply of each, whatever stands below another one; never a deleted one.
    assert "Emphasized: A “Best advice? <b>Go</b>” → D “Buy good shoes.” → A “I did!”." in words


def test_the_emphasized_chain_is_the_one_that_becomes_a_conversation():
    comments = [
        comment("a", "t3_p", "ann", "first", 3),
        comment("b", "t1_a", "bob", "its score is hidden", None),
        comment("c", "t1_a", "cat", "disliked, but known", -4),
        comment("d", "t1_a", "dan", "", 9),  # dropped by a filter
    ]
    thread = Thread("t3_p", comments)
    assert [conversation.id for conversation in cut(thread)] == ["t3_p/c"]
    assert "Emphasized: A “first” → C “disliked, but known”." in thread_tree(thread, "A tree").words


def test_no_name_reaches_the_page():
    drawing = thread_tree(Thread("t3_p", COMMENTS), "A tree")
    assert not [
        c.author for c in COMMENTS if c.author != "[deleted]" and c.author in drawing.svg + drawing.words
    ]


def test_deleted_comments_are_hatched_and_missing_parents_named():
    svg = thread_tree(Thread("t3_p", COMMENTS), "A tree").svg
    assert svg.count('fill="url(#oc-gone)"') == 2  # the circle and the text of one comment
    assert "(parent missing) Agreed" in svg and svg.count("stroke-dasharray") == 1


def test_highlight_chooses_what_is_emphasized():
    thread = Thread("t3_p", COMMENTS)
    chosen, nothing = (thread_tree(thread, "A tree", highlight=ids) for ids in (["a", "b", "e"], []))
    assert "→ B “Never cook bacon naked.” → C “A story?”" in chosen.words
    assert chosen.svg.count('stroke-width="3"') == 2  # two strong connectors between three comments
    assert "Emphasized" not in nothing.words and 'stroke-width="3"' not in nothing.svg


def test_texts_can_be_redacted_first():
    drawing = thread_tree(Thread("t3_p", COMMENTS), "A tree", text=lambda body: body.replace("bacon", "[food]"))
    assert "bacon" not in drawing.svg + drawing.words and "[food]" in drawing.svg


def test_long_texts_and_long_threads_stay_inside(parse):
    many = [comment("a", "t3_p", "ann", "word " * 300)]
    many += [comment(f"c{i}", "t1_a", f"u{i}", "reply") for i in range(90)]
    drawing = thread_tree(Thread("t3_p", many), "Long")
    assert len(parse(drawing.svg)) == 60
    assert drawing.words.endswith("Only the first 60 of 91 comments are drawn.")
    assert max(len(text) for _, texts in parse(drawing.svg) for text in texts) < 100
    assert ">AA<" in drawing.svg  # the 27th author


def test_an_empty_thread_is_drawn_as_empty():
    assert (
        thread_tree(Thread("t3_p", []), "Nothing").words
        == "Nothing: 0 comments, by 0 authors, 0 levels deep."
    )
