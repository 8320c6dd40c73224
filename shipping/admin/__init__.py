"""Django admin of the desk: what codes say, and what happened, to read only."""

from . import codes, history

__all__ = ["codes", "history"]
