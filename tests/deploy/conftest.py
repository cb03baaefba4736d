"""One production for all tests of it: `test_production.py` stops it at its end."""

from tests.deploy.stack import stack

__all__ = ["stack"]
