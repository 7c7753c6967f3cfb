"""Tokens of password reset links."""

from allauth.account.forms import EmailAwarePasswordResetTokenGenerator

from archive.models import User


class ResetTokenGenerator(EmailAwarePasswordResetTokenGenerator):  # type: ignore[misc]
    """Like allauth's, but a link also ends when roles change or sessions are ended: a link that an admin created for a
    host must not open the account once the host has become an admin."""

    def _make_hash_value(self, user: User, timestamp: int) -> str:
        roles = [f"{role}:{user.role_since(role)}" for role in sorted(user.roles)]
        state = [*roles, user.is_superuser, user.session_generation]
        return f"{super()._make_hash_value(user, timestamp)}{state}"
