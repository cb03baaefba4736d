"""The volunteers' guide on the desk."""

from django.http import Http404, HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.utils.translation import get_language
from django.views.decorators.http import require_safe

from petition.desk import guide
from petition.ground.languages import DEFAULT


@require_safe
def page(request: HttpRequest, context: dict, slug: str = "") -> TemplateResponse:
    """All sections by their titles, or one of them; `context` is the desk's own."""
    language = get_language() or DEFAULT
    sections = guide.sections(language)
    if slug and slug not in sections:
        raise Http404
    section = sections.get(slug)
    context |= {
        "title": section.title if section else guide.title(language),
        "section": section,
        "sections": sections.values(),
    }
    return TemplateResponse(request, "admin/guide.html", context)


@require_safe
def picture(request: HttpRequest, name: str) -> HttpResponse:
    path = guide.picture(name)
    if path is None:
        raise Http404
    return HttpResponse(path.read_bytes(), content_type="image/png")
