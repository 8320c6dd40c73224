"""`manage.py help COMMAND` of each command of ours tells what it does, one example, and how it ends."""

import re
from argparse import Action, _HelpAction

import pytest
from django.core.management import get_commands, load_command_class
from django.core.management.base import BaseCommand

OURS = sorted(name for name, app in get_commands().items() if app in ("merchants", "shipping"))
# What Django gives every command.
COMMON = {action.dest for action in BaseCommand().create_parser("manage.py", "any")._actions}


@pytest.mark.parametrize("name", OURS)
def test_a_command_explains_itself(name: str) -> None:
    parser = load_command_class(get_commands()[name], name).create_parser("manage.py", name)
    told = " ".join(parser.format_help().split())
    assert re.search(rf"Example: ([A-Z]+=\S+ )?manage\.py {name}\b", told)
    assert re.search(r"Exit 0: \w+", told)
    own = [action for action in parser._actions if action.dest not in COMMON]
    assert [action.dest for action in own if not is_told(action)] == []


def is_told(action: Action) -> bool:
    """What it is for; and where it takes a value, a name in capitals, which for a number is its unit."""
    takes_value = action.nargs != 0 and not isinstance(action, _HelpAction)
    names = (action.metavar,) if isinstance(action.metavar, str) else action.metavar or ()
    return bool(action.help) and (not takes_value or all(name.isupper() for name in names))
