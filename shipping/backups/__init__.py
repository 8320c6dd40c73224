"""A desk in one file: a consistent copy of its database with a manifest, and the way back.

The file is a zip of `manifest.json` and the database. Secrets are in it as they are in the database, under
CREDENTIAL_KEYS; the keys are not, the manifest tells them by fingerprint.
"""
