"""The encrypted model field."""

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
