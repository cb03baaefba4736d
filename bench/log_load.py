"""What the log costs: confirming with the historian beside it and without, and a thousand readers
of its files while the database is down. Needs `wrk` (Debian's package)."""

import os
import re
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from statistics import median

from bench import crowd, ratios
from bench.desk import environment
from petition.log.tiles import Missing, place
from petition.models import LogHead, Signature
from tests import equipment

READERS, SECONDS = 1000, 10
# Each reader asks for the next of the paths; a wrong answer is counted by wrk.
READS = """
local paths, at = {}, 0
function init()
  for line in io.lines("%s") do paths[#paths + 1] = line end
end
function request()
  at = at %% #paths + 1
  return wrk.format("GET", paths[at])
end
"""


def run() -> dict:
    found = {"confirm": _confirming(), "readers": _reading()}
    print("The log under load")
    for name, about in found.items():
        print(f"  {name}: {about}")
    return found


def _confirming() -> dict:
    """Rounds in turn, so that a slower minute of the machine meets both."""
    crowd.empty()
    about = environment() | ratios.production()
    server = _gunicorn(about, ratios.PORT)
    rates: dict[str, list[float]] = {"with": [], "without": []}
    try:
        ratios._wait()
        for _ in range(ratios.ROUNDS):
            for how, each in rates.items():
                historian = _historian(about) if how == "with" else None
                with tempfile.TemporaryDirectory() as folder:
                    paths = Path(folder) / "paths"
                    paths.write_text("".join(ratios._to_confirm(20_000)))
                    each.append(ratios._wrk("/none", ratios.CONFIRMS % {"paths": paths}))
                if historian:
                    historian.terminate()
                    historian.wait()
    finally:
        server.terminate()
        server.wait()
    waiting = Signature.objects.counted().filter(in_log=False).count()
    logged = LogHead.objects.values_list("size", flat=True).first()
    return {how: round(median(each)) for how, each in rates.items()} | {
        "ratio": round(median(rates["with"]) / median(rates["without"]), 2),
        "logged": logged, "waiting": waiting,
    }  # fmt: skip


def _historian(about: dict) -> subprocess.Popen:
    """As its unit starts it: the web process goes first, which has 5."""
    command = ["nice", "-n", "15", sys.executable, "manage.py", "historian"]
    started = subprocess.Popen(command, env=about, stderr=subprocess.DEVNULL)
    time.sleep(2)
    return started


def _reading() -> dict:
    """A site of its own: the benchmarks' database cannot be stopped under them."""
    with equipment.server({}) as database, tempfile.TemporaryDirectory() as folder:
        about = os.environ | ratios.production() | {
            "DATABASE_URL": database.url, "LAST_GOOD_DIR": folder, "DEBUG": "1",
        }  # fmt: skip
        for command in (["migrate"], ["load_sample_data"], ["historian", "--once"]):
            done = [sys.executable, "manage.py", *command]
            subprocess.run(done, env=about, check=True, capture_output=True)
        files = [p for p in Path(folder, "log").glob("*/*/*") if p.is_file()]
        paths = ["/log/checkpoint", *(_address(p) for p in files)]
        server = _gunicorn(about, ratios.PORT)
        try:
            ratios._wait()
            database.stop(signal.SIGQUIT)
            time.sleep(3)
            return _ask(paths) | {"paths": len(paths)}
        finally:
            server.terminate()
            server.wait()


def _address(file: Path) -> str:
    """The address of a tile's copy."""
    level, number = int(file.parts[-3]), int(file.parts[-1])
    width = file.stat().st_size // 32 if level >= 0 else file.read_bytes().count(b"v1 ")
    path = f"{'entries' if level < 0 else level}/{number:03}"
    path += f".p/{width}" if width < 256 else ""
    try:
        place(path)
    except Missing:
        sys.exit(f"{path} is no tile")
    return f"/log/tile/{path}"


def _ask(paths: list[str]) -> dict:
    with tempfile.TemporaryDirectory() as folder:
        named, script = Path(folder) / "paths", Path(folder) / "reads.lua"
        named.write_text("\n".join(paths))
        script.write_text(READS % named)
        command = ["wrk", "-t2", f"-c{READERS}", f"-d{SECONDS}s", "--timeout", "10s", "--latency",
                   "-s", str(script), ratios.SITE]  # fmt: skip
        said = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    wrong = re.search(r"Non-2xx or 3xx responses: (\d+)", said)
    errors = re.search(r"Socket errors: (.*)", said)
    slow = re.search(r"99%\s+(\S+)", said)
    return {
        "a second": round(float(re.search(r"Requests/sec:\s+([\d.]+)", said)[1])),
        "99 %": slow[1] if slow else "", "wrong": int(wrong[1]) if wrong else 0,
        "socket errors": errors[1] if errors else "none",
    }  # fmt: skip


def _gunicorn(about: dict, port: int) -> subprocess.Popen:
    command = ["nice", "-n", "5", sys.executable, "-m", "gunicorn", "campaign_site.wsgi",
               "-b", f"127.0.0.1:{port}"]  # fmt: skip
    return subprocess.Popen(command, env=about, stderr=subprocess.DEVNULL)
