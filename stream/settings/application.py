"""Every setting of the application: its type, its default and the reason for that default."""

from typing import Annotated, Literal

from msgspec import Meta, field

from stream.settings.audience import (
    ActiveSettings,
    ChurnRiskSettings,
    ChurnSettings,
    FirstWeekSettings,
    InteractionSettings,
    NewSettings,
    RetentionSettings,
    StickinessSettings,
)
from stream.settings.connections import (
    AtLeastOne,
    KafkaSettings,
    NotNegative,
    RedisSettings,
    Seconds,
    Table,
)
from stream.settings.customers import (
    SocialSettings,
    SupportSettings,
    SurveySettings,
    ValueSettings,
)
from stream.settings.definitions import (
    CartSettings,
    ConversionSettings,
    ExperimentSettings,
    FeatureSettings,
    Funnel,
    Measure,
    OwnMetric,
    Selection,
)
from stream.settings.sessions import (
    BounceSettings,
    CtrSettings,
    DurationSettings,
    ExitSettings,
    PageSettings,
    ScrollSettings,
    SessionSettings,
    TimeOnPageSettings,
)

Share = Annotated[float, Meta(gt=0, le=1)]
Port = Annotated[int, Meta(ge=1, le=65535)]

INPUT_ROLES = (
    "page_views", "clicks", "sessions", "subscriptions", "orders", "feedback", "social",
)  # fmt: skip


class TopicSettings(Table, frozen=True, kw_only=True):
    page_views: Annotated[str, 'input topic; "" switches a topic off'] = "page-views"
    clicks: Annotated[str, 'input topic; "" switches it off'] = "clicks"
    sessions: Annotated[str, 'input topic; "" switches it off'] = "sessions"
    subscriptions: Annotated[str, 'input topic; "" switches it off'] = "subscriptions"
    orders: Annotated[str, 'input topic; "" switches it off'] = "orders"
    feedback: Annotated[str, 'input topic; "" switches it off'] = "feedback"
    social: Annotated[str, 'input topic; "" switches it off'] = "social"
    metrics: Annotated[str, "output: metric records, compacted"] = "engagement-metrics"
    ledger: Annotated[str, "output: rejected, late and duplicate events"] = "engagement-ledger"
    partitions: Annotated[
        Annotated[int, Meta(ge=1, le=1024)],
        "of every input topic; the most workers that can share the load, fixed once chosen",
    ] = 4
    replication_factor: Annotated[AtLeastOne, "1 runs on one broker; use 3 in production"] = 1

    @property
    def inputs(self) -> tuple[str, ...]:
        """SegmentRegistry of the input topics that are switched on, always in the same order."""
        return tuple(name for role in INPUT_ROLES if (name := getattr(self, role)))


class TimeSettings(Table, frozen=True, kw_only=True):
    allowed_lateness_seconds: Annotated[
        NotNegative, "5 min: how long a window waits for stragglers before it is final"
    ] = 300
    correction_window_seconds: Annotated[
        NotNegative, "24 h: a later event still corrects a final window, as a revision"
    ] = 86_400
    late_policy: Annotated[
        Literal["update", "ledger", "drop"],
        "update: within the correction window late events still count; ledger: none does; drop: as "
        "ledger, but they are only counted there, not kept",
    ] = "update"
    max_future_skew_seconds: Annotated[
        AtLeastOne, "5 min ahead of its Kafka record and an event goes to the ledger"
    ] = 300
    idle_seconds: Annotated[
        Seconds, "how long a partition is drained before the wall clock may close its windows"
    ] = 1.0
    hour_retention_days: Annotated[
        Annotated[int, Meta(ge=3)], "a month: how much a fast replay can publish by the hour"
    ] = 32
    day_retention_days: Annotated[
        Annotated[int, Meta(ge=70)], "13 months, so that a month compares with last year's"
    ] = 400


