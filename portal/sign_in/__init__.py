"""Signing in: second factors, sessions and their limits, passwords, other providers, and the log of all of it.

allauth has the pages and flows; here is what it leaves to a site.
"""
