"""Storms over the real thing: real processes, killed and raced, and whether everything is as promised afterwards."""
