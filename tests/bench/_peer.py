"""A list page of Wagtail, the most used CMS on Django, for comparing CPU times: the explorer of its admin site.

It has as many rows as a list of Spaces, each with a title, a time, a type, a state and a menu, and a search above them.
It is installed from PyPI into its own folder, for this measure only. Its settings are those of production: no
debugging, PostgreSQL, compressed pages.
"""

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

from psycopg import sql

from tests.bench._rows import superuser
from tests.bench._web import MeasuredWeb, web

ROWS = 25
PACKAGES = ("wagtail==8.0.1", "gunicorn==27.0.1", "psycopg[binary]==3.3.9")
SETTINGS = """
from peer.settings.base import *
DEBUG = False
SECRET_KEY = "only-for-this-measure"
ALLOWED_HOSTS = ["127.0.0.1"]
MIDDLEWARE = ["django.middleware.gzip.GZipMiddleware", *MIDDLEWARE]
DATABASES = {"default": {"ENGINE": "django.db.backends.postgresql", "CONN_MAX_AGE": 60, **PEER}}
STORAGES["staticfiles"]["BACKEND"] = "django.contrib.staticfiles.storage.StaticFilesStorage"
WAGTAILADMIN_BASE_URL = "http://127.0.0.1"
"""
FILL = f"""
import django; django.setup()
from importlib import import_module
from django.conf import settings
from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY, get_user_model
from django.core.management import call_command
from home.models import HomePage
call_command("migrate", verbosity=0)
user = get_user_model().objects.create_superuser("peer", "peer@example.org", "only for this measure")
home = HomePage.objects.get()
for number in range({ROWS}):
    home.add_child(instance=HomePage(title=f"Evening {{number}}", owner=user)).save_revision(user=user).publish()
session = import_module(settings.SESSION_ENGINE).SessionStore()
session[SESSION_KEY], session[BACKEND_SESSION_KEY] = str(user.pk), settings.AUTHENTICATION_BACKENDS[0]
session[HASH_SESSION_KEY] = user.get_session_auth_hash()
session.save()
print(home.pk, session.session_key)
"""


@contextmanager
def peer(folder: Path) -> Iterator[tuple[MeasuredWeb, str, str]]:
    """Yield a process that serves it, the list's URL, and the cookie of a user who may see it. Raises
    CalledProcessError if it cannot be installed."""
    python = folder / "peer-venv" / "bin" / "python"
    subprocess.run([sys.executable, "-m", "venv", str(folder / "peer-venv")], check=True)
    subprocess.run([str(python), "-m", "pip", "install", "--quiet", *PACKAGES], check=True, stderr=subprocess.PIPE)
    subprocess.run([str(python.with_name("wagtail")), "start", "peer"], cwd=folder, check=True, stdout=subprocess.PIPE)
    project = folder / "peer"
    url = urlsplit(os.environ["DATABASE_URL"])
    facts = {"NAME": "peer", "USER": url.username, "PASSWORD": url.password, "HOST": url.hostname, "PORT": url.port}
    (project / "peer" / "settings" / "measured.py").write_text(f"PEER = {facts!r}\n{SETTINGS}")
    with superuser("postgres") as connection:
        connection.execute("DROP DATABASE IF EXISTS peer")
        connection.execute(sql.SQL("CREATE DATABASE peer OWNER {}").format(sql.Identifier(str(url.username))))
    env = {"PATH": os.environ["PATH"], "DJANGO_SETTINGS_MODULE": "peer.settings.measured"}
    filled = subprocess.run(
        [str(python), "-c", FILL], cwd=project, env=env, check=True, text=True, stdout=subprocess.PIPE
    )
    home, key = filled.stdout.split()[-2:]
    with web("peer", folder, (str(python), "-m", "gunicorn", "peer.wsgi"), env, cwd=project) as measured:
        yield measured, f"/admin/pages/{home}/", f"sessionid={key}"
