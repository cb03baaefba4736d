"""How pages write numbers, countries and form fields."""

import json
from functools import cache

from django import template
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import get_language

from petition.ground import countries, languages

register = template.Library()

# As Django's json_script does: nothing in a text can end the element that it stands in.
JSON_IN_HTML = {ord(c): f"\\u{ord(c):04x}" for c in "<>&"}


@register.filter
def number(value: int) -> str:
    """A whole number in the page's language, set apart from the direction of the text around it."""
    return format_html("<bdi>{}</bdi>", languages.number(value, get_language()))


@register.simple_tag
def share(part: int, whole: int, *, nearest: bool = False) -> str:
    """A percentage in the page's language, rounded as `languages.percent` does."""
    said = languages.percent(part, whole, get_language(), nearest=nearest)
    return format_html("<bdi>{}</bdi>", said)


@register.filter
def country_name(code: str) -> str:
    """A country's name in the page's language."""
    return countries.names(get_language()).get(code, code)


@register.simple_tag
def country_options(chosen: str | None) -> SafeString:
    """The options of the country list, launch countries first.

    Made by hand: Django's widget renders a template for each of the 249 options.
    """
    language = get_language()
    return _options(language, chosen if chosen in countries.names(language) else "")


@cache
def _options(language: str, chosen: str) -> SafeString:
    names = countries.names(language)
    return format_html_join(
        "",
        '<option value="{}"{}>{}</option>',
        (
            (code, SafeString(" selected") if code == chosen else "", name)
            for code, name in names.items()
        ),
    )


@register.filter
def plain_integer(value: int) -> str:
    """A whole number for programs: digits only, in every language."""
    return str(int(value))


@register.simple_tag(takes_context=True)
def linked_data(context, title: str, description: str) -> SafeString:
    """schema.org's description of a page (JSON-LD), which is data and runs nothing."""
    here = context["here"]
    data = {
        "@context": "https://schema.org",
        "@type": "WebPage",
        "name": title,
        "description": description,
        "url": here["url"],
        "inLanguage": here["language"].code,
        "image": here["picture"],
    }
    text = json.dumps(data, ensure_ascii=False).translate(JSON_IN_HTML)
    return SafeString(f'<script type="application/ld+json">{text}</script>')
