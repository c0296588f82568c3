"""Recognizes what is sent in the place of an event: another product's format, or no JSON at all."""

from collections.abc import Collection, Mapping
from functools import lru_cache
from typing import Final

from schemas.events import EVENT_TYPES
from schemas.suggest import did_you_mean

#: Product → alternatives of top-level fields; all fields of one alternative are in its events.
_FIELDS: Final[Mapping[str, tuple[frozenset[str], ...]]] = {
    name: tuple(frozenset(one.split()) for one in alternatives)
    for name, alternatives in {
        "Segment": ("type messageId anonymousId", "type messageId userId"),
        "Snowplow": ("event_id collector_tstamp", "domain_userid app_id"),
        "PostHog": ("event distinct_id", "distinct_id token data", "api_key batch"),
        "a GA4 export": ("event_name event_timestamp", "user_pseudo_id event_timestamp"),
        "GA4's Measurement Protocol": ("client_id events", "app_instance_id events"),
        "Amplitude": ("api_key events", "event_type device_id", "event_type user_id time"),
        "Mixpanel": ("event properties",),
        "Matomo": ("requests token_auth", "requests"),
        "Adobe XDM": ("xdm:timestamp", "_id identityMap"),
        "a CloudEvent": ("specversion source",),
        "Debezium": ("op before after", "op after source", "op before source", "__op __deleted"),
        "Kafka Connect's JSON with a schema": ("schema payload",),
        "Stripe": ("type livemode data", "object api_version data"),
        "Shopify": ("admin_graphql_api_id",),
        "RevenueCat": ("api_version event",),
        "Zendesk": ("zendesk_event_version", "detail-type detail"),
        "Intercom": ("topic delivery_attempts", "type app_id topic"),
        "Delighted": ("event_type event_data",),
        "Typeform": ("event_type form_response",),
        "Formbricks": ("webhookId event",),
    }.items()
}
#: Names of other products, in lower-case letters alone, for our types.
_SYNONYMS: Final[Mapping[str, str]] = {
    name: ours
    for ours, names in {
        "page_view": "page pages pageview pageviews pageviewed viewpage viewedpage screen screenview "
        "screenviewed viewscreen",
        "heartbeat": "ping pageping pageleave",
        "click": "autocapture linkclick buttonclick clicked",
        "custom": "track event struct unstruct",
        "order": "purchase purchased ordercompleted orderplaced ordercreated transaction",
        "refund": "orderrefunded refunded",
        "add_to_cart": "productadded addedtocart cartadd",
        "remove_from_cart": "productremoved removedfromcart cartremove",
        "checkout_started": "begincheckout checkoutbegun initiatecheckout",
        "goal": "conversion goalcompleted",
        "subscription_started": "subscribe subscribed trialstarted subscriptioncreated",
        "subscription_changed": "subscriptionupdated",
        "subscription_renewed": "renewal renewed",
        "subscription_cancelled": "unsubscribe unsubscribed subscriptioncanceled cancellation",
        "subscription_ended": "subscriptiondeleted subscriptionexpired expiration expired",
        "ticket_opened": "ticketcreated",
        "ticket_message": "ticketreply ticketcommented",
        "ticket_resolved": "ticketsolved ticketclosed",
        "survey_response": "surveysent surveyanswered npsresponse",
    }.items()
    for name in names.split()
}
_SNOWPLOW_TABS: Final = 100
_CONFLUENT: Final = 5
_PACKED: Final[Mapping[bytes, str]] = {
    b"\x1f\x8b": "gzip",
    b"\x28\xb5\x2f\xfd": "zstd",
    b"Obj\x01": "an Avro file",
    b"\xc3\x01": "Avro with a schema fingerprint",
    b"\xff\xfe": "UTF-16",
    b"\xfe\xff": "UTF-16",
    b"\xef\xbb\xbf": "a byte order mark",
}


def product(fields: Collection[str]) -> str | None:
    """Return the product whose events have these top-level fields, if it is known."""
    if type(fields) is not frozenset:
        fields = frozenset(fields)
    return next(
        (
            name
            for name, alternatives in _FIELDS.items()
            if any(one <= fields for one in alternatives)
        ),
        None,
    )


@lru_cache(maxsize=1024)
def nearest_type(tag: str) -> str:
    """Return `did you mean NAME?` for an unknown type; empty if no type of ours is like it."""
    letters = "".join(filter(str.isalpha, tag.lower()))
    ours = _SYNONYMS.get(letters)
    return f"did you mean {ours}?" if ours else did_you_mean(tag.lower(), EVENT_TYPES)


def packaging(raw: bytes) -> str | None:
    """Describe bytes that are no JSON object, by their beginning; None if nothing is recognized."""
    if raw[:1] == b"\0" and len(raw) >= _CONFLUENT:
        schema = int.from_bytes(raw[1:_CONFLUENT], "big")
        return f"begins with 00: like the Confluent wire format, schema {schema}"
    for magic, name in _PACKED.items():
        if raw.startswith(magic):
            return f"begins with {magic.hex()}: {name}, not a JSON object"
    text = raw.lstrip()
    if text.startswith(b"["):
        return "a JSON array: send one event a record"
    if text.rstrip() == b"null":
        return "null: a tombstone written as JSON, which says that something was deleted"
    tabs = raw.count(b"\t")
    return f"{tabs + 1} fields between tabs: like Snowplow" if tabs >= _SNOWPLOW_TABS else None


def epoch_unit(number: int) -> str | None:
    """Return the unit in which an epoch time lies between 2001 and 2100; None for milliseconds."""
    size = len(str(abs(number)))
    return {10: "seconds", 16: "microseconds", 19: "nanoseconds"}.get(size)
