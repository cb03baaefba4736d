"""The news: a list, a story, a feed for each language."""

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import get_language
from django.views.decorators.http import require_safe

from petition import errors, news
from petition.views import feeds, headers


@require_safe
@headers.public(60)
def stories(request: HttpRequest) -> HttpResponse:
    place = request.GET.get("before", "")
    context = {"page": news.page(get_language(), place), "is_first": not place}
    return render(request, "news/stories.html", context)


@require_safe
@headers.public(60)
def story(request: HttpRequest, slug: str) -> HttpResponse:
    try:
        shown = news.story(slug, get_language())
    except news.NotPublic as error:
        raise Http404 from error
    except news.TakenBack:
        return errors.page(request, 410)
    return render(request, "news/story.html", {"story": shown})


@require_safe
@headers.public(60)
def feed(request: HttpRequest) -> HttpResponse:
    changed_at = news.last_change()
    text = feeds.atom(news.page(get_language()).stories, get_language(), changed_at)
    return HttpResponse(text, content_type="application/atom+xml; charset=utf-8")
