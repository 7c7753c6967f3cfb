"""The engines as wheels: PostgreSQL, Valkey and SeaweedFS without a container, a service manager or root.

For `make run` and the tests, never for production. Knows nothing of Django, archive or portal.
"""
