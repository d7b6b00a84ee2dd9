"""The source files of one run, laid out as two depositors with different habits would leave them.

Takes the arrays and points of a simulated run; writes only below the dataset's folder.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter

from tomoportal.demo import files, microscope, movies, picks
from tomoportal.demo.phantom import MEMBRANE, MICROTUBULE, Lattice, Particle, Scene
from tomoportal.demo.scenes import PROTEASOME, RIBOSOME, SYNTHASE
from tomoportal.demo.shapes import Array

CELLS, VESICLES = "10901", "10902"
FOLDERS = {CELLS: "cell_periphery", VESICLES: "vesicles"}
DOSE, SECONDS = 3.0, 1.5


@dataclass(frozen=True)
class RunPlan:
    """What to simulate. `axis`: tilt axis, degrees counter-clockwise from vertical; `tilts`: is the tilt series deposited; `movies`: with
    its movies, gain reference and CTF estimates; `aretomo`: is its alignment written as AreTomo does."""

    dataset: str
    name: str
    scene: Callable[[Lattice, np.random.Generator], Scene]
    lattice: Lattice
    axis: float
    quality: int = 4
    defocus: float = 42000.0
    tilts: bool = True
    predicted: bool = True
    movies: bool = False
    aretomo: bool = False

    @property
    def spacings(self) -> tuple[str, str]:
        """Fine and coarse voxel spacing as written in paths and keys."""
        return f"{self.lattice.spacing:.3f}", f"{2 * self.lattice.spacing:.3f}"


@dataclass(frozen=True)
class Series:
    """The tilt series as recorded, with the angles a microscope and an alignment would report (degrees, ascending)."""

    raw: NDArray[np.int16]
    nominal: Array
    refined: Array
    rows: Array


class Files:
    """Where a depositor of one dataset puts things; remembers what it wrote."""

    def __init__(self, plan: RunPlan, folder: Path) -> None:
        self.plan, self.folder = plan, folder
        self.written: dict[str, str] = {}

    def path(self, kind: str, relative: str) -> Path:
        """The path for a file, noted under its kind."""
        self.written[kind] = relative
        return self.folder / relative

    def fine(self, points: Array) -> Array:
        """Å to voxels of the fine tomogram."""
        return points / self.plan.lattice.spacing

    def coarse(self, points: Array) -> Array:
        """Å to voxels of the coarse tomogram."""
        return (self.fine(points) + 0.5) / 2 - 0.5

    def movies(self, series: Series, rng: np.random.Generator) -> dict[str, Any]:
        """Movies in the order of acquisition, gain reference, CTF estimates in the order of the stack; facts about them."""
        name, raw = self.plan.name, series.raw
        gain = movies.gain_reference(raw, rng)
        files.write_mrc(self.path("gain", f"{name}/gain/CountRef_{name}.mrc"), gain[None], 1.0, stack=True)
        order = files.dose_symmetric(len(raw))
        names = [files.movie_name(name, turn, series.nominal[index]) for turn, index in enumerate(order)]
        for movie, index in zip(names, order, strict=True):
            images = movies.movie(raw[index], gain, rng)
            files.write_movie(self.path("movies", f"{name}/frames/{movie}").parent / movie, images)
        estimates = movies.estimates(self.plan.defocus, len(raw), rng)
        files.write_estimates(self.path("ctf", f"{name}/{name}_ctf.txt"), estimates)
        self.written["movies"] = f"{name}/frames"
        return {
            "movies": names,
            "acquired_angles": series.nominal[order].tolist(),
            "dose_per_image": DOSE,
            "defocus": self.plan.defocus,
        }

    def shapes(self, scene: Scene, particles: Sequence[Particle]) -> None:
        """What was annotated beside tables and masks: nothing."""

    def mdoc(self, series: Series, stack: str) -> list[str]:
        """The SerialEM description of the series."""
        ny, nx = series.raw.shape[1:]
        return files.mdoc_lines(
            self.plan.name,
            stack,
            (nx, ny),
            series.nominal,
            pixel=self.plan.lattice.spacing,
            axis=self.plan.axis,
            dose=DOSE,
            seconds=SECONDS,
            defocus=self.plan.defocus,
        )


class CellFiles(Files):
    """Dataset 1: one folder per run as SerialEM and IMOD leave it, tomograms and annotations in folders of their own."""

    def series(self, series: Series) -> None:
        """Stack, angles, mdoc and alignment."""
        name = self.plan.name
        files.write_mrc(
            self.path("tiltseries", f"{name}/{name}.st"), series.raw, self.plan.lattice.spacing, stack=True
        )
        files.write_text(self.path("mdoc", f"{name}/{name}.st.mdoc"), self.mdoc(series, f"{name}.st"))
        files.write_angles(self.path("rawtlt", f"{name}/{name}.rawtlt"), series.nominal)
        files.write_angles(self.path("tlt", f"{name}/{name}.tlt"), series.refined)
        files.write_transforms(self.path("xf", f"{name}/{name}.xf"), series.rows)
        if self.plan.aretomo:
            images, rows, columns = series.raw.shape
            size = (columns, rows, images)
            files.write_aln(self.path("aln", f"{name}/{name}.aln"), series.rows, series.refined, size)

    def tomograms(self, volume: microscope.Image) -> None:
        """Int16 reconstruction, denoised copy, and the reconstruction binned by two as float32."""
        name, spacing = self.plan.name, self.plan.lattice.spacing
        files.write_mrc(self.path("tomogram", f"tomograms/{name}_wbp.rec"), _int16(volume), spacing)
        smooth = _int16(microscope.denoise(volume))
        files.write_mrc(self.path("denoised", f"tomograms/{name}_denoised.mrc"), smooth, spacing)
        files.write_mrc(
            self.path("binned", f"tomograms/{name}_wbp_bin2.mrc"), microscope.binned(volume), 2 * spacing
        )

    def annotations(
        self, particles: Sequence[Particle], labels: NDArray[np.int8], rng: np.random.Generator
    ) -> tuple[int, int, int]:
        """True ribosomes in unbinned pixels (a quarter of the voxel), synthases, labels, and what a program would predict."""
        name = self.plan.name
        header = ("x_unbinned", "y_unbinned", "z_unbinned")
        ribosomes = _centres(particles, RIBOSOME)
        files.write_points(
            self.path("ribosomes", f"annotations/{name}_ribosomes.csv"), self.fine(ribosomes) * 4, header
        )
        synthases = _centres(particles, SYNTHASE)
        if len(synthases):
            files.write_points(
                self.path("synthases", f"annotations/{name}_atp_synthase.csv"),
                self.fine(synthases),
                ("x", "y", "z"),
            )
        files.write_mrc(
            self.path("labels", f"annotations/{name}_labels.mrc"), labels, self.plan.lattice.spacing
        )
        if not self.plan.predicted:
            return 0, 0, 0
        found, right = _predict(self.coarse(ribosomes), np.array(self.plan.lattice.shape[::-1]) / 2, rng)
        files.write_points(self.path("predicted", f"predictions/{name}_template_matching_bin2.csv"), found)
        chance = _probability(labels == MEMBRANE, rng)
        files.write_mrc(
            self.path("probability", f"predictions/{name}_membrane_probability_bin2.mrc"),
            chance,
            2 * self.plan.lattice.spacing,
        )
        return right, len(found), len(ribosomes)

    def shapes(self, scene: Scene, particles: Sequence[Particle]) -> None:
        """Ribosomes with orientations as RELION has them, microtubules traced as TARDIS does, membranes of whole vesicles in Å."""
        name, lattice = self.plan.name, self.plan.lattice
        ribosomes = [particle for particle in particles if particle.species == RIBOSOME[0]]
        oriented = picks.relion_lines(name, ribosomes, lattice.spacing / 4)
        files.write_text(self.path("oriented", f"annotations/{name}_ribosomes.star"), oriented)
        tubules = [filament for filament in scene.filaments if filament.label == MICROTUBULE]
        traced = picks.tardis_lines(tubules, lattice.extent, lattice.spacing)
        files.write_text(self.path("traces", f"annotations/{name}_microtubules.csv"), traced)
        vesicles = picks.closed_vesicles(scene.membranes, lattice.extent)
        if vesicles:
            surface = picks.obj_lines(vesicles)
            files.write_text(self.path("surfaces", f"annotations/{name}_vesicles.obj"), surface)


class VesicleFiles(Files):
    """Dataset 2: one folder per kind of file, mdoc with Windows line ends, everything in float32."""

    def series(self, series: Series) -> None:
        """Stack, angles, mdoc and alignment, unless this run's series was not deposited."""
        if not self.plan.tilts:
            return
        name = self.plan.name
        files.write_mrc(
            self.path("tiltseries", f"stacks/{name}.mrc"), series.raw, self.plan.lattice.spacing, stack=True
        )
        files.write_text(
            self.path("mdoc", f"mdocs/{name}.mdoc"), self.mdoc(series, f"{name}.mrc"), newline="\r\n"
        )
        files.write_angles(self.path("rawtlt", f"stacks/{name}.rawtlt"), series.nominal)
        files.write_angles(self.path("tlt", f"imod/{name}.tlt"), series.refined)
        files.write_transforms(self.path("xf", f"imod/{name}.xf"), series.rows)

    def tomograms(self, volume: microscope.Image) -> None:
        """Reconstruction, its denoised copy as int16, the reconstruction binned by two."""
        name, spacing = self.plan.name, self.plan.lattice.spacing
        files.write_mrc(self.path("tomogram", f"recons/{name}_rec.mrc"), volume, spacing)
        smooth = _int16(microscope.denoise(volume))
        files.write_mrc(self.path("denoised", f"recons/{name}_denoised.mrc"), smooth, spacing)
        small = microscope.binned(volume)
        files.write_mrc(self.path("binned", f"recons/{name}_rec_bin2.mrc"), small, 2 * spacing)

    def annotations(
        self, particles: Sequence[Particle], labels: NDArray[np.int8], rng: np.random.Generator
    ) -> tuple[int, int, int]:
        """True proteasomes in voxels (z, y, x columns), membranes drawn at half resolution."""
        name = self.plan.name
        proteasomes = self.fine(_centres(particles, PROTEASOME))
        files.write_points(
            self.path("proteasomes", f"picks/{name}_20S.csv"), proteasomes[:, ::-1], ("z", "y", "x")
        )
        half = (microscope.binned(labels == MEMBRANE) >= 0.5).astype(np.int8)
        files.write_mrc(
            self.path("membranes", f"masks/{name}_membranes_bin2.mrc"), half, 2 * self.plan.lattice.spacing
        )
        return 0, 0, 0


