"""Pages of text: the site's own and the package's, and the guides of the project.

markdown     Markdown → HTML with anchors; raw HTML is shown as text, never passed through
shelf        which pages there are: a site's own folder before `pages/` of the package; the guides under `docs/`
fields       tables of fields and requirements, made from the model
"""
