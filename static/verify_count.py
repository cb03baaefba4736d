#!/usr/bin/env python3
# /// script
# requires-python = ">=3.11"
# dependencies = ["cryptography"]
# ///
"""Checks the count of a petition against its public log, without trusting the site.

    python verify_count.py https://petition.example.org
    python verify_count.py https://petition.example.org --mirror DIR      keeps a copy of the log
    python verify_count.py DIR                                            checks such a copy
    python verify_count.py DIR --receipt FILE --mailbox name@example.org  checks a receipt

It checks the signature of the checkpoint, every entry and tile, that the log only grew since the
last time (what it saw is kept in --state FILE), every total against the entries before it, and the
live counter. It prints plain sentences, or JSON with --json, and exits with 1 where something is
wrong. Formats: docs/number.md of the site; C2SP tlog-tiles, tlog-checkpoint, signed-note,
tlog-proof; RFC 6962.
"""

import argparse
import base64
import json
import os
import re
import struct
import sys
import time
from hashlib import sha256
from http.client import HTTPConnection, HTTPException, HTTPSConnection
from pathlib import Path
from urllib.parse import urlsplit

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

WIDTH = 256
ENTRY = re.compile(
    rb"v1 (?:counted [0-9a-f]{64}|restored [1-9]\d* [0-9a-f]{64}|sheet [1-9]\d* [0-9a-f]{64}"
    rb"|left [a-z_]+ [1-9]\d* [0-9a-f]{64}|total \d+ \d+ \d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ"
    rb"|rules [1-9]\d* \d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ)"
)
SAID = {
    "signed": {
        "en": "The checkpoint is signed by the log’s key: {size} entries.",
        "fr": "Le point de contrôle est signé par la clé du journal : {size} entrées.",
        "ar": "نقطة التحقّق موقَّعة بمفتاح السجلّ: {size} من القيود.",
    },
    "entries": {
        "en": "All {n} entries read now fit their hashes and the signed root.",
        "fr": "Les {n} entrées lues correspondent à leurs empreintes et à la racine signée.",
        "ar": "كلّ القيود المقروءة الآن ({n}) تطابق بصماتها الحسابية والجذر الموقَّع.",
    },
    "grew": {
        "en": "Since the last check ({old} entries) the log has only grown.",
        "fr": "Depuis le dernier contrôle ({old} entrées), le journal n’a fait que croître.",
        "ar": "منذ آخر تحقّق ({old} من القيود) لم يحدث في السجلّ إلا الإضافة.",
    },
    "first": {
        "en": "This is the first check with this state file: nothing to compare with yet.",
        "fr": "C’est le premier contrôle avec ce fichier d’état : rien à comparer encore.",
        "ar": "هذا أوّل تحقّق بملفّ الحالة هذا: لا شيء يُقارَن به بعد.",
    },
    "totals": {
        "en": "Every total ({n}) is the sum of the entries before it.",
        "fr": "Chaque total ({n}) est la somme des entrées qui le précèdent.",
        "ar": "كلّ مجموع ({n}) هو حاصل القيود التي قبله.",
    },
    "count": {
        "en": "The log counts {total} signatures: {online} online, {paper} on paper.",
        "fr": "Le journal compte {total} signatures : {online} en ligne, {paper} sur papier.",
        "ar": "يحتسب السجلّ {total} من التوقيعات: {online} عبر الإنترنت و{paper} على الورق.",
    },
    "live": {
        "en": "The live counter agrees with the log: {total}.",
        "fr": "Le compteur en direct concorde avec le journal : {total}.",
        "ar": "العدّاد المباشر يوافق السجلّ: {total}.",
    },
    "receipt": {
        "en": "The receipt is right: entry {index} counts the signature of this mailbox.",
        "fr": "Le reçu est exact : l’entrée {index} compte la signature de cette adresse.",
        "ar": "الإيصال صحيح: القيد {index} يحتسب توقيع صندوق البريد هذا.",
    },
    "no person": {
        "en": "This shows that nothing was changed or taken out unseen. It does not show that each "
        "signer is a different person.",
        "fr": "Cela montre que rien n’a été modifié ni retiré en secret. Cela ne montre pas que "
        "chaque signature vient d’une personne différente.",
        "ar": "يبيّن هذا أنّ شيئًا لم يُغيَّر ولم يُحذف خفيةً. ولا يبيّن أنّ كلّ توقيع لشخص مختلف.",
    },
    "wrong": {"en": "WRONG: {what}", "fr": "ERREUR : {what}", "ar": "خطأ: {what}"},
}
# What is wrong, in English for the record, with the sentence for readers.
FAULTS = {
    "unsigned": {
        "en": "the checkpoint is not signed by the log’s key",
        "fr": "le point de contrôle n’est pas signé par la clé du journal",
        "ar": "نقطة التحقّق غير موقَّعة بمفتاح السجلّ",
    },
    "shrunk": {
        "en": "the log has fewer entries ({size}) than at the last check ({old})",
        "fr": "le journal a moins d’entrées ({size}) qu’au dernier contrôle ({old})",
        "ar": "في السجلّ قيود ({size}) أقلّ ممّا كان في آخر تحقّق ({old})",
    },
    "rewritten": {
        "en": "what was in the log at the last check ({old} entries) has been changed",
        "fr": "ce que contenait le journal au dernier contrôle ({old} entrées) a été modifié",
        "ar": "ما كان في السجلّ عند آخر تحقّق ({old} من القيود) قد غُيّر",
    },
    "root": {
        "en": "the entries do not fit the signed root",
        "fr": "les entrées ne correspondent pas à la racine signée",
        "ar": "القيود لا تطابق الجذر الموقَّع",
    },
    "tile": {
        "en": "tile {where} does not fit the entries",
        "fr": "la tuile {where} ne correspond pas aux entrées",
        "ar": "القطعة {where} لا تطابق القيود",
    },
    "entry": {
        "en": "entry {where} is none of the documented kinds",
        "fr": "l’entrée {where} n’est d’aucun type documenté",
        "ar": "القيد {where} ليس من الأنواع الموثَّقة",
    },
    "total": {
        "en": "the total in entry {where} is not the sum of the entries before it",
        "fr": "le total de l’entrée {where} n’est pas la somme des entrées précédentes",
        "ar": "المجموع في القيد {where} ليس حاصل القيود التي قبله",
    },
    "live": {
        "en": "the live counter says {live}, the log between {least} and {most}",
        "fr": "le compteur en direct indique {live}, le journal entre {least} et {most}",
        "ar": "يقول العدّاد المباشر {live}، ويقول السجلّ ما بين {least} و{most}",
    },
    "receipt": {
        "en": "the receipt does not belong to this mailbox and this log",
        "fr": "le reçu ne correspond pas à cette adresse et à ce journal",
        "ar": "الإيصال لا يخصّ صندوق البريد هذا وهذا السجلّ",
    },
    "witness": {
        "en": "the witness {where} has not cosigned this checkpoint",
        "fr": "le témoin {where} n’a pas cosigné ce point de contrôle",
        "ar": "الشاهد {where} لم يوقّع نقطة التحقّق هذه",
    },
    "unreadable": {
        "en": "{where} cannot be read",
        "fr": "{where} ne peut pas être lu",
        "ar": "تعذّرت قراءة {where}",
    },
}
# As the site tells mailboxes apart (petition/ground/addresses.py; a test holds the two together).
SHARED = (
    (("gmail.com", "googlemail.com"), "."),
    (("icloud.com", "me.com", "mac.com"), ""),
    (("proton.me", "protonmail.com", "protonmail.ch", "pm.me"), ".-_"),
    (("fastmail.com", "fastmail.fm"), ""),
    (("yandex.ru", "yandex.com", "ya.ru", "yandex.by", "yandex.kz"), ""),
)


