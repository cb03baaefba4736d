"""What supporters type: checked, cleaned, and answered at the field where something is wrong."""

import logging
import re
import unicodedata
from collections.abc import Callable, Container
from urllib.error import URLError

from django import forms
from django.conf import settings
from django.core.exceptions import ValidationError
from django.utils.translation import get_language
from django.utils.translation import gettext_lazy as _
from django_recaptcha.fields import ReCaptchaField
from django_recaptcha.widgets import ReCaptchaV2Checkbox

from petition.campaign import texts
from petition.ground import addresses, countries, misspellings, typed
from petition.ground.languages import DEFAULT
from petition.letters import smtp
from petition.models import ConsentText
from petition.signing import challenge

logger = logging.getLogger(__name__)

NAME_PUNCTUATION = frozenset(".,'’‘ʼʻ`´·-‐‑–()،\"“”„«»‹›־״׳")
# `.me` and `.io` end names as well (Khalid.Me): in small letters only they are a web address.
LINK = re.compile(
    r"://|\bwww\.|\w\.(?:com|net|org|info|biz|site|online|shop|xyz|top|ru)\b"
    r"|\w\.(?-i:io|me)\b|\w\.[a-z]{2,}/",
    re.IGNORECASE,
)

ONCE = _("This field was sent more than once. Fill in the form on this page again.")


class Fields(dict):
    """Fields that no form changes, so that all share them: Django copies each, with its widget and
    messages, for each form that is made: a sixth of the time of a post."""

    def __deepcopy__(self, memo):
        return dict(self)


def with_shared_fields(form_class):
    form_class.base_fields = Fields(form_class.base_fields)
    return form_class


class OnceForm(forms.Form):
    """A form in which a field sent twice is an error: a browser never does it, an attack may."""

    def _clean_fields(self):
        """As Django's, which first makes an object of each field for templates to show: most posts
        are answered without one."""
        for name, field in self.fields.items():
            try:
                typed_value = field.widget.value_from_datadict(self.data, self.files, name)
                self.cleaned_data[name] = field.clean(typed_value)
                if by_form := getattr(self, f"clean_{name}", None):
                    self.cleaned_data[name] = by_form()
            except ValidationError as error:
                self.add_error(name, error)

    def clean(self):
        for name in self.fields:
            if len(self.data.getlist(name)) > 1:
                self.add_error(name, ONCE)
        return super().clean()


class NameField(forms.CharField):
    """A person's name in any script, 2 to 80 characters; kept in Unicode's composed form (NFC)."""

    default_error_messages = {
        "required": _("Enter your name."),
        "min_length": _("Enter your name with at least two letters."),
        "max_length": _("Enter your name with at most 80 characters."),
        "link": _("Enter your name without a web address."),
        "start": _("Begin your name with a letter, not with %(start)s."),
        "characters": _("Enter your name with letters only. It cannot contain %(wrong)s."),
    }

    def to_python(self, value):
        typed_name = typed.visible(super().to_python(value))
        text = " ".join(unicodedata.normalize("NFC", typed_name).split())
        if not text:
            return text
        if text[0] in "=+-@":
            # Spreadsheets would run it as a formula.
            raise self._error("start", start=text[0])
        if LINK.search(text):
            raise self._error("link")
        wrong = sorted({c for c in text if not self._belongs(c)})
        if wrong:
            shown = " ".join(c for c in wrong if c.isprintable()) or _("invisible characters")
            raise self._error("characters", wrong=shown)
        kinds = [unicodedata.category(c)[0] for c in text]
        if "L" not in kinds or kinds.count("L") + kinds.count("M") < 2:
            raise self._error("min_length")
        if len(text) > 80:
            raise self._error("max_length")
        return text

    @staticmethod
    def _belongs(character: str) -> bool:
        return (
            character in NAME_PUNCTUATION
            or character in typed.JOINERS  # Persian and Indic names need them.
            or unicodedata.category(character)[0] in "LM"
            or unicodedata.category(character) in ("Nd", "Nl", "Zs")
        )

    def _error(self, code: str, **params) -> ValidationError:
        return ValidationError(self.error_messages[code], code=code, params=params)


class AddressField(forms.CharField):
    """An e-mail address that a letter can be sent to, as it is written on the letter."""

    default_error_messages = {
        "required": _("Enter your e-mail address."),
        "invalid": _("Enter an e-mail address in the form name@example.org."),
        "unicode": _(
            "Our mail server cannot send to this address: the part before the @ is not in Latin "
            "letters. Enter another address of yours."
        ),
    }

    def to_python(self, value):
        text = super().to_python(value)
        if not text:
            return text
        try:
            return addresses.parse(text)
        except addresses.Unicode as error:
            if smtp.carries_unicode():
                return addresses.parse(text, carries_unicode=True)
            raise ValidationError(self.error_messages["unicode"], code="unicode") from error
        except addresses.Invalid as error:
            raise ValidationError(self.error_messages["invalid"], code="invalid") from error


