"""The production web process: `gunicorn campaign_site.wsgi`."""

import os

from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "campaign_site.settings")

application = get_wsgi_application()

from django.db import connections  # noqa: E402

from petition.web import installation  # noqa: E402 - once Django is set up.

installation.stop_where_wrong(installation.check_keys)
connections.close_all()  # A server may fork from here.
