"""Accounts: roles, activity and passwords. Every change is an entry of the retention log, with ids only."""
