"""Upload sessions: files sent by a browser or a recorder directly to the object store."""
