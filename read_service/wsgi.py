"""The entry point of the servers: `granian --interface wsgi read_service.wsgi:app`."""

from vehicle_tracker.importing import for_ever

with for_ever():
    from prometheus_client.registry import REGISTRY

    from projections.health import LagCollector
    from projections.migrated import await_migrated
    from read_service.app import create_app
    from read_service.live.stopping import when_asked_to_end
    from vehicle_tracker.settings import Settings

    settings = Settings.from_environment()
    app = create_app(settings)
await_migrated(app.extensions["read_models"].engine, settings.wait_for_stores_s)
REGISTRY.register(LagCollector(app.extensions["read_models"].progress))
when_asked_to_end(app.extensions["feed"].close)
