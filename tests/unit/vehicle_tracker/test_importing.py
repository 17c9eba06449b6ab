"""What a process never uses is not loaded, and can be loaded by whoever does."""

from __future__ import annotations

import gc
import subprocess
import sys
from importlib import import_module

import pytest

from vehicle_tracker.importing import for_ever, without

PACKAGE, MISSING = "wave", "no_such_package"
NOBODY = "http://127.0.0.1:1"


@pytest.fixture(autouse=True)
def package_is_not_loaded(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever other tests have loaded."""
    monkeypatch.delitem(sys.modules, PACKAGE, raising=False)


def test_a_package_is_not_found_within_and_is_found_again() -> None:
    """To whoever imports within it is not installed; to everybody after it is, as before."""
    with without(PACKAGE), pytest.raises(ModuleNotFoundError):
        import_module(PACKAGE)
    assert import_module(PACKAGE).__name__ == PACKAGE


def test_a_package_is_found_again_after_an_error() -> None:
    """An import that fails leaves nothing behind."""
    with pytest.raises(ModuleNotFoundError), without(PACKAGE):
        import_module(MISSING)
    assert import_module(PACKAGE).__name__ == PACKAGE


def test_what_is_loaded_stays() -> None:
    """Whoever has loaded it keeps it: there would be two of it."""
    loaded = import_module(PACKAGE)
    with without(PACKAGE):
        assert import_module(PACKAGE) is loaded
    assert sys.modules[PACKAGE] is loaded


def test_no_garbage_is_looked_for_in_what_is_loaded_for_ever() -> None:
    """While it is loaded nobody looks for any; later it is left out."""
    try:
        with for_ever():
            assert not gc.isenabled()
        assert gc.isenabled()
        assert gc.get_freeze_count()
    finally:
        gc.unfreeze()


def test_garbage_is_looked_for_after_an_error() -> None:
    """An import that fails leaves nothing switched off."""
    try:
        with pytest.raises(ModuleNotFoundError), for_ever():
            import_module(MISSING)
        assert gc.isenabled()
    finally:
        gc.unfreeze()


def test_our_processes_load_nothing_that_is_another_s() -> None:
    """Rich, aiohttp and requests belong to the simulator and to tests: none of ours starts them."""
    code = f"""
import sys
from types import SimpleNamespace
import projections.app, read_service.app, write_service.app
from projections import catalog
settings = SimpleNamespace(elasticsearch_url="{NOBODY}")
catalog.read_model(catalog.VEHICLE_SEARCH, settings, log=None)
print(*{{"rich", "aiohttp", "requests"}} & {{*sys.modules}})
"""
    assert not subprocess.check_output([sys.executable, "-c", code], text=True).split()