class Fault(Exception):
    def __init__(self, kind, **about):
        super().__init__(kind)
        self.kind, self.about = kind, about


# --- Where the log is read ----------------------------------------------------------------------


class Site:
    """The log of a site, by one connection; keeps a copy where it is told to."""

    def __init__(self, url, mirror=None):
        parts = urlsplit(url)
        kind = HTTPSConnection if parts.scheme == "https" else HTTPConnection
        self.connection = kind(parts.netloc, timeout=30)
        self.mirror = Path(mirror) if mirror else None

    def get(self, path, final=False):
        kept = self.mirror / path.removeprefix("log/") if self.mirror else None
        if kept and final and kept.exists():
            return kept.read_bytes()
        for again in (True, True, False):
            try:
                self.connection.request("GET", f"/{path}", headers={"User-Agent": "verify_count"})
                answer = self.connection.getresponse()
                content = answer.read()
                if answer.status == 200:
                    break
            except (OSError, HTTPException):
                self.connection.close()
            if not again:
                raise Fault("unreadable", where=path)
            time.sleep(1)
        if kept:
            kept.parent.mkdir(parents=True, exist_ok=True)
            half = kept.with_name(f"{kept.name}.part")
            half.write_bytes(content)
            half.replace(kept)
        return content


class Copy:
    """A copy of a log in a directory."""

    def __init__(self, directory):
        self.directory = Path(directory)

    def get(self, path, final=False):
        try:
            return (self.directory / path.removeprefix("log/")).read_bytes()
        except OSError as error:
            raise Fault("unreadable", where=path) from error


