"""What things are: the 23 entities of the portal as annotated classes, and the tree in which every query is said.

Plain Python without input or output. Tables, GraphQL types, the deposition language, sidecar reading, client classes,
page rows and the reference documentation are made from these classes when the program runs; nothing repeats them.

    fields      descriptors: type, unit, label, description, place in the deposition file and in the sidecar
    entity      the base class: names, fields, relations, identity of a row inside its sidecar
    query       conditions and selections, as plain frozen data
    terms       enumerations and patterns of identifiers
    deposition, acquisition, reconstruction, annotation     the entities
    registry    all of them by name
"""
