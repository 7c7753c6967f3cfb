"""All settings, from the environment. docs/operations.md lists the variables; portal/checks.py refuses wrong ones."""

# ruff: noqa: F403
from portal.settings.browser import *
from portal.settings.engines import *
from portal.settings.limits import *
from portal.settings.log import *
from portal.settings.logs import *
from portal.settings.metrics import *
from portal.settings.retention import *
from portal.settings.sign_in import *
from portal.settings.site import *
from portal.settings.webhooks import *
from portal.settings.work import *