# --- The standards ------------------------------------------------------------------------------


def read_vkey(text):
    name, key_id, encoded = text.strip().split("+", 2)
    key = base64.b64decode(encoded)
    if sha256(name.encode() + b"\n" + key).digest()[:4].hex() != key_id:
        raise Fault("unsigned")
    return name, key


def is_signed(note, vkey):
    """Whether the key has signed the note; a cosignature signs its time as well."""
    name, key = read_vkey(vkey)
    text, _, lines = note.rpartition("\n\n")
    text += "\n"
    wanted = sha256(name.encode() + b"\n" + key).digest()[:4]
    for line in lines.splitlines():
        match line.split(" "):
            case ["—", by, encoded] if by == name:
                raw = base64.b64decode(encoded)
                signature, message = raw[4:], text.encode()
                if key[0] == 4:
                    (moment,) = struct.unpack(">Q", signature[:8])
                    message = f"cosignature/v1\ntime {moment}\n{text}".encode()
                    signature = signature[8:]
                try:
                    Ed25519PublicKey.from_public_bytes(key[1:]).verify(signature, message)
                except InvalidSignature:
                    continue
                if raw[:4] == wanted:
                    return True
    return False


def read_checkpoint(note):
    origin, size, root = note.split("\n")[:3]
    return origin, int(size), base64.b64decode(root)


def hash_leaf(entry):
    return sha256(b"\x00" + entry).digest()


def hash_node(left, right):
    return sha256(b"\x01" + left + right).digest()


def fold(tile):
    """The root of a full tile."""
    row = [tile[at : at + 32] for at in range(0, len(tile), 32)]
    while len(row) > 1:
        row = [hash_node(*pair) for pair in zip(row[::2], row[1::2], strict=True)]
    return row[0]


class Tree:
    """The right edge of a growing tree: one hash for each perfect subtree, the largest first."""

    def __init__(self, size=0, edge=()):
        self.size, self.edge = size, list(edge)

    def add(self, leaf):
        self.size += 1
        found, rest = leaf, self.size
        while rest % 2 == 0:
            found, rest = hash_node(self.edge.pop(), found), rest // 2
        self.edge.append(found)

    def root(self):
        if not self.edge:
            return sha256(b"").digest()
        found = self.edge[-1]
        for left in reversed(self.edge[:-1]):
            found = hash_node(left, found)
        return found


def tile_path(level, number, width=WIDTH):
    groups = [f"{number % 1000:03}"]
    while number >= 1000:
        number //= 1000
        groups.insert(0, f"x{number % 1000:03}")
    return f"log/tile/{level}/{'/'.join(groups)}" + (f".p/{width}" if width < WIDTH else "")


def read_bundle(content):
    found, at = [], 0
    while at < len(content):
        (length,) = struct.unpack_from(">H", content, at)
        found.append(content[at + 2 : at + 2 + length])
        at += 2 + length
    return found


def canonical(mailbox):
    """The mailbox as the commitment binds it."""
    local, _, domain = mailbox.strip().lower().rpartition("@")
    domain = domain.encode("idna").decode() if not domain.isascii() else domain
    bare = local.partition("+")[0]
    for domains, ignored in SHARED:
        if domain in domains:
            domain = domains[0]
            bare = "".join(c for c in bare if c not in ignored)
    return f"{bare or local}@{domain}"


# --- The check ----------------------------------------------------------------------------------


