"""Templates and labels use the words that docs/GLOSSARY.md fixes."""

import re
from pathlib import Path

from shipping import states
from shipping.templatetags.desk import LOOKS

GLOSSARY = Path("docs/GLOSSARY.md").read_text(encoding="utf-8")
# Words that stand for something the glossary calls otherwise.
BANNED = (
    "商店",
    "运单",
    "物流单号",
    "物流公司",
    "发送中",
    "未知结果",
    "waybill",
    "delivery_id",
    "deliver_type",
)


def test_every_state_has_its_word_from_the_glossary() -> None:
    for status in states.ALL:
        assert f"| {LOOKS[status].word} |" in GLOSSARY, status


def test_templates_say_nothing_the_glossary_does_not() -> None:
    for path in Path("templates").rglob("*.html"):
        said = " ".join(re.findall(r"{% translate [\"'](.*?)[\"'] %}", path.read_text(encoding="utf-8")))
        assert not [word for word in BANNED if word in said], path
