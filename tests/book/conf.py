"""Settings of the book for Sphinx, which is started in the repository's root; `-t teacher` makes the teacher's edition."""

from pathlib import Path

from tests.notebooks import books

HERE = Path(__file__).resolve().parent
project = "One Conversation"
author = ""
version = release = books.project()["version"]
language = "en"

extensions = ["myst_parser", "sphinx.ext.mathjax", "sphinx_copybutton"]
root_doc = "index"
myst_enable_extensions = ["colon_fence", "dollarmath"]
myst_heading_anchors = 3
myst_heading_slug_func = "tests.book.marks.slug"
# "$5 or $6" is money.
myst_dmath_allow_digits = False
myst_update_mathjax = False
myst_dmath_allow_space = False

# The page asks no other computer for anything: MathJax lies among its files, and its menu, which would, is off.
mathjax_path = "tex-svg-full.js"
mathjax3_config = {"options": {"processHtmlClass": "math", "ignoreHtmlClass": "bd-article", "enableMenu": False}}

html_theme = "sphinx_book_theme"
html_title = project + (": teacher’s edition" if tags.has("teacher") else "")  # noqa: F821  (Sphinx puts `tags` here)
html_static_path = [str(HERE / "static")]
templates_path = [str(HERE / "templates")]
html_css_files = ["book.css", "explorable.css"]
html_js_files = [("book.js", {"defer": "defer"})]
html_favicon = str(HERE / "static" / "favicon.svg")
html_context = {"default_mode": "auto"}
# What is downloaded are the notebooks, which the build adds, not the pages' Markdown.
html_copy_source = False
html_show_sourcelink = False
html_show_sphinx = False
html_show_copyright = False
html_last_updated_fmt = None
html_domain_indices = False
html_use_index = False
# For each hit Sphinx would fetch its page, which a page opened from a disk may not.
html_show_search_summary = False
html_theme_options = {
    "navbar_persistent": [],  # one search box
    "use_download_button": False,
    "use_fullscreen_button": False,
    "use_repository_button": True,
    "repository_url": books.address(),
    "show_toc_level": 2,
    "back_to_top_button": False,  # it lies on the text of a phone
    "pygments_light_style": "a11y-high-contrast-light",
    "pygments_dark_style": "a11y-high-contrast-dark",
    "extra_footer": "Text under CC BY 4.0, code under the MIT license.",
}
copybutton_selector = "div.cell div.highlight pre, details div.highlight pre, div.highlight-sh pre"
