// What is looked at: the drawing that the server has made, what it tells of the volume, and the state that the address holds.
export const AXES = ["z", "y", "x"];
export const PLANES = { z: "XY", y: "XZ", x: "YZ" };
export const ACROSS = { z: "x", y: "x", x: "z" };
export const DOWN = { z: "y", y: "z", x: "y" };
export const ZOOMS = [1, 2, 4, 8];

export const root = document.getElementById("look");
export const svg = document.getElementById("look-svg");
export const readout = document.getElementById("look-readout");
export const known = JSON.parse(root.dataset.look);
export const count = { x: known.size[0], y: known.size[1], z: known.size[2] };
export const panels = Object.fromEntries([...svg.querySelectorAll(".panel")].map((panel) => [panel.dataset.axis, panel]));
// Where the panels stand in the drawing: x, y, columns, rows.
export const place = Object.fromEntries(AXES.map((axis) => [axis, ["x", "y", "width", "height"].map((name) => Number(panels[axis].getAttribute(name)))]));
export const whole = [Number(svg.dataset.width), Number(svg.dataset.height)];
export const input = (name) => document.getElementById(`look-${name}`);
export const boxes = [...root.querySelectorAll(".toggles input:not(:disabled)")];
export const clamp = (value, least, most) => Math.max(least, Math.min(most, value));

const asked = new URLSearchParams(location.search);
const limit = (end) => (asked.get(end) ? Number(input(end)?.value) : null);

export const state = {
  at: Object.fromEntries(AXES.map((axis) => [axis, Number(input(axis).value)])),
  slab: Number(input("slab").value),
  lo: limit("lo"),
  hi: limit("hi"),
  show: new Set(boxes.filter((box) => box.checked).map((box) => box.value)),
  view: Object.values(PLANES).includes(asked.get("view")) ? asked.get("view") : "",
  zoom: Number(root.querySelector("[data-zoom][aria-current]")?.dataset.zoom || 1),
};
