"""The read service as a function behind an API gateway: `search.handler`.

A function answers once and is frozen: `/api/v1/stream` belongs to a server. Ask `/api/v1/changes`.
"""

from apig_wsgi import make_lambda_handler

from read_service.app import create_app
from vehicle_tracker.settings import Settings

handler = make_lambda_handler(create_app(Settings.from_environment()), binary_support=True)
