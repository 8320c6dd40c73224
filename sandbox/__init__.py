"""A stateful stand-in of the WeChat Store HTTP API, for 127.0.0.1 only.

It is written from the platform's documents alone and shares no code with the product: a mistake in the
product's reading of the documents must not be repeated here by import.
"""
