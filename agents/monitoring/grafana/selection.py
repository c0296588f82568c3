"""Selectors of queries: by the dashboard's variables, and by the panel's subject."""

from stream.metrics.metric import Metric
from stream.publish.snapshot import main_window

JOB = 'job=~"$job"'
SITE = 'site=~"$site"'
SEGMENT = 'dimension=~"$segment"'


def chosen(series: str, *matchers: str) -> str:
    """Select a recorded series of the chosen jobs; with SITE, of the chosen sites only."""
    return f"{series}{{{', '.join((JOB, *matchers))}}}"


def headline_window(metric: Metric) -> str:
    """Choose the window that shows a metric: the last hour, if it has that one."""
    return "trailing_1h" if "trailing_1h" in metric.windows else main_window(metric)


def of_site(metric: Metric) -> str:
    """Select a metric of whole sites, in its headline window."""
    matchers = [SITE]
    if len(metric.windows) > 1:
        matchers.append(f'window="{headline_window(metric)}"')
    return chosen(f"site:engagement_{metric.gauge}:max", *matchers)


def of_segment(metric: Metric, dimension: str = "") -> str:
    """Select a metric by the values of a dimension; by default the chosen one."""
    matcher = f'dimension="{dimension}"' if dimension else SEGMENT
    return chosen(f"segment:engagement_segment_{metric.gauge}:max", SITE, matcher)
