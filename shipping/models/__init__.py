"""Rows: orders as they were read, shipments as they were wanted, attempts as they were made.

All ids are text: order ids have 19 digits, which spreadsheets and JavaScript destroy. Money is in fen.
"""

from .batches import Batch, BatchFile, BatchOrder, BatchRow, BatchStore, Remembered
from .clock import Opening, Reading, Schedule, SyncCursor
from .codes import CodeText, UnknownCode
from .desk import Hold, Printing, Typed, Visit
from .errands import OrderErrand, ReceiverView
from .exports import Export, ExportPart
from .figures import EVERY_MORNING, WHOLE_DAY, BoardVisit, Digest, DigestTime, Figure, FigureCursor
from .keeping import Archive, Restore, RestoredShipment
from .orders import LAST_DAY, LOADED, Courier, Order, OrderBody, OrderLine, Parcel, bring
from .shipments import Attempt, Course, Package, PackageItem, Serial, Shipment, StatusChange
from .station import ScanSession, SerialUse
from .tempo import Allowance, Tempo
from .watch import Alert, Tally, TallyMark

__all__ = [
    "EVERY_MORNING",
    "LAST_DAY",
    "LOADED",
    "WHOLE_DAY",
    "Alert",
    "Allowance",
    "Archive",
    "Attempt",
    "Batch",
    "BatchFile",
    "BatchOrder",
    "BatchRow",
    "BatchStore",
    "BoardVisit",
    "CodeText",
    "Courier",
    "Course",
    "Digest",
    "DigestTime",
    "Export",
    "ExportPart",
    "Figure",
    "FigureCursor",
    "Hold",
    "Opening",
    "Order",
    "OrderBody",
    "OrderErrand",
    "OrderLine",
    "Package",
    "PackageItem",
    "Parcel",
    "Printing",
    "Reading",
    "ReceiverView",
    "Remembered",
    "Restore",
    "RestoredShipment",
    "ScanSession",
    "Schedule",
    "Serial",
    "SerialUse",
    "Shipment",
    "StatusChange",
    "SyncCursor",
    "Tally",
    "TallyMark",
    "Tempo",
    "Typed",
    "UnknownCode",
    "Visit",
    "bring",
]