class DedupeSettings(Table, frozen=True, kw_only=True):
    window_seconds: Annotated[
        NotNegative, "10 min of event time covers producer retries; 0 switches it off"
    ] = 600
    ids_max: Annotated[
        AtLeastOne,
        "per topic partition and generation, about 90 bytes each; a full one ends early, counted",
    ] = 200_000


class BotSettings(Table, frozen=True, kw_only=True):
    mode: Annotated[
        Literal["exclude", "include", "only"],
        "exclude: bots are counted as bot_events alone; only: everybody else is set aside",
    ] = "exclude"
    user_agent_field: Annotated[str, "field of the context that holds the user agent"] = (
        "user_agent"
    )
    patterns: Annotated[
        tuple[str, ...], "regular expressions for programs that the public list does not call bots"
    ] = (
        "headlesschrome", "phantomjs", r"^(curl|wget|python|go-http-client|java|okhttp|axios)[/-]",
    )  # fmt: skip


class LimitSettings(Table, frozen=True, kw_only=True):
    people_cached: Annotated[
        Annotated[int, Meta(ge=1000)],
        "per shard, in memory (about 1 kB each); the rest is read back from Redis",
    ] = 50_000
    dirty_max: Annotated[
        Annotated[int, Meta(ge=100)], "changed people that force a cut early; bounds a cut's size"
    ] = 50_000


class LedgerSettings(Table, frozen=True, kw_only=True):
    max_ratio: Annotated[
        Share, "a partition rejected beyond this share stops: a bad deployment, not bad events"
    ] = 0.99
    min_events: Annotated[AtLeastOne, "how many last events that share is taken over"] = 100_000


class PublishSettings(Table, frozen=True, kw_only=True):
    snapshot_seconds: Annotated[Seconds, "how often the published numbers are renewed"] = 1.0
    records_seconds: Annotated[Seconds, "how often changed metric records are sent to Kafka"] = 10.0
    cut_seconds: Annotated[Seconds, "how often a shard is stored; what a crash re-reads"] = 1.0
    compare: Annotated[bool, "records also carry the value of the window before, as `previous`"] = (
        False
    )
    snapshot_max_age_seconds: Annotated[
        Seconds, "an older snapshot is withheld rather than shown as if it were live"
    ] = 30.0


class WebSettings(Table, frozen=True, kw_only=True):
    host: Annotated[str, "this machine only; 0.0.0.0 opens it, without a password"] = "127.0.0.1"
    port: Annotated[Port, "/live, /metrics, /healthz and /readyz"] = 6067
    prometheus_url: Annotated[
        str, "where the live page asks for alerts, as http://127.0.0.1:9090; empty: it shows none"
    ] = ""
    tls_certfile: Annotated[str, "PEM; with tls_keyfile, pages are served over https"] = ""
    tls_keyfile: Annotated[str, "PEM of the key of tls_certfile"] = ""


class LogSettings(Table, frozen=True, kw_only=True):
    level: Annotated[
        Literal["debug", "info", "warning", "error"], "info: a line a state change"
    ] = "info"
    format: Annotated[Literal["json", "text"], "json for machines, text for a terminal"] = "json"


class Site(Table, frozen=True, kw_only=True):
    """What one site has different from the rest."""

    timezone: Annotated[str, "IANA zone of the site's days; empty: the application's"] = ""
    week_start: Annotated[
        Literal["", "monday", "sunday"], "first day of the site's weeks; empty: the application's"
    ] = ""


