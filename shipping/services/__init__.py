"""Every write a person causes, and `move`, the only door to a package's status."""

from .asking import ask_reading, resume_sending, wake_read, wake_sync
from .desk import (
    forget_typed,
    hold_order,
    leave_order,
    note_printing,
    note_visit,
    release_order,
    save_typed,
    tick_intercept,
)
from .moving import close_attempt_if_settled, is_unsettled, move, move_all
from .queueing import (
    Refused,
    cancel_shipment,
    confirm_change,
    package_row,
    queue_shipment,
    queue_together,
    rehearse,
    save_draft,
    save_package,
    settle_conflict,
    shipment_with_key,
    tidy,
)

__all__ = [
    "Refused",
    "ask_reading",
    "cancel_shipment",
    "close_attempt_if_settled",
    "confirm_change",
    "forget_typed",
    "hold_order",
    "is_unsettled",
    "leave_order",
    "move",
    "move_all",
    "note_printing",
    "note_visit",
    "package_row",
    "queue_shipment",
    "queue_together",
    "rehearse",
    "release_order",
    "resume_sending",
    "save_draft",
    "save_package",
    "save_typed",
    "settle_conflict",
    "shipment_with_key",
    "tick_intercept",
    "tidy",
    "wake_read",
    "wake_sync",
]
