"""One file per page: its route and its template's context."""
