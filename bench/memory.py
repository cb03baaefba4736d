"""Memory of one web process: under a million different queries on ten pages, and after 100,000
requests of all kinds. Needs `wrk` (Debian's package)."""

import re
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from bench import ratios
from bench.desk import environment

QUERIES, REQUESTS, CLIENTS = 1_000_000, 100_000, 16
PAGES = ["", "sign/", "tracks/", "tracks/fate/", "cases/", "news/", "counter/", "press/", "about/",
         "privacy/"]  # fmt: skip
# Each request has a query that nobody asked with before.
ODD = """
local pages = {%s}
local n, thread = 0, 0
function setup(t) t:set("thread", thread); thread = thread + 1 end
function request()
  n = n + 1
  local page = pages[n %% #pages + 1]
  local query = "?utm_source=" .. thread .. "x" .. n .. "&fbclid=" .. n * 7
  return wrk.format("GET", "/ar/" .. page .. query)
end
"""


def run() -> None:
    about = environment() | ratios.production() | {"WEB_CONCURRENCY": "1"}
    server = subprocess.Popen(
        [sys.executable, "-m", "gunicorn", "campaign_site.wsgi", "-b", f"127.0.0.1:{ratios.PORT}"],
        env=about, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    try:
        ratios._wait()
        (worker,) = Path(f"/proc/{server.pid}/task/{server.pid}/children").read_text().split()
        for page in PAGES * 3:
            _get(f"/ar/{page}")
        start = _megabytes(worker)
        pages = ", ".join(f'"{page}"' for page in PAGES)
        rate = _for_a_while(QUERIES, ODD % pages)
        print(f"One web process: {start:.0f} MB with ten pages in memory")
        print(f"  after {QUERIES:,} different queries at {rate:,.0f}/s: "
              f"{_megabytes(worker) - start:+.0f} MB (bar +64)")  # fmt: skip
        half = 0.0
        for number in range(2):
            _for_a_while(REQUESTS // 4, "")
            _for_a_while(REQUESTS // 4, ratios.POSTS % {"round": f"m{number}"}, "/ar/sign/")
            half = half or _megabytes(worker)
        print(f"  after {REQUESTS:,} requests, half of them signing: {_megabytes(worker):.0f} MB "
              f"(bar 110), {_megabytes(worker) - half:+.0f} in the second half")  # fmt: skip
    finally:
        server.terminate()
        server.wait()


def _megabytes(pid: str) -> float:
    status = Path(f"/proc/{pid}/status").read_text()
    return int(re.search(r"VmRSS:\s+(\d+)", status)[1]) / 1024


def _get(path: str) -> None:
    with ratios.urlopen(ratios.SITE + path) as answer:
        answer.read()


def _for_a_while(requests: int, script: str, path: str = "/ar/") -> float:
    """At least so many requests, by spans of ten seconds; requests a second."""
    done, began = 0, time.monotonic()
    with tempfile.NamedTemporaryFile("w", suffix=".lua") as file:
        while done < requests:
            # wrk begins to count anew in each span: what was asked before must not come again.
            file.seek(0)
            file.truncate()
            file.write(script.replace("local n, thread = 0, 0", f"local n, thread = {done}, 0"))
            file.flush()
            extra = ["-s", file.name] if script else []
            said = subprocess.run(
                ["wrk", "-t2", f"-c{CLIENTS}", "-d10s", *extra, ratios.SITE + path],
                capture_output=True, text=True, check=True,
            ).stdout  # fmt: skip
            assert "Non-2xx" not in said, said
            done += int(re.search(r"(\d+) requests in", said)[1])
    return done / (time.monotonic() - began)
