"""What is published, in the formats and folders of other programs.

    annotation_export(view, id, format=…) → AnnotationExport      .make(points as published) → bytes
    copick.write_project(…)                                       a folder that copick opens

Reads through a view of the catalogue, so nobody gets what he may not see. Knows no HTTP.
"""

from tomoportal.exports.annotation import PLAIN, AnnotationExport, annotation_export

__all__ = ["PLAIN", "AnnotationExport", "annotation_export"]
