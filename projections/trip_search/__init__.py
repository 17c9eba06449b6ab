"""The read model `trip_search`: trips found by Elasticsearch, shown as PostgreSQL knows them."""
