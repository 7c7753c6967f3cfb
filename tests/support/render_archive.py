"""Print everything that the archive renders for one Space as JSON: offline page, export index, a mail of each notice.

python -m tests.support.render_archive SPACE_ID      with DJANGO_SETTINGS_MODULE=tests.support.archive_settings
"""

import json
import sys
from typing import Any
from uuid import UUID


class NoSite:
    """An import hook that refuses to import the site."""

    def find_spec(self, name: str, *_: Any) -> None:
        if name.partition(".")[0] == "portal":
            raise ImportError(f"the archive imports {name}")


def render_all(space_id: UUID) -> dict[str, str]:
    # Imported here, because the command sets up Django first.
    from archive.bundles.contents import members
    from archive.bundles.zip64 import Literal
    from archive.display.export_index import render_export_index
    from archive.models import Notice, Space
    from archive.notices.deliver import render_notices
    from archive.notices.validity import with_validity

    space = Space.objects.get(pk=space_id)
    bodies = {member.name: member.body for member in members(space, "folder")}
    page = bodies["folder/data/index.html"]
    assert isinstance(page, Literal)
    rendered = {
        "offline page": page.data.decode(),
        "export index": render_export_index(1, 2, [(space, "folder")], [space]).decode(),
    }
    for notice in with_validity(Notice.objects.filter(space=space).select_related("user")):
        mail = render_notices([notice])
        rendered[f"mail {notice.kind}"] = f"{mail.subject}\n{mail.text}\n{mail.html}"
    return rendered


if __name__ == "__main__":
    sys.meta_path.insert(0, NoSite())
    import django

    django.setup()
    json.dump(render_all(UUID(sys.argv[1])), sys.stdout)
