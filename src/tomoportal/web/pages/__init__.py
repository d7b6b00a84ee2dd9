"""One module per page: a `Visit` in, a frozen context for its template out. No HTML and no HTTP here."""
