"""Invented records in the shape of each vendor's, for the tests of presets; no data of a vendor."""

import json
from typing import Any

import msgspec

from schemas.mapping.record import Record

KAFKA_MS = 1_741_943_066_535
AGENT = "Mozilla/5.0 (X11; Linux x86_64)"


class Invented(msgspec.Struct):
    """A record, and what Kafka keeps beside it."""

    value: Any
    headers: dict[str, str] = {}

    @property
    def raw(self) -> bytes | None:
        """Bytes of the record."""
        if self.value is None or isinstance(self.value, bytes):
            return self.value
        return json.dumps(self.value).encode()

    def record(self, offset: int = 0) -> Record:
        """The record as Kafka would give it."""
        headers = {name: text.encode() for name, text in self.headers.items()}
        return Record(
            value=self.raw, headers=headers, timestamp=KAFKA_MS, topic="foreign", offset=offset
        )


def _call(kind: str, number: int, **fields: Any) -> dict[str, Any]:
    return {
        "type": kind, "messageId": f"m-{number}", "anonymousId": "anon-1", "userId": "user-1",
        "timestamp": "2025-03-14T09:00:00.250Z", "context": {"userAgent": AGENT}, **fields,
    }  # fmt: skip


def _param(name: str, kind: str, value: str) -> dict[str, Any]:
    return {"key": name, "value": {"string_value": None, "int_value": None, kind: value}}


def _stripe(
    number: int, kind: str, before: dict[str, Any] | None, **changes: Any
) -> dict[str, Any]:
    price = {
        "id": "price_1", "currency": "eur", "unit_amount": 12_000,
        "recurring": {"interval": "year", "interval_count": 1},
    }  # fmt: skip
    item = {"id": "si_1", "price": price, "quantity": 2, "current_period_end": 1_750_000_000}
    subscription = {
        "id": "sub_1", "object": "subscription", "customer": "cus_1", "status": "active",
        "cancel_at": None, "cancel_at_period_end": False, "items": {"data": [item]}, **changes,
    }  # fmt: skip
    data: dict[str, Any] = {"object": subscription}
    if before is not None:
        data["previous_attributes"] = before
    return {
        "id": f"evt_{number}", "object": "event", "api_version": "2025-03-31", "created": 1_741_943_066,
        "livemode": True, "type": f"customer.subscription.{kind}", "data": data,
    }  # fmt: skip


_SNOWPLOW = {
    "app_id": "shop", "platform": "web", "collector_tstamp": "2025-03-14T09:00:02Z",
    "event": "page_view", "event_id": "e-1", "user_id": "user-1", "domain_userid": "d-1",
    "geo_country": "DE", "page_url": "https://shop.example/a", "page_title": "A",
    "domain_sessionid": "s-1", "derived_tstamp": "2025-03-14T09:00:00.250Z",
    "contexts_com_snowplowanalytics_snowplow_web_page_1": [{"id": "view-1"}],
}  # fmt: skip


def _tsv() -> bytes:
    from schemas.mapping.snowplow_tsv import NAMES

    page = {"schema": "iglu:com.snowplowanalytics.snowplow/web_page/jsonschema/1-0-0"}
    contexts = {
        "schema": "iglu:x/contexts/jsonschema/1-0-0",
        "data": [page | {"data": {"id": "view-1"}}],
    }
    fields = {name: one for name, one in _SNOWPLOW.items() if isinstance(one, str)}
    times = {
        "collector_tstamp": "2025-03-14 09:00:02", "derived_tstamp": "2025-03-14 09:00:00.250",
        "contexts": json.dumps(contexts),
    }  # fmt: skip
    return "\t".join((fields | times).get(name, "") for name in NAMES).encode()


def _access(request: str, status: int = 200) -> bytes:
    return (
        f'203.0.113.7 - - [14/Mar/2025:10:00:00 +0100] "{request} HTTP/1.1" {status} 99 '
        f'"https://ref.example/" "{AGENT}"'
    ).encode()


