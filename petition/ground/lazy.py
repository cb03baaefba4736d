"""The type of a text that may be translated only when it is shown."""

from typing import TYPE_CHECKING, TypeAlias

from django.utils.functional import Promise

if TYPE_CHECKING:
    from django_stubs_ext import StrOrPromise

    LazyText: TypeAlias = StrOrPromise
else:
    LazyText: TypeAlias = str | Promise
