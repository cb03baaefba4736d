"""What the coordinators' screens ask: figures of the front page, accounts, roles, exports.

Start with `roles`, the table of who may do what, and `overview`, the front page. The screens
themselves are in `admin/`. A coordinator must never see or export more than the role says, and
every export is recorded.
"""
