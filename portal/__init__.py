"""The site. Importing it makes our Celery application the current one, so that web processes, commands and workers all
publish tasks to our broker."""

from portal.celery import app as celery_app

__all__ = ["celery_app"]
