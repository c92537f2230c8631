"""Keeps texts and finds them by their words."""
