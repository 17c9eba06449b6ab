"""The entry point of the servers: `granian --interface wsgi write_service.wsgi:app`."""

from vehicle_tracker.importing import for_ever

with for_ever():
    from granian.utils.proxies import wrap_wsgi_with_proxy_headers

    from vehicle_tracker.settings import Settings
    from write_service.app import create_app

    settings = Settings.from_environment(read_models=False)
    app = create_app(settings)
if settings.trusted_proxies:
    app.wsgi_app = wrap_wsgi_with_proxy_headers(  # type: ignore[method-assign]
        app.wsgi_app, trusted_hosts=list(settings.trusted_proxies)
    )