#: Preset → records of its vendor's shape.
INVENTED: dict[str, list[Invented]] = {
    "segment": [
        Invented(_call("page", 1, properties={"url": "https://shop.example/a", "title": "A"})),
        Invented(_call("screen", 2, name="Cart")),
        Invented(
            _call("track", 3, event="Product Added", properties={"cart_id": "c-1", "price": 9.5})
        ),
        Invented(
            _call(
                "track", 4, event="Order Completed",
                properties={
                    "order_id": "o-1", "revenue": "27.50", "currency": "EUR",
                    "products": [{"quantity": 1}, {"quantity": 2}],
                },
            )
        ),
        Invented(_call("track", 5, event="Order Refunded", properties={"order_id": 7, "total": 3})),
        Invented(_call("track", 6, event="Signed Up", context={"sessionId": 17})),
        Invented(_call("identify", 7, traits={"plan": "pro"})),
    ],
    "snowplow": [
        Invented(_SNOWPLOW),
        Invented(_SNOWPLOW | {"event": "struct", "se_action": "play", "se_value": "1.5"}),
        Invented(
            {
                "schema": "iglu:com.snowplowanalytics.snowplow/payload_data/jsonschema/1-0-4",
                "data": [
                    {"e": "pv", "eid": "e-2", "dtm": "1741942800250", "duid": "d-1",
                     "url": "https://shop.example/b", "aid": "shop"},
                    {"e": "ue", "eid": "e-3", "dtm": "1741942800250", "duid": "d-1",
                     "ue_pr": '{"data":{"schema":"iglu:a.b/liked/jsonschema/1-0-0","data":{}}}'},
                ],
            }
        ),
    ],
    "snowplow_tsv": [Invented(_tsv())],
    "posthog": [
        Invented(
            {
                "uuid": "u-1", "event": "$pageview", "distinct_id": "anon-1",
                "timestamp": "2025-03-14T09:00:00Z",
                "properties": {"$current_url": "https://shop.example/a", "$session_id": "s-1",
                               "$referrer": "$direct", "$pageview_id": "view-1"},
            }
        ),
        Invented(
            {
                "api_key": "phc_x",
                "batch": [
                    {"event": "$pageleave", "distinct_id": "anon-1", "timestamp": "2025-03-14T09:01:00Z",
                     "properties": {"$insert_id": "i-1", "$current_url": "https://shop.example/a",
                                    "$prev_pageview_max_content_percentage": 0.5}},
                    {"event": "liked", "distinct_id": "anon-1", "timestamp": "2025-03-14T09:02:00Z",
                     "properties": {"$insert_id": "i-2", "$user_id": "user-1"}},
                ],
            }
        ),
        Invented(
            {
                "uuid": "u-2", "distinct_id": "anon-1", "token": "phc_x", "now": "2025-03-14T09:00:09Z",
                "data": json.dumps({"event": "$identify", "properties": {"distinct_id": "anon-1"}}),
            }
        ),
    ],
    "ga4": [
        Invented(
            {
                "event_name": "page_view", "event_timestamp": "1741942800250476",
                "user_pseudo_id": "p-1", "event_bundle_sequence_id": "5", "platform": "WEB",
                "geo": {"country": "Germany"}, "device": {"category": "mobile"},
                "event_params": [
                    _param("ga_session_id", "int_value", "99"),
                    _param("page_location", "string_value", "https://shop.example/a"),
                ],
            }
        ),
        Invented(
            {
                "event_name": "purchase", "event_timestamp": "1741942800250476",
                "user_pseudo_id": "p-1", "event_bundle_sequence_id": "6",
                "event_params": [_param("currency", "string_value", "EUR")],
                "ecommerce": {"transaction_id": "o-1", "purchase_revenue": "27.5",
                              "total_item_quantity": "3"},
            }
        ),
        Invented(
            {
                "client_id": "p-1", "timestamp_micros": "1741942800250476",
                "events": [
                    {"name": "page_view", "params": {"page_location": "https://shop.example/b"}},
                    {"name": "tutorial_begin", "params": {}},
                ],
            }
        ),
    ],
    "amplitude": [
        Invented(
            {
                "api_key": "x",
                "events": [
                    {"user_id": "user-1", "device_id": "d-1", "event_type": "liked",
                     "time": 1_741_942_800_250, "revenue": 2, "country": "Germany"},
                    {"device_id": "d-1", "event_type": "$identify", "time": 1_741_942_800_251},
                ],
            }
        )
    ],
    "mixpanel": [
        Invented(
            {
                "event": "liked",
                "properties": {"time": 1_741_942_800.25, "distinct_id": "d-1", "$insert_id": "i-1"},
            }
        ),
        Invented({"event": "$identify", "properties": {"time": 1_741_942_800, "distinct_id": "d"}}),
    ],
    "matomo": [
        Invented(
            {
                "requests": [
                    "?idsite=1&url=https://shop.example/a&action_name=A&_id=00ff&cdt=1741942800",
                    "?idsite=1&_id=00ff&idgoal=0&ec_id=o-1&revenue=27.5&cdt=2025-03-14 09:00:00",
                    "?idsite=1&_id=00ff&ping=1&url=https://shop.example/a",
                    "?idsite=1&_id=00ff&idgoal=0&revenue=3",
                ]
            }
        )
    ],
    "adobe_xdm": [
        Invented(
            {
                "@id": "https://data.example/e-1", "xdm:timestamp": "2025-03-14T09:00:00+00:00",
                "xdm:identityMap": {"ECID": [{"xdm:id": "ecid-1"}]},
                "xdm:web": {"xdm:webPageDetails": {"xdm:URL": "https://shop.example/a"}},
                "xdm:commerce": {
                    "xdm:order": {"xdm:purchaseID": "o-1", "xdm:priceTotal": 27.5,
                                  "xdm:currencyCode": "EUR"},
                    "xdm:purchases": {"xdm:value": 1.0},
                },
            }
        )
    ],
    "stripe": [
        Invented(_stripe(1, "created", None)),
        Invented(_stripe(2, "updated", {"cancel_at_period_end": False}, cancel_at_period_end=True)),
        Invented(_stripe(3, "updated", {"cancel_at_period_end": True})),
        Invented(_stripe(4, "updated", {"items": {}})),
        Invented(_stripe(5, "updated", {"metadata": {}})),
        Invented(_stripe(6, "deleted", None)),
    ],
    "zendesk": [
        Invented(
            {
                "type": "zen:event-type:ticket.comment_added", "id": "z-1",
                "time": "2025-03-14T09:00:00Z", "detail": {"id": "7", "requester_id": 11},
                "event": {"comment": {"author": {"is_staff": False}, "is_public": True}},
            }
        ),
        Invented(
            {
                "type": "zen:event-type:ticket.status_changed", "id": "z-2",
                "time": "2025-03-14T09:00:00Z", "detail": {"id": "7", "requester_id": "11"},
                "event": {"current": "CLOSED", "previous": "SOLVED"},
            }
        ),
    ],
    "delighted": [
        Invented(
            {
                "event_type": "survey_response.created", "event_id": "x",
                "event_data": {"id": "r-1", "person": {"id": 7}, "survey_type": "nps", "score": 9,
                               "created_at": 1_741_942_800, "updated_at": 1_741_942_900},
            }
        )
    ],
    "formbricks": [
        Invented(
            {
                "event": "responseFinished", "webhookId": "w",
                "data": {"id": "r-1", "contact": {"userId": "user-1"},
                         "updatedAt": "2025-03-14T09:00:00.250Z", "data": {"nps_question": 9}},
            }
        ),
        Invented({"event": "responseUpdated", "webhookId": "w", "data": {"id": "r-1"}}),
    ],
    "access_log": [
        Invented(_access("GET /a?x=1")),
        Invented(_access("GET /style.css")),
        Invented(_access("GET /gone", 404)),
        Invented(_access("POST /a")),
    ],
    "revenuecat": [
        Invented(
            {
                "api_version": "1.0",
                "event": {
                    "type": "INITIAL_PURCHASE", "id": "r-1", "event_timestamp_ms": 1_741_942_800_250,
                    "app_user_id": "user-1", "original_transaction_id": "t-1", "product_id": "monthly",
                    "price_in_purchased_currency": 9.99, "currency": "EUR", "period_type": "TRIAL",
                },
            }
        )
    ],
    "shopify": [
        Invented(
            {
                "id": 42, "admin_graphql_api_id": "gid://shopify/Order/42", "currency": "EUR",
                "created_at": "2025-03-14T10:00:00+01:00", "subtotal_price": "27.50",
                "customer": {"id": 7}, "cart_token": "c-1", "line_items": [{"quantity": 2}],
            },
            {"X-Shopify-Topic": "orders/create"},
        )
    ],
    "intercom": [
        Invented(
            {
                "type": "notification_event", "topic": "conversation.admin.replied", "id": "n-1",
                "created_at": 1_741_942_800,
                "data": {"item": {"id": "7", "contacts": {"contacts": [{"id": "c-1"}]}}},
            }
        )
    ],
    "chatwoot": [
        Invented(
            {
                "event": "message_created", "id": 5, "created_at": "2025-03-14 09:00:00 UTC",
                "message_type": "incoming", "account": {"id": 1}, "sender": {"id": 9},
                "conversation": {"id": 7},
            }
        )
    ],
    "typeform": [
        Invented(
            {
                "event_id": "t-1", "event_type": "form_response",
                "form_response": {
                    "token": "r-1", "submitted_at": "2025-03-14T09:00:00Z",
                    "hidden": {"user_id": "user-1"},
                    "answers": [{"type": "text", "text": "x"}, {"type": "number", "number": 9}],
                },
            }
        )
    ],
    "cloudevents": [
        Invented(
            {
                "specversion": "1.0", "type": "com.example.seen", "source": "/web", "id": "1",
                "time": "2025-03-14T09:00:00Z", "data": {"page": "/a", "visitor": "v-1"},
            }
        ),
        Invented(
            {"page": "/a", "visitor": "v-1"},
            {
                "ce_specversion": "1.0", "ce_type": "com.example.seen", "ce_source": "/web",
                "ce_id": "2", "ce_time": "2025-03-14T09:00:00Z",
            },
        ),
    ],
    "debezium": [
        Invented(
            {
                "op": "c", "before": None,
                "after": {"id": 7, "user_id": 11, "status": "active", "price": "B9A="},
                "source": {"connector": "postgresql", "db": "d", "schema": "public", "table": "t",
                           "lsn": 5, "ts_ms": 1_741_942_800_250},
            }
        ),
        Invented(None),
    ],
}  # fmt: skip

#: Rules that a user adds to the presets that have none.
RULES: dict[str, str] = {
    "cloudevents": """
preset = "cloudevents"
[every]
visitor_id = "data.visitor"
[[event]]
when = { type = "com.example.seen" }
type = "page_view"
page_url = "data.page"
""",
    "debezium": """
preset = "debezium"
[every]
user_id = ["after.user_id", "before.user_id"]
subscription_id = ["after.id", "before.id"]
[[event]]
when = { op = "u", "before.status" = { exists = false } }
reject = "the row before lacks `status`: ALTER TABLE t REPLICA IDENTITY FULL"
[[event]]
when = { op = ["c", "r"], "after.status" = ["active", "trialing"] }
type = "subscription_started"
mrr = { from = "after.price", as = "decimal", scale = 2 }
[[event]]
when = { op = "u", "after.price" = { differs_from = "before.price" } }
type = "subscription_changed"
mrr = { from = "after.price", as = "decimal", scale = 2 }
""",
}
