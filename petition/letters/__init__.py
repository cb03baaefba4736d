"""The letters that we owe: each arrives, whatever happens to the mailer.

Start with `sending`: it owes, claims and sends. `compose` writes a mail at the moment of sending,
`mailings` queues news at the operator's pace. A letter must never hold an address or a text in the
database, and must never be sent twice, but for the one in the hands of a killed mailer.
"""
