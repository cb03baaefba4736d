"""Texts that say what is true of encryption, in the terms of the glossary; consent 4.

Where nobody has edited the former text. Consents are never edited: a new wording is a new version.
"""

from django.db import migrations

from petition.campaign import texts

# SHA-256 of title, summary and body as they were shipped before.
FORMER = {
    "privacy": {
        "ar": "43830503d4f5f88ecc10c225e391470ac8330e20a8bf8c122006291c054c8645",
        "fr": "c5023f751c760e4a056c8327f07895de56a2b34463bf1100d73fecaa748da12e",
        "en": "c72942ce0f1b0c926cf58dc0dcdaba082e31ae0c2d0f77a22fb9cc5fdc0dde35",
    },
    "about": {
        "ar": "dc49becb8180c14c8a4748988279d4bfe1a150016187345b46538c16229988a8",
        "fr": "d1fee43ad28a660e8e6bb9092cacea5992a8bfaa9dc68b264a7277b4baf37339",
        "en": "ce66f0f2e908bf950cce0802d21e3d7d5f1aa9d8b273de34956ee608d4ada465",
    },
    "counting": {
        "ar": "a5cdb48a8892a97fa466868a6f579694e7b9a5de6ba9cac085f8b48655847555",
        "fr": "c99fc91cb2a997a8c3678b2eec8f10c0edd919e6a282a9d2521cbc81070657c5",
        "en": "531c223d0e40f06e0f5a9e829c36fbf16fc6855ab5d20f9aec78e5553aa888ed",
    },
    "press": {
        "ar": "6c36d35c1ee35feae59faf0175f0885fa8817a1d137e0483db6df97ce699b739",
        "fr": "eabc56f4018b766ede4c574d9d15a28d76907ca77d4941d5a1302f1df8a25fdb",
        "en": "bd3cb266270d4c14695466c61fe4097ae0645c9dd858e20d1d48675764e7c8b0",
    },
    "thanks": {
        "ar": "53cf4b53df849fd2517e329371af2e80ce9ca17a95a082417fff2a921bbe1a82",
        "fr": "71d76f2ad9f008d03f317a7416580f17401187aa6a5d75ff68f28c378ab7ebf7",
        "en": "9c42f188c2efc21cfc0b740a334c9ea535923044c372bd7883889118a93b2af6",
    },
    "cases": {
        "fr": "02adefd492bf23705950cd35cbf6f3085d060e3c82876fefd7dbe293939a1516",
    },
    "asks": {
        "fr": "848b8bbbfce1daee059a28ef5d8a5a48fc6a2257a149e3f642677c504f85aa40",
        "en": "80c7c49cb9a26d3b89a6d1a6a0e188102dec17f1b253003f6fc5b0ea0287b699",
    },
    "appeal": {
        "fr": "334948fa086b7994c16f16f905a21edeb8302c642c75519a4a96c05af3dc339b",
    },
}


def lay(apps, schema_editor):
    for slug, former in FORMER.items():
        texts.replace_shipped_text(apps, slug, former, ("title", "summary", "body"))
    texts.lay_shipped_texts(apps)


class Migration(migrations.Migration):
    dependencies = [("petition", "0025_letters_are_counted_anew")]

    operations = [migrations.RunPython(lay, migrations.RunPython.noop, elidable=False)]
