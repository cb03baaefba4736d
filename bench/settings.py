"""The site's settings, with an address more: `bench/urls.py`."""

from campaign_site.settings import *  # noqa: F403

ROOT_URLCONF = "bench.urls"
