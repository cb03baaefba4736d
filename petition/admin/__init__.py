"""What coordinators see: the modules register themselves on the desk."""

from petition.admin import (  # noqa: F401
    accounts,
    audit,
    campaign,
    cases,
    exports,
    mail_domains,
    mailbox,
    news,
    paper,
    signatures,
    sweeps,
    texts,
)
