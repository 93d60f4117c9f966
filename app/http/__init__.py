"""What speaks HTTP: GraphQL, health, pages."""
