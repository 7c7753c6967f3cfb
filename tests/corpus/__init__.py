"""Small files as other programs write them, made by our own scripts, with the expected results written out."""
