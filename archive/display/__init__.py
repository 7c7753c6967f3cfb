"""What the archive renders itself: the offline page in a bundle, and e-mail. Needs nothing of the portal."""
