"""Asks the desk on this machine how it is: `healthcheck.py /healthz`; exit 0 when it answers 200.

It asks as the proxy does, under the name and scheme of PUBLIC_URL, which the desk insists on.
"""

import http.client
import os
import sys
from urllib.parse import urlsplit


def main(path: str) -> int:
    """The exit code."""
    public = urlsplit(os.environ.get("PUBLIC_URL", "http://127.0.0.1:8000"))
    desk = http.client.HTTPConnection("127.0.0.1", int(os.environ.get("PORT", "8000")), timeout=4)
    desk.request("GET", path, headers={"Host": public.netloc, "X-Forwarded-Proto": public.scheme})
    return 0 if desk.getresponse().status == 200 else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1] if len(sys.argv) > 1 else "/healthz"))
