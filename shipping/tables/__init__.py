"""Spreadsheets in and out: hostile files refused, cells as people mean them, columns by name. No Django."""
