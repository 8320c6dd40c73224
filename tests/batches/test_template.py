"""The file to fill in: known to the reader in both languages, with an example that ships nothing."""

from typing import Any

import pytest

from shipping.tables.reading import open_table
from tests.pages.test_desk import member

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.mark.parametrize("language", ["zh-hans", "en"])
@pytest.mark.parametrize("kind", ["xlsx", "csv"])
def test_the_template_is_read_as_it_was_meant(world: Any, kind: str, language: str) -> None:
    client = member(world)
    client.cookies["django_language"] = language
    answer = client.get(f"/batches/template.{kind}")
    table = open_table(b"".join(answer.streaming_content), f"a.{kind}")
    assert (table.mapping().unrecognised, len(table.mapping().fields)) == ((), 10)
    (example,) = table.rows
    assert not example.cells[0].isdigit()


def test_there_is_no_other_template(world: Any) -> None:
    assert member(world).get("/batches/template.exe").status_code == 404
