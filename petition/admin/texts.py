"""Texts on the desk: listed beside their translations, edited, previewed, compared, restored."""

from functools import partial

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.http import Http404
from django.shortcuts import get_object_or_404, redirect
from django.urls import path
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from petition.admin import text_preview
from petition.admin.reading import ReadOnlyAdmin
from petition.admin.text_forms import RestoreForm, TextForm, opened, opened_again
from petition.campaign import differences, editing, texts
from petition.ground import languages
from petition.models import Text, TextVersion, Words


def compared(before: Words, after: Words) -> list[tuple]:
    """What differs, part by part: `(name of the part, both in one)`."""
    return [
        (getattr(Text, name).field.verbose_name, differences.marked(former, latter))
        for name, former, latter in zip(Words._fields, before, after, strict=True)
        if former != latter
    ]


@admin.register(Text)
class TextAdmin(ReadOnlyAdmin):
    def get_urls(self):
        screens = {
            "preview": ("<int:pk>/preview/", require_POST(self.preview)),
            "shipped": ("<int:pk>/shipped/", self.shipped),
            "version": ("<int:pk>/versions/<int:number>/", self.version),
        }
        return [
            *(
                path(route, self.admin_site.admin_view(view), name=f"petition_text_{name}")
                for name, (route, view) in screens.items()
            ),
            *super().get_urls(),
        ]

    def changelist_view(self, request, extra_context=None):
        """All at once: the words of a place beside their translations."""
        self._must_view(request)
        labels = dict(Text.Slug.choices)
        places = [(labels[slug], rows) for slug, rows in editing.standings().items()]
        return self.page(request, "admin/texts.html", _("Texts"), places=places)

    def change_view(self, request, object_id, form_url="", extra_context=None):
        """A text to read, and to edit for those who may."""
        self._must_view(request)
        text = self.get_object(request, object_id)
        if text is None:
            raise Http404
        if request.method == "POST":
            self._must_change(request)
            return self._save(request, text)
        return self._page_of(request, text, opened(text, editing.number_of(text)))

    def preview(self, request, pk: int):
        """The public page with what is typed and not saved."""
        self._must_change(request)
        text = get_object_or_404(Text, pk=pk)
        return text_preview.page(text, TextForm(text, request.POST).words())

    def version(self, request, pk: int, number: int):
        """What changed with a version, and what restoring it would change."""
        self._must_view(request)
        version = get_object_or_404(TextVersion, text=pk, number=number)
        former = version.text.versions.filter(number__lt=number).first()
        changes = compared(former.words, version.words) if former else []
        context = {"version": version, "changes": changes}
        act = partial(editing.restore, version)
        return self._restorable(request, version.text, version.words, act, **context)

    def shipped(self, request, pk: int):
        """What restoring the shipped text would change."""
        self._must_view(request)
        text = get_object_or_404(Text, pk=pk)
        words = texts.shipped(text.slug, text.language)
        return self._restorable(request, text, words, partial(editing.restore_shipped, text))

    def _save(self, request, text: Text):
        """What is typed stays in the form whatever is wrong with it."""
        form = TextForm(text, request.POST)
        if not form.is_valid():
            return self._page_of(request, text, form)
        try:
            saved = editing.save(text, request.user, form.words(), form.cleaned_data["seen"])
        except editing.ChangedMeanwhile as refusal:
            text.refresh_from_db()
            again = opened_again(text, form, editing.number_of(text))
            theirs = compared(text.words, form.words())
            return self._page_of(request, text, again, refusal=refusal.says, theirs=theirs)
        except editing.Refused as refusal:
            form.add_error(refusal.field, refusal.says)
            return self._page_of(request, text, form)
        return self._done(request, text, saved)

    def _restorable(self, request, text: Text, words: Words, act, **context):
        form = RestoreForm(request.POST or {"seen": editing.number_of(text)})
        if request.method == "POST":
            self._must_change(request)
            try:
                if form.is_valid():
                    return self._done(request, text, act(request.user, form.cleaned_data["seen"]))
            except editing.ChangedMeanwhile as refusal:
                self.message_user(request, refusal.says, messages.WARNING)
            return redirect(request.path)
        context |= {
            "text": text,
            "own": languages.LANGUAGES[text.language],
            "form": form,
            "now": compared(text.words, words),
            "may_change": request.user.has_perm("petition.change_text"),
        }
        return self.page(request, "admin/text_version.html", str(text), **context)

    def _page_of(self, request, text: Text, form: TextForm, **context):
        rows = editing.standings()[text.slug]
        context |= {
            "text": text,
            "own": languages.LANGUAGES[text.language],
            "address": text_preview.address(text),
            "form": form,
            "standing": next(row for row in rows if row.text == text),
            "others": [row.text for row in rows if row.text != text],
            "versions": text.versions.defer(*Words._fields),
            "may_change": request.user.has_perm("petition.change_text"),
        }
        return self.page(request, "admin/text.html", str(text), **context)

    def _done(self, request, text: Text, saved: TextVersion | None):
        if saved:
            said, level = _("Saved. The page shows it within seconds."), messages.SUCCESS
        else:
            said, level = _("Nothing was changed."), messages.INFO
        self.message_user(request, said, level)
        return redirect("admin:petition_text_change", text.pk)

    def _must_view(self, request) -> None:
        if not self.has_view_permission(request):
            raise PermissionDenied

    @staticmethod
    def _must_change(request) -> None:
        if not request.user.has_perm("petition.change_text"):
            raise PermissionDenied
