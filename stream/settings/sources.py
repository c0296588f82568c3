"""Settings of foreign sources: topics whose records are mapped to events."""

from typing import Annotated, Any, Literal

from msgspec import field

from stream.settings.table import Help, Table

_PRESET = {'""': "as the preset says"}
_FORMATS = {
    '""': "as the preset says, else json",
    "json": "a JSON object, or a list of them",
    "json_schema": "JSON behind Confluent's magic byte and schema id",
    "kafka_connect": "JSON with or without `schema` and `payload`",
    "debezium": "as kafka_connect",
    "cloudevents": "CloudEvents of any mode; the payload is `data`",
    "query": "a query string",
    "snowplow_tsv": "Snowplow's enriched events",
    "access_log": "lines of the common or combined log format",
}


class SourceSettings(Table, frozen=True, kw_only=True):
    """A foreign source, and how its records become events: schemas/README.md, Your events."""

    topics: Annotated[
        tuple[str, ...],
        Help("Kafka topics of the source, which engage intake carries."),
    ] = ()
    preset: Annotated[
        str, Help("Mapping that comes with the program, such as segment.", {'""': "none"})
    ] = ""
    format: Annotated[
        Literal[
            "", "json", "json_schema", "kafka_connect", "debezium", "cloudevents", "query",
            "snowplow_tsv", "access_log",
        ],
        Help("What the bytes of a record are.", _FORMATS),
    ] = ""  # fmt: skip
    parse: Annotated[
        dict[str, str],
        Help(
            "Texts in the record that hold more: path = json, base64_json or query.",
            example='parse = { data = "json" }',
        ),
    ] = field(default_factory=dict)
    unwrap: Annotated[
        str, Help("Path of an object that stands for the record, where there is one.", _PRESET)
    ] = ""
    each: Annotated[
        str,
        Help("Path of a list whose elements are mapped one by one, where there is one.", _PRESET),
    ] = ""
    each_as: Annotated[
        Literal["", "query"],
        Help("What the texts in the list are.", _PRESET | {"query": "query strings"}),
    ] = ""
    each_parse: Annotated[
        dict[str, str], Help("As `parse`, for paths in the elements of the list.")
    ] = field(default_factory=dict)
    tombstones: Annotated[
        Literal["", "reject", "ignore"],
        Help(
            "What becomes of records without a value.",
            _PRESET | {"reject": "a dead letter", "ignore": "nothing"},
        ),
    ] = ""
    match: Annotated[
        Literal["", "first", "all"],
        Help(
            "Which of the rules whose conditions hold decide.",
            _PRESET | {"first": "the first one", "all": "every one: several events of a record"},
        ),
    ] = ""
    when: Annotated[
        dict[str, Any],
        Help(
            "Conditions of all records; others are ignored.", example="when = { livemode = true }"
        ),
    ] = field(default_factory=dict)
    discriminator: Annotated[
        tuple[str, ...], Help("Paths that name the kind of a record that no rule took.", _PRESET)
    ] = ()
    every: Annotated[
        dict[str, Any],
        Help(
            "Where fields of every event come from. A field is a path, a list of paths or a table: "
            "{ value = … }, { id = [paths] }, or { from = path, as = converter }.",
            example='every = { event_id = "id", event_time = "at", user_id = "user.id" }',
        ),
    ] = field(default_factory=dict)
    event: Annotated[
        tuple[dict[str, Any], ...],
        Help(
            "Rules, before those of the preset; the first whose `when` holds decides.",
            example='[[sources.web.event]]\nwhen = { type = "signup" }\ntype = "goal"\n'
            'name = { value = "signup" }',
        ),
    ] = ()
