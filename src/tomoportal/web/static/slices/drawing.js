// Changes of what is looked at, and the drawing that follows them.
import { tellAddress, viewerAddress } from "./addresses.js";
import { centre, drawFrame, fillControls, follow, position } from "./frame.js";
import { drawLayer, layers } from "./overlays.js";
import { drawSlice, forgetFirst, prefetch } from "./pictures.js";
import { AXES, clamp, count, input, readout, state, ZOOMS } from "./state.js";

const viewer = document.getElementById("look-viewer");
let hovered = null;

// The readout tells of the voxel under the pointer, else of the cross-hair.
export function hover(at) {
  hovered = at;
  readout.textContent = position(hovered || state.at);
}

let drawing = 0;
export function draw() {
  cancelAnimationFrame(drawing);
  drawing = requestAnimationFrame(() => {
    drawFrame();
    fillControls();
    readout.textContent = position(hovered || state.at);
    if (viewer) viewer.href = viewerAddress(viewer.href);
    for (const axis of AXES) {
      drawSlice(axis);
      for (const layer of layers) drawLayer(layer, axis);
    }
  });
}

export function change() {
  draw();
  tellAddress();
}

export function move(axis, steps) {
  const index = clamp(state.at[axis] + steps, 0, count[axis] - 1);
  if (index === state.at[axis]) return;
  state.at[axis] = index;
  follow();
  change();
  prefetch(axis, Math.sign(steps));
}

export function redrawGrey() {
  forgetFirst();
  change();
}

export function setZoom(zoom) {
  state.zoom = clamp(zoom, 1, ZOOMS.at(-1));
  Object.assign(centre, state.at);
  change();
}

export function setSlab(slab) {
  state.slab = clamp(Math.round(slab) || 0, 0, Number(input("slab").max));
  redrawGrey();
}
