"""The table of runs: any column, filtered, sorted, grouped.

Values are compared in Python and not in SQL: a setting may be of any type under any name, and both databases must
find the same runs.
"""
