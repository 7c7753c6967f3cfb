"""Accounts: roles, activity and passwords. Every change is logged in the retention log, with ids only."""
