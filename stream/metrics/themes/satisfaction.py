"""Metrics of satisfaction: the scores that the answers to surveys give."""

from collections.abc import Iterator

from schemas.outputs import WindowKind
from stream.counters.measures import MICROS
from stream.counters.windows import ROLLING_DAYS
from stream.history import answers
from stream.metrics.metric import Benchmark, Example, Metric
from stream.metrics.terms import AtEnd, ByWindow, Per, Sum, Term, Total
from stream.metrics.theme import Theme
from stream.metrics.themes import feedback
from stream.settings.application import Settings
from stream.settings.customers import TOP_BOX

_WINDOW = ("survey.window_days",)
_ANSWERED = (*_WINDOW, "survey.dedupe")
_SCORED = (*_ANSWERED, "survey.denominator")
_NPS_SURVEYS = "customer experience surveys"


def metrics(settings: Settings) -> Iterator[Metric]:
    """Yield all scores, over the answers that the settings choose."""
    of = _Terms(settings)
    yield from _nps(of)
    yield _csat(settings, of)
    yield _ces(settings, of)
    yield Metric(
        name="average_rating",
        help=f"Mean of ratings, on a scale to {settings.survey.rating_scale}.",
        unit="score",
        formula="sum of ratings ÷ ratings",
        numerator=Per(of.total(answers.RATING_MICROS), MICROS),
        denominator=of.total(answers.answered("rating")),
        windows=of.windows,
        gauge="average_rating",
        example=Example("5, 4, 4 and 1", 14, 4, 3.5),
        chosen_by=_ANSWERED,
    )
    yield from _answers(of)


class _Terms:
    """Terms over the answers, as the settings choose them."""

    def __init__(self, settings: Settings) -> None:
        self._latest = settings.survey.dedupe == "latest_per_user"
        self._shown = settings.survey.denominator == "shown"
        self._days = settings.survey.window_days
        self._rolling = ROLLING_DAYS[self._days]

    def total(self, measure: str, scale: float = 1) -> Term:
        """Read the answers of a window, all or the newest of each person."""
        if not self._latest:
            return Total(measure, scale)
        newest = AtEnd(answers.newest(measure, self._days), scale)
        return ByWindow({self._rolling: newest, "day": Total(measure, scale)})

    def denominator(self, kind: str) -> Term:
        """Read the answers to a kind of survey, or how often it was shown."""
        given = self.total(answers.answered(kind))
        return Sum(given, Total(answers.dismissed(kind))) if self._shown else given

    @property
    def windows(self) -> tuple[WindowKind, ...]:
        """Windows of all scores; the first is the one to look at."""
        return self._rolling, "day"

    @property
    def words(self) -> str:
        """Words for the denominator."""
        return "(answers + dismissals)" if self._shown else "answers"


def _answers(of: _Terms) -> Iterator[Metric]:
    yield Metric(
        name="feedback_count",
        help="Answers to surveys. Of several to a survey with one response id the last counts.",
        unit="answers",
        formula="number of answers on their scale",
        numerator=of.total(answers.ANSWERS),
        windows=of.windows,
        gauge="feedback_answers",
        example=Example("300 promoters, 100 passives, 100 detractors", 500, None, 500),
        chosen_by=_ANSWERED,
        by=("survey",),
    )
    yield Metric(
        name="feedback_off_scale",
        help="Answers off the scale of their survey: above it without a scale_max, or an NPS of another "
        "scale than 0 to 10. No other metric counts them.",
        unit="answers",
        formula="number of answers off their scale",
        numerator=Total(answers.OFF_SCALE),
        windows=of.windows,
        gauge="feedback_off_scale",
        example=Example("a csat of 7 on a scale to 5", 1, None, 1),
        chosen_by=_WINDOW,
    )


