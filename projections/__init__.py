"""The read models: what is folded out of the event log, where it is kept, how it is asked.

`flask --app projections …` finds `create_app` here.
"""

from projections.app import create_app

__all__ = ["create_app"]
