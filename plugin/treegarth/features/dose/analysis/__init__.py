"""What doses say together: distributions by name, protocol, device and patient; their rows stand in `tables.py`."""
