"""The site: the coordinators' admin beside the petition's public addresses."""

from django.contrib import admin
from django.urls import path

from petition.urls import urlpatterns as public

urlpatterns = [path("admin/", admin.site.urls), *public]

handler400 = "petition.web.errors.bad_request"
handler403 = "petition.web.errors.permission_denied"
handler404 = "petition.web.errors.not_found"
handler500 = "petition.web.errors.server_error"
