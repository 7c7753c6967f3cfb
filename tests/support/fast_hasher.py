"""A password hasher that costs almost nothing, with an algorithm that the web processes under test can check."""

from django.contrib.auth.hashers import PBKDF2PasswordHasher


class FastHasher(PBKDF2PasswordHasher):
    iterations = 1
