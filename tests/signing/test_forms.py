"""What the sign form takes, what it refuses, and how it says so."""

import re

import pytest

from petition.models import Letter, Signature
from tests.making import filled_form

pytestmark = pytest.mark.django_db


def post(client, language="en", **fields):
    return client.post(f"/{language}/sign/", filled_form(**fields))


@pytest.mark.parametrize(
    "name",
    ["محمد العيّنة", "Zoë O’Sample-Ñ", "山田 太郎", "Нина Пример", "J. R. Sample", "St.John Sample",
     "علی‌رضا نمونه", "आदर्श", "जी", "Ng", "a" * 80, "  Spaced   Out  "],
)  # fmt: skip
def test_names_of_any_script_are_taken(client, name):
    assert post(client, name=name).status_code == 303
    assert Signature.objects.get().name == " ".join(name.split())


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("", "Enter your name."),
        ("A", "at least two letters"),
        ("12", "at least two letters"),
        ("..", "at least two letters"),
        ("a" * 81, "at most 80 characters"),
        ("=SUM(A1)", "Begin your name with a letter, not with ="),
        ("+Sample", "not with +"),
        ("-Sample", "not with -"),
        ("@Sample", "not with @"),
        ("see http://example.org", "without a web address"),
        ("www.example.org", "without a web address"),
        ("Sample example.com", "without a web address"),
        ("<script>alert(1)</script>", "It cannot contain / &lt; &gt;"),
        ("Sam\x00ple", "invisible characters"),
        ("Sam\u202eple", "invisible characters"),
        ("Sam\ufffdple", "It cannot contain"),
    ],
)
def test_names_that_cannot_stand_are_refused_at_their_field(client, name, said):
    response = post(client, name=name)
    assert response.status_code == 422
    error = re.search(r'id="id_name-error">(.*?)</p>', response.content.decode(), re.DOTALL)
    assert said in error.group(1).replace("&#x27;", "'")
    assert not Signature.objects.exists()


@pytest.mark.parametrize(
    ("field", "value", "said"),
    [
        ("email", "", "Enter your e-mail address."),
        ("email", "someone", "Enter an e-mail address in the form name@example.org."),
        ("email", "someone@example.org\r\nBcc: x@example.org", "Enter an e-mail address"),
        ("country", "", "Choose your country."),
        ("country", "XX", "Choose your country from the list."),
        ("country", "ma", "Choose your country from the list."),
        ("track", "other", "Choose one of the tracks, or none."),
        ("consent", "", "Tick the box if you agree. Without it you cannot sign."),
    ],
)
def test_each_field_says_what_is_wrong_and_how_to_mend_it(client, field, value, said):
    response = post(client, **{field: value})
    assert response.status_code == 422
    page = response.content.decode()
    error = re.search(rf'id="id_{field}-error">(.*?)</p>', page, re.DOTALL).group(1)
    assert said in error
    assert f'href="#id_{field}"' in page
    assert f'aria-describedby="id_{field}-error"' in page or f"id_{field}-error" in page
    assert not Signature.objects.exists()
    assert not Letter.objects.exists()


def test_the_form_keeps_what_was_typed_and_leads_to_what_is_wrong(client):
    response = post(
        client, name="Kept Name", email="wrong", country="LB", track="fate", updates="on"
    )
    page = response.content.decode()
    assert 'value="Kept Name"' in page
    assert 'value="wrong"' in page
    assert '<option value="LB" selected>Lebanon</option>' in page
    assert '<option value="fate" selected>' in page
    assert page.count(" checked") == 2
    assert re.search(r'<div class="error-summary"[^>]* tabindex="-1" autofocus', page)
    assert "<title>Error: Sign the petition" in page


@pytest.mark.parametrize(
    ("language", "said"),
    [("ar", "اكتبوا اسمكم."), ("fr", "Saisissez votre nom."), ("en", "Enter your name.")],
)
def test_errors_are_said_in_the_language_of_the_page(client, language, said):
    assert said in post(client, language, name="").content.decode()


def test_what_is_typed_is_shown_as_text_and_never_as_markup(client):
    page = post(client, name='"><script>alert(1)</script>', email="<b>@x").content.decode()
    assert "<script>" not in page
    assert "<b>" not in page


@pytest.mark.parametrize("field", ["name", "email", "country", "consent"])
def test_a_field_sent_twice_is_refused(client, field):
    twice = filled_form()
    twice[field] = [twice[field], twice[field]]
    response = client.post("/en/sign/", twice)
    assert response.status_code == 422
    assert "This field was sent more than once" in response.content.decode()
    assert not Signature.objects.exists()


def test_a_body_of_ten_megabytes_is_refused_unread(client):
    response = client.post("/en/sign/", filled_form(name="a" * 10_000_000))
    assert response.status_code == 413
    assert "This is too large for the form" in response.content.decode()
    assert not Signature.objects.exists()


def test_a_body_in_another_encoding_is_refused(client):
    body = "name=%D3%E1%E3%E1&email=someone@example.org&country=MA&consent=on"
    response = client.post("/ar/sign/", body, content_type="application/x-www-form-urlencoded")
    assert response.status_code == 422
    kind = "application/x-www-form-urlencoded; charset=windows-1256"
    assert client.post("/ar/sign/", body, content_type=kind).status_code == 400
    assert client.post("/ar/sign/", b"x", content_type="multipart/form-data").status_code == 400
    for charset in ("hex", "utf-7", "unicode_escape", "nonsense"):
        kind = f"multipart/form-data; boundary=B; charset={charset}"
        assert client.generic("POST", "/ar/sign/", b"--B--", kind).status_code == 400
    assert not Signature.objects.exists()


def test_a_page_from_a_cache_still_works_and_its_consent_text_is_the_one_kept(client):
    from petition.models import ConsentText

    page = client.get("/en/sign/").content.decode()
    assert "csrf" not in page
    shown = re.search(r'name="consent_text" value="(\d+)"', page).group(1)
    ConsentText.objects.create(version=9, language="en", body="Another wording.")
    _forget_texts()
    assert post(client, consent_text=shown).status_code == 303
    assert Signature.objects.get().consent.version == 3
    assert "Another wording." in client.get("/en/sign/").content.decode()
    post(client, email="other@example.org", consent_text="99")
    assert Signature.objects.latest("pk").consent.version == 9


def test_a_name_is_handed_over_only_where_the_box_was_ticked_under_a_text_that_says_so(client):
    post(client, email="silent@example.org")
    post(client, email="agreed@example.org", delivery="on")
    post(client, email="former@example.org", delivery="on", consent_text="1")
    may_be_handed_over = Signature.objects.filter(delivery=True)
    assert [signature.email for signature in may_be_handed_over] == ["agreed@example.org"]
    assert may_be_handed_over.get().consent.version == 3


def _forget_texts():
    from django.core.cache import caches

    caches["process"].clear()
