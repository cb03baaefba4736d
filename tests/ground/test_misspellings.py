"""Which provider a misspelt domain means."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from petition.ground import misspellings


@pytest.mark.parametrize(
    ("typed", "meant"),
    [("gmial.com", "gmail.com"), ("gamil.com", "gmail.com"), ("gmal.com", "gmail.com"),
     ("gmai.com", "gmail.com"), ("gmaill.com", "gmail.com"), ("gnail.com", "gmail.com"),
     ("gmail.con", "gmail.com"), ("gmail.cmo", "gmail.com"), ("gmail.co", "gmail.com"),
     ("gmail.fr", "gmail.com"), ("gmail.comm", "gmail.com"), ("gmailcom", "gmail.com"),
     ("hotmial.com", "hotmail.com"), ("hotmai.com", "hotmail.com"), ("hotmal.fr", "hotmail.fr"),
     ("hotmil.com", "hotmail.com"), ("hotmail.con", "hotmail.com"), ("hotmail.rf", "hotmail.fr"),
     ("yaho.fr", "yahoo.fr"), ("yahooo.com", "yahoo.com"), ("yhoo.com", "yahoo.com"),
     ("yahoo.co", "yahoo.com"), ("outlok.com", "outlook.com"), ("outllok.fr", "outlook.fr"),
     ("oulook.es", "outlook.es"), ("iclod.com", "icloud.com"), ("icloud.co", "icloud.com"),
     ("live.con", "live.com"), ("protonmail.con", "protonmail.com"), ("orang.fr", "orange.fr"),
     ("menara.am", "menara.ma"), ("laposte.ent", "laposte.net"), ("wanado.fr", "wanadoo.fr"),
     ("skynt.be", "skynet.be"), ("telfonica.net", "telefonica.net"), ("gmx.con", "gmx.com")],
)  # fmt: skip
def test_a_misspelt_provider_is_found(typed, meant):
    assert misspellings.provider(typed) == meant


@pytest.mark.parametrize(
    "domain",
    [*misspellings.PROVIDERS, *sorted(misspellings.REAL), "example.org", "example.com", "um5.ac.ma",
     "usj.edu.lb", "birzeit.edu", "cu.edu.eg", "uclouvain.be", "ens.fr", "parlament.cat",
     "association.ma", "gaza.example", "yahoo.com.br", "web.de", "libero.it", "inbox.lv"],
)  # fmt: skip
def test_nobody_is_asked_about_a_domain_that_is_right(domain):
    assert misspellings.provider(domain) is None


@given(st.text(max_size=40))
def test_no_domain_breaks_it_and_what_it_proposes_is_right(domain):
    meant = misspellings.provider(domain)
    assert meant is None or (meant in misspellings.PROVIDERS and meant != domain)
