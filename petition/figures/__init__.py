"""The public number: its history, charts, map, embeds, files and API.

Start with `history`, which computes the figures every hour, and `disclosure`, which decides how
small a number may be shown. `api` is what programs read, `openapi` describes it.
A figure must never be told that is not exact as of the moment it names, or that tells who signed.
"""
