"""Every cap on what an event can make grow: the table behind deploy/LIMITS.md."""

from typing import NamedTuple, TypeAlias, get_args

from msgspec import Meta

from schemas import codec, envelope
from stream.counters import page_name
from stream.engine import session_events
from stream.history import events, recount
from stream.metrics.setting_value import setting_value
from stream.publish import query
from stream.settings.application import Settings

#: Module and name of a constant, or of a type with a longest text.
Constant: TypeAlias = tuple[object, str]


class Cap(NamedTuple):
    """One cap: what it bounds, where it stands, and what happens beyond it."""

    #: What would grow.
    what: str
    #: Name of a setting, or a constant.
    bound: str | Constant
    #: What happens to what is beyond.
    beyond: str
    #: Where that is seen.
    seen: str
    #: Test of it: file::function.
    test: str

    def value(self, settings: Settings) -> object:
        """Return the cap as a number."""
        if isinstance(self.bound, str):
            return setting_value(settings, self.bound)
        found = getattr(*self.bound)
        metas = [one for one in get_args(found) if isinstance(one, Meta)]
        return metas[0].max_length if metas else found

    @property
    def name(self) -> str:
        """Name of the setting, or the constant with its module."""
        if isinstance(self.bound, str):
            return self.bound
        module, name = self.bound
        return f"{str(getattr(module, '__name__', '')).replace('.', '/')}.py {name}"


_FILL = "`engagement_worker_cap_fill_ratio`"
_FOLDED = "`engagement_folded_events_total`"
_DIMENSION = f"`engagement_worker_dimension_fill_ratio`, `EngagementLabelCapReached`, {_FOLDED}"
_LETTER = "dead letter"
_SEGMENT_CAP = f"{_FILL}, `EngagementSegmentCapReached`, {_FOLDED}"
_CROWDED = "`engagement_crowded_events_total`"
_IN_SEGMENTS = "tests/unit/counters/test_segments.py::"
_CAPS = "tests/properties/test_caps.py::"


def _longest(what: str, name: str) -> Cap:
    beyond, seen = f"{_LETTER} `wrong_field`", "`engagement_ledger_entries_total`"
    test = "tests/unit/configure/test_caps.py::test_longer_texts_are_refused"
    return Cap(what, (envelope, name), beyond, seen, test)


CAPS = (
    Cap(
        "sites of a shard", "limits.sites_max", "the site `other` counts them together",
        f"{_FILL}, `EngagementSiteCapReached`, {_FOLDED}",
        f"{_CAPS}test_sites_beyond_the_cap_count_as_other_the_same_in_every_replay",
    ),
    Cap(
        "values of a dimension of a site; its content, features, goals, posts and networks",
        "dimension_values_max", "`other` counts them together", _DIMENSION,
        f"{_IN_SEGMENTS}test_values_beyond_the_cap_count_as_other_and_earlier_values_stay",
    ),
    Cap(
        "pages of a site", "pages.values_max", "`other` counts them together", _DIMENSION,
        "tests/unit/sessions/test_pages.py::test_pages_beyond_the_maximum_count_as_other_but_stay_separate",
    ),
    Cap(
        "values of all dimensions and sites of a shard", "limits.segments_max",
        "`other` counts them together", _SEGMENT_CAP,
        f"{_CAPS}test_values_and_combinations_beyond_the_caps_count_as_other_the_same_in_every_replay",
    ),
    Cap(
        "combinations of values of a shard", "limits.segment_sets_max",
        "they count as `other` in each dimension", _SEGMENT_CAP,
        f"{_CAPS}test_values_and_combinations_beyond_the_caps_count_as_other_the_same_in_every_replay",
    ),
    Cap(
        "gauges of a worker's page", "limits.series_max",
        "those of the segments, then of the sites, with the fewest events are withheld",
        "`engagement_segments_withheld`, `EngagementSeriesCapReached`",
        "tests/unit/publish/test_ranking.py::test_a_segment_is_shown_whole_or_not_at_all",
    ),
    Cap(
        "people of a shard in memory", "limits.people_cached",
        "they stay packed, which costs a little time when they come back", "none",
        "tests/unit/people/test_people.py::test_dropped_people_stay_packed_until_these_are_too_many",
    ),
    Cap(
        "packed people of a shard in memory", "limits.people_packed",
        "they are read back from Redis", "`engagement_people_evicted_total`",
        "tests/properties/test_engine_matches_oracle.py::test_order_batches_shards_and_crashes_change_no_number",
    ),
    Cap(
        "changed people of a shard", "limits.dirty_max", "a checkpoint is stored early",
        "`engagement_worker_cuts_total`",
        "tests/unit/worker/test_intake.py::test_many_changed_people_are_stored_early",
    ),
    Cap(
        "sessions by id of a person", (session_events, "SESSIONS_MAX"),
        "events of further ids count, but for no session", _CROWDED,
        "tests/unit/engine/test_crowded.py::test_events_of_too_many_sessions_count_for_none",
    ),
    Cap(
        "orders, carts, answers and the like of a person", (events, "HISTORY_MAX"),
        f"{_LETTER} `crowded`, unless older ones no longer matter", "`engagement_ledger_entries_total`",
        "tests/unit/engine/test_crowded.py::test_a_full_history_refuses_further_events_of_its_kind",
    ),
    Cap(
        "messages and changes of a ticket", (recount, "GROUP_MAX"),
        "further ones count, but not for the ticket", _CROWDED,
        "tests/unit/engine/test_crowded.py::test_entries_of_a_full_ticket_do_not_count_for_it",
    ),
    Cap(
        "event ids remembered of a partition and window", "dedupe.ids_max",
        "the window ends early, and later duplicates count",
        "`engagement_dedupe_generations_capped_total`, `EngagementDedupeCapReached`",
        "tests/unit/engine/test_duplicates.py::test_a_full_generation_ends_early_and_is_counted",
    ),
    Cap(
        "bytes of an event", (codec, "MAX_BYTES"), f"{_LETTER} `too_large`",
        "`engagement_ledger_entries_total`",
        "tests/unit/schemas/test_codec.py::test_the_size_limit_is_exact",
    ),
    _longest("characters of a site", "Site"),
    _longest("characters of a person's id", "PersonId"),
    _longest("characters of a session id", "SessionId"),
    _longest("characters of any other id", "Id"),
    _longest("characters of a name, such as that of a goal", "Name"),
    Cap(
        "characters of a page's name", (page_name, "NAME_MAX"), "the name ends there",
        "the metric `cut_page_views`",
        "tests/unit/sessions/test_pages.py::test_a_page_whose_name_is_cut_says_so_and_counts_its_views",
    ),
    Cap(
        "bytes of one fetch of a partition", "kafka.max_partition_fetch_bytes",
        "the next fetch brings the rest", "`engagement_worker_lag_records`",
        "tests/unit/worker/test_intake.py::test_others_have_their_turns_while_a_batch_is_folded",
    ),
    Cap(
        "rows of a query's answer", (query, "ROWS_MAX"), "the query is refused",
        "its answer, with the bound",
        "tests/queries/test_refusals.py::test_too_many_rows_are_refused_with_the_bound",
    ),
)  # fmt: skip
