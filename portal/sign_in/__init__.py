"""Signing in: second factors, sessions and their limits, passwords, other providers, and the log of all of it.

allauth provides the pages and flows; this package has the parts that are specific to this site.
"""
