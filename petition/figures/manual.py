"""Reads from the OpenAPI document what a person needs who reads the figures by program."""

import json
from dataclasses import dataclass

METHOD = "get"
# An example shows so many entries of a list, and so many lines of a table.
MOST_ENTRIES, MOST_LINES = 2, 8
REST = "…"


@dataclass(frozen=True)
class Form:
    """One of the formats in which an address answers: how to ask for it, and what it says now."""

    address: str
    description: str
    example: str


@dataclass(frozen=True)
class Address:
    """What can be asked for. `parameters` and `fields` are names with their meanings, a field of
    another one written as `today.came`, that of each entry of a list as `hours[].at`."""

    name: str
    summary: str
    forms: list[Form]
    parameters: list[tuple[str, str]]
    fields: list[tuple[str, str]]


def addresses(document: dict) -> list[Address]:
    """Every address of the document, with its formats together. Words are those of the document:
    in English, with code between backticks."""
    found: dict[str, Address] = {}
    for path, item in document["paths"].items():
        operation = item[METHOD]
        name = path.rpartition(".")[0]
        asked = [resolved(document, each) for each in operation["parameters"]]
        asked = [each for each in asked if each["in"] != "header"]
        address = found.setdefault(
            name,
            Address(
                name=operation["operationId"],
                summary=operation["summary"],
                forms=[],
                parameters=[(each["name"], each["description"]) for each in asked],
                fields=[],
            ),
        )
        ((_, content),) = operation["responses"]["200"]["content"].items()
        address.forms.append(
            Form(
                address=document["servers"][0]["url"] + _filled(path, asked),
                description=operation["description"],
                example=shortened(content.get("example", "")),
            )
        )
        address.fields.extend(_fields(document, content["schema"]))
    return list(found.values())


def shortened(example: dict | str) -> str:
    """An answer as text, its long lists and tables cut; JSON with a line for each field and for
    each entry of a list."""
    if isinstance(example, str):
        lines = example.splitlines()
        return "\n".join(lines[:MOST_LINES] + [REST] * (len(lines) > MOST_LINES))
    parts = []
    for name, value in example.items():
        said = json.dumps(value, ensure_ascii=False)
        if isinstance(value, list) and value:
            entries = value[:MOST_ENTRIES] + [REST] * (len(value) > MOST_ENTRIES)
            inner = ",\n".join(f"    {json.dumps(each, ensure_ascii=False)}" for each in entries)
            said = f"[\n{inner}\n  ]"
        parts.append(f"  {json.dumps(name)}: {said}")
    return "{\n" + ",\n".join(parts) + "\n}"


def resolved(document: dict, part: dict) -> dict:
    """A part of the document, or what it points to; what stands beside the pointer holds too."""
    if "$ref" not in part:
        return part
    target = document
    for step in part["$ref"].removeprefix("#/").split("/"):
        target = target[step]
    return resolved(document, target) | {k: v for k, v in part.items() if k != "$ref"}


def _filled(path: str, parameters: list[dict]) -> str:
    """The path with the parameters' examples."""
    query = []
    for each in parameters:
        if each["in"] == "path":
            path = path.replace(f"{{{each['name']}}}", each["example"])
        else:
            query.append(f"{each['name']}={each['example']}")
    return path + ("?" + "&".join(query) if query else "")


def _fields(document: dict, schema: dict, prefix: str = "") -> list[tuple[str, str]]:
    found = []
    for name, part in resolved(document, schema).get("properties", {}).items():
        part = resolved(document, part)
        inner = resolved(document, part.get("items", part))
        mark = "[]" if "items" in part else ""
        meaning = part.get("description", "")
        if meaning or "properties" not in inner:
            found.append((f"{prefix}{name}{mark}", meaning))
        found.extend(_fields(document, inner, f"{prefix}{name}{mark}."))
    return found
