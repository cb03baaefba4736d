"""Plain Python that every other wing stands on; it knows no model and no request.

Start with `addresses` (what one mailbox is), `encryption` (what a stolen database does not tell)
and `links` (what letters carry). It must never import anything else of `petition`.
"""
