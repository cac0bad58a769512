"""All SQL of destinations and deliveries."""
