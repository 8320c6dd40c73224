"""What templates need for packing slips: the papers and the barcode."""

from typing import Any

from django import template
from django.http import HttpRequest

from shipping.barcodes import code128_image
from shipping.slips import PAPERS, USUAL_PAPER

register = template.Library()


@register.filter
def code128(text: str) -> str:
    """The address of a text's barcode."""
    return code128_image(text)


@register.filter
def usual_paper(request: HttpRequest) -> str:
    """The paper this person printed on last."""
    return str(request.session.get("paper", USUAL_PAPER))


@register.simple_tag
def papers() -> list[tuple[str, Any]]:
    return list(PAPERS.items())
