"""Depositions, datasets and what belongs to them."""

from __future__ import annotations

from tomoportal.model import terms
from tomoportal.model.authors import AuthorFields
from tomoportal.model.entity import Entity, Names, Rows
from tomoportal.model.fields import (
    Choice,
    ConfigOnly,
    Date,
    Float,
    ForeignKey,
    HttpsAddress,
    Int,
    Kind,
    Level,
    Rule,
    S3Address,
    StoredPath,
    Str,
    ToMany,
    ToOne,
)

REQUIRED = Rule(level=Level.REQUIRED)
RECOMMENDED = Rule(level=Level.RECOMMENDED)


class Deposition(Entity):
    """Data submitted together."""

    names = Names(
        graphql="Deposition", root="depositions", table="deposition", one="Deposition", many="Depositions",
        prefix="CZCDP", section="depositions",
    )  # fmt: skip
    rows = Rows(sidecar="deposition")
    groups = {"dates": Level.REQUIRED}

    id = Int(
        "identifier of the deposition",
        nullable=False,
        config="deposition_identifier",
        rule=REQUIRED,
        label="Deposition ID",
    )
    title = Str("title", nullable=False, config="deposition_title", rule=REQUIRED, searched="title")
    description = Str(
        "what was deposited",
        nullable=False,
        config="deposition_description",
        rule=REQUIRED,
        searched="description",
    )
    tag = Str("free tag, for example of a campaign", config="tag")
    deposition_publications = Str(
        "comma-separated DOIs", label="Publications", config="cross_references.publications",
        rule=Rule(pattern=terms.DOI, comma_list=True), searched="publication",
    )  # fmt: skip
    related_database_entries = Str(
        "comma-separated entries of other databases (EMPIAR-…, EMD-…, PDB-…)", label="Related databases",
        config="cross_references.related_database_entries",
        rule=Rule(pattern=terms.DATABASE_ENTRY, comma_list=True), searched="publication",
    )  # fmt: skip
    deposition_date = Date(
        "when the data were received", nullable=False, config="dates.deposition_date", rule=REQUIRED
    )
    release_date = Date(
        "when the data become public", nullable=False, config="dates.release_date", rule=REQUIRED
    )
    last_modified_date = Date(
        "when the data last changed", nullable=False, config="dates.last_modified_date", rule=REQUIRED
    )
    key_photo_path = StoredPath("picture of the deposition", sidecar="key_photos.snapshot")
    key_photo_thumbnail_path = StoredPath("small picture of the deposition", sidecar="key_photos.thumbnail")
    key_photo_url = HttpsAddress("key_photo_path", "picture of the deposition")
    key_photo_thumbnail_url = HttpsAddress("key_photo_thumbnail_path", "small picture of the deposition")
    folder_path = StoredPath("folder of the deposition's own metadata and pictures", sidecar="@folder")
    s3_prefix = S3Address("folder_path", "folder of the deposition's own metadata and pictures, ending in /")
    https_prefix = HttpsAddress(
        "folder_path", "folder of the deposition's own metadata and pictures, ending in /"
    )
    related_database_links = ConfigOnly(
        Kind.STR, "links to related databases", config="cross_references.related_database_links"
    )
    dataset_citations = ConfigOnly(Kind.STR, "how to cite", config="cross_references.dataset_citations")

    authors = ToMany("DepositionAuthor", "deposition_id", "authors of the deposition")
    alignments = ToMany("Alignment", "deposition_id", "alignments submitted with it")
    annotations = ToMany("Annotation", "deposition_id", "annotations submitted with it")
    datasets = ToMany("Dataset", "deposition_id", "datasets submitted with it")
    frames = ToMany("Frame", "deposition_id", "movie frames submitted with it")
    tiltseries = ToMany("TiltSeries", "deposition_id", "tilt series submitted with it")
    tomograms = ToMany("Tomogram", "deposition_id", "tomograms submitted with it")
    deposition_types = ToMany("DepositionType", "deposition_id", "kinds of data in it")


class DepositionAuthor(AuthorFields, Entity):
    """An author of a deposition."""

    names = Names(
        graphql="DepositionAuthor", root="depositionAuthors", table="deposition_author",
        one="Deposition author", many="Deposition authors",
    )  # fmt: skip
    rows = Rows(
        sidecar="deposition", items="authors", key=("name",), in_config=True, level=Level.REQUIRED, at_least=1
    )

    id = Int("identifier of the author row", nullable=False, sidecar="@id")
    deposition_id = ForeignKey("Deposition", "deposition of the author", nullable=False, sidecar="@parent")
    deposition = ToOne("Deposition", "deposition_id", "deposition of the author")


