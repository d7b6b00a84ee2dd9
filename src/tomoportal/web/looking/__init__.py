"""Looking at data: slices of tomograms, plots of tilt series, the menus of the viewer. Pure."""
