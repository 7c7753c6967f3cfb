"""Presenters: turn domain objects into plain values for templates. They never see a request."""
