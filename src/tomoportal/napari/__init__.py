"""The plugin for napari: browse a portal and open its tomograms with their annotations. It asks through `tomoportal.client`.

    napari.yaml        what napari is told: a widget, a reader
    places             where things lie in napari's world; pure
    parts, appearance  what is drawn with a tomogram; its contrast and colours
    layers, particles  tomograms and annotations as layers
    addresses          the address of a page or volume → what it stands for
    reader             `napari --plugin tomoportal https://…`
    browsing, work     questions of the tree; threads
    tree, details, widget   Qt

Nothing here is imported before napari asks for it, and napari is imported nowhere else.
"""
