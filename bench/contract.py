"""Schemathesis over the OpenAPI document: thousands of made-up requests against the real web
process, every check on. Part of `make audit`; alone: `.venv/bin/python -m bench.contract`."""

import json
import subprocess
import sys
from pathlib import Path

from bench.screenshots import BASE, prepare, site_running
from tests.making import make_figures

REPORT = Path("var/contract.json")
AT_LEAST = 5000


def run() -> None:
    """Prints how many cases there were; ends the run where an answer was not as documented."""
    done = subprocess.run(
        [
            Path(sys.executable).with_name("schemathesis"),
            "--config-file", "bench/schemathesis.toml", "run", f"{BASE}/api/v1/openapi.json",
            "--checks", "all", "--max-examples", "650", "--report-json-path", REPORT,
        ],
        capture_output=True, text=True,
    )  # fmt: skip
    if done.returncode:
        sys.exit(done.stdout)
    found = json.loads(REPORT.read_text("utf-8"))
    cases, seconds = found["test_cases"], found["running_time"]
    assert cases["generated"] >= AT_LEAST
    print(
        f"Schemathesis: {cases['generated']} cases over {found['operations']['tested']} addresses "
        f"in {seconds:.0f} s, {cases['with_failures']} failures"
    )


if __name__ == "__main__":
    prepare()
    make_figures()
    with site_running():
        run()
