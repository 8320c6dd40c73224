"""Rows: orders as they were read, shipments as they were wanted, attempts as they were made.

All ids are text: order ids have 19 digits, which spreadsheets and JavaScript destroy. Money is in fen.
"""

from .clock import Reading, Schedule, SyncCursor
from .desk import Hold, Printing, Typed, Visit
from .orders import LAST_DAY, Courier, Order, OrderBody, OrderLine, Parcel
from .shipments import Attempt, Course, Package, PackageItem, Serial, Shipment, StatusChange
from .tempo import Tempo

__all__ = [
    "LAST_DAY",
    "Attempt",
    "Courier",
    "Course",
    "Hold",
    "Order",
    "OrderBody",
    "OrderLine",
    "Package",
    "PackageItem",
    "Parcel",
    "Printing",
    "Reading",
    "Schedule",
    "Serial",
    "Shipment",
    "StatusChange",
    "SyncCursor",
    "Tempo",
    "Typed",
    "Visit",
]
