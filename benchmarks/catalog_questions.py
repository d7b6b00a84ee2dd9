"""What catalogues are asked in GraphQL to see how fast they answer: the pages of a portal, and long lists."""

BY_ID = "{ datasets(where: {id: {_eq: 10250}}) { id title organismName releaseDate s3Prefix keyPhotoUrl } }"
NESTED = """{ datasets(where: {id: {_eq: %d}}) { id title runs(first: 20) { edges { node { id name
  tomograms { edges { node { id name sizeX sizeY sizeZ voxelSpacing httpsOmezarrDir } } } } } } } }"""
BROWSE = """{
  datasets(orderBy: [{releaseDate: desc}, {title: asc}], limitOffset: {limit: 20, offset: 0}) {
    id title organismName datasetPublications keyPhotoThumbnailUrl relatedDatabaseEntries releaseDate
    authors(orderBy: {authorListOrder: asc}) { edges { node { name primaryAuthorStatus correspondingAuthorStatus } } }
    runsCount: runsAggregate { aggregate { count } }
    runsAggregate { aggregate { groupBy { annotations { objectName groundTruthStatus } } count } }
    objects: runsAggregate { aggregate { groupBy { identifiedObjects { objectName } } count } } }
  datasetsAggregate { aggregate { count } }
}"""
RUN = """{ runs(where: {id: {_eq: %d}}) { id name httpsPrefix s3Prefix
  dataset { id title description organismName authors(orderBy: {authorListOrder: asc}) { edges { node { name orcid } } } }
  tiltseries(first: 1) { edges { node { id tiltMin tiltMax tiltSeriesQuality pixelSpacing cameraModel } } }
  annotations { edges { node { id objectName objectId groundTruthStatus releaseDate methodType
    authors { edges { node { name } } } methodLinks { edges { node { link name } } }
    annotationShapes { edges { node { shapeType annotationFiles { edges { node { format httpsPath fileSize } } } } } } } } }
  tomograms { edges { node { id name voxelSpacing processing neuroglancerConfig alignment { id alignmentType }
    authors { edges { node { name } } } } } }
  annotationsAggregate { aggregate { count groupBy { objectName } } }
  tomogramsAggregate { aggregate { count groupBy { voxelSpacing processing } } }
  framesAggregate { aggregate { count } } alignmentsAggregate { aggregate { count } }
  perSectionParametersAggregate(where: {majorDefocus: {_is_null: false}}) { aggregate { count } } } }"""
LIST = """query { runs(where: {name: {_ilike: "%TS%"}, tomogramVoxelSpacings: {tomograms: {sizeX: {_gt: 900}}}})
  { id datasetId name s3Prefix httpsPrefix } }"""
ILIKE = '{ runs(where: {annotations: {objectName: {_ilike: "%ribosome%"}}}) { id name } }'
COUNTS = "{ " + " ".join(
    f"{name}Aggregate {{ aggregate {{ count }} }}" for name in ("datasets", "runs", "tomograms", "annotations", "depositions")
) + " }"  # fmt: skip
OBJECT = '{ runs(where: {annotations: {objectName: {_eq: "%s"}}}, limitOffset: {limit: 50}) { id name datasetId s3Prefix } }'
