"""Prisoner cases on the desk: what they are, why they are not public, what can be done."""

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import Prefetch
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import path, reverse
from django.utils import translation
from django.utils.translation import get_language, gettext_lazy, pgettext_lazy
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from petition import audit
from petition.admin import case_forms as forms
from petition.admin.case_acts import ASKED, TAKE_DOWN
from petition.admin.reading import ReadOnlyAdmin
from petition.cases import acts, hidden, pictures, profiles, rules
from petition.desk import exports
from petition.ground import languages
from petition.models import Case, CaseText, Consent


@admin.register(Case)
class CaseAdmin(ReadOnlyAdmin):
    change_list_template = "admin/cases.html"
    change_form_template = "admin/case.html"
    filters = forms.CaseFilters
    list_display = ["slug", "who", "situation", "track_title", "public_in", "lapses", "changed_at"]
    fields = ["slug"]

    def get_queryset(self, request):
        return (
            super()
            .get_queryset(request)
            .select_related("consent", "risk_review", "take_down")
            .prefetch_related("texts", Prefetch("texts", rules.public(), to_attr="public_texts"))
        )

    @admin.display(description=pgettext_lazy("in a list of prisoner cases", "who"))
    def who(self, case):
        """As the case may be named: a list on a screen is seen by who passes by."""
        texts = {text.language: text for text in case.texts.all()}
        order = [code for code in (get_language(), *languages.LANGUAGES) if code in texts]
        return profiles.title(case, texts[order[0]])[0] or "—" if order else "—"

    @admin.display(description=gettext_lazy("track"))
    def track_title(self, case):
        return dict(forms.every_track()).get(case.track_id, case.track_id)

    @admin.display(description=gettext_lazy("public in"))
    def public_in(self, case):
        if case.take_down_id:
            return _("taken down")
        names = [text.get_language_display() for text in case.public_texts]
        return " · ".join(names) or "—"

    @admin.display(description=gettext_lazy("no longer public from"))
    def lapses(self, case):
        return rules.lapses_at(case) if case.public_texts else None

    def get_urls(self):
        screens = {
            "new": ("new/", self.new),
            "down": ("take-down/", self.down_by_address),
            "export": ("export/", require_POST(self.export)),
            "facts": ("<int:pk>/facts/", self.facts),
            "text": ("<int:pk>/text/<slug:language>/", self.text),
            "review": ("<int:pk>/text/<slug:language>/review/", self.review),
            "approve": ("<int:pk>/text/<slug:language>/approve/", self.approve),
            "preview": ("<int:pk>/text/<slug:language>/preview/", self.preview),
            "portrait": ("<int:pk>/portrait/", self.portrait),
            "portrait_file": ("<int:pk>/portrait.jpg", self.portrait_file),
            "consent": ("<int:pk>/consent/", self.consent),
            **{name: (f"<int:pk>/{name}/", self.asked(name)) for name in ASKED},
        }
        view = self.admin_site.admin_view
        return [
            *(
                path(route, view(screen), name=f"petition_case_{name}")
                for name, (route, screen) in screens.items()
            ),
            *super().get_urls(),
        ]

    def change_view(self, request, object_id, form_url="", extra_context=None):
        case = self.get_object(request, object_id)
        context = {"title": _("Prisoner case")}
        if case:
            texts = {text.language: text for text in case.texts.all()}
            context |= {
                "case": case,
                "tellings": [
                    self._telling(request, language, texts.get(language.code))
                    for language in languages.LANGUAGES.values()
                ],
                "scopes": [
                    (Consent._meta.get_field(f"scope_{s}").verbose_name, case.consent.covers(s),
                     s in rules.HIDDEN_OF_CHILDREN and case.is_child)
                    for s in Consent.SCOPES
                ] if case.consent else [],
                "lapses_at": rules.lapses_at(case) if case.public_texts else None,
                "sources": case.sources.all(),
                "portrait": getattr(case, "portrait", None),
                "down": case.take_down,
                "history": audit.about(acts.subject(case)),
            }  # fmt: skip
        return super().change_view(request, object_id, form_url, context | (extra_context or {}))

    def _telling(self, request, language, text: CaseText | None) -> dict:
        """What is to be known of a case in one language, and what this coordinator can do."""
        if text is None:
            return {"language": language}
        valid = text.approvals.filter(
            text_revision=text.revision, case_revision=text.case.revision
        ).select_related("by")
        return {
            "language": language,
            "text": text,
            "missing": [missing.label for missing in rules.why_not(text)],
            "is_reviewed": text.reviewed_revision == text.revision,
            "approvals": [approval.by for approval in valid],
        }

    def new(self, request):
        """A new case: its facts and sources."""
        return self._facts(request, None, _("New prisoner case"))

    def facts(self, request, pk: int):
        return self._facts(request, get_object_or_404(Case, pk=pk), _("Facts and sources"))

    def _facts(self, request, case: Case | None, title: str):
        self._must(request, "change")
        form = forms.FactsForm(
            request.POST or None, instance=case, initial={"seen": case.revision if case else 0}
        )
        known = list(case.sources.values(*forms.SourceForm.Meta.fields)) if case else []
        rows = forms.SourceForms(request.POST or None, initial=known, prefix="sources")
        if request.method == "POST" and form.is_valid() & rows.is_valid():
            facts, sources = form.details(), forms.kept(rows)
            if case is None:
                return self._to(acts.open_case(request.user, facts, sources).pk)
            try:
                acts.write_facts(case.pk, request.user, form.cleaned_data["seen"], facts, sources)
            except acts.Refused as refusal:
                form.add_error(None, refusal.says)
                form.show_newest(case.revision)
            else:
                return self._done(request, case.pk, _("Saved. Earlier approvals no longer count."))
        context = {"form": form, "rows": rows, "rows_title": _("Sources"), "case": case}
        return self.page(request, "admin/case_write.html", title, **context)

    def text(self, request, pk: int, language: str):
        """What is told in one language."""
        self._must(request, "change")
        case = get_object_or_404(Case, pk=pk)
        if language not in languages.LANGUAGES:
            raise Http404
        text = case.texts.filter(language=language).first()
        form = forms.CaseTextForm(
            request.POST or None,
            instance=text,
            language=language,
            initial={"seen": text.revision if text else 0},
        )
        told = list(text.updates.values("day", "body")) if text else []
        rows = forms.UpdateForms(request.POST or None, initial=told, prefix="updates")
        if request.method == "POST" and form.is_valid() & rows.is_valid():
            try:
                acts.write_text(
                    pk, language, request.user, form.cleaned_data["seen"], form.details(),
                    forms.kept(rows),
                )  # fmt: skip
            except acts.Refused as refusal:
                form.add_error(None, refusal.says)
                form.show_newest(text.revision if text else 0)
            else:
                saved = _(
                    "Saved. The earlier review and approvals in this language no longer count."
                )
                return self._done(request, pk, saved)
        context = {"form": form, "rows": rows, "rows_title": _("What has happened since")}
        title = _("Text in %(language)s") % {"language": dict(languages.CHOICES)[language]}
        return self.page(request, "admin/case_write.html", title, case=case, **context)

    def review(self, request, pk: int, language: str):
        def act(text, seen):
            acts.review(text.pk, request.user, seen[1])

        return self._decide(request, pk, language, act, _("Review the text"), "review")

    def approve(self, request, pk: int, language: str):
        def act(text, seen):
            acts.approve(text.pk, request.user, seen)

        return self._decide(request, pk, language, act, _("Approve the case"), "approve")

    def _decide(self, request, pk: int, language: str, act, title: str, kind: str):
        """What would be shown, and a yes to exactly that."""
        self._must(request, "review")
        text = get_object_or_404(
            CaseText.objects.select_related("case__consent"), case=pk, language=language
        )
        seen = {"case_seen": text.case.revision, "text_seen": text.revision}
        form = forms.DecideForm(request.POST or None, initial=seen)
        if form.is_valid():
            data = form.cleaned_data
            try:
                act(text, (data["case_seen"], data["text_seen"]))
            except acts.Refused as refusal:
                form.add_error(None, refusal.says)
            else:
                return self._done(request, pk, _("Noted."))
        context = {
            "form": form,
            "case": text.case,
            "text": text,
            "profile": profiles.draft(text),
            "hidden": rules.hidden_words(text.case),
            "single": hidden.single_words(text),
            "portrait": getattr(text.case, "portrait", None),
            "kind": kind,
        }
        return self.page(request, "admin/case_decide.html", title, **context)

    def preview(self, request, pk: int, language: str):
        """The page as it would be seen, also where it may not be seen yet."""
        self._must(request, "view")
        text = get_object_or_404(CaseText, case=pk, language=language)
        request.preview = "saved"
        with translation.override(language):
            context = {"profile": profiles.draft(text)}
            return render(request, "cases/profile.html", context)

    def portrait(self, request, pk: int):
        """A picture from a file, in place of the one before."""
        self._must(request, "change")
        case = get_object_or_404(Case, pk=pk)
        form = forms.PortraitForm(
            request.POST or None, request.FILES or None, initial={"seen": case.revision}
        )
        if form.is_valid():
            data, file = form.cleaned_data, form.cleaned_data["file"]
            try:
                if file.size > pictures.MAX_BYTES:
                    raise pictures.TooLarge
                acts.set_portrait(pk, request.user, data["seen"], file.read())
            except (pictures.Refused, acts.Refused) as refusal:
                form.add_error("file", refusal.says)
            else:
                return self._done(request, pk, _("Saved. Earlier approvals no longer count."))
        context = {"form": form, "case": case, "button": _("Save the picture")}
        return self.page(request, "admin/case_ask.html", _("Portrait"), **context)

    def portrait_file(self, request, pk: int):
        """The picture for coordinators, whether or not it may be shown."""
        self._must(request, "view")
        case = get_object_or_404(Case.objects.select_related("portrait"), pk=pk)
        portrait = getattr(case, "portrait", None)
        rendition = portrait and portrait.renditions.filter(format="jpeg").first()
        if rendition is None:
            return HttpResponse(status=404)
        return HttpResponse(bytes(rendition.data), content_type="image/jpeg")

    def consent(self, request, pk: int):
        """Another consent, in place of the one before."""
        self._must(request, "change")
        case = get_object_or_404(Case.objects.select_related("consent"), pk=pk)
        form = forms.ConsentForm(request.POST or None)
        if form.is_valid():
            try:
                acts.record_consent(pk, request.user, form.cleaned_data)
            except acts.Refused as refusal:
                form.add_error("given_at", refusal.says)
            else:
                return self._done(request, pk, _("The consent is recorded."))
        context = {
            "form": form,
            "case": case,
            "button": _("Record the consent"),
            "intro": _(
                "What is not covered is not shown, whatever is typed. Write no name of whoever "
                "gives it, and keep the evidence elsewhere."
            ),
        }
        return self.page(request, "admin/case_ask.html", _("Record a consent"), **context)

    def down_by_address(self, request):
        """Take a profile off the site by its address: for every coordinator."""
        form = forms.AddressForm(request.POST or None, initial=request.GET.dict())
        if form.is_valid():
            try:
                acts.take_down(form.case.pk, request.user, form.cleaned_data["reason"])
            except acts.Refused as refusal:
                form.add_error("address", refusal.says)
            else:
                messages.success(request, _("The profile is no longer on the site."))
                return redirect("admin:index")
        context = {"form": form, "button": _("Take it down"), "intro": TAKE_DOWN, "careful": True}
        return self.page(request, "admin/case_ask.html", _("Take a profile down"), **context)

    def export(self, request):
        """What is public, as JSON, in the desk's language."""
        self._must(request, "view")
        language = get_language()
        content = exports.cases(language, request.user)
        name = f'attachment; filename="cases-{language}.json"'
        return HttpResponse(
            content, content_type="application/json", headers={"Content-Disposition": name}
        )

    def asked(self, name: str):
        question = ASKED[name]

        def ask(request, pk: int):
            if question["permission"]:
                self._must(request, question["permission"])
            case = get_object_or_404(Case, pk=pk)
            form = question["form"](request.POST or None)
            if request.method == "POST" and form.is_valid():
                try:
                    settled = question["act"](pk, request.user, form.cleaned_data)
                except acts.Refused as refusal:
                    form.add_error(None, refusal.says)
                else:
                    done = question.get("settled") if settled else None
                    return self._done(request, pk, done or question["done"])
            context = {"form": form, "case": case} | {
                key: question.get(key) for key in ("button", "intro", "careful")
            }
            return self.page(request, "admin/case_ask.html", question["title"], **context)

        return ask

    def _must(self, request, act: str) -> None:
        if not request.user.has_perm(f"petition.{act}_case"):
            raise PermissionDenied

    def _to(self, pk: int):
        return redirect("admin:petition_case_change", pk)

    def _done(self, request, pk: int, text: str):
        """Back to the case, or to the desk for those who may not read cases or where it is gone."""
        messages.success(request, text)
        if self.has_view_permission(request) and Case.objects.filter(pk=pk).exists():
            return self._to(pk)
        return redirect(reverse("admin:index"))
