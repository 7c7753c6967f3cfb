"""Pages and mails that the archive renders itself: a bundle's offline page, an export part's index, and e-mail.

Its templates are in templates/archive/, its filters in archive/templatetags/archive_display.py, its styles and scripts
in archive/static/archive/. The site may use them; nothing here uses the site's. Mail links to the page of a Space, so
the site's URL configuration must name that page `space`.
"""
