"""The letters that we owe: each arrives, whatever happens to the mailer.

Start with `owing`, which says what is owed, and `sending`, which sends it; `claims` gives a letter
to one mailer. `compose` writes a mail at the moment of sending, `mailings` queues news at the
operator's pace. A letter must never hold an address or a text in the database, and must never be
sent twice, but for the one in the hands of a killed mailer.
"""
