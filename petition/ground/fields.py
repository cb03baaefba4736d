"""The model fields of what only the data keys can read or find."""

from uuid import UUID

from django.db import models
from django.db.models.query_utils import DeferredAttribute

from petition.ground import encryption


class Sealed(bytes):
    """A text as it is stored, not opened yet."""


class _Opened(DeferredAttribute):
    """Opens a sealed text when somebody looks at it: a row that no key reads stops no list."""

    def __get__(self, instance, cls=None):
        if instance is None:
            return self
        value = super().__get__(instance, cls)
        if isinstance(value, Sealed):
            value = self.field.opened(value, instance)
            instance.__dict__[self.field.attname] = value
        return value

    def __set__(self, instance, value):
        instance.__dict__[self.field.attname] = value


class EncryptedField(models.BinaryField):
    """Text that only the data keys can read back; None and "" are both stored as null.

    It is bound to its row by the unique attribute that `row` names: copied to another row, it does
    not open. To look at it raises encryption.Unreadable where no key opens it. Nothing can be
    searched or sorted by it: that is what blind indexes are for. `purpose` separates the keys of
    one field from another's. Neither must ever change once data is stored. A query's `update` takes
    `sealed(text, instance)`, since it knows no row.
    """

    descriptor_class = _Opened
    non_db_attrs = (*models.BinaryField.non_db_attrs, "purpose", "row")

    def __init__(self, *args, purpose: str, row: str = "", **kwargs):
        self.purpose, self.row = purpose, row
        super().__init__(*args, **kwargs)

    def deconstruct(self):
        name, path, args, kwargs = super().deconstruct()
        kwargs["purpose"] = self.purpose
        if self.row:
            kwargs["row"] = self.row
        return name, path, args, kwargs

    def sealed(self, text: str | None, instance: models.Model) -> Sealed | None:
        """A text as it is stored in the row of `instance`."""
        if not text:
            return None
        return Sealed(encryption.encrypt(text, self.purpose, self.row_of(instance)))

    def opened(self, sealed: bytes, instance: models.Model) -> str:
        return encryption.decrypt(bytes(sealed), self.purpose, self.row_of(instance))

    def row_of(self, instance: models.Model) -> bytes:
        """What a text in the row of `instance` is bound to."""
        if not self.row:
            return b""
        value = getattr(instance, self.row)
        return value.bytes if isinstance(value, UUID) else str(value).encode()

    def pre_save(self, instance, add):
        value = instance.__dict__.get(self.attname)
        return value if isinstance(value, Sealed) else self.sealed(value, instance)

    def get_prep_value(self, value):
        value = super().get_prep_value(value)
        if isinstance(value, str) and value:
            raise TypeError(f"{self.name} is sealed for its row: write `sealed(text, instance)`.")
        return value or None

    def from_db_value(self, value, expression, connection):
        return "" if value is None else Sealed(value)


class BlindIndexField(models.BinaryField):
    """A blind index (`encryption.indexes`) as its 16 bytes: text would take twice as many, in the
    row and in each index of it. Null where the person was erased."""

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **{"max_length": encryption.INDEX_BYTES} | kwargs)

    def from_db_value(self, value, expression, connection):
        return None if value is None else bytes(value)


def open_all(instance: models.Model) -> None:
    """Open every sealed text of a row, so that saving it seals them anew. Raises Unreadable."""
    for field in instance._meta.local_fields:
        if isinstance(field, EncryptedField):
            getattr(instance, field.attname)
