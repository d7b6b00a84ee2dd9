"""The browser and the portal that the viewer tests share."""

from fixtures_viewer import browser, viewer, viewer_portal

__all__ = ["browser", "viewer", "viewer_portal"]
