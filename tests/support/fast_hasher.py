"""Hashes of passwords that cost next to nothing. Web processes can read them, as their algorithm is the same."""

from django.contrib.auth.hashers import PBKDF2PasswordHasher


class FastHasher(PBKDF2PasswordHasher):
    iterations = 1
