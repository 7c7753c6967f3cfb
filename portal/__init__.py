"""The site. Importing it makes our Celery application the current one, so that tasks are published to our broker from
everywhere: web processes, commands, workers."""

from portal.celery import app as celery_app

__all__ = ["celery_app"]
