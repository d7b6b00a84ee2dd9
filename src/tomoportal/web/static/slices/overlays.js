// Annotations over the slices: points as circles where a slab cuts their spheres, masks as pictures.
import { maskAddress, query } from "./addresses.js";
import { Slot } from "./pictures.js";
import { ACROSS, DOWN, known, panels, place, readout, state } from "./state.js";

const COORDINATE = { x: 0, y: 1, z: 2 };
const POINTS = 20000;
const SVG = "http://www.w3.org/2000/svg";

export const layers = known.layers.map((layer) => ({ ...layer, groups: {}, slots: {}, points: null }));

function group(layer, axis) {
  if (!layer.groups[axis]) {
    const made = document.createElementNS(SVG, layer.mask ? "image" : "g");
    if (layer.mask) {
      const [, , width, height] = place[axis];
      for (const [name, value] of Object.entries({ x: -0.5, y: -0.5, width, height, preserveAspectRatio: "none" })) made.setAttribute(name, value);
      layer.slots[axis] = new Slot(made);
    } else {
      made.setAttribute("class", "marks");
      made.setAttribute("stroke", layer.colour);
    }
    made.dataset.key = layer.key;
    panels[axis].querySelector(".laid").append(made);
    layer.groups[axis] = made;
  }
  return layer.groups[axis];
}

async function readPoints(layer) {
  const asked = query({ tomogram: known.tomogram, shape: layer.shape, budget: POINTS, v: known.version });
  const told = await fetch(`/annotations/${layer.id}/points.json?${asked}`).then((answer) => answer.json()).catch(() => null);
  if (told && !told.error) return told;
  readout.textContent = told?.error.message || "The portal cannot be reached.";
  layer.points = null;
  return null;
}

async function near(layer, axis) {
  const all = await (layer.points ||= readPoints(layer));
  if (!all || all.total <= all.shown) return all;
  const reach = all.diameter / 2 + state.slab;
  const asked = { tomogram: known.tomogram, shape: layer.shape, axis, from: state.at[axis] - reach, to: state.at[axis] + reach, budget: 4000, v: known.version };
  const told = await fetch(`/annotations/${layer.id}/points.json?${query(asked)}`).then((answer) => answer.json()).catch(() => null);
  return told && !told.error ? told : all;
}

async function drawPoints(layer, axis) {
  const index = state.at[axis];
  const told = await near(layer, axis);
  if (!told || index !== state.at[axis]) return;
  const [along, across, down] = [axis, ACROSS[axis], DOWN[axis]].map((name) => COORDINATE[name]);
  const radius = told.diameter / 2;
  const marks = [];
  told.points.forEach((point, number) => {
    const away = Math.max(Math.abs(point[along] - index) - state.slab, 0);
    if (away > radius) return;
    const circle = document.createElementNS(SVG, "circle");
    circle.setAttribute("cx", point[across]);
    circle.setAttribute("cy", point[down]);
    circle.setAttribute("r", Math.max(Math.sqrt(radius * radius - away * away), radius / 4).toFixed(2));
    if (told.colours) circle.setAttribute("stroke", told.colours[number]);
    marks.push(circle);
    if (told.directions) {
      const path = document.createElementNS(SVG, "path");
      const [dx, dy] = [across, down].map((name) => (told.directions[number][name] * told.diameter * 0.75).toFixed(2));
      path.setAttribute("d", `M${point[across]} ${point[down]}l${dx} ${dy}`);
      marks.push(path);
    }
  });
  group(layer, axis).replaceChildren(...marks);
}

export function drawLayer(layer, axis) {
  const isOn = state.show.has(layer.key);
  if (!isOn) return layer.groups[axis]?.setAttribute("visibility", "hidden");
  group(layer, axis).setAttribute("visibility", "visible");
  if (layer.mask) layer.slots[axis].want(maskAddress(layer, axis, state.at[axis]));
  else drawPoints(layer, axis);
}
