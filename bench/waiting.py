"""Waits until a site that was started answers."""

import sys
import time
from http.client import HTTPConnection


def wait_for_site(port: int) -> None:
    for _ in range(100):
        try:
            site = HTTPConnection("127.0.0.1", port, timeout=2)
            site.request("GET", "/healthz")
            if site.getresponse().status == 200:
                return
        except OSError:
            time.sleep(0.1)
    sys.exit("The site did not start.")
