"""Paper sheets on the desk: printed, entered by two, settled, taken out, imported, read."""

from io import BytesIO

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.http import FileResponse, Http404
from django.shortcuts import get_object_or_404, redirect
from django.urls import path
from django.utils.translation import get_language, gettext_lazy
from django.utils.translation import gettext as _

from petition import audit
from petition.admin import paper_print
from petition.admin.paper_forms import (
    EnterForm,
    ImportForm,
    PrintAgainForm,
    PrintForm,
    SettleForm,
    SheetFilters,
    VoidForm,
)
from petition.admin.reading import ReadOnlyAdmin
from petition.ground.languages import LANGUAGES
from petition.models import Sheet
from petition.paper import files, imports, sheets
from petition.templatetags.petition import country_name

# What coordinators are told, by what the sheet is now. None of it says a number of another person.
ENTERED = {
    Sheet.State.ONCE: gettext_lazy(
        "Sheet %(number)s is entered once. It counts when another coordinator has entered the same."
    ),
    Sheet.State.COUNTED: gettext_lazy(
        "Sheet %(number)s is counted: both coordinators have entered the same."
    ),
    Sheet.State.CONFLICT: gettext_lazy(
        "Sheet %(number)s is not counted: the other coordinator has entered something else. "
        "It waits for a third to settle it."
    ),
}


