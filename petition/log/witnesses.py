"""Asks witnesses to cosign the log (C2SP tlog-witness), so that a site that shows two histories is
found out. One that is down or refuses delays nothing."""

import base64
import logging
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from http.client import HTTPException
from urllib.error import HTTPError
from urllib.request import Request, urlopen

from django.conf import settings

from petition.log import merkle, notes
from petition.log.tiles import Tiles
from petition.models import LogHead, LogWitness

logger = logging.getLogger(__name__)

PATIENCE_SECONDS = 3
MOST_BYTES = 10_000
CONFLICT = 409  # The witness has seen another size than we think; it says which.


@dataclass(frozen=True)
class Answer:
    """A witness's signature line, or how long a log it has seen, or neither."""

    line: str = ""
    size: int | None = None


def ask() -> int:
    """Ask every witness for its signature under the newest checkpoint; returns how many gave it."""
    head = LogHead.objects.exclude(checkpoint="").first()
    if head is None or not settings.LOG_WITNESSES:
        return 0
    keys = {url: notes.verifier(key) for url, key in settings.LOG_WITNESSES}
    signed = notes.signers(head.checkpoint, list(keys.values()))
    missing = [url for url, key in keys.items() if key not in signed]
    lines: list[str] = []
    for _ in range(2):  # Again where a witness has seen another size than we remember.
        asked = {url: _body(url, head) for url in missing}
        if not asked:
            break
        with ThreadPoolExecutor(len(asked)) as pool:
            calls = {url: pool.submit(_post, url, keys[url], *body) for url, body in asked.items()}
        missing = []
        for url, call in calls.items():
            answer = call.result()
            if answer.line:
                lines.append(answer.line)
                LogWitness.objects.filter(url=url).update(size=head.size)
            elif answer.size is not None and answer.size <= head.size:
                LogWitness.objects.filter(url=url).update(size=answer.size)
                missing.append(url)
    # A newer head has no use for them.
    same = LogHead.objects.filter(size=head.size, checkpoint=head.checkpoint)
    same.update(checkpoint=head.checkpoint + "".join(lines))
    return len(lines)


def _body(url: str, head: LogHead) -> tuple[str, str]:
    """What to post, and the checkpoint that is to be signed."""
    old = LogWitness.objects.get_or_create(url=url)[0].size
    proof = merkle.consistency(Tiles().read, old, head.size) if old else []
    lines = [f"old {old}", *(base64.b64encode(each).decode() for each in proof)]
    return "\n".join(lines) + "\n\n" + head.checkpoint, head.checkpoint


def _post(url: str, key: notes.Verifier, body: str, note: str) -> Answer:
    request = Request(f"{url}/add-checkpoint", body.encode(), method="POST")  # noqa: S310
    try:
        with urlopen(request, timeout=PATIENCE_SECONDS) as answer:  # noqa: S310
            said = answer.read(MOST_BYTES).decode()
        return Answer(line=_own_line(f"{notes.split(note)[0]}\n{said}", key))
    except HTTPError as error:
        with error:
            said = error.read(MOST_BYTES).decode("ascii", "replace").strip()
        if error.code == CONFLICT and said.isdecimal():
            return Answer(size=int(said))
        logger.warning("The witness %s does not cosign (%s).", key.name, error.code)
    except (OSError, HTTPException, ValueError) as error:
        logger.warning("The witness %s does not cosign (%s).", key.name, type(error).__name__)
    return Answer()


def _own_line(note: str, key: notes.Verifier) -> str:
    """The line of this witness, where it has signed rightly. Raises notes.Invalid."""
    if key in notes.signers(note, [key]):
        for name, key_id, signature in notes.split(note)[1]:
            if (name, key_id) == (key.name, key.key_id):
                return notes.signature_line(key, signature)
    raise notes.Invalid(key.name)
