"""What coordinators see: the modules register themselves on the desk."""

from petition.admin import audit, campaign, exports, mailbox, signatures, sweeps  # noqa: F401
