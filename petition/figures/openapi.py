"""The description of `/api/v1/` as an OpenAPI 3.1 document.

Values are described as exactly as JSON Schema can: what an answer says beyond it is a mistake.
"""

from django.conf import settings
from django.utils.translation import gettext_noop as _  # In English here, in their language there.

LICENCE, LICENCE_URL = "CC BY 4.0", "https://creativecommons.org/licenses/by/4.0/"
DIALECT = "https://spec.openapis.org/oas/3.1/dialect/base"
# As `Signature.Reason`, why a sweep sets signatures aside; a test holds the two together.
REASONS = (
    "disposable", "automated", "repeated", "name", "challenge", "owner", "alias", "other",
)  # fmt: skip

ABOUT = f"""\
The figures of the petition, for newsrooms and programs. No key and no cookie; please ask no more
often than every ten seconds. Within version 1 fields are only added, never changed or taken away.

**What is counted.** A *signature* counts once the mailbox that it was made from has confirmed it,
or as a valid line of a paper sheet that two people counted. One confirmed mailbox is not one
proven person. `total` = `online` + `paper`. What has *come* was newly counted; what has *left* was
counted before: `withdrawn` by signers, `set_aside` by coordinators or by a recount, `taken_out`
with a sheet of paper. The total changes by `came` − `left`.

**Exact and rounded.** Totals are exact. By country, track and language figures are drawn up once an
hour, in whole tens, and a number moves only once as many signatures came or left in all; all else
stands under `other`. So each table adds up to the total of its moment (`as_of`), a number may for a
while be a little too low or too high, and nobody can find out who signed where few did. States
other than `counted` are given once a day, as the ten below or above by chance. Tables of days
before the first drawing are null.

**Time.** All times and days are UTC (ISO 8601).

**Caching.** Each answer has a strong `ETag` and mostly a `Last-Modified`: ask again with
`If-None-Match`, and `304` without a body says that nothing changed. `Cache-Control` says how long
an answer is good, how long it may be used while a new one is fetched (`stale-while-revalidate`)
and while the site is down (`stale-if-error`).

**From any site.** CORS allows every origin to read, `ETag` included.

**Errors** are `application/problem+json` (RFC 9457); `detail` says what is wrong.

**Licence.** {LICENCE}: use them freely and name the source. Where `sample` is `true`, the figures
are made up, to try things out.

The examples here are what the addresses say at this moment."""

COUNT = {"type": "integer", "minimum": 0}
TENS = COUNT | {"multipleOf": 10}
MOMENT = {
    "type": "string",
    "format": "date-time",
    "pattern": "^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}Z$",
}
DAY = {"type": "string", "format": "date", "pattern": "^[0-9]{4}-[0-9]{2}-[0-9]{2}$"}
KEPT = {
    "licence": {"const": LICENCE, "description": LICENCE_URL},
    "sample": {"const": True, "description": _("Present where the figures are made up.")},
}
FLOW = {
    "came": COUNT
    | {"description": _("Newly counted, or counted again after a correction was undone.")},
    "withdrawn": COUNT
    | {"description": _("Counted before; withdrawn by their signers, or erased.")},
    "set_aside": COUNT
    | {"description": _("Counted before; set aside by coordinators or a recount.")},
    "taken_out": COUNT | {"description": _("Lines of paper sheets that were taken out.")},
}
TOTALS = {
    "total": COUNT | {"description": _("Counted signatures: online + paper.")},
    "online": COUNT | {"description": _("Confirmed from their mailbox.")},
    "paper": COUNT | {"description": _("Valid lines of paper sheets.")},
}
CELLS = {
    "country": {"type": "string", "pattern": "^([A-Z]{2}|other)$"},
    "track": {"type": "string", "pattern": "^[a-z0-9-]+$"},
    "language": {"enum": ["ar", "fr", "en", "other"]},
}
MEANINGS = {
    "country": _("ISO 3166-1 alpha-2, as signers say; `other`: other countries and remainders."),
    "track": _("What matters most to signers; `other`: those who chose none, and remainders."),
    "language": _("The language in which they signed; `other`: English and remainders."),
}


def document(examples: dict[str, dict | str], today: str) -> dict:
    """The document; `examples` are what each address says now, by its last part, such as
    `tallies.csv`; `today` the day that those of `history` and of a day are about."""
    return {
        "openapi": "3.1.1",
        "jsonSchemaDialect": DIALECT,
        "info": {
            "title": "One Million Signatures: the figures",
            "version": "1.0.0",
            "description": ABOUT,
            "license": {"name": LICENCE, "identifier": "CC-BY-4.0"},
        },
        "externalDocs": {
            "url": f"{settings.SITE_URL}/en/press/api/",
            "description": "The same for readers, in Arabic, French and English.",
        },
        "servers": [{"url": f"{settings.SITE_URL}/api/v1"}],
        "paths": _paths(examples),
        "components": {
            "schemas": _schemas(),
            "parameters": _parameters(today),
            "headers": _headers(),
            "responses": _problems(),
        },
    }


