"""The grade that Mozilla's HTTP Observatory gives the site, by Mozilla's own program from the npm
registry: `.venv/bin/python -m bench.observatory`, part of `make audit`. Needs node, npm and nginx.

The site runs as in production behind deploy/nginx.conf, on the ports 80 and 443 of a network
namespace that nobody else sees; its host stands in no DNS.
"""

import json
import os
import shutil
import subprocess
import sys
import tempfile
from contextlib import ExitStack, contextmanager
from pathlib import Path

from bench.waiting import wait_for_site

TOOLS = Path("var/audit")
SCANNER = TOOLS / "node_modules/@mdn/mdn-http-observatory/src/scan.js"
SITE, DESK, PORT = "petition.example", "desk.petition.example", 8765
WITHIN = "within"  # Called again so, inside of the namespaces.


def main() -> None:
    if missing := [
        name for name in ("npm", "nginx", "openssl", "unshare") if not shutil.which(name)
    ]:
        sys.exit(f"Missing: {', '.join(missing)}. Install with: apt-get install npm nginx openssl")
    TOOLS.mkdir(parents=True, exist_ok=True)
    # Its installation fetches the browsers' lists of hosts that are always https; ours is on none.
    subprocess.run(["npm", "install", "--silent", "--ignore-scripts", "--prefix", TOOLS,
                    "@mdn/mdn-http-observatory@1"], check=True)  # fmt: skip
    (SCANNER.parents[1] / "conf/hsts-preload.json").write_text("{}")
    own = ["unshare", "--net", "--mount"] + (["--map-root-user"] if os.geteuid() else [])
    sys.exit(subprocess.run([*own, sys.executable, "-m", "bench.observatory", WITHIN]).returncode)


def within() -> None:
    with tempfile.TemporaryDirectory() as folder, ExitStack() as together:
        here = Path(folder)
        here.chmod(0o755)
        _own_network(here)
        environment = _environment(here)
        for command in (["migrate", "-v", "0"], ["collectstatic", "--noinput", "-v", "0"]):
            subprocess.run([sys.executable, "manage.py", *command], env=environment, check=True)
        web = [sys.executable, "-m", "gunicorn", "campaign_site.wsgi", "-b", f"127.0.0.1:{PORT}"]
        together.enter_context(_running(web, env=environment))
        together.enter_context(_running(["nginx", "-c", str(_nginx(here))]))
        wait_for_site(PORT)
        for host in (SITE, DESK):
            _tell(host, here)


def _own_network(here: Path) -> None:
    subprocess.run(["ip", "link", "set", "lo", "up"], check=True)
    hosts = here / "hosts"
    hosts.write_text(f"127.0.0.1 localhost {SITE} {DESK}\n")
    subprocess.run(["mount", "--bind", hosts, "/etc/hosts"], check=True)


def _environment(here: Path) -> dict[str, str]:
    key = "b2JzZXJ2YXRvcnktb2JzZXJ2YXRvcnktb2JzZXJ2YXQ"
    return os.environ | {
        "DEBUG": "0", "SECRET_KEY": "observatory-" * 6, "DATA_KEYS": key, "LOG_KEY": key,
        "SITE_URL": f"https://{SITE}", "ADMIN_HOST": DESK, "TRUSTED_PROXIES": "1",
        "ALLOWED_HOSTS": f"{SITE},{DESK},127.0.0.1", "CHALLENGE": "altcha",
        "DATABASE_URL": f"sqlite:///{here}/site.sqlite3", "LAST_GOOD_DIR": str(here / "last-good"),
    }  # fmt: skip


def _nginx(here: Path) -> Path:
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj",
         f"/CN={SITE}", "-addext", f"subjectAltName=DNS:{SITE},DNS:{DESK}", "-keyout",
         here / "key.pem", "-out", here / "certificate.pem"],
        check=True, capture_output=True,
    )  # fmt: skip
    text = Path("deploy/nginx.conf").read_text("utf-8")
    for name, value in (
        ("CACHE_DIR", here / "cache"), ("UPSTREAM", f"127.0.0.1:{PORT}"),
        ("SERVER_NAME", f"{SITE} {DESK}"), ("CERTIFICATE_KEY", here / "key.pem"),
        ("CERTIFICATE", here / "certificate.pem"), ("HTTPS_PORT", 443), ("HTTP_PORT", 80),
        ("ACCESS_LOG", here / "access.log"), ("DEPLOY_DIR", Path("deploy").resolve()),
    ):  # fmt: skip
        text = text.replace(name, str(value))
    path = here / "nginx.conf"
    user = "" if os.geteuid() else "user root;"
    path.write_text(
        f"{user} daemon off; pid {here}/nginx.pid; error_log {here}/nginx-error.log;\n"
        f"events {{ }}\nhttp {{ include /etc/nginx/mime.types;\n{text}\n}}\n"
    )
    return path


def _tell(host: str, here: Path) -> None:
    done = subprocess.run(
        ["node", SCANNER, host], capture_output=True, text=True,
        env=os.environ | {"NODE_EXTRA_CA_CERTS": str(here / "certificate.pem")},
    )  # fmt: skip
    if done.returncode:
        sys.exit(f"The scanner failed on {host}: {done.stdout}{done.stderr}")
    found = json.loads(done.stdout)
    said = found["scan"]
    print(f"Mozilla's HTTP Observatory, {host}: {said['grade']}, {said['score']} points, "
          f"{said['testsPassed']} of {said['testsQuantity']} tests passed")  # fmt: skip
    for name, each in found["tests"].items():
        if not each["pass"] or each["scoreModifier"]:
            print(f"  {name}: {each['result']} ({each['scoreModifier']:+d})")


@contextmanager
def _running(command: list[str], **options):
    process = subprocess.Popen(command, stderr=subprocess.DEVNULL, **options)
    try:
        yield process
    finally:
        process.terminate()
        process.wait()


if __name__ == "__main__":
    within() if sys.argv[1:] == [WITHIN] else main()
