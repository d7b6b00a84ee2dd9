"""What is published, as pictures for a browser without WebGL: cuts through volumes, and what annotations draw over them.

    volume    which part of which file a cut needs, and the plane that comes of it (`pyramid`: OME-Zarr, `stacks`: MRC)
    picture   planes → grey pictures
    layers    the annotations of a tomogram, in the colours of the 3-D viewer
    points    points in the voxels of a tomogram, as JSON and SVG
    masks     masks as transparent pictures

Reads through a view of the catalogue and a storage. Knows no HTTP.
"""