def _paths(examples: dict[str, dict | str]) -> dict:
    def said(name, schema, description):
        kind = "text/csv" if name.endswith(".csv") else "application/json"
        shape = (
            {"type": "string"} if kind == "text/csv" else {"$ref": f"#/components/schemas/{schema}"}
        )
        return {
            "description": description,
            "headers": {
                name: {"$ref": f"#/components/headers/{name}"} for name in _headers()
            },
            "content": {kind: {"schema": shape, "example": examples[name]}},
        }  # fmt: skip

    span, one_day = ("from", "to"), ("day",)
    table = _(
        "Columns `dimension,value,count,as_of`: the same figures as in JSON, one a line. ASCII, "
        "lines end with CR LF, no byte order mark."
    )
    lines = _(
        "Columns `at,total,online,paper,came,withdrawn,set_aside,taken_out`: one hour a line. "
        "ASCII, lines end with CR LF."
    )
    return {
        "/counter.json": _get(
            "counter", _("The count now"), _("Exact, at most five seconds old."),
            said("counter.json", "Counter", "The count."),
        ),
        "/tallies.json": _get(
            "tallies", _("By country, track, language, day and state"),
            _("As of the last full hour; `by_day` holds every day since the first signature."),
            said("tallies.json", "Tallies", "The tables."),
        ),
        "/tallies.csv": _get(
            "talliesCsv", "The tables as CSV", table, said("tallies.csv", "", "The tables."),
        ),
        "/history.json": _get(
            "history", _("Hour by hour"),
            _("Kept for good. Days are in UTC and both included: the last seven by default, at "
            "most 31 at once."),
            said("history.json", "History", "The hours that ended in those days."),
            parameters=span,
        ),
        "/history.csv": _get(
            "historyCsv", "Hour by hour as CSV", lines,
            said("history.csv", "", "The hours that ended in those days."), parameters=span,
        ),
        "/history/{day}.json": _get(
            "day", _("One day"),
            _("The permanent address of a day's figures: once the day is over they never change. "
            "Of today, as of the last full hour."),
            said("day.json", "Day", "The day."), parameters=one_day, missing=True,
        ),
        "/history/{day}.csv": _get(
            "dayCsv", "One day as CSV", table, said("day.csv", "", "The day."),
            parameters=one_day, missing=True,
        ),
        "/corrections.json": _get(
            "corrections", _("Why the count was corrected"),
            _("Every bulk removal, every undo of one, and every recount that changed the count; "
            "the latest first."),
            said("corrections.json", "Corrections", "The ledger."),
        ),
        "/openapi.json": _get(
            "document", _("This document"), _("With the current answers as examples."),
            {
                "description": "An OpenAPI 3.1 document.",
                "headers": {
                    name: {"$ref": f"#/components/headers/{name}"} for name in _headers()
                },
                "content": {"application/json": {"schema": {"type": "object"}}},
            },
        ),
    }  # fmt: skip


def _get(name, summary, description, found, parameters=(), missing=False) -> dict:
    """What an address answers to GET. To HEAD it answers the same without the body, to OPTIONS
    what CORS allows."""
    statuses = ["400", *(["404"] if missing else []), "405", "412", "413", "500"]
    operation = {
        "operationId": name,
        "summary": summary,
        "description": description,
        "parameters": [
            {"$ref": f"#/components/parameters/{name}"}
            for name in (*parameters, "If-None-Match", "If-Modified-Since")
        ],
        "responses": {
            "200": found,
            "304": {"description": "Not changed since the answer that the request names."},
            **{code: {"$ref": f"#/components/responses/{code}"} for code in statuses},
        },
    }
    return {"get": operation}


def _parameters(today: str) -> dict:
    return {
        "day": {
            "name": "day", "in": "path", "required": True, "schema": DAY, "example": today,
            "description": _("A day in UTC, from that of the first signature until today."),
        },
        "from": {
            "name": "from", "in": "query", "schema": DAY, "example": today,
            "description": _("The first day; six days before `to` by default."),
        },
        "to": {
            "name": "to", "in": "query", "schema": DAY, "example": today,
            "description": _("The last day, at most 30 days after `from`, and not before it. Today "
            "by default, or where `from` lies too far back for that, the last that can be asked "
            "for with it."),
        },
        "If-None-Match": {
            "name": "If-None-Match", "in": "header",
            "schema": {"type": "string"}, "description": "The `ETag` of an answer that you have.",
        },
        "If-Modified-Since": {
            "name": "If-Modified-Since", "in": "header", "schema": {"type": "string"},
            "description": "The `Last-Modified` of an answer that you have; `If-None-Match` is "
            "more exact.",
        },
    }  # fmt: skip


def _headers() -> dict:
    def header(description, required=True, **schema):
        return {
            "description": description,
            "required": required,
            "schema": {"type": "string"} | schema,
        }

    return {
        "ETag": header("Strong: names these very bytes.", pattern='^"[0-9a-f]{24}"$'),
        "Last-Modified": header("When the figures changed last.", required=False),
        "Cache-Control": header("How long the answer is good.", pattern="^(.*, )?max-age=[0-9]+"),
        "Access-Control-Allow-Origin": header("Every site may read it.", const="*"),
        "Link": header("The licence and this document.", pattern='rel="license"'),
    }


