"""Telling people that something needs them: what does (`causes`), what is said (`words`), when (`watch`)."""
