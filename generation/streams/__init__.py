"""Texts that are read while they are written.

The worker that holds the reservation owns the upstream call. It puts the pieces into a stream in Valkey, one for each
text; whoever reads along only subscribes, so a closed tab loses neither the text nor the money. PostgreSQL says how it
ended: what Valkey loses is the reading along, never the text.
"""
