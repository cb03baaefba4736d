"""Rows that can be read and never typed, edited or deleted by hand; in lists of any length."""

from datetime import UTC, datetime

from django import forms
from django.contrib import admin
from django.contrib.admin.options import IncorrectLookupParameters, ShowFacets
from django.contrib.admin.views.main import ChangeList
from django.db.models import Q, QuerySet
from django.http import QueryDict
from django.template.response import TemplateResponse
from django.utils.text import capfirst
from django.utils.translation import gettext

from petition.desk import sessions
from petition.ground import replica
from petition.ground.lazy import LazyText

AFTER, BEFORE = "after", "before"


class Filters(forms.Form):
    """What a list can be narrowed to; each field is named for what it compares."""

    def order(self, usual: tuple[str, ...]) -> tuple[str, ...]:
        """What the narrowed list is ordered by: at most one time, then the primary key."""
        return usual

    def narrow(self, rows: QuerySet) -> QuerySet:
        chosen = {name: value for name, value in self.cleaned_data.items() if value}
        return rows.filter(**chosen)


class PageByKey(ChangeList):
    """A page of a list that begins after the last row of the page before it.

    It costs the same wherever it stands: nothing is counted and nothing is skipped. The address
    says what the list is narrowed to by the fields of the admin's `filters` alone.
    """

    def get_ordering(self, request, queryset):
        return list(self.order)

    def get_queryset(self, request, exclude_parameters=None):
        self.filter_specs, self.has_filters, self.has_active_filters = [], False, False
        self.filters = self.model_admin.filters(request.GET)
        if not self.filters.is_valid():
            self.order = self.model_admin.order
            return self.root_queryset.none()
        self.order = self.filters.order(self.model_admin.order)
        return self.filters.narrow(self.root_queryset.order_by(*self.order))

    def get_results(self, request):
        cursor = request.GET.get(BEFORE) or request.GET.get(AFTER)
        backwards = BEFORE in request.GET
        rows = self.queryset.reverse() if backwards else self.queryset
        if cursor:
            rows = rows.filter(self._beyond(cursor, backwards))
        # First the keys, which the database reads off an index also where several filters meet.
        keys = list(rows.values_list("pk", flat=True)[: self.list_per_page + 1])
        whole = {row.pk: row for row in self.root_queryset.filter(pk__in=keys)}
        found = [whole[key] for key in keys if key in whole]
        more, found = len(found) > self.list_per_page, found[: self.list_per_page]
        if backwards:
            found.reverse()
        self.result_list, self.result_count = found, len(found)
        self.show_full_result_count, self.full_result_count = False, None
        self.show_admin_actions, self.can_show_all, self.multi_page = True, False, False
        has_newer, has_older = (more, True) if backwards else (bool(cursor), more)
        self.newer = self._link(BEFORE, found[0]) if found and has_newer else ""
        self.older = self._link(AFTER, found[-1]) if found and has_older else ""
        self.newest = self._link() if cursor else ""

    def _link(self, place: str = "", row=None) -> str:
        query = QueryDict(mutable=True)
        query.update({k: v for k, v in self.filters.data.items() if k in self.filters.fields and v})
        if row is not None:
            query[place] = self._cursor(row)
        return f"?{query.urlencode()}"

    def _cursor(self, row) -> str:
        moment = [getattr(row, name.lstrip("-")).isoformat() for name in self.order[:-1]]
        return "~".join([*moment, str(row.pk)])

    def _beyond(self, cursor: str, backwards: bool) -> Q:
        """The rows after a cursor. Written so that the database begins at its place in the index:
        two alternatives joined by "or" would be looked through from the start."""
        op = "gt" if backwards else "lt"
        try:
            *moment, pk = cursor.split("~")
            if len(moment) != len(self.order) - 1:
                raise ValueError(cursor)
            beyond = Q(**{f"pk__{op}": int(pk)})
            if moment:
                field = self.order[0].lstrip("-")
                at = datetime.fromisoformat(moment[0]).astimezone(UTC)
                beyond = Q(**{f"{field}__{op}e": at}) & (Q(**{f"{field}__{op}": at}) | beyond)
        except (ValueError, OverflowError) as error:
            raise IncorrectLookupParameters from error
        return beyond


def answer(value: bool) -> str:
    """Yes or no. Django's icon says "True" and "False" in every language."""
    return gettext("yes") if value else gettext("no")


class ReadOnlyAdmin(admin.ModelAdmin):
    actions: list | None = None
    filters = Filters
    # The end is always the primary key; before it at most one time.
    order: tuple[str, ...] = ("-pk",)
    change_form_template = "admin/row.html"
    change_list_template = "admin/list.html"
    list_per_page = 50
    list_select_related = False
    show_full_result_count = False
    show_facets = ShowFacets.NEVER
    sortable_by = ()

    def page(self, request, template: str, title: LazyText, **context) -> TemplateResponse:
        """A screen of our own beside Django's list and row."""
        site = self.admin_site.each_context(request)
        return TemplateResponse(
            request, template, site | {"opts": self.opts, "title": title} | context
        )

    def get_changelist(self, request, **kwargs):
        return PageByKey

    def get_queryset(self, request):
        rows = super().get_queryset(request)
        return rows.using(self._source(request).alias)

    def _source(self, request) -> replica.Source:
        """Lists may come from a standby, but for who has just changed something: they see it."""
        where = request.resolver_match
        is_list = where and where.url_name and where.url_name.endswith("_changelist")
        if not is_list or request.method != "GET" or sessions.has_just_written(request.session):
            return replica.MAIN
        return replica.source()

    def changelist_view(self, request, extra_context=None):
        title = {
            "title": capfirst(self.opts.verbose_name_plural),
            "as_of": self._source(request).as_of,
        }
        return super().changelist_view(request, title | (extra_context or {}))

    def has_add_permission(self, request):
        return False

    def has_change_permission(self, request, obj=None):
        return False

    def has_delete_permission(self, request, obj=None):
        return False
