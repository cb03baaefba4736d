"""Signatures on paper: numbered sheets, counted by two people who do not see each other's count.

Start with `sheets`; `imports` reads the counts of many sheets from a file.
A sheet must never be counted twice, and no name on it is ever entered.
"""
