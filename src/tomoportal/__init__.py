"""Tomoportal: a self-hostable data portal for cryo-electron tomography."""

__version__ = "0.1.0"
