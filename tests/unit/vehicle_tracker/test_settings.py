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
    assert name.removesuffix("_FILE") in said
