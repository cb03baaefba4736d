"""What editors type: a story in up to three languages, and when it is published."""

from datetime import UTC

from django import forms
from django.core.validators import RegexValidator
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from petition.campaign import newsroom
from petition.campaign.newsroom import Draft
from petition.ground.languages import LANGUAGES
from petition.models import Case, News, NewsText

LONGEST_SUMMARY = 600
LONGEST_TEXT = 50_000


def _field(name: str):
    return NewsText._meta.get_field(name)


class StoryForm(forms.Form):
    """The address, and title, summary and text in each language, named `ar_title` and so on."""

    slug = forms.CharField(
        label=News._meta.get_field("slug").verbose_name,
        max_length=50,
        validators=[
            RegexValidator(
                r"\A[a-z0-9]+(-[a-z0-9]+)*\Z",
                gettext_lazy("Small letters a to z, digits, and a hyphen between: first-report."),
            )
        ],
        help_text=gettext_lazy(
            "The end of its web address, such as first-report. It stays once the story is public."
        ),
        widget=forms.TextInput({"dir": "ltr", "autocomplete": "off"}),
    )

    about = forms.CharField(
        label=gettext_lazy("Profiles that it speaks of"),
        max_length=1_000,
        required=False,
        help_text=gettext_lazy(
            "The last parts of their addresses, with spaces between. When one of them is taken "
            "down, this story goes with it."
        ),
        widget=forms.TextInput({"dir": "ltr", "autocomplete": "off"}),
    )

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        for language in LANGUAGES.values():
            own = {"dir": language.direction, "lang": language.code}
            self.fields[f"{language.code}_title"] = forms.CharField(
                label=_field("title").verbose_name,
                max_length=_field("title").max_length,
                required=False,
                widget=forms.TextInput(own),
            )
            self.fields[f"{language.code}_summary"] = forms.CharField(
                label=_field("summary").verbose_name,
                max_length=LONGEST_SUMMARY,
                required=False,
                widget=forms.Textarea(own | {"rows": 3}),
            )
            self.fields[f"{language.code}_body"] = forms.CharField(
                label=_field("body").verbose_name,
                max_length=LONGEST_TEXT,
                help_text=_field("body").help_text,
                required=False,
                widget=forms.Textarea(own | {"rows": 14}),
            )

    @staticmethod
    def values_of(news: News) -> dict[str, str]:
        """What the form shows of a story that is there."""
        values = {"slug": news.slug}
        values["about"] = " ".join(news.cases.values_list("slug", flat=True))
        for text in news.texts.all():
            for name in ("title", "summary", "body"):
                values[f"{text.language}_{name}"] = getattr(text, name)
        return values

    def parts(self):
        """Its fields by language, for the template."""
        for language in LANGUAGES.values():
            yield language, [self[f"{language.code}_{n}"] for n in ("title", "summary", "body")]

    def drafts(self) -> dict[str, Draft]:
        data = self.cleaned_data
        return {
            code: Draft(*(data.get(f"{code}_{name}", "") for name in ("title", "summary", "body")))
            for code in LANGUAGES
        }

    def clean_about(self) -> list[Case]:
        typed = set(self.cleaned_data["about"].split())
        found = Case.objects.filter(slug__in=typed).select_related("consent")
        if unknown := typed - {case.slug for case in found}:
            text = _("No profile has this address: %(slug)s")
            raise forms.ValidationError(text % {"slug": " ".join(sorted(unknown))})
        return list(found)

    def clean(self):
        data = super().clean()
        for code in LANGUAGES:
            typed = {n: data.get(f"{code}_{n}", "") for n in ("title", "summary", "body")}
            for name, value in typed.items():
                field = f"{code}_{name}"
                if any(typed.values()) and not value and field not in self.errors:
                    text = _("In each language write all three, or none of them.")
                    self.add_error(field, text)
        return data


class PublishForm(forms.Form):
    """Now, where no moment is given."""

    at = forms.DateTimeField(
        label=gettext_lazy("Publish on (UTC)"),
        required=False,
        help_text=gettext_lazy("Leave it empty to publish now."),
        widget=forms.DateTimeInput({"type": "datetime-local"}, format="%Y-%m-%dT%H:%M"),
    )

    def clean_at(self):
        at = self.cleaned_data["at"]
        if at is None:
            return None
        at = at.replace(tzinfo=UTC) if timezone.is_naive(at) else at
        if at > timezone.now() + newsroom.MOST_IN_ADVANCE:
            raise forms.ValidationError(_("At most a year ahead."))
        return at
