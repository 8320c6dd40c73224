"""What pages are asked, as it may reach the database: PostgreSQL holds no NUL, and no browser sends one."""

from collections.abc import Callable

from django.http import Http404, HttpRequest, HttpResponse, QueryDict

NUL = "\x00"


def without_nul(
    get_response: Callable[[HttpRequest], HttpResponse],
) -> Callable[[HttpRequest], HttpResponse]:
    """A path with a NUL leads nowhere; in a query or a form it is left out."""

    def middleware(request: HttpRequest) -> HttpResponse:
        if NUL in request.path_info:
            raise Http404
        request.GET = _cleaned(request.GET)  # type: ignore[assignment]  # immutable as well
        if request.method == "POST" and request.content_type != "application/json":
            request.POST = _cleaned(request.POST)  # type: ignore[assignment]
        return get_response(request)

    return middleware


def _cleaned(data: QueryDict) -> QueryDict:
    if not any(NUL in text for texts in data.lists() for text in (texts[0], *texts[1])):
        return data
    clean = QueryDict(mutable=True, encoding=data.encoding)
    for name, texts in data.lists():
        clean.setlist(name.replace(NUL, ""), [text.replace(NUL, "") for text in texts])
    clean._mutable = False
    return clean