class DepositionType(Entity):
    """A kind of data in a deposition."""

    names = Names(
        graphql="DepositionType", root="depositionTypes", table="deposition_type",
        one="Deposition type", many="Deposition types",
    )  # fmt: skip
    rows = Rows(
        sidecar="deposition",
        items="deposition_types",
        key=("type",),
        in_config=True,
        level=Level.REQUIRED,
        at_least=1,
    )

    id = Int("identifier of the type row", nullable=False, sidecar="@id")
    type = Choice(terms.deposition_types_enum, "kind of data", config="", rule=REQUIRED)
    deposition_id = ForeignKey(
        "Deposition", "deposition with this kind of data", nullable=False, sidecar="@parent"
    )
    deposition = ToOne("Deposition", "deposition_id", "deposition with this kind of data")


class Dataset(Entity):
    """Runs with the same sample and imaging conditions."""

    names = Names(
        graphql="Dataset",
        root="datasets",
        table="dataset",
        one="Dataset",
        many="Datasets",
        prefix="DS",
        section="datasets",
    )
    rows = Rows(sidecar="dataset")
    groups = {
        "dates": Level.REQUIRED,
        "organism": Level.OPTIONAL,
        "tissue": Level.OPTIONAL,
        "cell_type": Level.OPTIONAL,
        "cell_strain": Level.OPTIONAL,
        "cell_component": Level.OPTIONAL,
        "assay": Level.REQUIRED,
        "development_stage": Level.REQUIRED,
        "disease": Level.REQUIRED,
    }

    id = Int(
        "identifier of the dataset",
        nullable=False,
        config="dataset_identifier",
        rule=REQUIRED,
        label="Dataset ID",
    )
    title = Str("title", nullable=False, config="dataset_title", rule=REQUIRED, searched="title")
    description = Str(
        "what the dataset shows",
        nullable=False,
        config="dataset_description",
        rule=REQUIRED,
        searched="description",
    )
    organism_name = Str("name of the organism", config="organism.name", rule=REQUIRED, searched="organism")
    organism_taxid = Int(
        "NCBI taxonomy identifier", label="Organism taxonomy ID", config="organism.taxonomy_id",
        rule=Rule(level=Level.RECOMMENDED, minimum=1), searched="organism",
    )  # fmt: skip
    tissue_name = Str("tissue", config="tissue.name", rule=REQUIRED, searched="sample")
    tissue_id = Str(
        "ontology identifier of the tissue", label="Tissue ID", config="tissue.id",
        rule=Rule(level=Level.RECOMMENDED, pattern=terms.TISSUE_ID), searched="sample",
    )  # fmt: skip
    cell_name = Str("cell type", config="cell_type.name", rule=REQUIRED, searched="sample")
    cell_type_id = Str(
        "ontology identifier of the cell type", label="Cell type ID", config="cell_type.id",
        rule=Rule(level=Level.RECOMMENDED, pattern=terms.CELL_TYPE_ID), searched="sample",
    )  # fmt: skip
    cell_strain_name = Str(
        "cell line or strain",
        label="Cell line or strain",
        config="cell_strain.name",
        rule=REQUIRED,
        searched="sample",
    )
    cell_strain_id = Str(
        "identifier of the cell line or strain", label="Cell line or strain ID", config="cell_strain.id",
        rule=Rule(level=Level.RECOMMENDED, pattern=terms.CELL_STRAIN_ID), searched="sample",
    )  # fmt: skip
    cell_component_name = Str(
        "cellular component",
        label="Cellular component",
        config="cell_component.name",
        rule=REQUIRED,
        searched="sample",
    )
    cell_component_id = Str(
        "GO identifier of the cellular component", label="Cellular component ID", config="cell_component.id",
        rule=Rule(level=Level.RECOMMENDED, pattern=terms.GO), searched="sample",
    )  # fmt: skip
    assay_label = Str("name of the assay", label="Assay", config="assay.name", rule=REQUIRED)
    assay_ontology_id = Str(
        "EFO identifier of the assay", label="Assay ID", config="assay.id",
        rule=Rule(level=Level.RECOMMENDED, pattern=terms.EFO),
    )  # fmt: skip
    development_stage_name = Str(
        "development stage of the organism", config="development_stage.name", rule=RECOMMENDED
    )
    development_stage_ontology_id = Str(
        "ontology identifier of the development stage", label="Development stage ID", config="development_stage.id",
        rule=Rule(level=Level.RECOMMENDED, pattern=terms.STAGE_ID),
    )  # fmt: skip
    disease_name = Str("disease, or normal", config="disease.name", rule=RECOMMENDED, searched="sample")
    disease_ontology_id = Str(
        "ontology identifier of the disease", label="Disease ID", config="disease.id",
        rule=Rule(level=Level.RECOMMENDED, pattern=terms.DISEASE_ID),
    )  # fmt: skip
    sample_type = Choice(
        terms.sample_type_enum, "kind of sample", config="sample_type",
        rule=Rule(level=Level.REQUIRED, words=terms.CONFIG_SAMPLE_TYPES),
    )  # fmt: skip
    sample_preparation = Str(
        "how the sample was prepared", config="sample_preparation", rule=RECOMMENDED, searched="description"
    )
    grid_preparation = Str(
        "how the grid was prepared", config="grid_preparation", rule=RECOMMENDED, searched="description"
    )
    other_setup = Str(
        "anything else about the set-up", config="other_setup", rule=RECOMMENDED, searched="description"
    )
    dataset_publications = Str(
        "comma-separated DOIs", label="Publications", config="cross_references.publications",
        rule=Rule(pattern=terms.DOI, comma_list=True), searched="publication",
    )  # fmt: skip
    related_database_entries = Str(
        "comma-separated entries of other databases (EMPIAR-…, EMD-…, PDB-…)", label="Related databases",
        config="cross_references.related_database_entries",
        rule=Rule(pattern=terms.DATABASE_ENTRY, comma_list=True), searched="publication",
    )  # fmt: skip
    related_database_links = ConfigOnly(
        Kind.STR, "links to related databases", config="cross_references.related_database_links"
    )
    dataset_citations = ConfigOnly(Kind.STR, "how to cite", config="cross_references.dataset_citations")
    deposition_date = Date(
        "when the dataset was received", nullable=False, config="dates.deposition_date", rule=REQUIRED
    )
    release_date = Date(
        "when the dataset becomes public", nullable=False, config="dates.release_date", rule=REQUIRED
    )
    last_modified_date = Date(
        "when the dataset last changed", nullable=False, config="dates.last_modified_date", rule=REQUIRED
    )
    key_photo_path = StoredPath("picture of the dataset", sidecar="key_photos.snapshot")
    key_photo_thumbnail_path = StoredPath("small picture of the dataset", sidecar="key_photos.thumbnail")
    key_photo_url = HttpsAddress("key_photo_path", "picture of the dataset")
    key_photo_thumbnail_url = HttpsAddress("key_photo_thumbnail_path", "small picture of the dataset")
    folder_path = StoredPath("folder of the dataset", nullable=False, sidecar="@folder")
    s3_prefix = S3Address("folder_path", "folder of the dataset, ending in /", nullable=False)
    https_prefix = HttpsAddress("folder_path", "folder of the dataset, ending in /", nullable=False)
    file_size = Float("size of all files of the dataset", unit="bytes", sidecar="@size")
    deposition_id = ForeignKey(
        "Deposition", "deposition of the dataset", nullable=False, sidecar="deposition_id"
    )

    deposition = ToOne("Deposition", "deposition_id", "deposition of the dataset")
    funding_sources = ToMany("DatasetFunding", "dataset_id", "who paid")
    authors = ToMany("DatasetAuthor", "dataset_id", "authors of the dataset")
    runs = ToMany("Run", "dataset_id", "runs of the dataset")


