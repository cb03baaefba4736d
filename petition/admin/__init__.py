"""What coordinators see: the modules register themselves on the desk."""

from petition.admin import audit, campaign, mailbox, paper, signatures  # noqa: F401
