"""Settings come from the environment and from nowhere else."""

from pathlib import Path

import pytest

from vehicle_tracker.settings import Settings

URL = "postgresql://user:secret@host/database"


def test_a_secret_may_be_a_file(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """`EVENT_LOG_URL_FILE` names a file that holds what `EVENT_LOG_URL` would."""
    (tmp_path / "url").write_text(URL + "\n")
    monkeypatch.setenv("EVENT_LOG_URL_FILE", str(tmp_path / "url"))
    monkeypatch.setenv("DATABASE_URL", URL)
    settings = Settings.from_environment()
    assert settings.event_log_url == settings.database_url == URL
    assert settings.disconnect_after_s == 120


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("EVENT_LOG_URL", ""),
        ("DATABASE_URL", "mysql://host/database"),
        ("DATABASE_URL", "postgresql://user:secret@[host/database"),
        ("ELASTICSEARCH_URL", "elasticsearch:9200"),
        ("DISCONNECT_AFTER_S", "soon"),
        ("DISCONNECT_AFTER_S", "0"),
        ("LOG_FORMAT", "xml"),
        ("EVENT_LOG_URL_FILE", "/nowhere/at/all"),
    ],
)
def test_a_wrong_setting_is_named_in_one_line(
    name: str, value: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A process with a wrong setting says which in one line and exits with 2."""
    monkeypatch.setenv("EVENT_LOG_URL", URL)
    monkeypatch.setenv("DATABASE_URL", URL)
    if name.endswith("_FILE"):
        monkeypatch.delenv("EVENT_LOG_URL")
    monkeypatch.setenv(name, value)
    with pytest.raises(SystemExit) as caught:
        Settings.from_environment()
    said = capsys.readouterr().err
    assert caught.value.code == 2
    assert said.count("\n") == 1
    assert "secret@" not in said
    assert name.removesuffix("_FILE") in said
    if name.endswith("_FILE"):
        assert value in said


def test_who_knows_no_read_models_needs_no_address_of_theirs(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The write side starts without DATABASE_URL, and takes none that is there."""
    monkeypatch.setenv("EVENT_LOG_URL", URL)
    monkeypatch.setenv("DATABASE_URL", URL)
    assert not Settings.from_environment(read_models=False).database_url
    monkeypatch.delenv("DATABASE_URL")
    assert Settings.from_environment(read_models=False).event_log_url == URL
