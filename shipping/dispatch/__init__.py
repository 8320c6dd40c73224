"""One worker step after another: claim, read, check, call, record, settle.

claim (committed) -> fresh facts -> rules once more -> call with no transaction open -> record
"""

from .pump import Pump, pump_until_settled

__all__ = ["Pump", "pump_until_settled"]
