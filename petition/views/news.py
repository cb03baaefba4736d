"""The news: a list, a story, a feed for each language."""

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import get_language
from django.views.decorators.http import require_safe

from petition.campaign import news, texts
from petition.models import Text
from petition.views import cases, feeds, headers
from petition.web import errors


@require_safe
@headers.public(cases.SECONDS, "before", stale=False)
def stories(request: HttpRequest) -> HttpResponse:
    place = request.GET.get("before", "")
    language = get_language()
    context = {
        "page": news.page(language, place),
        "is_first": not place,
        "intro": texts.text(Text.Slug.NEWS, language),
    }
    return render(request, "news/stories.html", context)


@require_safe
@cases.kept_shortly
def story(request: HttpRequest, slug: str) -> HttpResponse:
    try:
        shown = news.story(slug, get_language())
    except news.NotPublic as error:
        raise Http404 from error
    except news.TakenBack:
        return errors.page(request, 410)
    return render(request, "news/story.html", {"story": shown})


@require_safe
@cases.kept_shortly
def feed(request: HttpRequest) -> HttpResponse:
    changed_at = news.last_change()
    text = feeds.atom(news.page(get_language()).stories, get_language(), changed_at)
    return HttpResponse(text, content_type="application/atom+xml; charset=utf-8")
