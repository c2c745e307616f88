"""A stand-in for Stripe: a stateful server that speaks its API, for development and tests. No money moves here.

A program of its own (`python -m stripe_server`), which imports nothing of the product and is reached through
`STRIPE_API_BASE` alone. It is kept honest by what Stripe ships: every parameter is validated against the parameter
types of Stripe's SDK (unknown or mistyped is a 400), every reply against its response types.
"""
