"""The site's settings, but that a busy machine is no broken database."""

from campaign_site.settings import *  # noqa: F403

PUBLIC_DATABASE_SECONDS = 20.0
