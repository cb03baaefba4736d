"""The log that anyone can check: every change of the public count, append-only, signed.

Start with `events` (what an entry says), then `sequencer` (how it gets into the log). `merkle` and
`notes` are the standards (RFC 6962, C2SP tlog-tiles, signed-note, tlog-proof). It must never tell
who signed or who withdrew: an entry holds a commitment, and its opening stays sealed.
"""
