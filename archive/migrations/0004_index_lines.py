"""Makes the transcripts that are here already searchable: the newest of each Space, one transaction each, so that it can
be stopped and started again and holds nothing up."""

from typing import Any

from django.db import migrations, transaction
from django.db.models import Exists, OuterRef

from archive.search.lines import write


def index(apps: Any, schema_editor: Any) -> None:
    transcripts, lines = apps.get_model("archive", "Transcript").objects, apps.get_model("archive", "Line").objects
    newer = transcripts.filter(space=OuterRef("space"), number__gt=OuterRef("number"))
    there = lines.filter(space=OuterRef("space"))
    waiting = transcripts.filter(~Exists(newer), ~Exists(there)).values_list("pk", flat=True)
    for pk in list(waiting):
        with transaction.atomic():
            # Locked, for its Space may be deleted meanwhile; looked at again, for somebody may have indexed it.
            row = transcripts.select_for_update().filter(pk=pk).first()
            if row is not None and not lines.filter(space=row.space_id).exists():
                write(row.pk, row.space_id, row.language, row.cues)


class Migration(migrations.Migration):
    atomic = False
    dependencies = [("archive", "0003_intake")]

    operations = [migrations.RunPython(index, migrations.RunPython.noop)]
