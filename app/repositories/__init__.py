"""The only part that asks the database. Every method of a site's documents takes the site first."""
