"""A way in for agents: tools of the Model Context Protocol over the REST API.

Nothing here knows the product but by its API, so whatever an API key may do, an agent may do, and no more: its scopes,
its limits and its caps hold by construction. It starts neither Django nor an engine.
"""
