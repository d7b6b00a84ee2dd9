"""The basket: what a visitor has picked on several pages. Its address holds it all; a cookie remembers it between pages.

`remembered` the cookie · `changing` putting in and taking out · `files` what can be downloaded · `entries` what is in it, as rows
"""
