"""Sign, confirm, withdraw, count, moderate.

Start with `signatures`, what a supporter does, and `lifecycle`, which alone changes a state and
with it the counters (`tallies`). `moderation` and `sweeps` are what coordinators do, `privacy`
deletes. It must never lose what was acknowledged, count it twice, or tell anybody who signed.
"""
