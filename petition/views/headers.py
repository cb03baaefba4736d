"""Says how long an answer may be kept, by whom, and what it may be shown in."""

from functools import wraps

from django.conf import settings
from django.utils.cache import patch_cache_control

from petition.ground.memory import AN_HOUR

CAPTCHA_SOURCES = {
    "script-src": ["https://www.google.com/recaptcha/", "https://www.gstatic.com/recaptcha/"],
    "frame-src": ["https://www.google.com/recaptcha/"],
}
FRAMED = {
    "frame-ancestors": ["*"],
    "script-src": ["'none'"],
    "connect-src": ["'none'"],
    "form-action": ["'none'"],
}


# What `add_never_cache_headers` says, without working it out for each post.
NEVER = "max-age=0, no-cache, no-store, must-revalidate, private"
# An address whose query may be anything.
ANY = "*"


def same_for_all(*asks: str):
    """A view whose answers may be kept in memory for all who ask (`petition.web.pages`). `asks` are
    the query parameters that it knows; with ANY, only what is asked without a query is kept."""

    def decorate(view):
        view.asks = asks
        return view

    return decorate


def public(
    seconds: int, *asks: str, stale: bool = True, if_error: int = AN_HOUR, in_memory: bool = True
):
    """A page that is the same for everyone: any cache may keep it `seconds`, serve it for twice as
    long while it asks for a new one, and for `if_error` seconds while we are down. Our own memory
    keeps it too, as `same_for_all` says of `asks`.

    Without `stale` no cache serves it any longer than `seconds`: for what may have to disappear. A
    view may name a max-age of its own: the shorter one holds. Answers to a post, and answers that
    are not 200, are never kept.
    """
    limits = lifetime(seconds, stale=stale, if_error=if_error)

    def decorate(view):
        @wraps(view)
        def answer(request, *args, **kwargs):
            response = view(request, *args, **kwargs)
            if request.method in ("GET", "HEAD") and response.status_code == 200:
                patch_cache_control(response, **limits)
            else:
                response.headers["Cache-Control"] = NEVER
            return response

        return same_for_all(*asks)(answer) if in_memory else answer

    return decorate


def lifetime(seconds: int, *, stale: bool = True, if_error: int = AN_HOUR) -> dict:
    """What `Cache-Control` says of it, as `patch_cache_control` takes it."""
    limits = {"public": True, "max_age": seconds}
    if stale:
        return limits | {"stale_while_revalidate": 2 * seconds, "stale_if_error": if_error}
    return limits | {"must_revalidate": True}


def private(view):
    """A page for whoever holds its link: kept by no cache, found by no search engine."""

    @wraps(view)
    def answer(request, *args, **kwargs):
        response = view(request, *args, **kwargs)
        response.headers["Cache-Control"] = NEVER
        response.headers["X-Robots-Tag"] = "noindex"
        return response

    return answer


def with_own_frames(view):
    """Lets a page show another page of this site inside itself, and nobody else's."""

    @wraps(view)
    def answer(request, *args, **kwargs):
        response = view(request, *args, **kwargs)
        response._csp_update = {"frame-src": ["'self'"]}
        return response

    return answer


def with_sign_form(view):
    """Lets reCAPTCHA into a page that shows the sign form, where the operator has set its keys."""

    @wraps(view)
    def answer(request, *args, **kwargs):
        response = view(request, *args, **kwargs)
        if settings.CHALLENGE == "recaptcha":
            response._csp_update = CAPTCHA_SOURCES  # As django-csp's own decorator does.
        return response

    return answer


def framed_by_anyone(view):
    """Lets any site show a page in a frame. It runs nothing and sends nothing, so that a click that
    somebody was led to does nothing either."""

    @wraps(view)
    def answer(request, *args, **kwargs):
        response = view(request, *args, **kwargs)
        response.xframe_options_exempt = True
        response._csp_replace = FRAMED  # As django-csp's own decorator does.
        return response

    return answer
