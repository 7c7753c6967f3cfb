import gc
import os

from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "portal.settings")
application = get_wsgi_application()

from portal.checks import private_keys_of_web, stop_if_wrong  # noqa: E402  (needs the apps)
from portal.processes import WEB  # noqa: E402

stop_if_wrong(*private_keys_of_web(), serves_as=[WEB])

import archive.tasks  # noqa: E402, F401  # before the first request: it loads the audio libraries
from portal.urls import urlpatterns  # noqa: E402, F401  # and these all views

# Exclude everything loaded so far from garbage collection. Otherwise the collector scans it again and again, which
# takes a quarter of a page's time.
gc.collect()
gc.freeze()
