"""What the sign form takes, what it refuses, and how it says so."""

import re

import pytest
from django.core.cache import caches

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
    assert Signature.objects.get().consent.version == 4
    assert "Another wording." in client.get("/en/sign/").content.decode()
    post(client, email="other@example.org", consent_text="99")
    assert Signature.objects.latest("pk").consent.version == 9


def test_a_name_is_handed_over_only_where_the_box_was_ticked_under_a_text_that_says_so(client):
    post(client, email="silent@example.org")
    post(client, email="agreed@example.org", delivery="on")
    post(client, email="former@example.org", delivery="on", consent_text="1")
    may_be_handed_over = Signature.objects.filter(delivery=True)
    assert [signature.email for signature in may_be_handed_over] == ["agreed@example.org"]
    assert may_be_handed_over.get().consent.version == 4


def _forget_texts():
    from django.core.cache import caches

    caches["process"].clear()


# --- What is meant is taken, and asked where a guess is needed -----------------------------------


@pytest.mark.parametrize(
    "name",
    ['خالد "أبو أحمد"', "Khalid.Me", "Anne-Marie D. St.John", "Khalid «Abou Ahmed»", "“Sam” Sample",
     "Sample (née Other)", "Dr. M. Sample", "Sample, Jr.", "D’Ample", "Mario.Io", "A.B. Sample",
     "سلمى – عيّنة", "J.-P. Exemple", "O'Sample", "בן־דוגמה", "ג׳ון דוגמה"],
)  # fmt: skip
def test_names_with_marks_in_them_are_taken(client, name):
    assert post(client, name=name).status_code == 303
    assert Signature.objects.get().name == name


@pytest.mark.parametrize(
    "name",
    ["khalid.me", "t.me/sample", "bit.ly/abc", "Sample.com", "SAMPLE.COM", "http://x.example",
     "www.sample.ma", "sample.ru", "join x.io", "x.xyz"],
)  # fmt: skip
def test_a_link_is_no_name(client, name):
    response = post(client, name=name)
    assert response.status_code == 422
    assert "without a web address" in response.content.decode()
    assert not Signature.objects.exists()


ASKED = {
    "ar": "هل تقصدون a@gmail.com؟",
    "fr": "Vouliez-vous écrire a@gmail.com",
    "en": "Did you mean a@gmail.com?",
}


@pytest.mark.parametrize("language", ASKED)
def test_a_misspelt_provider_is_asked_about_and_everything_is_kept(client, language):
    response = post(client, language, email="a@gmial.com", name="Kept Name", updates="on")
    page = response.content.decode()
    assert response.status_code == 422
    assert ASKED[language] in page
    assert 'name="email_meant" value="a@gmail.com"' in page
    assert 'name="email_meant" value="a@gmial.com"' in page
    assert 'value="Kept Name"' in page
    assert page.count(" checked") == 2
    assert not Signature.objects.exists()


@pytest.mark.parametrize(
    ("pressed", "kept"),
    [({"email_meant": "a@gmail.com"}, "a@gmail.com"),
     ({"email_meant": "a@gmial.com"}, "a@gmial.com"),
     # As a browser sends them: with what it was asked about.
     ({"email_meant": "a@gmail.com", "email_asked": "a@gmial.com"}, "a@gmail.com"),
     ({"email_meant": "a@gmial.com", "email_asked": "a@gmial.com"}, "a@gmial.com"),
     ({"email_asked": "a@gmial.com"}, "a@gmial.com")],
)  # fmt: skip
def test_it_is_asked_once_and_each_answer_is_taken(client, pressed, kept):
    assert post(client, email="a@gmial.com", **pressed).status_code == 303
    assert Signature.objects.get().email == kept


@pytest.mark.parametrize("email", ["b@gmial.com", "a@hotmial.com"])
def test_another_misspelt_address_is_asked_about_anew(client, email):
    answer = {"email_asked": "a@gmial.com", "email_meant": "a@gmail.com"}
    assert post(client, email=email, **answer).status_code == 422
    assert not Signature.objects.exists()


def test_the_answer_to_a_question_never_replaces_an_address_that_is_right(client):
    assert post(client, email="a@example.org", email_meant="b@example.org").status_code == 303
    assert Signature.objects.get().email == "a@example.org"


UNSENDABLE = {
    "ar": "بغير الحروف اللاتينية",
    "fr": "caractères latins",
    "en": "not in Latin letters",
}


@pytest.mark.parametrize("language", UNSENDABLE)
def test_an_address_that_our_mail_server_cannot_carry_is_answered_with_the_reason(
    client, settings, language
):
    settings.EMAIL_BACKEND = "petition.letters.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", 9  # Nobody answers there.
    caches["process"].clear()
    response = post(client, language, email="سلمى@example.org")
    assert response.status_code == 422
    assert UNSENDABLE[language] in response.content.decode()
    assert not Signature.objects.exists()


def test_kosovo_can_be_chosen(client):
    assert post(client, country="XK").status_code == 303
    assert Signature.objects.get().country == "XK"
