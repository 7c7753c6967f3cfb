"""Automatic transcripts: speech to text in windows, resumable after a crash."""
