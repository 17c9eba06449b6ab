"""The write service as a function behind an API gateway: `heartbeats.handler`."""

from apig_wsgi import make_lambda_handler

from vehicle_tracker.settings import Settings
from write_service.app import create_app

settings = Settings.from_environment(read_models=False)
handler = make_lambda_handler(create_app(settings), binary_support=True)
