"""What search engines are told of a dataset, in the words of schema.org."""

from __future__ import annotations

from typing import Any

from tomoportal.model.deposition import Dataset
from tomoportal.web import formats, identifiers, urls
from tomoportal.web.context import Visit
from tomoportal.web.entities.facts import UNSTATED
from tomoportal.web.entities.people import Person
from tomoportal.web.getting.licenses import License


def dataset_told(visit: Visit, row: dict[str, Any], authors: tuple[Person, ...]) -> dict[str, Any]:
    """A `Dataset` as JSON, for the head of its page. `row` holds all its fields."""
    address = visit.absolute(urls.dataset(row["id"]))
    publications = identifiers.links(row["dataset_publications"])
    told: dict[str, Any] = {
        "@context": "https://schema.org",
        "@type": "Dataset",
        "@id": address,
        "url": address,
        "identifier": Dataset.names.number(row["id"]),
        "name": row["title"],
        "description": row["description"],
        "creator": [_person(author) for author in authors],
        "datePublished": formats.day(row["release_date"]),
        "dateModified": formats.day(row["last_modified_date"]),
        "citation": [item.href or item.text for item in publications],
        "measurementTechnique": "cryo-electron tomography",
        "keywords": [
            word
            for word in (row["organism_name"], row["cell_name"], row["tissue_name"])
            if word not in UNSTATED
        ],
        "isAccessibleForFree": True,
        "license": License.of(visit.settings.license).href or visit.settings.license,
        "includedInDataCatalog": {
            "@type": "DataCatalog",
            "name": visit.settings.title,
            "url": visit.absolute("/"),
        },
        "distribution": [
            {
                "@type": "DataDownload",
                "contentUrl": visit.absolute(row["https_prefix"]),
                "encodingFormat": "OME-Zarr, MRC",
            }
        ],
    }
    if row["key_photo_url"]:
        told["image"] = visit.absolute(row["key_photo_url"])
    return told


def _person(author: Person) -> dict[str, str]:
    return {"@type": "Person", "name": author.name} | ({"sameAs": author.href} if author.href else {})
