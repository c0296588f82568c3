"""Reads Snowplow's enriched events: 131 fields between tabs, with JSON in three of them."""

import re
from collections.abc import Callable
from typing import Any, Final

#: Names of the fields, in their order, as Snowplow's analytics SDKs have them.
_IN_ORDER: Final = (
    "app_id platform etl_tstamp collector_tstamp dvce_created_tstamp event event_id txn_id "
    "name_tracker v_tracker v_collector v_etl user_id user_ipaddress user_fingerprint "
    "domain_userid domain_sessionidx network_userid geo_country geo_region geo_city geo_zipcode "
    "geo_latitude geo_longitude geo_region_name ip_isp ip_organization ip_domain ip_netspeed "
    "page_url page_title page_referrer page_urlscheme page_urlhost page_urlport page_urlpath "
    "page_urlquery page_urlfragment refr_urlscheme refr_urlhost refr_urlport refr_urlpath "
    "refr_urlquery refr_urlfragment refr_medium refr_source refr_term mkt_medium mkt_source "
    "mkt_term mkt_content mkt_campaign contexts se_category se_action se_label se_property "
    "se_value unstruct_event tr_orderid tr_affiliation tr_total tr_tax tr_shipping tr_city "
    "tr_state tr_country ti_orderid ti_sku ti_name ti_category ti_price ti_quantity "
    "pp_xoffset_min pp_xoffset_max pp_yoffset_min pp_yoffset_max useragent br_name br_family "
    "br_version br_type br_renderengine br_lang br_features_pdf br_features_flash "
    "br_features_java br_features_director br_features_quicktime br_features_realplayer "
    "br_features_windowsmedia br_features_gears br_features_silverlight br_cookies br_colordepth "
    "br_viewwidth br_viewheight os_name os_family os_manufacturer os_timezone dvce_type "
    "dvce_ismobile dvce_screenwidth dvce_screenheight doc_charset doc_width doc_height "
    "tr_currency tr_total_base tr_tax_base tr_shipping_base ti_currency ti_price_base "
    "base_currency geo_timezone mkt_clickid mkt_network etl_tags dvce_sent_tstamp "
    "refr_domain_userid refr_dvce_tstamp derived_contexts domain_sessionid derived_tstamp "
    "event_vendor event_name event_format event_version event_fingerprint true_tstamp "
)
NAMES: Final = tuple(_IN_ORDER.split())
#: Fewer fields come from enrichments older than these names.
_FIELDS_MIN: Final = 108
_SCHEMA = re.compile(r"iglu:(?P<vendor>[^/]+)/(?P<name>[^/]+)/[^/]+/(?P<major>\d+)-\d+-\d+")
_CAPITAL = re.compile(r"([^A-Z_])([A-Z])")


def snowplow_fields(line: str, parse_json: Callable[[str], object]) -> dict[str, Any]:
    """Return the fields of an enriched event that are not empty, named as in Snowplow's JSON.

    Raises ValueError.
    """
    parts = line.split("\t")
    if len(parts) < _FIELDS_MIN:
        raise ValueError(f"{len(parts)} fields between tabs; an enriched event has {len(NAMES)}")
    fields: dict[str, Any] = {name: part for name, part in zip(NAMES, parts, strict=False) if part}
    for name in ("contexts", "derived_contexts"):
        if name in fields:
            for one in _data(parse_json(fields.pop(name)), list):
                fields.setdefault(_flat("contexts", one), []).append(_data(one, object))
    if "unstruct_event" in fields:
        one = _data(parse_json(fields.pop("unstruct_event")), dict)
        fields[_flat("unstruct_event", one)] = _data(one, object)
    return fields


def _data(entity: object, kind: type) -> Any:
    found = entity.get("data") if isinstance(entity, dict) else None
    if not isinstance(found, kind):
        raise ValueError("a context or an event of its own without `schema` and `data`")
    return found


def _flat(prefix: str, entity: object) -> str:
    """Return the name of an entity's field: contexts_com_acme_my_thing_1."""
    schema = entity.get("schema") if isinstance(entity, dict) else None
    found = _SCHEMA.fullmatch(schema) if isinstance(schema, str) else None
    if found is None:
        raise ValueError("an entity without a schema like iglu:vendor/name/jsonschema/1-0-0")
    vendor = found["vendor"].replace(".", "_").lower()
    name = _CAPITAL.sub(r"\1_\2", found["name"].replace("-", "_").replace(".", "_")).lower()
    return f"{prefix}_{vendor}_{name}_{found['major']}"
