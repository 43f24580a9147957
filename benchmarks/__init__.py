"""How fast we are beside others: `make bench`."""
