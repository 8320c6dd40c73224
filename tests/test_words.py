"""Every word on screen has its English: the catalogue is whole, compiled, and knows each string of the code."""

import ast
import gettext
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.utils.translation.template import templatize

from shipping.support import ADDRESS

PO = Path("locale/en/LC_MESSAGES/django.po")
# Chinese characters and the punctuation that goes with them.
CHINESE = re.compile("[\u3000-\u303f\u3400-\u9fff\uff00-\uffef]")
PLACEHOLDER = re.compile(r"%(?:\(\w+\))?[sd]")
TEMPLATES = sorted(Path("templates").rglob("*.html"))
MODULES = sorted(
    path
    for folder in ("shipping", "merchants")
    for path in Path(folder).rglob("*.py")
    if "migrations" not in path.parts and "management" not in path.parts
)
# How our modules call gettext -> how many texts its call begins with, a context first where it takes one.
CALLS = {
    **dict.fromkeys(("_", "lazy", "say", "gettext", "gettext_lazy"), 1),
    **dict.fromkeys(("ngettext", "ngettext_lazy", "pgettext", "pgettext_lazy"), 2),
    "npgettext": 3,
}
# Not for the eyes: what people may type, what WeChat's short links begin with, what an address looks like.
NOT_SHOWN = {"其他", "其他快递公司", r"[;\t|；，]", "#小程序://", ADDRESS.pattern}
# A language is called by its own name.
OWN_NAME = "中文"

Entry = dict[str, str]


def entries() -> Iterator[tuple[Entry, str]]:
    """Each entry's fields by keyword, and its flags."""
    for block in PO.read_text(encoding="utf-8").split("\n\n"):
        fields: Entry = {}
        name = ""
        rows = block.splitlines()
        for row in rows:
            if not row.startswith("#"):
                keyword, _, rest = row.partition('"')
                name = keyword.strip() or name
                fields[name] = fields.get(name, "") + ast.literal_eval(f'"{rest}')
        yield fields, " ".join(row for row in rows if row.startswith("#,"))


ENTRIES = [fields for fields, _ in entries() if fields["msgid"]]


def key(entry: Entry) -> str:
    """As gettext keeps it: a context stands before its text."""
    return "\x04".join(entry[name] for name in ("msgctxt", "msgid") if name in entry)


def english(entry: Entry) -> list[str]:
    return [text for name, text in entry.items() if name.startswith("msgstr")]


def test_every_text_is_translated_and_none_is_a_guess() -> None:
    assert [key(entry) for entry in ENTRIES if not all(english(entry))] == []
    assert [fields["msgid"] for fields, flags in entries() if "fuzzy" in flags] == []
    assert len({key(entry) for entry in ENTRIES}) == len(ENTRIES)


def test_no_translation_is_chinese() -> None:
    assert [text for entry in ENTRIES for text in english(entry) if CHINESE.search(text)] == []


def test_placeholders_are_the_same_in_both() -> None:
    for entry in ENTRIES:
        wanted = sorted(PLACEHOLDER.findall(entry["msgid"]))
        for text in english(entry):
            assert sorted(PLACEHOLDER.findall(text)) == wanted, text


def test_what_is_compiled_is_what_is_written() -> None:
    with PO.with_suffix(".mo").open("rb") as file:
        compiled: dict[Any, str] = dict(gettext.GNUTranslations(file)._catalog)
    compiled.pop("")
    written: dict[Any, str] = {}
    for entry in ENTRIES:
        if "msgid_plural" in entry:
            written |= {(key(entry), n): text for n, text in enumerate(english(entry))}
        else:
            written[key(entry)] = entry["msgstr"]
    assert compiled == written, "make messages"


# --- the code and its catalogue -----------------------------------------------------------------------


def called(call: ast.Call) -> str:
    """The name of a call of gettext, whatever it is called in its module; else nothing."""
    name = getattr(call.func, "id", "")
    return name if name in CALLS else ""


def texts_of(call: ast.Call) -> list[ast.Constant]:
    first = call.args[: CALLS[called(call)]]
    return [arg for arg in first if isinstance(arg, ast.Constant) and isinstance(arg.value, str)]


def calls_in(source: str) -> Iterator[str]:
    """The keys of all calls of gettext in Python source."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Call) and called(node) and (texts := texts_of(node)):
            has_context = "pgettext" in called(node)
            yield "\x04".join(str(text.value) for text in texts[: 2 if has_context else 1])


CALL = re.compile(r"\b(?:_|n?p?gettext)\((?:u?'(?:[^'\\]|\\.)*'|u?\"(?:[^\"\\]|\\.)*\"|, ?|count)+\)")


def calls_in_template(path: Path) -> Iterator[str]:
    """As Django shows a template to xgettext: calls of gettext, the rest blanked out."""
    for call in CALL.findall(templatize(path.read_text(encoding="utf-8"))):
        yield from calls_in(call)


KNOWN = {key(entry) for entry in ENTRIES}


@pytest.mark.parametrize("path", TEMPLATES, ids=str)
def test_the_catalogue_knows_every_text_of_a_template(path: Path) -> None:
    source = path.read_text(encoding="utf-8")
    found = list(calls_in_template(path))
    assert set(found) <= KNOWN, "make messages"
    assert len(found) == len(re.findall(r"{% (?:blocktranslate|translate)\b|_\([\"']", source))


@pytest.mark.parametrize("path", MODULES, ids=str)
def test_the_catalogue_knows_every_text_of_a_module(path: Path) -> None:
    assert set(calls_in(path.read_text(encoding="utf-8"))) <= KNOWN, "make messages"


def test_the_catalogue_holds_nothing_that_nobody_says() -> None:
    said = {text for path in TEMPLATES for text in calls_in_template(path)}
    said |= {text for path in MODULES for text in calls_in(path.read_text(encoding="utf-8"))}
    assert KNOWN - said == set(), "make messages"


@pytest.mark.parametrize("path", TEMPLATES, ids=str)
def test_a_template_shows_no_chinese_that_is_not_translated(path: Path) -> None:
    source = path.read_text(encoding="utf-8").replace(OWN_NAME, "")
    bare = re.sub(r"{% blocktranslate\b.*?{% endblocktranslate %}|{%.*?%}|{{.*?}}|{#.*?#}", "", source)
    assert CHINESE.findall(bare) == []


@pytest.mark.parametrize("path", MODULES, ids=str)
def test_a_module_says_no_chinese_that_is_not_translated(path: Path) -> None:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    nodes = list(ast.walk(tree))
    fine = {
        id(text) for node in nodes if isinstance(node, ast.Call) and called(node) for text in texts_of(node)
    }
    fine |= {id(node.value) for node in nodes if isinstance(node, ast.Expr)}
    texts = [node for node in nodes if isinstance(node, ast.Constant) and isinstance(node.value, str)]
    bare = [text.value for text in texts if CHINESE.search(str(text.value)) and id(text) not in fine]
    assert set(bare) <= NOT_SHOWN
