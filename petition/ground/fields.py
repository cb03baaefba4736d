"""The model fields of what only the data keys can read or find."""

from django.db import models

from petition.ground import encryption


class EncryptedField(models.BinaryField):
    """Text that only the data keys can read back; None and "" are both stored as null.

    Nothing can be searched or sorted by it: that is what blind indexes are for. `purpose` separates
    the keys of one field from another's and must never change once data is stored.
    """

    def __init__(self, *args, purpose: str, **kwargs):
        self.purpose = purpose
        super().__init__(*args, **kwargs)

    def deconstruct(self):
        name, path, args, kwargs = super().deconstruct()
        kwargs["purpose"] = self.purpose
        return name, path, args, kwargs

    def get_prep_value(self, value):
        value = super().get_prep_value(value)
        if value is None or value == "":
            return None
        # The ORM prepares some values twice; what is sealed already stays as it is.
        return value if isinstance(value, bytes) else encryption.encrypt(value, self.purpose)

    def from_db_value(self, value, expression, connection):
        return "" if value is None else encryption.decrypt(bytes(value), self.purpose)


class BlindIndexField(models.BinaryField):
    """A blind index (`encryption.indexes`) as its 16 bytes: text would take twice as many, in the
    row and in each index of it. Null where the person was erased."""

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **{"max_length": encryption.INDEX_BYTES} | kwargs)

    def from_db_value(self, value, expression, connection):
        return None if value is None else bytes(value)
