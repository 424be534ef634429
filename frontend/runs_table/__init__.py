"""What the Runs page shows of the table: its address, its columns, its rows."""
