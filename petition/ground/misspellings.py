"""Guesses which large provider a misspelt domain means, so that a signer is asked before a letter
goes nowhere. Asks no network: a list of ours, and how few keystrokes lie between.
"""

from functools import lru_cache

# Where people of the launch countries have their mailboxes (providers' own pages, 2026).
PROVIDERS = """gmail.com googlemail.com hotmail.com hotmail.fr hotmail.es hotmail.be hotmail.co.uk
    hotmail.it hotmail.de outlook.com outlook.fr outlook.es outlook.be outlook.sa live.com
    live.fr live.be live.nl live.co.uk msn.com yahoo.com yahoo.fr yahoo.es yahoo.co.uk yahoo.de
    yahoo.it ymail.com rocketmail.com icloud.com me.com mac.com aol.com proton.me protonmail.com
    gmx.com gmx.fr gmx.de gmx.net mail.com mail.ru yandex.com yandex.ru zoho.com tutanota.com
    fastmail.com menara.ma laposte.net orange.fr wanadoo.fr free.fr sfr.fr bbox.fr neuf.fr
    numericable.fr skynet.be telenet.be proximus.be voo.be telefonica.net planet.tn topnet.tn
    gnet.tn hadara.ps palnet.com cyberia.net.lb terra.net.lb idm.net.lb inco.com.lb link.net
    tedata.net.eg""".split()  # noqa: SIM905
# Real domains that are a keystroke away from one above: nobody is asked about these.
REAL = frozenset(
    """email.com gmx.at gmx.ch gmx.es gmx.us gmx.co.uk hotmail.nl hotmail.ch hotmail.ca hotmail.gr
    hotmail.se live.ca live.it live.de live.se live.no live.dk live.cl live.ma live.com.mx
    outlook.it outlook.de outlook.pt outlook.dk yahoo.ca yahoo.in yahoo.gr yahoo.se yahoo.ro
    yahoo.be yahoo.nl yahoo.ie yahoo.pl yahoo.at mail.fr mail.be mail.de mail.ee mail.bg pm.me
    ya.ru aol.fr aol.de zoho.eu free.org orange.tn orange.be orange.es orange.net sfr.net bk.ru
    list.ru inbox.com fmail.com yandex.by yandex.kz tutanota.de fastmail.fm""".split()  # noqa: SIM905
)
# What people type for an ending: a neighbouring key, a letter twice, or one left out.
ENDINGS = dict.fromkeys(
    [
        "con",
        "cmo",
        "ocm",
        "comm",
        "coom",
        "vom",
        "xom",
        "cpm",
        "cim",
        "clm",
        "om",
        "cm",
        "co",
        "c",
        "coma",
        "comn",
        "kom",
        "dom",
    ],
    "com",
) | {"rf": "fr", "ftr": "fr", "frr": "fr", "fe": "fr", "nte": "net", "ent": "net"}
# Providers that have one ending alone: whatever else is typed behind their name, it is meant.
ONE_ENDING = {name: f"{name}.com" for name in ("gmail", "googlemail", "icloud", "protonmail")}


@lru_cache(maxsize=4096)
def provider(domain: str) -> str | None:
    """The provider's domain that `domain`, in lower case, probably means; None where it is right or
    nothing is near."""
    if domain in PROVIDERS or domain in REAL:
        return None
    name, _, ending = domain.rpartition(".")
    mended = f"{name}.{ENDINGS.get(ending, ending)}"
    if mended in PROVIDERS:
        return mended
    if name in ONE_ENDING:
        return ONE_ENDING[name]
    near = [(distance(mended, known), place) for place, known in enumerate(PROVIDERS)]
    least, place = min(near)
    # Short names have too many neighbours for two mistakes.
    return PROVIDERS[place] if least <= (1 if len(mended) < 9 else 2) and least else None


def distance(one: str, other: str) -> int:
    """How many keystrokes lie between: a letter more, less, another, or two exchanged (optimal
    string alignment)."""
    if abs(len(one) - len(other)) > 2:
        return 3
    before: list[int] = []
    row = list(range(len(other) + 1))
    for i, letter in enumerate(one, start=1):
        older, before, row = before, row, [i]
        for j, its in enumerate(other, start=1):
            row.append(min(before[j] + 1, row[-1] + 1, before[j - 1] + (letter != its)))
            if i > 1 and j > 1 and letter == other[j - 2] and one[i - 2] == its:
                row[j] = min(row[j], older[j - 2] + 1)
    return row[-1]
