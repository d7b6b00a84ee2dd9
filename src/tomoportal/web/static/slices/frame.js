// What stands around the pictures: what part of each panel is seen, cross-hair, scale bar, numbers, and the state of the controls.
import { screenScale } from "./addresses.js";
import { ACROSS, AXES, boxes, clamp, count, DOWN, input, known, panels, place, PLANES, root, state, svg, whole } from "./state.js";

export const centre = { ...state.at };

// What is magnified stays where it is while the pointer moves the cross-hair in it, and follows when it comes near an edge.
export function follow() {
  for (const axis of AXES) {
    const seen = count[axis] / state.zoom;
    const middle = clamp(centre[axis], seen / 2 - 0.5, count[axis] - 0.5 - seen / 2);
    if (Math.abs(state.at[axis] - middle) > seen * 0.42) centre[axis] = state.at[axis];
  }
}

function viewBox(axis) {
  const [, , width, height] = place[axis];
  const [w, h] = [width / state.zoom, height / state.zoom];
  const left = clamp(centre[ACROSS[axis]] - w / 2, -0.5, width - 0.5 - w);
  const top = clamp(centre[DOWN[axis]] - h / 2, -0.5, height - 0.5 - h);
  return [left, top, w, h];
}

export function drawFrame() {
  const alone = AXES.find((axis) => PLANES[axis] === state.view);
  svg.dataset.view = state.view;
  svg.setAttribute("viewBox", (alone ? place[alone] : [0, 0, ...whole]).join(" "));
  for (const axis of AXES) {
    panels[axis].setAttribute("viewBox", viewBox(axis).join(" "));
    const [across, down] = [state.at[ACROSS[axis]], state.at[DOWN[axis]]];
    const [horizontal, vertical] = [panels[axis].querySelector(".across"), panels[axis].querySelector(".down")];
    for (const end of ["y1", "y2"]) horizontal.setAttribute(end, down);
    for (const end of ["x1", "x2"]) vertical.setAttribute(end, across);
    svg.querySelector(`.tag[data-axis=${axis}] .at`).textContent = `${axis} ${state.at[axis]}${state.slab ? ` ± ${state.slab}` : ""}`;
  }
  drawScale(alone);
}

function drawScale(alone) {
  const unit = 1 / screenScale();
  for (const text of svg.querySelectorAll("text")) text.setAttribute("font-size", 13 * unit);
  const [x, y, width, height] = place[alone || "z"];
  const pixels = width / unit;
  const aim = (Math.min(pixels, 700) / 5) * unit * known.spacing / 10 / state.zoom;
  const power = 10 ** Math.floor(Math.log10(aim));
  const length = Math.max(...[1, 2, 5].map((part) => part * power).filter((value) => value <= aim));
  const scale = svg.querySelector(".look-scale");
  const [left, bottom] = [x + 14 * unit, y + height - 14 * unit];
  scale.querySelector("line").setAttribute("x2", (length * 10 / known.spacing) * state.zoom);
  scale.querySelector("line").setAttribute("transform", `translate(${left} ${bottom})`);
  const text = scale.querySelector("text");
  text.textContent = length >= 1000 ? `${length / 1000}\u202fµm` : `${length}\u202fnm`;
  text.setAttribute("x", left);
  text.setAttribute("y", bottom);
}

export function fillControls() {
  for (const axis of AXES) {
    input(axis).value = input(`${axis}-slider`).value = state.at[axis];
    input(`${axis}-slider`).setAttribute("aria-valuetext", `slice ${state.at[axis]} of ${count[axis] - 1}`);
  }
  input("slab").value = input("slab-slider").value = state.slab;
  if (input("lo") && known.limits) {
    const [low, high] = [state.lo ?? known.limits[0], state.hi ?? known.limits[1]];
    for (const [end, value] of [["lo", low], ["hi", high]]) {
      input(end).value = Number(value.toPrecision(4));
      input(`${end}-slider`).value = value;
    }
  }
  for (const box of boxes) box.checked = state.show.has(box.value);
  for (const link of root.querySelectorAll("[data-view]")) link.toggleAttribute("aria-current", link.dataset.view === state.view);
  for (const link of root.querySelectorAll("[data-zoom]")) link.toggleAttribute("aria-current", Number(link.dataset.zoom) === state.zoom);
}

export function position(at) {
  const parts = ["x", "y", "z"].map((axis) => `${axis} ${at[axis]}`).join(", ");
  const nanometres = ["x", "y", "z"].map((axis) => ((at[axis] * known.spacing) / 10).toFixed(1)).join(", ");
  return `${parts}  ·  ${nanometres} nm`;
}
