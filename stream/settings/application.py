"""All settings of the application, table by table; the defaults run on one machine."""

from typing import Annotated, Literal

from msgspec import Meta, field

from stream.settings.audience import (
    ActiveSettings,
    FirstWeekSettings,
    InteractionSettings,
    NewSettings,
    RetentionSettings,
    StickinessSettings,
)
from stream.settings.churn import ChurnRiskSettings, ChurnSettings
from stream.settings.connections import KafkaSettings, RedisSettings
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
from stream.settings.intake import (
    BotSettings,
    DedupeSettings,
    IdSettings,
    LedgerSettings,
    TimeSettings,
    TopicSettings,
)
from stream.settings.pages import (
    CtrSettings,
    ExitSettings,
    PageSettings,
    ScrollSettings,
    TimeOnPageSettings,
)
from stream.settings.service import LimitSettings, LogSettings, PublishSettings, WebSettings
from stream.settings.sessions import BounceSettings, DurationSettings, SessionSettings
from stream.settings.sources import SourceSettings
from stream.settings.table import AtLeastOne, Help, Table


class Site(Table, frozen=True, kw_only=True):
    """Settings of one site that differ from those of the application."""

    timezone: Annotated[
        str, Help("IANA time zone of the site's days.", {'""': "that of the application"})
    ] = ""
    week_start: Annotated[
        Literal["", "monday", "sunday"],
        Help(
            "First day of the site's weeks.",
            {'""': "that of the application", "monday": "Monday", "sunday": "Sunday"},
        ),
    ] = ""


class Settings(Table, frozen=True, kw_only=True):
    """The application as a whole."""

    app: Annotated[
        Annotated[str, Meta(pattern="^[a-z0-9][a-z0-9_.-]{0,63}$")],
        Help(
            "Name of the application, in its Redis keys and as its consumer group. Applications of "
            "different names can share Kafka and Redis.",
            basic=True,
        ),
    ] = "engagement"
    identity: Annotated[
        Literal["user", "visitor"],
        Help(
            "Which id of an event names its person.",
            {
                "user": "user_id, or visitor_id without one",
                "visitor": "visitor_id, or user_id without one",
            },
            "A user on two devices is one person.",
            basic=True,
        ),
    ] = "user"
    ids: IdSettings = IdSettings()
    timezone: Annotated[
        str,
        Help(
            "IANA time zone of days, weeks and months, such as Europe/Berlin.",
            why="The zone of the machine is never used: it would change numbers with the machine.",
            basic=True,
        ),
    ] = "UTC"
    week_start: Annotated[
        Literal["monday", "sunday"],
        Help(
            "First day of a week.",
            {"monday": "ISO 8601 weeks", "sunday": "weeks as in the USA"},
            basic=True,
        ),
    ] = "monday"
    dimensions: Annotated[
        Annotated[tuple[str, ...], Meta(max_length=8)],
        Help(
            "Fields of the context by which numbers are broken down, one at a time. Each costs memory.",
            basic=True,
        ),
    ] = ("country", "device", "channel")
    dimension_values_max: Annotated[
        AtLeastOne,
        Help(
            "Values counted one by one of each dimension; further ones count together as `other`.",
            why="Bounds the number of series.",
            basic=True,
        ),
    ] = 100
    currency: Annotated[
        Annotated[str, Meta(pattern="^[A-Z]{3}$")] | None,
        Help(
            "ISO 4217 code of all amounts. An event in another currency becomes a dead letter.",
            {"not set": "amounts are taken as they are"},
            example='currency = "EUR"',
            basic=True,
        ),
    ] = None
    sites: Annotated[
        dict[str, Site],
        Help(
            "Sites with a time zone or a week of their own, by name.",
            example='[sites.shop]\ntimezone = "Europe/Berlin"\nweek_start = "monday"',
            basic=True,
        ),
    ] = field(default_factory=dict)
    kafka: KafkaSettings = KafkaSettings()
    redis: RedisSettings = RedisSettings()
    topics: TopicSettings = TopicSettings()
    sources: Annotated[
        dict[str, SourceSettings],
        Help(
            "Foreign sources whose records are mapped to events, by name.",
            example='[sources.web]\npreset = "segment"',
        ),
    ] = field(default_factory=dict)
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
        Help(
            "Internal and test traffic to leave out: field of the context = regular expressions of its "
            "whole value.",
            example='[exclude]\nenvironment = ["test", "staging.*"]',
        ),
    ] = field(default_factory=dict)
    interaction: InteractionSettings = InteractionSettings()
    first_week: FirstWeekSettings = FirstWeekSettings()
    retention: RetentionSettings = RetentionSettings()
    churn_risk: ChurnRiskSettings = ChurnRiskSettings()
    conversion: ConversionSettings = ConversionSettings()
    experiment: ExperimentSettings = ExperimentSettings()
    goals: Annotated[
        dict[str, Selection],
        Help(
            "Goals besides goal events, by name.",
            example='[goals.signup]\ntype = "custom"\nwhere = { name = "signup" }',
        ),
    ] = field(default_factory=dict)
    feature: FeatureSettings = FeatureSettings()
    funnels: Annotated[
        dict[str, Funnel],
        Help(
            "Funnels, by name.",
            example="[funnels.purchase]\n"
            'steps = [{ type = "page_view" }, { type = "add_to_cart" }, { type = "order" }]',
        ),
    ] = field(default_factory=dict)
    cart: CartSettings = CartSettings()
    measures: Annotated[
        dict[str, Measure],
        Help(
            "Measures that own metrics are made of, by name.",
            example='[measures.wishes]\ntype = "custom"\nwhere = { name = "wish" }',
        ),
    ] = field(default_factory=dict)
    metrics: Annotated[
        dict[str, OwnMetric],
        Help(
            "Own metrics, by name.",
            example='[metrics.clicks_per_session]\nnumerator = "clicks"\ndenominator = "sessions"',
        ),
    ] = field(default_factory=dict)
    limits: LimitSettings = LimitSettings()
    ledger: LedgerSettings = LedgerSettings()
    publish: PublishSettings = PublishSettings()
    web: WebSettings = WebSettings()
    log: LogSettings = LogSettings()

    @property
    def consumer_group(self) -> str:
        """Name of the Kafka consumer group: `kafka.group`, or else `app`."""
        return self.kafka.group or self.app

    @property
    def output_topics(self) -> tuple[str, ...]:
        """The topics that a worker writes."""
        risk = self.churn_risk
        risks = (risk.topic,) if risk.enabled and risk.topic else ()
        return (self.topics.metrics, self.topics.ledger, *risks)

    def timezone_of(self, site: str) -> str:
        """IANA zone name of a site's calendar days."""
        own = self.sites.get(site)
        return own.timezone if own and own.timezone else self.timezone

    def week_start_of(self, site: str) -> str:
        """First day of a site's weeks."""
        own = self.sites.get(site)
        return own.week_start if own and own.week_start else self.week_start
