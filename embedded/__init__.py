"""Run PostgreSQL, Valkey and SeaweedFS from Python wheels, without a container, a service manager or root.

For `make run` and the tests, never for production. Imports nothing of Django, `archive` or `portal`.
"""
