"""What the site is made of: `python -m bench.supply`, part of `make audit`.

Writes a bill of materials (CycloneDX) to var/audit/sbom.json, asks for known weaknesses of the
pinned versions, and says when each named package had its last release; `--write` puts that into
docs/dependencies.md.
"""

import json
import re
import subprocess
import sys
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from urllib.error import URLError
from urllib.request import Request, urlopen

ROOT = Path(__file__).resolve().parent.parent
BIN = Path(sys.executable).parent
SBOM = ROOT / "var" / "audit" / "sbom.json"
TABLE = ROOT / "docs" / "dependencies.md"
INDEX = "https://pypi.org/simple/{}/"
JSON = "application/vnd.pypi.simple.v1+json"  # PEP 700: it has the time of each file.
OLD_DAYS = 730


def main(write: bool) -> int:
    SBOM.parent.mkdir(parents=True, exist_ok=True)
    bill()
    found = weaknesses()
    releases(write)
    return found


def bill() -> None:
    command = [BIN / "cyclonedx-py", "requirements", "requirements.txt", "--of", "JSON",
               "--output-reproducible", "-o", SBOM]  # fmt: skip
    subprocess.run(command, cwd=ROOT, check=True, capture_output=True)
    components = json.loads(SBOM.read_text("utf-8"))["components"]
    print(f"Bill of materials: {len(components)} packages, {SBOM.relative_to(ROOT)}")


def weaknesses() -> int:
    """How many packages have a known one. Where their database is not reached, that is said."""
    done = subprocess.run(
        [BIN / "pip-audit", "-r", "requirements.txt", "--require-hashes", "--disable-pip",
         "--format", "json", "--progress-spinner", "off"],
        cwd=ROOT, capture_output=True, text=True,
    )  # fmt: skip
    try:
        packages = json.loads(done.stdout)["dependencies"]
    except ValueError:
        packages = []
    judged = [package for package in packages if "vulns" in package]
    if not judged:
        print("Known weaknesses: pypi.org does not tell them here. Run it elsewhere:")
        print("  pip-audit -r requirements.txt --require-hashes --disable-pip")
        return 0
    weak = [package for package in judged if package["vulns"]]
    print(f"Known weaknesses: {len(judged)} packages judged, {len(weak)} with one")
    for package in weak:
        for one in package["vulns"]:
            mended = ", ".join(one["fix_versions"]) or "not mended yet"
            print(f"  {package['name']} {package['version']}: {one['id']}, mended in {mended}")
    return len(weak)


def releases(write: bool) -> None:
    """The day of each named package's last file on PyPI."""
    days = {}
    for line in named():
        if day := last_release(re.sub("[_.]", "-", line).lower()):
            days[line.lower()] = day
    if not days:
        print("Last releases: PyPI is not reached from here.")
        return
    old = [f"{name} ({day})" for name, day in days.items() if (date.today() - day).days > OLD_DAYS]
    print(f"Last releases: {len(days)} packages, older than two years: {', '.join(old) or 'none'}")
    if write:
        rows = TABLE.read_text("utf-8").splitlines()
        TABLE.write_text("\n".join(with_day(row, days) for row in rows) + "\n", "utf-8")


def with_day(row: str, days: dict[str, date]) -> str:
    parts = re.fullmatch(r"(\| ([\w.-]+) \|.*?)(?: \d{4}-\d\d-\d\d)? ?\|", row)
    day = days.get(parts[2].lower()) if parts else None
    return f"{parts[1]} {day} |" if parts and day else row


def named() -> Iterator[str]:
    for path in ("requirements.in", "requirements-dev.txt"):
        text = (ROOT / path).read_text("utf-8")
        yield from re.findall(r"^([A-Za-z][\w.-]*)(?:\[\w+\])?==", text, re.MULTILINE)


def last_release(package: str) -> date | None:
    try:
        request = Request(INDEX.format(package), headers={"Accept": JSON})
        with urlopen(request, timeout=20) as answer:
            files = json.load(answer)["files"]
        return max(date.fromisoformat(file["upload-time"][:10]) for file in files)
    except (URLError, ValueError, KeyError, OSError):
        return None


if __name__ == "__main__":
    sys.exit(main("--write" in sys.argv))