@admin.register(Sheet)
class SheetAdmin(ReadOnlyAdmin):
    change_list_template = "admin/paper_sheets.html"
    change_form_template = "admin/paper_sheet.html"
    filters = SheetFilters
    list_display = [
        "number", "language", "batch", "state", "country_name", "date", "valid", "struck",
        "moved_at",
    ]  # fmt: skip
    fields = [
        "number", "language", "batch", "made_at", "made_by", "state", "moved_at", "country_name",
        "place", "date", "collector", "valid", "struck", "counted_at",
    ]  # fmt: skip

    @admin.display(description=Sheet._meta.get_field("country").verbose_name)
    def country_name(self, sheet):
        return country_name(sheet.country) if sheet.country else "—"

    def get_urls(self):
        screens = {
            "print": ("print/", self.print),
            "print_again": ("print/again/", self.print_again),
            "enter": ("enter/", self.enter),
            "import": ("import/", self.load),
            "template": ("import/template-<str:language>.<str:form>", self.template),
            "settle": ("<int:number>/settle/", self.settle),
            "void": ("<int:number>/void/", self.void),
        }
        return [
            *(
                path(route, self.admin_site.admin_view(view), name=f"petition_sheet_{name}")
                for name, (route, view) in screens.items()
            ),
            *super().get_urls(),
        ]

    def change_view(self, request, object_id, form_url="", extra_context=None):
        sheet = self.get_object(request, object_id)
        context = {"title": _("Paper sheet")}
        if sheet:
            context |= {
                "may_settle": self._may_settle(request, sheet),
                "may_void": sheet.state != Sheet.State.VOID,
                "counts": sheet.counts.select_related("by"),
                "history": audit.about(sheets.subject(sheet)),
            }
        return super().change_view(request, object_id, form_url, context | (extra_context or {}))

    def print(self, request):
        """A new batch as PDF."""
        self._must(request, "print")
        form = PrintForm(request.POST or None)
        if form.is_valid():
            return paper_print.pdf(sheets.make(by=request.user, **form.cleaned_data))
        return self._print_page(request, form=form)

    def print_again(self, request):
        """The sheets of a batch that are still to be entered, as PDF."""
        self._must(request, "print")
        form = PrintAgainForm(request.POST or None)
        if form.is_valid():
            try:
                return paper_print.pdf(sheets.print_again(by=request.user, **form.cleaned_data))
            except sheets.Refused as refusal:
                form.add_error("batch", refusal.says)
        return self._print_page(request, again=form)

    def enter(self, request):
        """What is on a sheet; kept as it was typed where something is wrong."""
        self._must(request, "enter")
        number = request.GET.get("number", "")
        form = EnterForm(
            request.POST or None, initial={"number": number if number.isdigit() else ""}
        )
        if form.is_valid():
            try:
                sheet = sheets.enter(by=request.user, **form.cleaned_data)
            except sheets.InConflict as refusal:
                sheet = Sheet.objects.get(pk=form.cleaned_data["number"])
                if self._may_settle(request, sheet):
                    text = _("Two have counted this sheet and differ: your count settles it.")
                    self.message_user(request, text, messages.WARNING)
                    return redirect("admin:petition_sheet_settle", sheet.pk)
                form.add_error("number", refusal.says)
            except sheets.Refused as refusal:
                form.add_error("number", refusal.says)
            else:
                level = (
                    messages.WARNING if sheet.state == Sheet.State.CONFLICT else messages.SUCCESS
                )
                text = ENTERED[sheet.state] % {"number": sheet.number}
                self.message_user(request, text, level)
                return redirect("admin:petition_sheet_enter")
        return self.page(request, "admin/paper_enter.html", _("Enter a sheet"), form=form)

    def settle(self, request, number: int):
        """Both counts side by side, and the third that settles them."""
        self._must(request, "settle")
        sheet = get_object_or_404(Sheet, pk=number)
        refusal = sheets.not_to_settle(sheet, request.user)
        form = SettleForm(request.POST or None)
        if not refusal and form.is_valid():
            try:
                sheets.settle(number, request.user, **form.cleaned_data)
            except sheets.Refused as late:
                refusal = late
            else:
                text = _("Sheet %(number)s is counted as you have counted it.")
                self.message_user(request, text % {"number": number}, messages.SUCCESS)
                return self._to(request, sheet)
        if refusal:
            self.message_user(request, refusal.says, messages.WARNING)
            return self._to(request, sheet)
        context = {"form": form, "sheet": sheet, "counts": sheet.counts.select_related("by")}
        return self.page(
            request, "admin/paper_settle.html", _("Decide between two counts"), **context
        )

    def void(self, request, number: int):
        """Out of the count for good, with a reason."""
        self._must(request, "void")
        sheet = get_object_or_404(Sheet, pk=number)
        form = VoidForm(request.POST or None)
        if form.is_valid():
            try:
                sheets.void(number, request.user, form.cleaned_data["note"])
            except sheets.Refused as refusal:
                form.add_error(None, refusal.says)
            else:
                text = _("Sheet %(number)s is cancelled. It does not count.")
                self.message_user(request, text % {"number": number}, messages.SUCCESS)
                return self._to(request, sheet)
        context = {"form": form, "sheet": sheet}
        return self.page(request, "admin/paper_void.html", _("Take a sheet out"), **context)

    def load(self, request):
        """Counts of many sheets from a file: checked, then imported or not."""
        self._must(request, "enter")
        form = ImportForm(request.POST or None, request.FILES or None)
        answer = None
        if form.is_valid():
            act = imports.load if "import" in request.POST else imports.check
            try:
                answer = act(form.cleaned_data["file"].read(), request.user)
            except files.Unreadable as why:
                form.add_error("file", str(why))
            except sheets.Refused:
                text = _("Nothing was imported: a sheet has changed meanwhile. Import again.")
                form.add_error("file", text)
        context = {
            "form": form,
            "answer": answer,
            "imported": "import" in request.POST,
            "columns": files.titles(get_language()),
            "languages": LANGUAGES.values(),
        }
        return self.page(request, "admin/paper_import.html", _("Import sheets"), **context)

    def template(self, request, language: str, form: str):
        """An empty file to fill in."""
        self._must(request, "enter")
        make = {"csv": files.template_csv, "xlsx": files.template_xlsx}.get(form)
        if make is None or language not in LANGUAGES:
            raise Http404
        return FileResponse(
            BytesIO(make(language)), as_attachment=True, filename=f"sheets-{language}.{form}"
        )

    def _must(self, request, act: str) -> None:
        if not request.user.has_perm(f"petition.{act}_sheet"):
            raise PermissionDenied

    @staticmethod
    def _may_settle(request, sheet: Sheet) -> bool:
        allowed = request.user.has_perm("petition.settle_sheet")
        return allowed and not sheets.not_to_settle(sheet, request.user)

    def _to(self, request, sheet: Sheet):
        """The page of a sheet, or the desk for those who may not read sheets."""
        if self.has_view_permission(request):
            return redirect("admin:petition_sheet_change", sheet.pk)
        return redirect("admin:index")

    def _print_page(self, request, **forms):
        context = {"form": PrintForm(), "again": PrintAgainForm()} | forms
        return self.page(request, "admin/paper_print.html", _("Print sheets"), **context)
