"""Prisoner cases: may a case be public, what of it is shown, and who decides.

Start with `rules`: one table says what must hold before a case may be seen. `acts` is what
coordinators do to a case, `profiles` is what the public reads, `pictures` cleans portraits.
A page must never read a case but through `profiles`, and nothing is public by default.
"""