def _problems() -> dict:
    content = {
        "application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}
    }  # fmt: skip
    meanings = {
        "400": "What is asked for cannot be answered, or cannot be read.",
        "404": "A day that has not begun, or lies before the first signature.",
        "405": "Another method than GET, HEAD and OPTIONS.",
        "412": "A condition such as `If-Match` does not hold.",
        "413": "The request has a body of more than 64 KB.",
        "500": "A mistake of ours.",
    }
    return {code: {"description": said, "content": content} for code, said in meanings.items()}


def _schemas() -> dict:
    passed = _object(
        {"came": FLOW["came"], "left": COUNT | {"description": _("No longer counted.")}}
    )
    day = {"day": DAY, "came": COUNT, "left": COUNT, "net": {"type": "integer"}, "total": COUNT}
    hour = (
        {
            "at": MOMENT
            | {
                "description": _(
                    "When it was calculated: the end of the hour. The one at midnight ends "
                    "the day before."
                )
            }
        }
        | TOTALS
        | FLOW
    )
    goal = COUNT | {"description": _("How many signatures the campaign wants to reach.")}
    rounded = {"const": 10, "description": _("In what steps the tables are given.")}
    tables = {f"by_{name}": _table(name) for name in CELLS}
    maybe = {name: table | {"type": ["array", "null"]} for name, table in tables.items()}
    states = {"as_of": MOMENT, "received": COUNT | {"description": _("The sum of the others.")}}
    states |= {"pending": TENS, "counted": COUNT}
    states |= dict.fromkeys(("held", "rejected", "withdrawn", "expired"), TENS)
    milestone = {
        "percent": {"enum": [1, 5, 10, 25, 50, 75, 100], "description": _("Share of the goal.")},
        "total": COUNT | {"description": _("The count that was first seen to have reached it.")},
        "goal": goal,
        "at": MOMENT,
    }
    correction = {
        "number": COUNT | {"description": _("Of the bulk removal or of the recount.")},
        "at": MOMENT,
        "kind": {"enum": ["set_aside", "restored", "recount"]},
        "reason": {
            "enum": [*REASONS, None],
            "description": _(
                "Why signatures were set aside together. `disposable`: disposable addresses; "
                "`automated`: filled in by a program; `repeated`: one person with several "
                "mailboxes; `name`: not the name of a person; `challenge`: signed without the "
                "check of the browser; `owner`: asked by the owner of the "
                "mailbox; `alias`: another spelling of a mailbox that has signed; "
                "`other`: another reason"
            ),
        },
        "count": {"type": "integer", "description": _("By how much the total changed.")},
        "rules": {
            "type": "integer",
            "minimum": 1,
            "description": _("Version of the counting rules."),
        },
        "is_over": {"type": "boolean", "description": _("False while it is under way.")},
    }
    return {
        "Counter": _object(
            TOTALS
            | {
                "goal": goal,
                "updated_at": MOMENT
                | {"type": ["string", "null"], "description": _("When the total changed last.")},
                "today": passed | {"description": _("Since midnight UTC.")},
                "last_24_hours": passed,
            }
            | KEPT
        ),
        "Tallies": _object(
            {"as_of": MOMENT}
            | TOTALS
            | {"goal": goal}
            | tables
            | {"by_day": _list(_object(day)), "states": _object(states), "rounded_to": rounded}
            | KEPT
        ),
        "History": _object(
            {
                "from": DAY,
                "to": DAY,
                "hours": _list(_object(hour)),
                "milestones": _list(_object(milestone)),
            }
            | KEPT
        ),
        "Day": _object(
            {"day": DAY, "is_over": {"type": "boolean"}, "as_of": MOMENT}
            | TOTALS
            | FLOW
            | {"hours": _list(_object(hour))}
            | maybe
            | {"rounded_to": rounded}
            | KEPT
        ),
        "Corrections": _object(
            {
                "corrections": _list(_object(correction)),
                "rules": _object({"version": {"type": "integer", "minimum": 1}}),
            }
            | KEPT
        ),
        "Problem": _object(
            {
                "type": {"const": "about:blank"},
                "title": {"type": "string", "minLength": 1},
                "status": {"type": "integer", "minimum": 400, "maximum": 599},
                "detail": {"type": "string", "minLength": 1},
            }
        ),
    }


def _object(properties: dict) -> dict:
    """All of these, but `sample`, and no others."""
    return {
        "type": "object",
        "properties": properties,
        "required": [name for name in properties if name != "sample"],
        "additionalProperties": False,
    }


def _list(items: dict) -> dict:
    return {"type": "array", "items": items}


def _table(name: str) -> dict:
    return _list(_object({name: CELLS[name], "count": COUNT})) | {"description": MEANINGS[name]}
