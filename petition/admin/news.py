"""News on the desk: written in three languages, previewed, published, sent by letter."""

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, JsonResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import path
from django.utils import timezone, translation
from django.utils.timesince import timesince
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_POST

from petition import audit
from petition.admin.news_forms import PublishForm, StoryForm
from petition.admin.reading import ReadOnlyAdmin
from petition.campaign import news as reading
from petition.campaign import newsroom
from petition.ground.languages import LANGUAGES
from petition.models import Mailing, News

WRITE, SEND = "petition.write_news", "petition.send_news"
# What is done to a story by one press: the permission, and the act on it.
PRESSES = {
    "take-back": (WRITE, newsroom.take_back),
    "stop": (SEND, newsroom.stop),
    "go-on": (SEND, newsroom.go_on),
}
NAMES_SOMEBODY = gettext_lazy(
    "The story names a person of whom there is a profile, or tells a place that is not shown. "
    "Point to the profile; where its consent does not cover it, take it out."
)


@admin.register(News)
class NewsAdmin(ReadOnlyAdmin):
    change_form_template = "admin/news.html"
    change_list_template = "admin/news_list.html"
    list_display = ["title", "slug", "state", "publish_at", "languages", "by_letter"]
    fields = ["slug", "state", "publish_at", "withdrawn_at", "created_by", "created_at"]

    @admin.display(description=gettext_lazy("title"))
    def title(self, news):
        return reading.text_for(news, translation.get_language()).title

    @admin.display(description=gettext_lazy("state"))
    def state(self, news):
        return News.State(news.state).label

    @admin.display(description=gettext_lazy("languages"))
    def languages(self, news):
        return " · ".join(text.get_language_display() for text in news.texts.all())

    @admin.display(description=gettext_lazy("by e-mail"))
    def by_letter(self, news):
        mailing = _mailing(news)
        return mailing.get_state_display() if mailing else "—"

    def get_queryset(self, request):
        every = super().get_queryset(request).select_related("mailing")
        return every.prefetch_related("texts")

    def get_urls(self):
        view = self.admin_site.admin_view
        publish = view(require_POST(self.publish))
        own = [
            path("new/", view(self.new), name="petition_news_new"),
            path("<int:pk>/write/", view(self.write), name="petition_news_write"),
            path("<int:pk>/preview/<str:code>/", view(self.preview), name="petition_news_preview"),
            path("<int:pk>/publish/", publish, name="petition_news_publish"),
            path("<int:pk>/send/", view(self.send), name="petition_news_send"),
            path("<int:pk>/progress.json", view(self.progress), name="petition_news_progress"),
        ]  # fmt: skip
        presses = [
            path(f"<int:pk>/{name}/", view(self.pressed(name)), name=f"petition_news_{name}")
            for name in PRESSES
        ]
        return own + presses + super().get_urls()

    def change_view(self, request, object_id, form_url="", extra_context=None):
        news = self.get_object(request, object_id)
        context = {"title": _("Story")}
        if news and self.has_view_permission(request):
            context |= _screen(news) | {"publish_form": PublishForm()}
        return super().change_view(request, object_id, form_url, context | (extra_context or {}))

    def new(self, request):
        _must(request, WRITE)
        return self._write(request, News())

    def write(self, request, pk: int):
        _must(request, WRITE)
        return self._write(request, get_object_or_404(News, pk=pk))

    def _write(self, request, news: News):
        form = StoryForm(request.POST or None, initial=StoryForm.values_of(news) if news.pk else {})
        newest = news.revision
        if form.is_valid():
            news.revision = _seen(request)
            if _keep(news, form, request.user):
                messages.success(request, _("Saved."))
                return redirect("admin:petition_news_change", news.pk)
        context = {"form": form, "news": news, "revision": newest}
        title = _("Edit the story") if news.pk else _("New story")
        return self.page(request, "admin/news_write.html", title, **context)

    def preview(self, request, pk: int, code: str):
        """The page as readers will see it."""
        _must(request, "petition.view_news")
        if code not in LANGUAGES:
            raise Http404
        news = get_object_or_404(self.get_queryset(request), pk=pk)
        with translation.override(code):
            return render(request, "news/story.html", {"story": reading.told(news, code)})

    def publish(self, request, pk: int):
        _must(request, WRITE)
        news, form = self._shown(request, pk), PublishForm(request.POST)
        if not form.is_valid():
            messages.error(request, " ".join(str(error) for error in form.errors["at"]))
            return redirect("admin:petition_news_change", pk)
        return _do(request, news, lambda: newsroom.publish(news, request.user, **form.cleaned_data))

    def pressed(self, name: str):
        permission, act = PRESSES[name]

        def press(request, pk: int):
            _must(request, permission)
            news = self._shown(request, pk)
            return _do(request, news, lambda: act(news, request.user))

        return require_POST(press)

    def send(self, request, pk: int):
        """How many will get it and how long that takes; then the start."""
        _must(request, SEND)
        news = self._shown(request, pk)
        if request.method == "POST":
            return _do(request, news, lambda: newsroom.send(news, request.user))
        count, now = newsroom.recipients(), timezone.now()
        context = {
            "news": news,
            "count": count,
            "takes": timesince(now, now + newsroom.time_for(count)),
            "may_send": _screen(news)["may_send"],
        }
        return self.page(request, "admin/news_send.html", _("Send by e-mail"), **context)

    def progress(self, request, pk: int):
        """How far its mailing is, for the page that watches it."""
        _must(request, "petition.view_news")
        mailing = get_object_or_404(Mailing, news=pk)
        over = mailing.state != Mailing.State.RUNNING
        return JsonResponse({"done": mailing.over, "of": mailing.expected, "over": over})

    def _shown(self, request, pk: int) -> News:
        """The story, in the revision that the coordinator has seen."""
        news = get_object_or_404(self.get_queryset(request), pk=pk)
        if request.method == "POST":
            news.revision = _seen(request)
        return news


