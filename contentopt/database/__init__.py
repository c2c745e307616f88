"""Django's backend for PostgreSQL, with the workspace sent along in each statement, and two roles."""
