"""What an editor types into a text."""

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from petition.campaign import editing
from petition.ground import languages
from petition.models import Text, Words


class TextForm(forms.Form):
    """Typed in the direction of the text's own language, whatever the desk's language is. `seen` is
    the version that the form was opened with."""

    title = forms.CharField(
        label=_("Title"), max_length=Text._meta.get_field("title").max_length, required=False
    )
    summary = forms.CharField(
        label=_("Summary"),
        help_text=_("One paragraph. Search engines and messengers show it too."),
        max_length=600,
        required=False,
        widget=forms.Textarea({"rows": 3}),
    )
    body = forms.CharField(
        label=_("Text"),
        help_text=_(
            "Markdown: ## heading, - list, **bold**, [words](address). Leave a blank line between "
            "paragraphs. Links begin with https://, mailto: or /."
        ),
        max_length=30_000,
        required=False,
        widget=forms.Textarea({"rows": 16}),
    )
    seen = forms.IntegerField(widget=forms.HiddenInput)

    def __init__(self, text: Text, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.text = text
        if not editing.has_body(text):
            del self.fields["body"]
        own = {"lang": text.language, "dir": languages.LANGUAGES[text.language].direction}
        for name in {"title", "summary", "body"} & set(self.fields):
            self.fields[name].widget.attrs |= own

    def words(self) -> Words:
        """Also of a form in which something is wrong or missing."""
        typed = Words(*(self.data.get(name, "") for name in Words._fields))
        return editing.tidied(self.text, typed)


class RestoreForm(forms.Form):
    """Restores what was compared with the version `seen`."""

    seen = forms.IntegerField(widget=forms.HiddenInput)


def opened(text: Text, seen: int) -> TextForm:
    """The form with what the text says now."""
    return TextForm(text, initial=text.words._asdict() | {"seen": seen})


def opened_again(text: Text, typed: TextForm, seen: int) -> TextForm:
    """The form with what was typed into it, on top of another version of the text."""
    posted: Any = typed.data  # A QueryDict: what was posted.
    data = posted.copy()
    data["seen"] = seen
    return TextForm(text, data)
