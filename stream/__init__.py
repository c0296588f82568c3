"""The engine of engagement-stream: events become additive counters, counters become numbers.

stream/README.md tours the folders. Of this project it imports only `schemas`.
"""
