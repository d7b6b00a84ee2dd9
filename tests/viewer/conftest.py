"""The browser and the portal that the viewer tests share."""

from fixtures_viewer import viewer, viewer_portal

__all__ = ["viewer", "viewer_portal"]
