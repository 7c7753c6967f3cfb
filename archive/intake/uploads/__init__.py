"""Upload sessions: files on their way from a browser or a recorder straight into the object store."""
