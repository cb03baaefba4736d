"""What coordinators see: the modules register themselves on the desk."""

from petition.admin import accounts, audit, campaign, mailbox, signatures  # noqa: F401
