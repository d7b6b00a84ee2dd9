"""Selections of the portal for copick (https://copick.github.io/copick/): a `project` of files, or a configuration for which copick asks
the `portal`."""