def _screen(news: News) -> dict:
    """What a story's page shows beside its fields, and which acts it has a use for."""
    mailing = _mailing(news)
    published = news.state in (News.State.SCHEDULED, News.State.PUBLIC)
    return {
        "news": news,
        "texts": [(text, LANGUAGES[text.language]) for text in news.texts.all()],
        "mailing": mailing,
        "is_hidden": news.state == News.State.PUBLIC
        and not reading.public().filter(pk=news.pk).exists(),
        "may_publish": news.state != News.State.PUBLIC,
        "may_take_back": published,
        "may_send": published and mailing is None,
        "history": audit.about(newsroom.name_of(news)),
    }


def _keep(news: News, form: StoryForm, by) -> bool:
    """Whether it was written; else the form says why not, and keeps what was typed."""
    try:
        data = form.cleaned_data
        newsroom.write(news, data["slug"], form.drafts(), by, data["about"])
        return True
    except newsroom.NothingWritten:
        form.add_error(None, _("Write the story in one language at least."))
    except newsroom.NamesSomebody:
        form.add_error("about", NAMES_SOMEBODY)
    except newsroom.SpeaksOfTheHidden:
        form.add_error(
            "about",
            _(
                "The story is published, and a profile that you took out is not public. Take the "
                "story back first, then change it."
            ),
        )
    except newsroom.AddressTaken:
        form.add_error("slug", _("Another story has this address."))
    except newsroom.AddressIsKnown:
        form.add_error("slug", _("The story is public: links lead to its address already."))
    except newsroom.SomebodyWasFirst:
        form.add_error(
            None,
            _(
                "Somebody has changed this story since you opened it. What you typed is below and "
                "not saved. Look at theirs first: if you save again, yours replaces it."
            ),
        )
    return False


def _do(request, news: News, act):
    try:
        act()
        messages.success(request, _("Done."))
    except newsroom.NamesSomebody:
        messages.error(request, NAMES_SOMEBODY)
    except (newsroom.SomebodyWasFirst, newsroom.NotNow):
        text = _("This cannot be done now: the story is no longer as you saw it. Look at it again.")
        messages.warning(request, text)
    return redirect("admin:petition_news_change", news.pk)


def _seen(request) -> int:
    text = request.POST.get("revision", "")
    return int(text) if text.isascii() and text.isdecimal() and len(text) < 10 else -1


def _mailing(news: News) -> Mailing | None:
    return getattr(news, "mailing", None)


def _must(request, permission: str) -> None:
    if not request.user.has_perm(permission):
        raise PermissionDenied
