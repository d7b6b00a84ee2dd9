"""Full-text search: which texts there are, where they belong, what people type, and where it matched.

    passages    what is searchable: texts of fields, lent by related rows, and how much a match there is worth
    tables      search_text (each text once), search_word (its words), search_link (rows that are found by it)
    index       filling these tables below a folder
    terms       what somebody typed → words, phrases, exclusions
    matches     the answer of the database → where it matched, with the words marked

`compile.search` makes the SQL. The order of results is decided by whole numbers alone, so that all databases agree.
"""
