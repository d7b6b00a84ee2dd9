"""From a query tree to one SQL statement that answers with JSON text.

    dialect      what SQL dialects say differently; `sqlite` fulfils it
    writer       the statement being written: bound values, names of row sources, the reader's scope
    condition    `query.Condition` → SQL truth value
    values       fields as stored, as shown, as compared
    order        orders → ORDER BY
    shape        how JSON is put together without deep nesting
    selection, page    selections → JSON objects and lists
    aggregate    figures about groups of rows

Values of a query never become part of the SQL text; names come from the model alone.
"""
