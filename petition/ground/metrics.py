"""What this process counts for those who watch the site (Prometheus). No label names a person, a
network, an address or a token.

`manage.py metrics` shows the sums of all processes that share METRICS_DIR.
"""

from prometheus_client import Counter, Histogram

REQUESTS = Counter("petition_requests_total", "Requests answered", ["route", "method", "status"])
SECONDS = Histogram(
    "petition_request_seconds",
    "Seconds to answer, by route",
    ["route"],
    buckets=(0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10),
)
# accepted, invalid, too_many, not_stored
SIGNED = Counter("petition_sign_total", "Sign forms posted, by outcome", ["outcome"])
# counted, held, expired
CONFIRMED = Counter("petition_confirm_total", "Confirm buttons pressed, by outcome", ["outcome"])
# solved, unsolved (none was sent), refused (forged, expired, or sent before)
CHALLENGES = Counter("petition_challenge_total", "Challenges, by outcome", ["outcome"])
# sent, put_off, refused, given up, withheld; reported_hard, reported_soft, reported_complaint
LETTERS = Counter("petition_letters_total", "Letters handed to the mail server", ["outcome"])
DATABASE_ERRORS = Counter("petition_database_errors_total", "Requests the database did not serve")
CACHE_ERRORS = Counter("petition_cache_errors_total", "Times the cache did not answer")
