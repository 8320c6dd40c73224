"""Sealing what the platform pushes: AES-256-CBC, padding to 32, and the signature (store-api.md 4.3)."""

import base64
import hashlib
import secrets

from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

BLOCK = 32


def seal(message: str, aes_key: str, appid: str) -> str:
    """16 random bytes, the length, the message and the appid, padded, encrypted, in base64."""
    key, raw = base64.b64decode(aes_key + "="), message.encode()
    plain = secrets.token_bytes(16) + len(raw).to_bytes(4, "big") + raw + appid.encode()
    padding = BLOCK - len(plain) % BLOCK
    encryptor = Cipher(algorithms.AES(key), modes.CBC(key[:16])).encryptor()
    sealed = encryptor.update(plain + bytes([padding]) * padding) + encryptor.finalize()
    return base64.b64encode(sealed).decode()


def sign(*parts: str) -> str:
    """sha1 of the sorted parts: token, timestamp, nonce and, for a push, what is encrypted."""
    return hashlib.sha1("".join(sorted(parts)).encode()).hexdigest()  # noqa: S324 - the platform's choice  # nosec B324
