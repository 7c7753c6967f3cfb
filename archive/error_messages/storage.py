"""The object store."""

from django.utils.translation import gettext_lazy as _

MESSAGES = {
    "storage.answer": _("{what}: the object store answered {status} {reply}."),
    "storage.unreachable": _("{what}: the object store can't be reached ({error})."),
    "storage.short_read": _("{key}: the object store sent {actual} of {expected} bytes."),
    "storage.bytes_differ": _("{key}: the bytes are not those that were expected."),
    "storage.object_differs": _("{key} is not the object that was stored."),
    "storage.not_deleted": _("{count:number} objects were not deleted: {keys:list}."),
    "storage.not_empty": _("{prefix} is not empty yet: {objects:number} objects, {uploads:number} open uploads."),
    "storage.not_removed": _("{key} was not removed ({error})."),
}