def _int16(volume: microscope.Image) -> NDArray[np.int16]:
    """A volume of standard deviation 1 as integers, 2000 to a deviation unless that would not hold the darkest gold."""
    scale = min(2000.0, 32000.0 / float(np.abs(volume).max()))
    return np.rint(volume * np.float32(scale)).astype(np.int16)


def _centres(particles: Sequence[Particle], species: tuple[str, str]) -> Array:
    return np.array([p.centre for p in particles if p.species == species[0]]).reshape(-1, 3)


def _predict(points: Array, size: Array, rng: np.random.Generator) -> tuple[Array, int]:
    """Noisy copies of most points (x, y, z) and some false ones, shuffled; also how many are true."""
    found = points[rng.random(len(points)) > 0.13]
    found = found + rng.normal(0, 0.5, found.shape)
    false = rng.uniform(0.1 * size, 0.9 * size, (max(round(0.12 * len(points)), 1), 3))
    picks = np.concatenate([found, false]).clip(0, size - 1)
    return rng.permutation(picks), len(found)


def _probability(mask: NDArray[np.bool_], rng: np.random.Generator) -> microscope.Image:
    """A soft, imperfect map in 0..1 on the coarse lattice whose 0.5 level follows the mask."""
    soft = microscope.binned(mask)
    rough = gaussian_filter(rng.standard_normal(soft.shape, np.float32), 2.0)
    rough *= 0.12 / rough.std()
    return np.asarray(np.clip(gaussian_filter(soft, 0.6) * 1.1 + rough * (0.25 + soft), 0, 1), np.float32)