class Check:
    """Reads a log from what is known of it to its checkpoint, and adds it up."""

    def __init__(self, source, known):
        self.source, self.known = source, known
        self.tree = Tree(known.get("size", 0), [bytes.fromhex(h) for h in known.get("edge", [])])
        self.online, self.paper = known.get("online", 0), known.get("paper", 0)
        self.totals = self.read = 0
        self.low = self.high = self.online + self.paper
        self.roots = {}  # {(level, place): the root of the full tile below it}

    def run(self, vkey, witnesses, progress):
        note = self.source.get("log/checkpoint").decode()
        if not is_signed(note, vkey):
            raise Fault("unsigned")
        for witness in witnesses:
            if not is_signed(note, witness):
                raise Fault("witness", where=read_vkey(witness)[0])
        _origin, size, root = read_checkpoint(note)
        old = self.tree.size
        if size < old:
            raise Fault("shrunk", size=size, old=old)
        if size == old and root != self.tree.root():
            raise Fault("rewritten", old=old)
        for number in range(old // WIDTH, -(-size // WIDTH)):
            self._bundle(number, min(WIDTH, size - number * WIDTH), old)
            progress(self.tree.size, size)
        if self.tree.root() != root:
            raise Fault("rewritten", old=old) if old else Fault("root")
        self._upper_tiles(old, size)
        return note

    def _bundle(self, number, width, old):
        full = width == WIDTH
        content = self.source.get(tile_path("entries", number, width), full)
        entries = read_bundle(content)
        hashes = b"".join(map(hash_leaf, entries))
        if len(entries) != width or self.source.get(tile_path(0, number, width), full) != hashes:
            raise Fault("tile", where=f"0/{number}")
        if full:
            self.roots[1, number] = fold(hashes)
        for place, entry in enumerate(entries, start=number * WIDTH):
            if place >= old:
                self._entry(place, entry)
                self.tree.add(hash_leaf(entry))

    def _entry(self, place, entry):
        if not ENTRY.fullmatch(entry):
            raise Fault("entry", where=place)
        self.read += 1
        match entry.decode().split(" "):
            case ["v1", "counted", _]:
                self.online += 1
            case ["v1", "restored", n, _]:
                self.online += int(n)
            case ["v1", "sheet", n, _]:
                self.paper += int(n)
            case ["v1", "left", "sheet_taken_out", n, _]:
                self.paper -= int(n)
            case ["v1", "left", _, n, _]:
                self.online -= int(n)
            case ["v1", "total", online, paper, _]:
                if (int(online), int(paper)) != (self.online, self.paper):
                    raise Fault("total", where=place)
                self.totals += 1
        self.low = min(self.low, self.online + self.paper)
        self.high = max(self.high, self.online + self.paper)

    def _upper_tiles(self, old, size):
        """Each tile above the leaves: its hashes are the roots of the full tiles below it."""
        level = 0
        while size >> 8 * (level + 1):
            level += 1
            first, last = (old >> 8 * level) // WIDTH, -(-(size >> 8 * level) // WIDTH)
            for number in range(first, last):
                width = min(WIDTH, (size >> 8 * level) - number * WIDTH)
                tile = self.source.get(tile_path(level, number, width), width == WIDTH)
                for place in range(width):
                    # Those of the last check are not here; the signed root covers them.
                    root = self.roots.get((level, number * WIDTH + place))
                    if root and root != tile[place * 32 : place * 32 + 32]:
                        raise Fault("tile", where=f"{level}/{number}")
                if width == WIDTH:
                    self.roots[level + 1, number] = fold(tile)

    def remember(self, vkey):
        return {
            "vkey": vkey,
            "size": self.tree.size,
            "edge": [each.hex() for each in self.tree.edge],
            "online": self.online,
            "paper": self.paper,
        }


def check_live(source, check, vkey, patience=60):
    """The live counter runs ahead of the log by seconds: it must be what the log says by then."""
    until = time.monotonic() + patience
    live = json.loads(source.get("api/v1/counter.json"))["total"]
    while not check.low <= live <= check.high:
        if time.monotonic() > until:
            raise Fault("live", live=live, least=check.low, most=check.high)
        time.sleep(min(5, patience / 10))
        later = Check(source, check.remember(vkey))
        later.run(vkey, [], lambda *_: None)
        later.low, later.high = min(check.low, later.low), max(check.high, later.high)
        later.totals, later.read = later.totals + check.totals, later.read + check.read
        check = later
    return live, check


def check_receipt(text, mailbox, vkey):
    """The place of the entry. The receipt holds a checkpoint of its own, so this needs no site."""
    head, _, note = text.partition("\n\n")
    lines = head.split("\n")
    try:
        first, extra, index, *path = lines
        if first != "c2sp.org/tlog-proof@v1" or not is_signed(note, vkey):
            raise ValueError
        secret, place = base64.b64decode(extra.removeprefix("extra ")), int(index.split(" ")[1])
        _, size, root = read_checkpoint(note)
        hashed = sha256(b"petition-log/v1/counted\x00" + secret + canonical(mailbox).encode())
        found = hash_leaf(f"v1 counted {hashed.hexdigest()}".encode())
        at, last = place, size - 1
        for line in path:
            each = base64.b64decode(line)
            if at % 2 or at == last:
                found = hash_node(each, found)
                while at % 2 == 0 and at:
                    at, last = at // 2, last // 2
            else:
                found = hash_node(found, each)
            at, last = at // 2, last // 2
        if last or found != root or len(secret) != 32:
            raise ValueError
    except (ValueError, IndexError) as error:
        raise Fault("receipt") from error
    return place


def show_progress(done, of):
    if sys.stderr.isatty():
        filled = 40 * done // max(of, 1)
        bar = "#" * filled + "." * (40 - filled)
        print(f"\r[{bar}] {done}/{of}", end="" if done < of else "\n", file=sys.stderr)


def main(arguments=None):
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("log", help="the site, such as https://petition.example.org, or a copy")
    parser.add_argument("--state", type=Path, help="keeps what was seen, for the next check")
    parser.add_argument("--vkey", help="the log’s key, also a new one; else the one seen first")
    parser.add_argument("--witness", action="append", default=[], help="a key that must cosign")
    parser.add_argument("--mirror", help="keeps a copy of the log in this directory")
    parser.add_argument("--receipt", type=Path, help="checks a receipt; needs --mailbox")
    parser.add_argument("--mailbox")
    parser.add_argument("--language", choices=["ar", "fr", "en"], help="of the sentences")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args(arguments)
    language = options.language or (os.environ.get("LANG", "en")[:2])
    language = language if language in ("ar", "fr", "en") else "en"
    site = urlsplit(options.log).scheme in ("http", "https")
    source = Site(options.log, options.mirror) if site else Copy(options.log)
    said = []

    def say(what, **about):
        said.append({"what": what, **about})
        if not options.json:
            print(SAID[what][language].format(**about))

    try:
        known = {}
        if options.state and options.state.exists():
            known = json.loads(options.state.read_text("utf-8"))
        vkey = options.vkey or known.get("vkey") or source.get("log/vkey").decode().strip()
        if options.mirror:
            source.get("log/vkey")
        if options.receipt:
            index = check_receipt(options.receipt.read_text("utf-8"), options.mailbox or "", vkey)
            say("receipt", index=index)
        else:
            check = Check(source, known)
            check.run(vkey, options.witness, show_progress)
            live = None
            if site:
                live, check = check_live(source, check, vkey)
            say("signed", size=check.tree.size)
            say("entries", n=check.read)
            if known:
                say("grew", old=known["size"])
            elif options.state:
                say("first")
            say("totals", n=check.totals)
            total = check.online + check.paper
            say("count", total=total, online=check.online, paper=check.paper)
            if site:
                say("live", total=live)
            say("no person")
            if options.state:
                half = options.state.with_name(options.state.name + ".part")
                half.write_text(json.dumps(check.remember(vkey)), "utf-8")
                half.replace(options.state)
    except Fault as fault:
        what = FAULTS[fault.kind][language].format(**fault.about)
        said.append({"what": "wrong", "kind": fault.kind, **fault.about})
        if not options.json:
            print(SAID["wrong"][language].format(what=what))
    wrong = said[-1]["what"] == "wrong"
    if options.json:
        print(json.dumps({"ok": not wrong, "said": said}, ensure_ascii=False))
    return int(wrong)


if __name__ == "__main__":
    sys.exit(main())
