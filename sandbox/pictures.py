"""Product pictures, drawn from their names: one colour and one or two glyphs each."""

import hashlib
from html import escape

PICTURE = (
    '<svg xmlns="http://www.w3.org/2000/svg" width="160" height="160" viewBox="0 0 160 160">'
    '<rect width="160" height="160" rx="12" fill="hsl({hue},{strength}%,{light}%)"/>'
    '<circle cx="80" cy="76" r="54" fill="hsl({hue},60%,95%)"/>'
    '<text x="80" y="78" font-size="{size}" font-family="sans-serif" font-weight="700" text-anchor="middle"'
    ' dominant-baseline="central" fill="hsl({hue},55%,28%)">{word}</text></svg>'
)


def svg(name: str) -> str:
    """The picture called ``name``; the same name always gives the same picture."""
    word = name[:4] or "?"
    number = int.from_bytes(hashlib.sha256(name.encode()).digest()[:4], "big")
    return PICTURE.format(
        hue=number % 360,
        strength=45 + number // 360 % 4 * 8,
        light=46 + number // 1440 % 4 * 5,
        size={1: 64, 2: 44, 3: 32}.get(len(word), 25),
        word=escape(word),
    )
