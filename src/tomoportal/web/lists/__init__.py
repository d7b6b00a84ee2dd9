"""Lists of the site: which there are (`offered`), query string ↔ what is chosen (`filters`), which rows have what (`members`, `numbers`),
and a list as a page shows it (`listing`).
"""
