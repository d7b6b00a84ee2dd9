// The address of the page, and those of pictures and points.
import { clamp, known, place, state, svg } from "./state.js";

const WIDTHS = [128, 256, 512, 768, 1024, 1536, 2048, 4096];

export function query(parameters) {
  return new URLSearchParams(Object.entries(parameters).filter(([, value]) => value !== null && value !== "")).toString().replaceAll("%2C", ",");
}

export function pageQuery() {
  const first = known.first;
  const isFirst = first.length === state.show.size && first.every((key) => state.show.has(key));
  return query({
    ...state.at, slab: state.slab || null, lo: state.lo, hi: state.hi, view: state.view, zoom: state.zoom > 1 ? state.zoom : null,
  }) + (isFirst ? "" : `&show=${[...state.show].join(",")}`);
}

let telling = 0;
export function tellAddress() {
  clearTimeout(telling);
  telling = setTimeout(() => history.replaceState(null, "", `${location.pathname}?${pageQuery()}${location.hash}`), 150);
}

// Pixels of the screen per unit of the drawing, which keeps its proportions.
export function screenScale() {
  const [seen, box] = [svg.getBoundingClientRect(), svg.viewBox.baseVal];
  return Math.min(seen.width / box.width, seen.height / box.height) || 1;
}

// Pixels across a picture. Cuts across x are made of whole chunks: the next coarser level is wide enough for them.
export function pictureWidth(axis) {
  const scale = screenScale();
  const [, , columns] = place[axis];
  const wanted = columns * scale * state.zoom * Math.min(devicePixelRatio || 1, 2);
  if (axis === "x") return Math.min(columns, [...WIDTHS].reverse().find((width) => width <= Math.max(128, wanted)));
  return Math.min(columns, WIDTHS.find((width) => width >= wanted) || 4096);
}

export function sliceAddress(axis, index, width) {
  const { slab, lo, hi } = state;
  return `/tomograms/${known.tomogram}/slice.jpg?` + query({ axis, index, slab: slab || null, lo, hi, w: Math.max(16, width), v: known.version });
}

export function maskAddress(layer, axis, index) {
  return `/annotations/${layer.id}/mask.png?` +
    query({ tomogram: known.tomogram, axis, index, shape: layer.shape, w: clamp(Math.min(place[axis][2], 512), 16, 4096), v: known.version });
}

// Carries the cross-hair into the 3-D viewer.
export function viewerAddress(href) {
  const { x, y, z } = state.at;
  return `${href.split("#")[0]}#!${encodeURIComponent(JSON.stringify({ position: [x, y, z] }))}`;
}
