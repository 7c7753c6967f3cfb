"""/api/v1: one API for recorders (with a token) and for the portal's own pages (with the session)."""
