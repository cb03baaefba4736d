"""Django's PostgreSQL, but nothing waits for the server without an end: see `base`."""