class Captcha(ReCaptchaField):
    """reCAPTCHA, which learns nothing from this server but the token that the browser brought."""

    default_error_messages = {
        "required": _("Tick the box that says you are not a robot."),
        "captcha_invalid": _("The check that you are not a robot has expired. Tick the box again."),
    }

    def get_remote_ip(self):
        return ""

    def validate(self, value):
        try:
            super().validate(value)
        except ValidationError as error:
            if error.code != "captcha_error":
                raise
            error.__context__.close()  # The HTTP error, which django-recaptcha leaves open.
            self._let_pass()
        except (URLError, OSError, ValueError):
            self._let_pass()

    @staticmethod
    def _let_pass():
        # Whoever is cut off from Google must not be cut off from signing; the rate limit stands.
        logger.warning("The reCAPTCHA server does not answer: signing goes on without it.")


class KnownField(forms.CharField):
    """One of the codes that `known` returns.

    A ChoiceField copies its choices, 250 countries, for each form that is made: more work than all
    else of signing. Pages write the options themselves.
    """

    def __init__(self, *, known: Callable[[], Container[str]], wrong, **options):
        super().__init__(
            error_messages={"invalid_choice": wrong} | options.pop("errors", {}), **options
        )
        self.known = known

    def validate(self, value):
        super().validate(value)
        if value and value not in self.known():
            raise ValidationError(self.error_messages["invalid_choice"], code="invalid_choice")


@with_shared_fields
class SignForm(OnceForm):
    """The sign form. `consent_text` says which version of the text a cached page showed."""

    name = NameField()
    email = AddressField()
    country = KnownField(
        known=lambda: countries.names(DEFAULT),
        wrong=_("Choose your country from the list."),
        errors={"required": _("Choose your country.")},
    )
    track = KnownField(
        known=lambda: [track.slug for track in texts.tracks(DEFAULT)],
        required=False,
        wrong=_("Choose one of the tracks, or none."),
    )
    updates = forms.BooleanField(required=False)
    delivery = forms.BooleanField(required=False)
    consent = forms.BooleanField(
        error_messages={"required": _("Tick the box if you agree. Without it you cannot sign.")}
    )
    consent_text = forms.IntegerField(required=False, widget=forms.HiddenInput)

    asked = suggested = ""  # An address as typed and as probably meant, where the signer is asked.

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.language = get_language()
        if settings.CHALLENGE == "recaptcha":
            self.fields["captcha"] = Captcha(
                widget=ReCaptchaV2Checkbox(
                    attrs={"data-callback": "captchaPassed"}, api_params={"hl": self.language}
                )
            )
        elif challenge.is_asked():
            # Kept as it is where something else is wrong.
            self.fields["altcha"] = forms.CharField(required=False, widget=forms.HiddenInput)

    @property
    def tracks(self) -> list[texts.Writing]:
        return texts.tracks(self.language)

    @property
    def consent_shown(self) -> ConsentText:
        return texts.consent_shown(None, self.language)

    def clean(self):
        data = super().clean()
        if email := data.get("email"):
            answers = self.data.get("email_meant"), self.data.get("email_asked")
            data["email"] = self._meant(email, *answers)
        return data

    def _meant(self, email: str, chosen: str | None, asked: str | None) -> str:
        """The address to write to: a misspelt one is asked about, once. `chosen` is which of two
        the signer was asked for, `asked` the one that the former answer asked about."""
        name, _at, domain = email.rpartition("@")
        provider = misspellings.provider(domain.lower())
        if not provider:
            return email
        self.suggested = f"{name}@{provider}"
        if chosen == self.suggested:  # First: a browser sends along what it was asked about.
            return self.suggested
        if email not in (chosen, asked):
            self.asked = email
            question = _("Did you mean %(address)s? Choose one of the two addresses.")
            self.add_error("email", ValidationError(
                question, code="misspelt", params={"address": self.suggested}
            ))  # fmt: skip
        return email

    def clean_track(self):
        return self.cleaned_data["track"] or None

    def details(self) -> dict:
        """What `signatures.sign` takes, of a valid form."""
        data = self.cleaned_data
        consent = texts.consent_shown(data["consent_text"], self.language)
        return {
            **{key: data[key] for key in ("name", "email", "country", "track", "updates")},
            # A page that was kept from before spoke of no delivery: its box cannot mean it.
            "delivery": data["delivery"] and consent.version >= consent.DELIVERY_SINCE,
            "consent": consent,
            "language": self.language,
        }


@with_shared_fields
class CodeForm(OnceForm):
    """The address and the code of a letter, for those who rather type than follow a link."""

    email = AddressField()
    code = forms.CharField(
        max_length=40,
        error_messages={
            "required": _("Enter the code from the e-mail."),
            "max_length": _("Enter the code from the e-mail: eight letters and digits."),
        },
    )
