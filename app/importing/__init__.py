"""Events and items from files, through the same services as the API."""
