"""The demos: a year of real flights and what went wrong on which day; a fleet of made-up models."""
