"""The coordinators' desk: Django's admin site with its front page, and who may come in."""

import time
from urllib.parse import urlencode

from django.conf import settings
from django.contrib import admin, messages
from django.contrib.auth import logout
from django.contrib.auth.views import redirect_to_login
from django.db import transaction
from django.http import HttpResponseRedirect
from django.urls import path, reverse
from django.utils import timezone
from django.utils.cache import add_never_cache_headers
from django.utils.translation import gettext_lazy as _
from django.views.decorators.cache import never_cache
from django.views.i18n import set_language
from django_otp import DEVICE_ID_SESSION_KEY

from petition.desk import accounts, sessions, tasks
from petition.desk.two_factor import of as two_factor_of
from petition.ground.languages import LANGUAGES
from petition.signing import abuse
from petition.views import daily, guide, overview, sign_in, two_factor
from petition.views import sessions as sessions_view


class Desk(admin.AdminSite):
    site_header = _("Coordinators’ desk")
    site_title = _("Coordinators’ desk")
    index_title = _("The campaign")
    index_template = "admin/desk.html"
    enable_nav_sidebar = True

    def has_permission(self, request):
        """Who has only typed a password, or one that somebody else gave, sees nothing of it."""
        return self._is_proved(request) and accounts.MUST_CHOOSE not in request.session

    def _is_proved(self, request) -> bool:
        return super().has_permission(request) and (
            not settings.TWO_FACTOR or request.user.is_verified()
        )

    def each_context(self, request):
        return {**super().each_context(request), "languages": LANGUAGES.values()}

    def get_app_list(self, request, app_label=None):
        """By task, on the front page and beside each screen."""
        apps = super().get_app_list(request, app_label)
        return apps if app_label else tasks.grouped(apps)

    def index(self, request, extra_context=None):
        lists = {task["app_label"]: task["models"] for task in self.get_app_list(request)}
        context = overview.front_page(request.user, lists)
        return super().index(request, context | (extra_context or {}))

    def get_urls(self):
        return [
            path("language/", set_language, name="language"),
            path("two-factor/", two_factor.second_factor, name="two_factor"),
            path("two-factor/codes/", two_factor.renew_codes, name="two_factor_codes"),
            path("sessions/", self.admin_view(sessions_view.own), name="sessions"),
            # Also for who must choose a password first.
            path("password_change/", never_cache(self.password_change), name="password_change"),
            path("daily/", self.admin_view(daily.wish), name="daily"),
            path(
                "daily/confirm/<str:token>/", self.admin_view(daily.confirm), name="daily_confirm"
            ),
            path("guide/", self.admin_view(self.guide), name="guide"),
            path("guide/<slug:slug>/", self.admin_view(self.guide), name="guide_section"),
            path("guide/pictures/<slug:name>.png", self.admin_view(guide.picture)),
            # Also for who cannot prove a second factor.
            path("logout/", self.logout, name="logout"),
            *super().get_urls(),
        ]

    def logout(self, request, extra_context=None):
        """What the browser still has of the desk goes with the session."""
        response = super().logout(request, extra_context)
        response.headers["Clear-Site-Data"] = '"cache", "storage"'
        return response

    def guide(self, request, slug: str = ""):
        return guide.page(request, self.each_context(request), slug)

    def login(self, request, extra_context=None):
        if request.method == "POST":
            return self._take_password(request, extra_context)
        if self._is_proved(request) and not self.has_permission(request):
            messages.warning(request, _("First choose your own password: others know this one."))
            return HttpResponseRedirect(reverse("admin:password_change"))
        if super().has_permission(request) and not self.has_permission(request):
            wanted = request.GET.get("next", "")
            response = HttpResponseRedirect(
                reverse("admin:two_factor") + (f"?{urlencode({'next': wanted})}" if wanted else "")
            )
            add_never_cache_headers(response)
            return response
        paused = request.GET.get("next", "") not in ("", reverse("admin:index"))
        return super().login(request, {"paused": paused} | (extra_context or {}))

    def password_change(self, request, extra_context=None):
        """Django ends the other sessions; the entry is ours."""
        if not self._is_proved(request):
            return redirect_to_login(request.get_full_path(), reverse("admin:login"))
        if request.method != "POST":
            return super().password_change(request, extra_context)
        if wait := abuse.seconds_to_wait_to_sign_in(request):
            return sign_in.too_many(request, wait)
        with transaction.atomic():
            response = super().password_change(request, extra_context)
            if response.status_code == 302:
                accounts.record_password(request.user, request.user)
                request.session.pop(accounts.MUST_CHOOSE, None)
        return response

    def _take_password(self, request, extra_context):
        if wait := abuse.seconds_to_wait_to_sign_in(request):
            return sign_in.too_many(request, wait)
        response = super().login(request, extra_context)
        if response.status_code == 302:
            given = accounts.given_at(request.user)
            is_late = given and given < timezone.now() - accounts.FIRST_PASSWORD_LASTS
            # Who has set up the second factor has used it in time: no release shuts anybody out.
            if is_late and two_factor_of(request.user) is None:
                logout(request)
                return sign_in.expired(request)
            if given:
                request.session[accounts.MUST_CHOOSE] = True
            request.session[sessions.BEGAN] = time.time()
            # Django keeps what is in the session of who signs in again.
            request.session.pop(DEVICE_ID_SESSION_KEY, None)
        return response
