"""The ledger: storage, migrations, queries, backup. The only place that knows the database."""
