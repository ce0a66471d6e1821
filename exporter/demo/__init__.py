"""The demo "Late flights": a year of real data, two models, and what went wrong on which day."""
