"""What every endpoint shares: dependencies, the error shape, pagination, access."""
