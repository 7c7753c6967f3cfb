"""The forms of the pages: which input is accepted, how long it may be, and what to say when it is not.

Forms check the input alone. Rules that need the archive (is it too late? may this admin?) are checked where they are
enforced, in `archive`; the view adds such a refusal to the form.
"""
