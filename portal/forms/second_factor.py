"""Forms of second factors, where they need more than allauth's."""

from allauth.mfa.adapter import get_adapter
from allauth.mfa.models import Authenticator
from allauth.mfa.totp.forms import ActivateTOTPForm as AllauthActivateTOTPForm
from allauth.mfa.totp.internal.auth import TOTP


class ActivateTOTPForm(AllauthActivateTOTPForm):  # type: ignore[misc]  # allauth has no types
    """Set up an authenticator app. The code can't be used again, like one of a sign-in; allauth would accept it once
    more."""

    def clean_code(self) -> str:
        code: str = super().clean_code()
        # The row does not exist yet; only the account and the code are stored.
        if not TOTP(Authenticator(user=self.user))._mark_code_used(code):
            raise get_adapter().validation_error("incorrect_code")
        return code
