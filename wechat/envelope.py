"""The envelope of what WeChat pushes: who sent it, and what is in it (store-api 4.3).

A thin one over `cryptography`: signature first, in constant time, then AES-256-CBC, then whose it is.
"""

import base64
import binascii
import hashlib
import hmac
import json
from typing import Any
from xml.parsers import expat

from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

BLOCK = 32
# An element within an element: what the platform sends is four deep.
DEEPEST = 8
RANDOM, LENGTH = 16, 4


class Forged(Exception):
    """Not from the platform, or not for us; str says at which step, never what was in it."""


def is_signed(msg_signature: str, token: str, timestamp: str, nonce: str, encrypted: str = "") -> bool:
    """Whether it bears our Token's signature; a plain URL check encrypts nothing (store-api 4.3)."""
    joined = "".join(sorted((token, timestamp, nonce, encrypted)))
    made = hashlib.sha1(joined.encode()).hexdigest()  # noqa: S324 - the platform's choice  # nosec B324
    return hmac.compare_digest(made.encode(), msg_signature.encode())


def open_sealed(encrypted: str, aes_key: str, appid: str) -> bytes:
    """The message inside; raises Forged if it does not open with our key or is another account's."""
    plain = _unpad(_decrypt(encrypted, key_bytes(aes_key)))
    end = RANDOM + LENGTH + int.from_bytes(plain[RANDOM : RANDOM + LENGTH], "big")
    if len(plain) < RANDOM + LENGTH or end > len(plain):
        raise Forged("length")
    if not hmac.compare_digest(plain[end:], appid.encode()):
        raise Forged("appid")
    return plain[RANDOM + LENGTH : end]


def key_bytes(aes_key: str) -> bytes:
    """The 32 bytes of an EncodingAESKey of 43 characters; ValueError if it is none."""
    try:
        key = base64.b64decode(aes_key + "=", validate=True)
    except binascii.Error:
        key = b""
    if len(key) != 32:
        raise ValueError("an EncodingAESKey has 43 letters and digits") from None
    return key


def _decrypt(encrypted: str, key: bytes) -> bytes:
    try:
        sealed = base64.b64decode(encrypted, validate=True)
        decryptor = Cipher(algorithms.AES(key), modes.CBC(key[:16])).decryptor()
        return decryptor.update(sealed) + decryptor.finalize()
    except (ValueError, binascii.Error):
        raise Forged("cipher") from None


def _unpad(plain: bytes) -> bytes:
    """PKCS#7 with blocks of 32, so the padding is 1 to 32 bytes long."""
    count = plain[-1] if plain else 0
    if not 1 <= count <= BLOCK or plain[-count:] != bytes([count]) * count:
        raise Forged("padding")
    return plain[:-count]


def read_message(raw: bytes) -> dict[str, str]:
    """JSON for own stores, XML for a platform's (store-api 4.2): text by path, as "order_info.order_id".

    Raises Forged for what is neither.
    """
    return read_xml(raw) if raw.lstrip().startswith(b"<") else read_json(raw)


def read_json(raw: bytes) -> dict[str, str]:
    """Every value of a JSON object by its path; numbers keep their digits, order ids are longer than 2**53.

    Raises Forged for anything but an object.
    """
    try:
        text = raw.decode(errors="replace")
        found = json.loads(text, parse_int=str, parse_float=str, parse_constant=str, strict=False)
    except (ValueError, RecursionError):
        raise Forged("json") from None
    if not isinstance(found, dict):
        raise Forged("json")
    return _flat(found)


def _flat(found: dict[str, Any], deepest: int = 5) -> dict[str, str]:
    """Lists, and what lies deeper than anything the platform sends, are left out."""
    texts = {name: value for name, value in found.items() if isinstance(value, str)}
    inner = {name: value for name, value in found.items() if isinstance(value, dict) and deepest}
    for name, values in inner.items():
        texts |= {f"{name}.{path}": text for path, text in _flat(values, deepest - 1).items()}
    return texts


def read_xml(raw: bytes) -> dict[str, str]:
    """The text of every element by its path below the root, as "AppId" or "order_info.order_id".

    Raises Forged for what is no XML, and for any DTD: entities are how XML is used as a weapon.
    """
    reader = _Reader()
    parser = expat.ParserCreate()
    parser.StartElementHandler, parser.EndElementHandler = reader.start, reader.end
    parser.CharacterDataHandler, parser.StartDoctypeDeclHandler = reader.text, reader.doctype
    try:
        parser.Parse(raw, True)
    except expat.ExpatError:
        raise Forged("xml") from None
    return reader.found


class _Reader:
    def __init__(self) -> None:
        self.found: dict[str, str] = {}
        self._path: list[str] = []

    def start(self, name: str, attributes: dict[str, str]) -> None:
        self._path.append(name)
        # Each text is kept under the whole of its path: thousands of elements deep, that fills the memory.
        if len(self._path) > DEEPEST:
            raise Forged("deep")

    def end(self, name: str) -> None:
        self._path.pop()

    def text(self, text: str) -> None:
        if len(self._path) > 1:
            path = ".".join(self._path[1:])
            self.found[path] = self.found.get(path, "") + text

    def doctype(self, *told: object) -> None:
        raise Forged("doctype")