class Settings(Table, frozen=True, kw_only=True):
    """The whole configuration; `load_settings` fills it, the defaults run on one machine."""

    app: Annotated[
        Annotated[str, Meta(pattern="^[a-z0-9][a-z0-9_.-]{0,63}$")],
        "names the Redis keys and the consumer group; two apps may share both servers",
    ] = "engagement"
    identity: Annotated[
        Literal["user", "visitor"],
        "user: user_id, else visitor_id, is the person; visitor: reverse",
    ] = "user"
    timezone: Annotated[str, "IANA zone of calendar days; never the zone of the machine"] = "UTC"
    week_start: Annotated[Literal["monday", "sunday"], "ISO 8601 weeks"] = "monday"
    dimensions: Annotated[
        Annotated[tuple[str, ...], Meta(max_length=8)],
        "context fields to break numbers down by, one at a time; each costs memory",
    ] = ("country", "device", "channel")
    dimension_values_max: Annotated[
        AtLeastOne, "values counted per dimension; the rest is `other`, which is itself counted"
    ] = 100
    currency: Annotated[
        Annotated[str, Meta(pattern="^[A-Z]{3}$")] | None,
        "ISO 4217; money in another one is rejected; unset: amounts are taken as they are",
    ] = None
    sites: Annotated[dict[str, Site], "what single sites have different, as [sites.NAME]"] = field(
        default_factory=dict
    )
    kafka: KafkaSettings = KafkaSettings()
    redis: RedisSettings = RedisSettings()
    topics: TopicSettings = TopicSettings()
    time: TimeSettings = TimeSettings()
    dedupe: DedupeSettings = DedupeSettings()
    session: SessionSettings = SessionSettings()
    bounce: BounceSettings = BounceSettings()
    duration: DurationSettings = DurationSettings()
    pages: PageSettings = PageSettings()
    time_on_page: TimeOnPageSettings = TimeOnPageSettings()
    scroll: ScrollSettings = ScrollSettings()
    exit: ExitSettings = ExitSettings()
    ctr: CtrSettings = CtrSettings()
    churn: ChurnSettings = ChurnSettings()
    survey: SurveySettings = SurveySettings()
    support: SupportSettings = SupportSettings()
    value: ValueSettings = ValueSettings()
    social: SocialSettings = SocialSettings()
    active: ActiveSettings = ActiveSettings()
    stickiness: StickinessSettings = StickinessSettings()
    new: NewSettings = NewSettings()
    bots: BotSettings = BotSettings()
    exclude: Annotated[
        dict[str, tuple[str, ...]],
        "internal and test traffic: field of the context = regular expressions of whole values",
    ] = field(default_factory=dict)
    interaction: InteractionSettings = InteractionSettings()
    first_week: FirstWeekSettings = FirstWeekSettings()
    retention: RetentionSettings = RetentionSettings()
    churn_risk: ChurnRiskSettings = ChurnRiskSettings()
    conversion: ConversionSettings = ConversionSettings()
    experiment: ExperimentSettings = ExperimentSettings()
    goals: Annotated[
        dict[str, Selection], "goals beside the goal events, as [goals.NAME] type and where"
    ] = field(default_factory=dict)
    feature: FeatureSettings = FeatureSettings()
    funnels: Annotated[
        dict[str, Funnel], "as [funnels.NAME] with steps = [{type = …, where = {…}}, …]"
    ] = field(default_factory=dict)
    cart: CartSettings = CartSettings()
    measures: Annotated[
        dict[str, Measure], "what own metrics are made of, as [measures.NAME] type, where, count"
    ] = field(default_factory=dict)
    metrics: Annotated[
        dict[str, OwnMetric], "numbers of one's own, as [metrics.NAME] numerator, denominator"
    ] = field(default_factory=dict)
    limits: LimitSettings = LimitSettings()
    ledger: LedgerSettings = LedgerSettings()
    publish: PublishSettings = PublishSettings()
    web: WebSettings = WebSettings()
    log: LogSettings = LogSettings()

    @property
    def consumer_group(self) -> str:
        """The Kafka consumer group: `kafka.group`, or the name of the app."""
        return self.kafka.group or self.app

    def timezone_of(self, site: str) -> str:
        """IANA zone name of a site's calendar days."""
        own = self.sites.get(site)
        return own.timezone if own and own.timezone else self.timezone

    def week_start_of(self, site: str) -> str:
        """First day of a site's weeks."""
        own = self.sites.get(site)
        return own.week_start if own and own.week_start else self.week_start
