"""The forms of the pages: which input is accepted, how long it may be, and what to say when it is not.

Forms only validate input. `archive` enforces the rules that need its data (is it too late? may this admin do it?); the
view adds its refusals to the form.
"""
