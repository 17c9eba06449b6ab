"""The write service as a function behind an API gateway: `heartbeats.handler`."""

from apig_wsgi import make_lambda_handler

from write_service.wsgi import app

handler = make_lambda_handler(app, binary_support=True)
