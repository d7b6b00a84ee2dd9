"""What pages tell of entities: rows of the catalogue → frozen pieces for templates.

`facts` follows the fields of the model; the other modules put together what people look for together.
"""
