"""Django's own, which also reads the short names that our modules give to gettext."""

import re
from pathlib import Path

from django.core.management.commands import makemessages


class Command(makemessages.Command):
    help = (
        "Gather the words on screen; `make messages` runs it with all it needs. "
        "Example: manage.py makemessages -l en. Exit 0: gathered; 1: gettext is missing or a file is wrong."
    )
    xgettext_options = [*makemessages.Command.xgettext_options, "--keyword=lazy", "--keyword=say"]

    def write_po_file(self, potfile: str, locale: str) -> None:
        """Without the minute it was made: a catalogue changes when its words do."""
        super().write_po_file(potfile, locale)
        catalogue = Path(potfile).parent / locale / "LC_MESSAGES" / f"{self.domain}.po"
        text = catalogue.read_text(encoding="utf-8")
        catalogue.write_text(re.sub(r'"POT-Creation-Date: .*"\n', "", text), encoding="utf-8")
