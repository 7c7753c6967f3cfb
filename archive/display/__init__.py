"""What the archive renders itself: the offline page of a bundle, the index of an export part, and e-mail.

Its templates are in templates/archive/, its filters in archive/templatetags/archive_display.py, its styles and scripts
in archive/static/archive/. The site may use them; nothing here uses the site's. Mail links to the page of a Space, so
the site's URL configuration must name that page `space`.
"""
