"""Configuration is read from file and environment, and every mistake in it is reported at once."""

from collections.abc import Callable
from pathlib import Path

import pytest

from stream.configure.describe import describe
from stream.configure.fingerprints import definition_version
from stream.configure.load import SettingsError, load_settings
from stream.configure.sources import to_environment
from stream.metrics.metric import JOINED, OWN_DIMENSIONS
from stream.settings.application import Settings
from stream.settings.connections import RedisSettings, Secret

#: Names of the dimensions that metrics bring, with joined ones split.
OWN_PARTS = {name for joined in OWN_DIMENSIONS for name in joined.split(JOINED)}
CANARY = "c4nary-p4ssw0rd"


@pytest.fixture
def toml(tmp_path: Path) -> Callable[[str], Path]:
    def write(text: str) -> Path:
        file = tmp_path / "engage.toml"
        file.write_text(text, encoding="utf-8")
        return file

    return write


def problems_of(path: Path | None, environ: dict[str, str]) -> tuple[str, ...]:
    with pytest.raises(SettingsError) as caught:
        load_settings(path, environ)
    return caught.value.problems


def test_defaults_load_without_file_and_environment(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    settings = load_settings(None, {})
    assert settings == Settings()
    assert settings.consumer_group == "engagement"
    assert settings.topics.inputs == (
        "page-views", "clicks", "sessions", "subscriptions", "orders", "feedback", "social",
    )  # fmt: skip


def test_file_in_the_working_directory_is_found(
    toml: Callable[[str], Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    toml('timezone = "Europe/Berlin"')
    monkeypatch.chdir(tmp_path)
    assert load_settings(None, {}).timezone == "Europe/Berlin"


def test_the_environment_overrides_the_file(toml: Callable[[str], Path]) -> None:
    file = toml("[session]\ntimeout_seconds = 60\n[web]\nport = 7000")
    settings = load_settings(file, {"ENGAGE_SESSION_TIMEOUT_SECONDS": "90", "HOME": "/"})
    assert (settings.session.timeout_seconds, settings.web.port) == (90, 7000)


@pytest.mark.parametrize("text", ["country,device", " country , device ", '["country", "device"]'])
def test_lists_in_the_environment_are_commas_or_json(text: str) -> None:
    assert load_settings(None, {"ENGAGE_DIMENSIONS": text}).dimensions == ("country", "device")


def test_sites_have_their_own_timezone(toml: Callable[[str], Path]) -> None:
    file = toml('timezone = "Asia/Tokyo"\n[sites.shop]\ntimezone = "Europe/Berlin"')
    settings = load_settings(file, {})
    assert settings.timezone_of("shop") == "Europe/Berlin"
    assert settings.timezone_of("other") == "Asia/Tokyo"


def test_all_problems_are_reported_at_once_each_with_its_place(toml: Callable[[str], Path]) -> None:
    file = toml('bogus = 1\n[kafka]\nprotcol = "ssl"\nheartbeat_seconds = "x"\n[sites.a]\nzone = 1')
    found = problems_of(
        file,
        {"ENGAGE_WEB_PORT": "0", "ENGAGE_TIMEZONE": "Mars/X", "ENGAGE_KAFKA_BOOTSTRAP": "a:1"},
    )
    text = "\n".join(found)
    assert len(found) == 7
    assert "did you mean kafka.protocol?" in text
    assert "kafka.heartbeat_seconds" in text and "a whole number, at least 1" in text
    assert "web.port (ENGAGE_WEB_PORT): found '0'" in text
    assert "Mars/X" in text
    assert "did you mean ENGAGE_KAFKA_BOOTSTRAP_SERVERS?" in text
    assert "sites.a.zone" in text


@pytest.mark.parametrize(
    ("line", "fragment"),
    [
        ("week_start = 'friday'", "one of monday, sunday"),
        ("app = 'a{b}'", "of the form"),
        ("currency = 'eur'", "of the form"),
        ("kafka = 3", "a table [kafka]"),
        ("time = {idle_seconds = inf}", "at most"),
        ("dimensions = 'country'", "a list of texts"),
        ("dimensions = ['a','b','c','d','e','f','g','h','i']", "at most 8"),
        ("dimensions = ['a', 'a']", "name it once"),
        ("dimensions = ['page']", "is a dimension of metrics"),
        ("retention = {start = {type = 'social_followers'}}", "is not about a person"),
        ("topics = {clicks = 'page-views'}", "are both 'page-views'"),
        ("topics = {metrics = ''}", "topics.metrics"),
        ("topics = {orders = 'a b'}", "letters, digits"),
        ("kafka = {bootstrap_servers = 'here'}", "write host:port"),
        ("kafka = {protocol = 'sasl_ssl'}", "kafka.sasl_username: is not set"),
        ("kafka = {sasl_username = 'me'}", "ignores the password"),
        ("kafka = {session_timeout_seconds = 4}", "under three heartbeats"),
        ("survey = {csat_satisfied_min = 6}", "no answer could be satisfied"),
        ("session = {timeout_by_platform = {ios = 90000}}", "timeout_by_platform.ios"),
        ("session = {id_max_hours = 24}", "the first event of an id could come last"),
        ('time_on_page = {mode = "pings", heartbeat_seconds = 0}', "no interval to count"),
        ("scroll = {thresholds = [50, 50]}", "names one twice"),
        ("survey = {window_days = 60}", "one of 30, 90"),
        ("survey = {window_days = 90}\ntime = {day_retention_days = 189}", "raise that to 190"),
        ("survey = {ces_mode = 'top_box', ces_scale = 3}", "which is every answer"),
        ('support = {business_hours = "17:00-09:00"}', "ends before it begins"),
        ('support = {business_hours = "9-17"}', "support.business_hours"),
        ('support = {business_hours = "09:00-17:00", business_days = []}', "no time would count"),
        ("conversion = {count = 'twice'}", "one of once, every"),
        ("social = {weights = {like = -1}}", "social.weights"),
        ("social = {weights = {love = 1}}", "social.weights"),
        ("social = {engagement_kinds = ['like'], weights = {save = 2}}", "so it never counts"),
        ("social = {denominator = 'views'}", "one of impressions, reach, followers"),
        ("feature = {window_days = 14}", "one of 7, 28, 30"),
        ("feature = {denominator = 'everybody'}", "one of active, all_known, eligible"),
        ("feature = {denominator = 'eligible'}", "is not set, and feature.denominator is eligible"),
        ("feature = {eligible = 'pros'}", "only with feature.denominator = eligible"),
        ("feature = {denominator = 'eligible', eligible = 'pros'}", "'pros' is not a measure"),
        (
            "feature = {denominator = 'eligible', eligible = 'o'}\n[measures.o]\ntype = 'order'",
            "'o' is not a measure of [measures] with count = people",
        ),
        ("value = {max_lifetime_months = 0}", "at least 1"),
        ("value = {clv_mode = 'best'}", "one of auto, historic, simple, recurring"),
        ("support = {response_kind = 'last'}", "one of first, every"),
        (
            "support = {response_bucket = 'opened'}\ntime = {day_retention_days = 394}",
            "raise that to 395",
        ),
        ('support = {holidays = ["2025-02-30"]}', "is not a calendar day"),
        ("kafka = {ssl_cafile = '/no/such'}", "there is no file"),
        ("redis = {url = 'http://a'}", "redis://"),
        ("redis = {url = 'redis://a/1', cluster = true}", "only number 0"),
        ("web = {tls_certfile = '/no/such'}", "give both or neither"),
        ("time = {correction_window_seconds = 5}", "shorter than"),
        ("active = {passive_types = ['heartbit']}", "did you mean heartbeat?"),
        ("app =", "is not valid TOML"),
    ],
)
def test_a_bad_setting_is_refused_with_advice(
    toml: Callable[[str], Path], line: str, fragment: str
) -> None:
    assert any(fragment in problem for problem in problems_of(toml(line), {}))


@pytest.mark.parametrize("name", sorted({*OWN_PARTS, "site", "cohort", "period"}))
def test_a_dimension_of_metrics_cannot_be_a_field_of_the_context(name: str) -> None:
    (problem,) = problems_of(None, {"ENGAGE_DIMENSIONS": name})
    assert problem.startswith(f"dimensions: {name!r} is a dimension of metrics")


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    assert "absent.toml: cannot be read" in problems_of(tmp_path / "absent.toml", {})[0]


def test_plaintext_to_another_machine_needs_consent() -> None:
    far = {"ENGAGE_KAFKA_BOOTSTRAP_SERVERS": "kafka.example:9092"}
    assert "allow_insecure" in problems_of(None, far)[0]
    assert load_settings(None, far | {"ENGAGE_KAFKA_ALLOW_INSECURE": "true"}).kafka.allow_insecure
    assert load_settings(None, far | {"ENGAGE_KAFKA_PROTOCOL": "ssl"}).kafka.protocol == "ssl"
    for near in ("127.0.0.1:1", "localhost:1", "[::1]:1"):
        assert load_settings(None, {"ENGAGE_KAFKA_BOOTSTRAP_SERVERS": near})


def test_secrets_come_from_files_and_are_never_printed(tmp_path: Path) -> None:
    file = tmp_path / "password"
    file.write_text(CANARY + "\n")
    settings = load_settings(
        None,
        {
            "ENGAGE_KAFKA_SASL_PASSWORD": "loses-against-the-file",
            "ENGAGE_KAFKA_SASL_PASSWORD_FILE": str(file),
            "ENGAGE_KAFKA_SASL_USERNAME": "app",
            "ENGAGE_KAFKA_PROTOCOL": "sasl_ssl",
            "ENGAGE_REDIS_URL": f"rediss://app:{CANARY}@redis.example:6380/2",
        },
    )
    assert settings.kafka.sasl_password.reveal() == CANARY
    assert settings.redis.password.reveal() == CANARY
    assert settings.redis.url == "rediss://app@redis.example:6380/2"
    assert CANARY not in repr(settings) + str(settings) + repr(describe(settings))


def test_errors_never_show_secrets(toml: Callable[[str], Path]) -> None:
    file = toml(f'[kafka]\nsasl_password = ["{CANARY}"]\n[redis]\nurl = "redis://:{CANARY}#x@h"')
    found = problems_of(file, {"ENGAGE_REDIS_PASSWORD_FILE": "/no/such"})
    assert len(found) == 3
    assert CANARY not in "".join(found)


def test_password_with_special_characters_is_decoded() -> None:
    redis = RedisSettings(url="redis://:p%40ss@[::1]:6379/0")
    assert (redis.url, redis.password) == ("redis://[::1]:6379/0", Secret("p@ss"))


def test_variables_of_other_programs_are_ignored() -> None:
    environ = {
        "ENGAGE_SERVICE_HOST": "10.0.0.1",
        "ENGAGE_PORT_6067_TCP": "tcp://10.0.0.1:6067",
        "ENGAGE_CONFIG": "x.toml",
        "ENGAGE_TEST_CACHE": "/tmp",
    }
    assert load_settings(None, environ) == Settings()


def test_every_setting_is_documented_and_described() -> None:
    rows = describe(Settings())
    assert all(row.help.controls for row in rows)
    assert {"kafka.protocol", "session.boundary", "dimensions", "sites"} <= {r.key for r in rows}
    assert all("\n" not in row.text for row in rows)


def test_the_definition_version_changes_with_definitions_only() -> None:
    base = definition_version(Settings())
    assert len(base) == 12 and int(base, 16) >= 0
    same = [
        {"ENGAGE_WEB_PORT": "7000"},
        {"ENGAGE_DIMENSIONS": "device,country,channel"},
        {"ENGAGE_PUBLISH_CUT_SECONDS": "2"},
    ]
    other = [
        {"ENGAGE_SESSION_BOUNDARY": "gte"},
        {"ENGAGE_TIMEZONE": "Europe/Berlin"},
        {"ENGAGE_DIMENSIONS": "device"},
        {"ENGAGE_ACTIVE_PASSIVE_TYPES": "heartbeat"},
        {"ENGAGE_ACTIVE_MONTH": "30d"},
        {"ENGAGE_STICKINESS_NUMERATOR": "today"},
        {"ENGAGE_DURATION_CAP_SECONDS": "60"},
        {"ENGAGE_SCROLL_THRESHOLDS": "[33]"},
        {"ENGAGE_BOTS_MODE": "include"},
    ]
    assert {definition_version(load_settings(None, environ)) for environ in same} == {base}
    assert base not in {definition_version(load_settings(None, environ)) for environ in other}


def test_settings_survive_the_transfer_through_the_environment(toml: Callable[[str], Path]) -> None:
    file = toml(
        'currency = "EUR"\ndimensions = []\n[sites.a]\ntimezone = "Asia/Tokyo"\n'
        f'[redis]\nurl = "redis://u:{CANARY}@127.0.0.1/1"\n[topics]\nsocial = ""\n'
    )
    settings = load_settings(file, {})
    assert load_settings(None, {}) != settings
    environ = to_environment(settings)
    assert load_settings(Path(environ["ENGAGE_CONFIG"]), environ) == settings
