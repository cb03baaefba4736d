"""The site's addresses and, for the browser tests, one for each error page."""

from django.conf.urls.i18n import i18n_patterns
from django.urls import path

from campaign_site.urls import handler400, handler403, handler404, handler500, urlpatterns
from petition.web import errors

__all__ = ["handler400", "handler403", "handler404", "handler500", "urlpatterns"]


def show(request, status):
    return errors.page(request, status)


urlpatterns = [*urlpatterns, *i18n_patterns(path("error/<int:status>/", show))]
