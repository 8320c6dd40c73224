"""Code 128 as a picture that a page carries within itself."""

import base64

from barcode.codex import Code128
from barcode.writer import SVGWriter

# In millimetres; 0.375 is three dots of a 203 dpi label printer, so every bar ends on a whole dot.
OPTIONS = {"module_width": 0.375, "module_height": 12.0, "quiet_zone": 3.75, "write_text": False}


def code128_svg(text: str) -> bytes:
    """The bars of a text, without the text itself: the page writes that in its own letters."""
    return bytes(Code128(text, writer=SVGWriter()).render(OPTIONS))


def code128_image(text: str) -> str:
    """The bars as an address for an <img>."""
    return "data:image/svg+xml;base64," + base64.b64encode(code128_svg(text)).decode("ascii")
