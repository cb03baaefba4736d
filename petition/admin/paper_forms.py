"""What a coordinator types about paper sheets."""

from django import forms
from django.utils.translation import get_language
from django.utils.translation import gettext_lazy as _

from petition.admin.moments import AnyDayField, day_input
from petition.admin.numbers import WholeNumberField, number_input
from petition.admin.reading import Filters
from petition.ground import countries, languages
from petition.models import Sheet, SheetCount
from petition.paper import files, sheets

ANY = ("", "—")
NOTE_HELP = _("No names of people who signed: it is kept for good.")


class SheetFilters(Filters):
    state = forms.ChoiceField(label=_("State"), required=False, choices=[ANY, *Sheet.State.choices])
    language = forms.ChoiceField(
        label=_("Language"), required=False, choices=[ANY, *languages.CHOICES]
    )
    batch = WholeNumberField(label=_("Batch"), required=False, min_value=1, max_value=2_000_000_000)


class PrintForm(forms.Form):
    language = forms.ChoiceField(label=_("Language"), choices=languages.CHOICES)
    how_many = WholeNumberField(
        label=_("How many sheets"), min_value=1, max_value=sheets.MOST_AT_ONCE, initial=20
    )


class PrintAgainForm(forms.Form):
    batch = WholeNumberField(label=_("Batch"), min_value=1, max_value=2_000_000_000)


class CountForm(forms.ModelForm):
    """What is on a sheet, as numbers: the model has the rules."""

    country = forms.ChoiceField(
        label=_("Country"),
        help_text=_("Where the sheet was collected, also if some signers come from elsewhere."),
        choices=lambda: [ANY, *countries.names(get_language()).items()],
    )

    class Meta:
        model = SheetCount
        fields = ["country", "place", "date", "collector", "valid", "struck"]
        widgets = {
            "place": forms.TextInput({"autocomplete": "off", "dir": "auto"}),
            "collector": forms.TextInput({"autocomplete": "off", "dir": "auto"}),
            "date": day_input(),
            "valid": number_input(),
            "struck": number_input(),
        }
        field_classes = {"date": AnyDayField, "valid": WholeNumberField, "struck": WholeNumberField}


class EnterForm(CountForm):
    number = WholeNumberField(
        label=_("Number of the sheet"),
        min_value=1,
        max_value=Sheet.NUMBERS[-1],
    )
    field_order = ["number"]


class SettleForm(CountForm):
    note = forms.CharField(label=_("Note"), help_text=NOTE_HELP, max_length=200, required=False)


class VoidForm(forms.Form):
    note = forms.CharField(
        label=_("Why is it cancelled?"), help_text=NOTE_HELP, min_length=5, max_length=200
    )


class ImportForm(forms.Form):
    file = forms.FileField(
        label=_("File (CSV or XLSX)"),
        widget=forms.FileInput({"accept": ".csv,.xlsx"}),
        help_text=_("At most 2 MB."),
    )

    def clean_file(self):
        file = self.cleaned_data["file"]
        if file.size > files.MOST_BYTES:
            raise forms.ValidationError(_("The file is larger than 2 MB. Divide it."))
        return file
