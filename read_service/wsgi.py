"""The entry point of the servers: `granian --interface wsgi read_service.wsgi:app`."""

from prometheus_client.registry import REGISTRY

from projections.health import LagCollector
from read_service.app import create_app
from read_service.live.stopping import when_asked_to_end
from vehicle_tracker.settings import Settings

app = create_app(Settings.from_environment())
REGISTRY.register(LagCollector(app.extensions["read_models"].progress))
when_asked_to_end(app.extensions["feed"].close)