class DatasetAuthor(AuthorFields, Entity):
    """An author of a dataset."""

    names = Names(
        graphql="DatasetAuthor",
        root="datasetAuthors",
        table="dataset_author",
        one="Dataset author",
        many="Dataset authors",
    )
    rows = Rows(
        sidecar="dataset", items="authors", key=("name",), in_config=True, level=Level.REQUIRED, at_least=1
    )

    id = Int("identifier of the author row", nullable=False, sidecar="@id")
    dataset_id = ForeignKey("Dataset", "dataset of the author", sidecar="@parent")
    dataset = ToOne("Dataset", "dataset_id", "dataset of the author")


class DatasetFunding(Entity):
    """A grant that paid for a dataset."""

    names = Names(
        graphql="DatasetFunding",
        root="datasetFunding",
        table="dataset_funding",
        one="Funding source",
        many="Funding sources",
    )
    rows = Rows(
        sidecar="dataset",
        items="funding",
        key=("funding_agency_name", "grant_id"),
        in_config=True,
        level=Level.RECOMMENDED,
    )

    id = Int("identifier of the funding row", nullable=False, sidecar="@id")
    funding_agency_name = Str(
        "name of the agency",
        label="Funding agency",
        config="funding_agency_name",
        rule=RECOMMENDED,
        searched="funding",
    )
    grant_id = Str("grant number", label="Grant ID", config="grant_id", rule=RECOMMENDED, searched="funding")
    dataset_id = ForeignKey("Dataset", "dataset that was paid for", sidecar="@parent")
    dataset = ToOne("Dataset", "dataset_id", "dataset that was paid for")
