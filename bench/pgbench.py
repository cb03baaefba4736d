"""What PostgreSQL does by itself on the same cores, with as many clients: the transaction that
pgbench brings along, and the site's own statement for one signer, without the site."""

import re
import shutil
import subprocess
import tempfile

from django.db import connection
from django.db.models import Max

from petition.models import ConsentText
from petition.signing import statements
from tests.pgbench import signing

SCALE = 10  # 1,000,000 rows of pgbench's own.


def prepare() -> bool:
    """Make pgbench's tables; false where there is no pgbench."""
    if not shutil.which("pgbench"):
        print("Without pgbench. Install it with: apt-get install postgresql")
        return False
    _pgbench("-i", "-q", "-s", str(SCALE))
    return True


def rates(clients: int, seconds: int) -> dict[str, float]:
    """Transactions a second: one durable update and insert, and one signature a statement."""
    common = ("-n", "-c", str(clients), "-j", "2", "-T", str(seconds))
    with tempfile.NamedTemporaryFile("w", suffix=".sql") as script:
        script.write(_signing())
        script.flush()
        return {
            "pgbench, simple update": _per_second(_pgbench(*common, "-b", "simple-update")),
            "pgbench, our statement": _per_second(_pgbench(*common, "-f", script.name)),
        }


def _signing() -> str:
    """The site's own statement, each time of a new signer, alone."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT max(proname) FROM pg_proc WHERE proname LIKE %s",
            [f"{statements.SIGN.name}\\_%"],
        )
        (name,) = cursor.fetchone()
    consent = ConsentText.objects.aggregate(last=Max("pk"))["last"]
    return signing(name, consent)


def _pgbench(*arguments: str) -> str:
    about = connection.settings_dict
    url = "postgres://{USER}:{PASSWORD}@{HOST}:{PORT}/{NAME}".format(**about)
    done = subprocess.run(["pgbench", *arguments, url], capture_output=True, text=True, check=True)
    return done.stdout


def _per_second(told: str) -> float:
    found = re.search(r"^tps = ([\d.]+)", told, re.MULTILINE)
    assert found, told
    return float(found[1])
