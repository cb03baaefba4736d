"""Prints the record of processing activities, as docs/privacy/record.md has it."""

from django.core.management.base import BaseCommand

from petition.models.purposes import LAW, NONE, OF_NOBODY, RECORD

HEAD = """# Record of processing activities

GDPR article 30; Morocco's law 09-08. Made from `petition/models/purposes.py` by
`manage.py privacy_record`; a test fails for a column that is missing there.

**The operator fills in**: name and address of the controller, its representative and data
protection officer, the hosting company (processor) and its country, the mail service if one is
used. Grounds are what the founders see; a lawyer of the operator's country confirms them. Signing
tells a political opinion: everything about a signer is sensitive data.

| | |
| --- | --- |
| whose data | signers; prisoners who are presented, and who consents for them; coordinators |
| who gets them | the addressees of the petition: name and country of those who ticked it |
| other countries | none by the software; the operator says where the servers are |
| protection | [keys](../crypto.md), [assessment](assessment.md), [operation](../operating.md) |
| rights | copy, withdrawal and erasure by the link in each e-mail; else CONTACT_EMAIL |
"""


class Command(BaseCommand):
    help = "Prints what is kept about people, why, and for how long (GDPR article 30)."

    def handle(self, **options):
        self.stdout.write(record(), ending="")


def record() -> str:
    grounds = [f"- **{ground}**: {law}" for ground, law in LAW.items()]
    lines = [
        HEAD,
        "## Grounds",
        "",
        *grounds,
        "",
        "## Tables with data of people",
        *_table(personal=True),
    ]
    lines += ["", "## Tables without", *_table(personal=False)]
    nobody = ", ".join(sorted(OF_NOBODY))
    lines += ["", f"Empty, or names of the code alone: {nobody}.", ""]
    return "\n".join(lines)


def _table(*, personal: bool) -> list[str]:
    lines = ["", "| table | columns | why | ground | kept |", "| --- | --- | --- | --- | --- |"]
    for table, purposes in RECORD.items():
        for purpose in purposes:
            of_people = any(each.ground is not NONE for each in purposes)
            if of_people == personal:
                columns = ", ".join(purpose.columns.split())
                cells = [table, columns, purpose.why, purpose.ground, purpose.kept]
                lines.append(f"| {' | '.join(cells)} |")
    return lines
