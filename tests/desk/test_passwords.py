"""A password that somebody who knows the campaign would try first is refused, in plain words."""

import pytest
from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.utils import translation

pytestmark = pytest.mark.once


@pytest.mark.parametrize(
    "password",
    ["Palestine2026", "freeGAZA1948!", "petition-admin", "MillionSignatures", "testserver99"],
)
def test_words_of_the_campaign_alone_make_no_password(password):
    with pytest.raises(ValidationError) as refused:
        validate_password(password)
    assert "campaign_words" in {error.code for error in refused.value.error_list}


@pytest.mark.parametrize(
    "password", ["gaza-lantern-orchard-7", "correct horse battery", "زيتونة على تلّة بعيدة"]
)
def test_others_beside_them_do(password):
    validate_password(password)


@pytest.mark.parametrize(
    ("language", "words"),
    [("ar", "كلمات الحملة"), ("fr", "Les mots de la campagne"), ("en", "Words of the")],
)
def test_it_says_what_to_do_in_each_language(language, words):
    with translation.override(language), pytest.raises(ValidationError, match=words):
        validate_password("Palestine2026")


def test_it_has_to_be_long_and_may_be_of_any_characters():
    validate_password("748 291 036 615")
    validate_password("٧٤٨٢٩١٠٣٦٦١٥")
    with pytest.raises(ValidationError) as refused:
        validate_password("kQ7!vz#Lp2x")
    assert [error.code for error in refused.value.error_list] == ["password_too_short"]