def _nps(of: _Terms) -> Iterator[Metric]:
    promoters, detractors = of.total(answers.PROMOTERS), of.total(answers.DETRACTORS)
    hundred = 100
    yield Metric(
        name="nps",
        help="Net promoter score, −100 to 100 points: share of promoters (9, 10) less detractors (0 to 6).",
        unit="points",
        formula=f"100 × (promoters − detractors) ÷ {of.words}",
        numerator=Sum(
            of.total(answers.PROMOTERS, hundred), of.total(answers.DETRACTORS, hundred), sign=-1
        ),
        denominator=of.denominator("nps"),
        windows=of.windows,
        gauge="nps_points",
        example=Example("300 promoters, 100 passives, 100 detractors", 20_000, 500, 40),
        chosen_by=_SCORED,
        benchmark=Benchmark("above 0 is good, above 20 great, above 50 excellent", _NPS_SURVEYS),
    )
    passives = Sum(of.total(answers.answered("nps")), Sum(promoters, detractors), sign=-1)
    for name, scores, term, number in (
        ("promoters", "9 and 10", promoters, 300),
        ("passives", "7 and 8", passives, 100),
        ("detractors", "0 to 6", detractors, 100),
    ):
        yield Metric(
            name=f"nps_{name}_share",
            help=f"Share of {name}, who answer {scores} on a scale to 10.",
            unit="ratio",
            formula=f"{name} ÷ {of.words}",
            numerator=term,
            denominator=of.denominator("nps"),
            windows=of.windows,
            gauge=f"nps_{name}_ratio",
            example=Example(f"{number} of 500 answers", number, 500, number / 500),
            chosen_by=_SCORED,
        )


def _csat(settings: Settings, of: _Terms) -> Metric:
    survey = settings.survey
    return Metric(
        name="csat",
        help=f"Customer satisfaction: share of answers of {survey.csat_satisfied_min} or more "
        f"on a scale to {survey.csat_scale}.",
        unit="ratio",
        formula=f"answers of {survey.csat_satisfied_min} or more ÷ {of.words}",
        numerator=of.total(answers.SATISFIED),
        denominator=of.denominator("csat"),
        windows=of.windows,
        gauge="csat_ratio",
        example=Example("40 of 50 answer 4 or 5", 40, 50, 0.80),
        chosen_by=_SCORED,
        benchmark=Benchmark("0.75 to 0.85 is good", _NPS_SURVEYS),
    )


def _ces(settings: Settings, of: _Terms) -> Metric:
    if settings.survey.ces_mode == "top_box":
        return _easy(settings, of)
    survey = settings.survey
    return Metric(
        name="ces",
        help=f"Customer effort score: mean on a scale of 1 to {survey.ces_scale}; {_easier(settings)}.",
        unit="score",
        formula="sum of scores ÷ answers",
        numerator=Per(of.total(answers.CES_MICROS), MICROS),
        denominator=of.total(answers.answered("ces")),
        windows=of.windows,
        gauge="ces_score",
        example=Example("5, 4, 2 and 3", 14, 4, 3.5),
        chosen_by=("survey.ces_mode", *_ANSWERED),
        benchmark=Benchmark(f"little effort is good; here {_easier(settings)}", _NPS_SURVEYS),
    )


def _easy(settings: Settings, of: _Terms) -> Metric:
    """Build the share of easy answers: high is good, whatever the direction of the scale."""
    survey, count = settings.survey, TOP_BOX
    scores = f"{count} or less"
    if survey.ces_higher_is_easier:
        scores = f"{survey.ces_scale - count + 1} or more"
    return Metric(
        name="ces",
        help=f"Customer effort score: share of answers of {scores} on a scale of 1 to "
        f"{survey.ces_scale}; {_easier(settings)}.",
        unit="ratio",
        formula=f"answers of {scores} ÷ {of.words}",
        numerator=of.total(answers.CES_EASY),
        denominator=of.denominator("ces"),
        windows=of.windows,
        gauge="ces_ratio",
        example=Example("3 of 4 answers are among the three easiest", 3, 4, 0.75),
        chosen_by=("survey.ces_mode", *_SCORED),
    )


def _easier(settings: Settings) -> str:
    return "higher is easier" if settings.survey.ces_higher_is_easier else "higher is harder"


THEME = Theme(
    title="Satisfaction",
    text="What people answer in surveys, and the scores that their answers give.",
    metrics=metrics,
    aggregates=lambda settings: (feedback.Feedback(settings),),
    counted_by=feedback.COUNTED_BY,
)
