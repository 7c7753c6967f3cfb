"""Translations of texts in scripts. Only pages in a language other than English load them."""

from django.contrib.auth.decorators import login_not_required
from django.views.decorators.cache import cache_control
from django.views.decorators.http import conditional_page
from django.views.i18n import JavaScriptCatalog

# Public, because the sign-in page has scripts too. Cached for an hour, then revalidated.
catalog = login_not_required(cache_control(max_age=3600)(conditional_page(JavaScriptCatalog.as_view())))
