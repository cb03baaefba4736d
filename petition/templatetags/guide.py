"""Leads from a screen of the desk to its section of the guide."""

from django import template
from django.utils.translation import get_language

from petition.desk import guide as guide_

register = template.Library()


@register.simple_tag
def guide(name: str) -> guide_.Section | None:
    """The section that helps on the screens of a model, or on a screen; None where there is
    none."""
    slug = guide_.OF_SCREEN.get(name) or guide_.OF_MODEL.get(name)
    return guide_.sections(get_language() or "ar")[slug] if slug else None
