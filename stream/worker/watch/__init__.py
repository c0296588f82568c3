"""Watches over what a worker relies on, each looking every few seconds."""
