"""The site: the coordinators' admin beside the petition's public addresses."""

from django.contrib import admin
from django.urls import path

from petition.urls import urlpatterns as public

urlpatterns = [path("admin/", admin.site.urls), *public]

handler400 = "petition.errors.bad_request"
handler403 = "petition.errors.permission_denied"
handler404 = "petition.errors.not_found"
handler500 = "petition.errors.server_error"
