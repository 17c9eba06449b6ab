"""The entry point of the servers: `granian --interface wsgi write_service.wsgi:app`."""

from vehicle_tracker.settings import Settings
from write_service.app import create_app

app = create_app(Settings.from_environment(read_models=False))
