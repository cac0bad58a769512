"""The pages of rules and notifications."""
