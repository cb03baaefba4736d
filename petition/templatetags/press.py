"""How pages write what the OpenAPI document says."""

import re

from django import template
from django.utils.html import conditional_escape
from django.utils.safestring import SafeString
from django.utils.translation import gettext

register = template.Library()

CODE = re.compile(r"`([^`]+)`")


@register.filter
def worded(words: str) -> SafeString:
    """A description in the page's language, what stands between backticks as code."""
    said = conditional_escape(gettext(words)) if words else ""
    return SafeString(CODE.sub(r'<code dir="ltr">\1</code>', said))
