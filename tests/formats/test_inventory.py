"""Every kind of file that ingestion takes, with the sample that proves it.

The kinds come from the tables that the program itself works with, so that a new word, ending or magic number fails here until it
has a sample: a file of the shared data where there is one, else one that an independent writer makes.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from made_samples import Maker, extended, image, mrc, ome_zarr, picture, text, tiff_stack, wrapped
from tomoportal.config.sections import ANNOTATION_SHAPES, PAIR_MAPS, SECTIONS
from tomoportal.errors import FormatError
from tomoportal.formats import ctf, image_head, picture_files
from tomoportal.formats.aretomo_alignment import read_aln
from tomoportal.formats.dm import open_dm
from tomoportal.formats.identified_objects import read_identified_objects
from tomoportal.formats.imod_alignment import read_newst_com, read_tilt_com, read_xf
from tomoportal.formats.mdoc import IMAGE_SECTIONS, read_mdoc
from tomoportal.formats.meshes import read_mesh
from tomoportal.formats.mrc import open_mrc
from tomoportal.formats.mrc_header import EXTENDED_TYPES, KNOWN_MODES
from tomoportal.formats.particles import ORIENTED, TABLES, TableForm, read_particles
from tomoportal.formats.portal_alignment import read_portal_alignment
from tomoportal.formats.relion_alignment import read_relion_alignment
from tomoportal.formats.run_map import read_pair_map, read_run_map
from tomoportal.formats.text import TextFile
from tomoportal.formats.tiff_pages import MAGIC
from tomoportal.formats.tilt_angles import read_tilt_angles
from tomoportal.formats.warp_alignment import read_warp_alignment
from tomoportal.ingest.steps.alignment.read import ENDINGS, MAIN
from tomoportal.ingest.volumes.source import open_source
from tomoportal.model.terms import ALIGNMENT_FORMATS

PORTAL = "portal-backend/test_infra/test_files/input_bucket"
POINTS = f"{PORTAL}/20002/annotations"
FIXTURES = "portal-backend/ingestion_tools/scripts/tests/fixtures/annotations"
IMOD = "cryoet-alignment/tests/data/convert/imod_1"
DM = "nionswift-io/nionswift_plugin/DM_IO/test/resources"

Kind = tuple[object, ...]


@dataclass(frozen=True)
class Sample:
    """`file`: a path of the shared data, or what makes one; `read`: gives something that is true for a sound file."""

    file: str | Maker
    read: Callable[[Path], Any]

    def path(self, shared: Path, folder: Path) -> Path:
        return shared / self.file if isinstance(self.file, str) else self.file(folder)


def of_bytes(read: Callable[..., Any], *more: Any) -> Callable[[Path], Any]:
    return lambda path: read(path.read_bytes(), path.name, *more)


def of_text(read: Callable[..., Any]) -> Callable[[Path], Any]:
    return lambda path: read(TextFile(path.read_bytes(), path.name)).sections


def relion(path: Path) -> Any:
    return read_relion_alignment((TextFile(path.read_bytes(), path.name),), "TS_1").sections


def voxels(path: Path) -> bool:
    source = open_source(path)
    return source.array[:1, :1, :1].shape == (1, 1, 1)


def refused(path: Path) -> bool:
    with pytest.raises(FormatError, match="is not an image"):
        open_mrc(path)
    return True


def head_of(kind: str) -> Callable[[Path], bool]:
    def read(path: Path) -> bool:
        data = path.read_bytes()
        head = image_head.image_head(lambda start, length: data[start : start + length], len(data), path.name)
        return kind in (head.kind, head.wrapping)

    return read


def particles(kind: str, *, oriented: bool = False) -> Callable[[Path], bool]:
    def read(path: Path) -> bool:
        form = TableForm(delimiter="\t" if kind == "tsv" else ",", has_header=kind == "csv_with_header")
        table = read_particles(path.read_bytes(), path.name, kind, form, oriented=oriented)
        return len(table.of(table.groups[0] if table.groups else None).positions) > 0

    return read


def faces(kind: str, segment: str = "") -> Callable[[Path], bool]:
    return lambda path: len(read_mesh(path.read_bytes(), path.name, kind, segment).faces) > 0


def content(key: str) -> Callable[[Path], Any]:
    return lambda path: json.loads(path.read_bytes())[key]


SECTION_KINDS: dict[str, tuple[str, ...]] = {
    "depositions": (), "datasets": (), "runs": (), "deposition_keyphotos": ("picture",), "dataset_keyphotos": ("picture",),
    "key_images": ("picture",), "gains": ("image", "wrapping"), "frames": ("image", "wrapping"), "collection_metadata": ("mdoc",),
    "tiltseries": ("mrc mode", "zarr", "tiff"), "tomograms": ("mrc mode", "zarr", "tiff"), "voxel_spacings": ("mrc mode", "zarr"),
    "rawtilts": ("angles",), "ctfs": ("ctf",), "alignments": ("alignment", "alignment file"),
    "identified_objects": ("identified objects",), "annotations": ("annotation",),
}  # fmt: skip
"""Section of the deposition language → kinds of files its sources may give."""

_LISTS = {
    "csv": f"{POINTS}/points.csv", "csv_with_header": f"{POINTS}/points_with_header.csv", "tsv": text("tsv"), "tardis": text("tardis"),
    "relion3_star": f"{POINTS}/relion_3_star.star", "stopgap_star": f"{POINTS}/stopgap_star.star", "relion4_star": text("relion4"),
    "relion5_star": "cylindra/cylindra_builtins/relion/tests/test_jobs/Refine3D/job_refine/run_it050_data.star",
    "tomoman_relion_star": "chlamy-annotations/10.1126-science.ads8738/star/hsp60.star", "copick": f"{POINTS}/copick.json",
    "dynamo_tbl": "dynamotable/test/data/t_double.tbl", "ndjson": text("ndjson"),
    "mod": "imodmodel/tests/test_data/two_contour_example.mod",
}  # fmt: skip
_PARTICLES = {name: Sample(file, particles(name)) for name, file in _LISTS.items()}
_ORIENTED = _PARTICLES | {"mod": Sample(f"{POINTS}/oriented_points.mod", particles("mod", oriented=True))}
_MASK = {
    "mrc": Sample(f"{POINTS}/semantic_mask.mrc", voxels),
    "zarr": Sample(f"{PORTAL}/sample_tomos/input_omezarr.zarr", voxels),
}
_SABER = Sample(f"{FIXTURES}/global_caption.json", content("captions"))
ANNOTATIONS: dict[str, dict[str, Sample]] = {
    "Point": _PARTICLES, "OrientedPoint": _ORIENTED, "InstanceSegmentation": _PARTICLES,
    "SegmentationMask": _MASK,
    "SemanticSegmentationMask": _MASK,
    "InstanceSegmentationMask": _MASK | {"mrc": Sample("sfftk/sfftk/test_data/segmentations/merged_mask.mrc", voxels)},
    "TriangularMesh": {
        "obj": Sample(f"{FIXTURES}/triangular_mesh.obj", faces("obj")), "glb": Sample(f"{FIXTURES}/triangular_mesh.glb", faces("glb")),
        "stl": Sample("trimesh/models/unit_sphere.STL", faces("stl")), "vtk": Sample(text("vtk"), faces("vtk")),
    },
    "TriangularMeshGroup": {"hff": Sample(f"{FIXTURES}/triangular_mesh.hff", faces("hff", "special_name"))},
    "GlobalCaption": {"saber": _SABER},
    "AnnotationCaption": {"saber": Sample(text("saber"), content("objects"))},
}  # fmt: skip

SAMPLES: dict[Kind, Sample] = {
    ("mdoc", "ZValue"): Sample("mdocfile/tests/test_data/tilt_series.mdoc", lambda p: of_bytes(read_mdoc)(p).sections),
    ("mdoc", "FrameSet"): Sample("mdocfile/tests/test_data/frame_set_single.mdoc", lambda p: of_bytes(read_mdoc)(p).sections),
    ("angles",): Sample("etspy/etspy/tests/test_data/HAADF.rawtlt", of_bytes(read_tilt_angles)),
    ("identified objects",): Sample(f"{PORTAL}/10001_input/identified_objects/identified_objects.csv",
                                    lambda p: of_bytes(read_identified_objects)(p).runs),
    ("table", "run_data_map_file"): Sample("configs/gjensen/run_data_map/10029.csv", lambda p: of_bytes(read_run_map)(p).rows),
    ("table", "run_to_tomo_map_csv"): Sample("configs/gjensen/run_tomo_map/10029.csv", lambda p: of_bytes(read_pair_map)(p).values),
    ("table", "run_to_frame_map_csv"): Sample("configs/gjensen/run_frames_map/10029.csv", lambda p: of_bytes(read_pair_map)(p).values),
    ("table", "run_to_ts_map_csv"): Sample(text("pairs"), lambda p: of_bytes(read_pair_map)(p).values),
    ("ctf", "CTFFIND"): Sample(f"{PORTAL}/10001_input/metadata/TS_run1_ctffind4.txt", of_bytes(ctf.read_ctf, "CTFFIND")),
    ("ctf", "Gctf"): Sample(text("gctf"), of_bytes(ctf.read_ctf, "Gctf")),
    ("ctf", "IMOD"): Sample(text("defocus"), of_bytes(ctf.read_ctf, "IMOD")),
    ("alignment", "IMOD"): Sample(f"{IMOD}/tilt_1.xf", of_bytes(read_xf)),
    ("alignment", "ARETOMO3"): Sample("alnfile/test_data/global_no_local.aln", of_text(read_aln)),
    ("alignment", "RELION"): Sample(text("star"), relion),
    ("alignment", "WARP"): Sample(text("xml"), of_text(read_warp_alignment)),
    ("alignment file", "xf"): Sample(f"{IMOD}/tilt_1.xf", of_bytes(read_xf)),
    ("alignment file", "tlt"): Sample(f"{IMOD}/tilt_1.tlt", of_bytes(read_tilt_angles)),
    ("alignment file", "xtilt"): Sample(f"{IMOD}/tilt_1.xtilt", of_bytes(read_tilt_angles)),
    ("alignment file", "tilt.com"): Sample(f"{IMOD}/tilt.com", of_bytes(read_tilt_com)),
    ("alignment file", "newst.com"): Sample(f"{IMOD}/newst.com", of_bytes(read_newst_com)),
    ("alignment file", "aln"): Sample("cryoet-alignment/tests/data/test.aln", of_text(read_aln)),
    ("alignment file", "star"): Sample(text("star"), relion),
    ("alignment file", "xml"): Sample(text("xml"), of_text(read_warp_alignment)),
    ("alignment file", "json"): Sample(text("json"), of_text(read_portal_alignment)),
    ("image", "tiff"): Sample(image("tiff"), head_of("tiff")),
    ("image", "eer"): Sample(image("eer"), head_of("eer")),
    ("image", "mrc"): Sample("etspy/etspy/tests/test_data/SerialEM_MultiTilt_Test/test_000.mrc", head_of("mrc")),
    ("image", "dm3"): Sample("etspy/etspy/tests/test_data/DM_Series_Test/BF_001.dm3", lambda p: open_dm(p).data.size),
    ("image", "dm4"): Sample(f"{DM}/ref_F_0_2.dm4", lambda p: open_dm(p).data.size),
    ("wrapping", "gz"): Sample(wrapped("gz"), head_of("gz")),
    ("wrapping", "bz2"): Sample(wrapped("bz2"), head_of("bz2")),
    ("mrc mode", 0): Sample(f"{PORTAL}/sample_tomos/signed_ints.mrc", voxels),
    ("mrc mode", 1): Sample("pyseg/code/pyto/tomo/test/tomo_int16.mrc", voxels),
    ("mrc mode", 2): Sample("mrcfile/tests/test_data/EMD-3001.map", voxels),
    **{("mrc mode", mode): Sample(mrc(mode), voxels) for mode in (6, 12, 101)},
    **{("mrc mode", mode): Sample(mrc(mode), refused) for mode in (3, 4)},
    ("mrc extended header", b"SERI"): Sample("etspy/etspy/tests/test_data/SerialEM_MultiTilt_Test/test_000.mrc", voxels),
    **{("mrc extended header", kind): Sample(extended(kind), voxels) for kind in (b"CCP4", b"MRCO", b"AGAR", b"FEI1", b"FEI2", b"HDF5")},
    ("tiff", b"II*\0"): Sample("tardis/tests/test_data/data_type/tif3D.tif", voxels),
    **{("tiff", magic): Sample(tiff_stack(magic), voxels) for magic in (b"MM\0*", b"II+\0", b"MM\0+")},
    ("zarr", 2): Sample(f"{PORTAL}/sample_tomos/input_omezarr.zarr", voxels),
    ("zarr", 3): Sample(ome_zarr(3), voxels),
    **{("picture", kind): Sample(picture(kind), of_bytes(picture_files.read_picture)) for kind in ("PNG", "JPEG", "GIF", "TIFF", "WEBP")},
    **{("particles", name): _ORIENTED[name] for name in _LISTS},
    **{("annotation", shape, name): sample for shape, samples in ANNOTATIONS.items() for name, sample in samples.items()
       if name in ANNOTATION_SHAPES[shape][0]},
}  # fmt: skip


def kinds() -> Iterator[Kind]:
    """What the program's own tables say that it reads."""
    yield from (
        ("annotation", shape, word) for shape, (words, _) in ANNOTATION_SHAPES.items() for word in words
    )
    yield from (("particles", name) for name in (*ORIENTED, *TABLES))
    yield from (("mdoc", kind) for kind in IMAGE_SECTIONS)
    yield from (("table", name) for name in ("run_data_map_file", *PAIR_MAPS.values()))
    yield from (("ctf", word) for word in ctf.FORMATS)
    yield from (("alignment", word) for word in ALIGNMENT_FORMATS)
    yield from (
        ("alignment file", role) for role in {*ENDINGS.values(), *(r for rs in MAIN.values() for r in rs)}
    )
    yield from (("image", kind) for kind in image_head.ENDINGS)
    yield from (("wrapping", word) for word in image_head.WRAPPINGS.values())
    yield from (("mrc mode", mode) for mode in KNOWN_MODES)
    yield from (("mrc extended header", kind) for kind in EXTENDED_TYPES)
    yield from (("tiff", magic) for magic in MAGIC)
    yield from (("picture", kind) for kind in picture_files.FORMATS)
    yield from (("angles",), ("identified objects",), ("zarr", 2), ("zarr", 3))


def test_every_kind_has_a_sample_and_every_sample_a_kind():
    assert {*kinds()} == set(SAMPLES)


def test_every_section_of_the_deposition_language_has_its_kinds():
    assert set(SECTION_KINDS) == set(SECTIONS)
    known = {kind[0] for kind in SAMPLES}
    assert {name for names in SECTION_KINDS.values() for name in names} <= known


@pytest.mark.parametrize("kind", SAMPLES, ids=lambda kind: " ".join(map(str, kind)))
def test_the_sample_is_read(shared, tmp_path, kind):
    sample = SAMPLES[kind]
    assert sample.read(sample.path(shared, tmp_path))
