"""What coordinators see: the modules register themselves on the desk."""

from petition.admin import (  # noqa: F401
    accounts,
    audit,
    campaign,
    exports,
    mailbox,
    paper,
    signatures,
    sweeps,
    texts,
)
