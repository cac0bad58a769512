"""Pages of users and of the sign-in."""
