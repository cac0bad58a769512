"""Destinations, and the ledger of what is sent to them and proved to have arrived."""
