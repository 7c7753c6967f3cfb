"""Intake: everything from the first byte to an available Space.

`ingest` decodes a local file before it stores anything. Uploads go straight to the object store and are examined there
by a worker before they are accepted.
"""
