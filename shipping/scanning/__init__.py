"""The scan station as a machine: what was scanned, at which step, and what follows.

No Django, no clock, no text. `hear` takes a state, a scanned text and the world, and gives the next state
with what to tell. The world looks up orders and saves packages: the desk's is shipping.station.
"""

from .codes import COMMANDS, badge_code, command_code, command_of, courier_code, is_ean13, is_imei
from .machine import hear
from .state import Goods, Opened, Parcel, Question, Refused, Saved, State, Step, Told, World, step_of

__all__ = [
    "COMMANDS",
    "Goods",
    "Opened",
    "Parcel",
    "Question",
    "Refused",
    "Saved",
    "State",
    "Step",
    "Told",
    "World",
    "badge_code",
    "command_code",
    "command_of",
    "courier_code",
    "hear",
    "is_ean13",
    "is_imei",
    "step_of",
]
