"""Who asks, and what they may do: users, roles, sessions and tokens, and what each of Orthanc's addresses needs."""
