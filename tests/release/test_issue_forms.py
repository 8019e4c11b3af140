"""The issue forms keep GitHub's rules (a form that breaks one is not shown at all), and ask for what we need."""

import re

import pytest
import yaml

from tests.notebooks import books

FOLDER = books.ROOT / ".github" / "ISSUE_TEMPLATE"
FORMS = sorted(path for path in FOLDER.glob("*.yml") if path.name != "config.yml")
KEYS = {"name", "description", "body", "title", "labels", "assignees", "projects", "type"}
# What each kind of field must have, and what it may have besides.
ATTRIBUTES = {
    "markdown": ({"value"}, set()),
    "input": ({"label"}, {"description", "placeholder", "value"}),
    "textarea": ({"label"}, {"description", "placeholder", "value", "render"}),
    "dropdown": ({"label", "options"}, {"description", "multiple", "default"}),
    "checkboxes": ({"label", "options"}, {"description"}),
}


def faults(form) -> list[str]:
    """Return which of GitHub's rules a form breaks."""
    found = [f"no {key}" for key in ("name", "description", "body") if not form.get(key)]
    found += [f"unknown key {key}" for key in form.keys() - KEYS]
    ids, labels = [], []
    for field in form.get("body") or []:
        kind, given = field.get("type"), field.get("attributes", {})
        if kind not in ATTRIBUTES:
            found.append(f"no such field: {kind}")
            continue
        must, may = ATTRIBUTES[kind]
        found += [f"{kind} without {key}" for key in must if not given.get(key)]
        found += [f"{kind} with {key}" for key in given.keys() - must - may]
        found += [f"{kind} with {key}" for key in field.keys() - {"type", "attributes", "id", "validations"}]
        if kind == "markdown":
            continue
        ids.append(field.get("id", ""))
        labels.append(given.get("label", ""))
        if not isinstance(field.get("validations", {}).get("required", False), bool):
            found.append("required is neither true nor false")
        options = [str(option.get("label") if isinstance(option, dict) else option) for option in given.get("options", [])]
        if len(set(options)) != len(options) or "None" in options:
            found.append("an option twice, or one that GitHub adds itself")
    found += [f"not a good id: {name!r}" for name in ids if not re.fullmatch(r"[A-Za-z0-9_-]+", name)]
    for what, names in (("id", ids), ("label", labels)):
        if len(set(names)) != len(names):
            found.append(f"an {what} twice")
    return found if ids else [*found, "no field to fill in"]


def read(path):
    return yaml.safe_load(path.read_text(encoding="utf-8"))


@pytest.mark.parametrize("path", FORMS, ids=lambda path: path.stem)
def test_a_form_keeps_github_s_rules(path):
    form = read(path)
    assert faults(form) == []
    assert all(isinstance(value, str) for value in (form["name"], form["description"], *form["labels"]))


SPOILED = [
    (lambda form: form.pop("description"), "no description"),
    (lambda form: form.update(about="x"), "unknown key about"),
    (lambda form: form["body"][1].update(id="a b"), "not a good id"),
    (lambda form: form["body"][2].update(id=form["body"][1]["id"]), "an id twice"),
    (lambda form: form["body"][1]["attributes"].pop("label"), "input without label"),
    (lambda form: form["body"][1].update(type="text"), "no such field"),
    (lambda form: form["body"][1]["validations"].update(required="yes"), "required is neither"),
    (lambda form: form.update(body=form["body"][:1]), "no field to fill in"),
]


@pytest.mark.parametrize(("spoil", "says"), SPOILED)
def test_a_spoiled_form_is_noticed(spoil, says):
    form = read(FOLDER / "wrong_claim.yml")
    spoil(form)
    assert any(says in words for words in faults(form)), faults(form)


def fields(name: str) -> dict:
    return {field["id"]: field for field in read(FOLDER / f"{name}.yml")["body"] if "id" in field}


@pytest.mark.parametrize("path", FORMS, ids=lambda path: path.stem)
def test_a_form_asks_where_and_for_the_versions(path):
    known = fields(path.stem)
    assert known["notebook"]["validations"]["required"] and ("section" in known or "cell" in known)
    assert "python -m helpers about" in known["versions"]["attributes"]["description"]


def test_there_is_a_form_for_each_of_three_reports():
    assert [path.stem for path in FORMS] == ["differing_number", "lost_sentence", "wrong_claim"]
    assert {"says", "should"} <= set(fields("wrong_claim"))
    assert {"sentence", "thought"} <= set(fields("lost_sentence"))
    known = fields("differing_number")
    assert {"stored", "seen"} <= set(known) and known["versions"]["validations"]["required"]


def test_other_issues_are_welcome_and_the_book_is_near():
    config = read(FOLDER / "config.yml")
    assert config["blank_issues_enabled"] is True
    site = books.project()["urls"]["Documentation"]
    for link in config["contact_links"]:
        assert set(link) == {"name", "url", "about"} and link["url"].startswith(site)
    assert (books.NOTEBOOKS / "different_numbers.md").exists()
