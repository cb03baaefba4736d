"""Whole numbers as coordinators type them."""

from django import forms

from petition.ground import typed


def number_input() -> forms.TextInput:
    """One line with the keyboard for digits: the browser's own number field refuses the digits of
    Arabic and spaces between thousands."""
    return forms.TextInput({"inputmode": "numeric", "autocomplete": "off", "dir": "ltr"})


class WholeNumberField(forms.IntegerField):
    """A whole number in the digits of any script, its thousands apart or not."""

    widget = number_input()

    def to_python(self, value):
        number = typed.whole_number(value) if isinstance(value, str) else None
        return super().to_python(value if number is None else number)
