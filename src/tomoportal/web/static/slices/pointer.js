// Pointers over the panels: one moves the cross-hair, two fingers magnify and shift, the wheel goes through slices.
import { change, hover, move, setZoom } from "./drawing.js";
import { centre, follow } from "./frame.js";
import { ACROSS, clamp, count, DOWN, panels, state } from "./state.js";

const PINCH = 1.5; // how far fingers go apart or together for the next magnification
const touches = new Map();
let dragged = null;
let pinch = null;
let before = null; // where the cross-hair was when the first finger came down

function pointAt(panel, x, y) {
  return new DOMPoint(x, y).matrixTransform(panel.querySelector(".ground").getScreenCTM().inverse());
}

function voxelAt(panel, event) {
  const point = pointAt(panel, event.clientX, event.clientY);
  const axis = panel.dataset.axis;
  const at = { ...state.at };
  at[ACROSS[axis]] = clamp(Math.round(point.x), 0, count[ACROSS[axis]] - 1);
  at[DOWN[axis]] = clamp(Math.round(point.y), 0, count[DOWN[axis]] - 1);
  return at;
}

function fingers() {
  const [one, two] = [...touches.values()];
  return { apart: Math.hypot(one.x - two.x, one.y - two.y), x: (one.x + two.x) / 2, y: (one.y + two.y) / 2 };
}

function pinched(panel) {
  const now = fingers();
  const ratio = now.apart / pinch.apart;
  const [from, to] = [pointAt(panel, pinch.x, pinch.y), pointAt(panel, now.x, now.y)];
  const [across, down] = [ACROSS[panel.dataset.axis], DOWN[panel.dataset.axis]];
  if (ratio > PINCH || ratio < 1 / PINCH) {
    setZoom(ratio > 1 ? state.zoom * 2 : state.zoom / 2);
    Object.assign(centre, { [across]: to.x, [down]: to.y });
    pinch = now;
  } else {
    centre[across] -= to.x - from.x;
    centre[down] -= to.y - from.y;
    pinch = { ...now, apart: pinch.apart };
  }
  change();
}

function down(panel, event) {
  if (event.button) return;
  touches.set(event.pointerId, { x: event.clientX, y: event.clientY });
  panel.setPointerCapture(event.pointerId);
  dragged = panel;
  pinch = touches.size === 2 ? fingers() : null;
  if (touches.size === 1) before = state.at;
  state.at = touches.size === 1 ? voxelAt(panel, event) : before;
  change();
}

function moved(panel, event) {
  if (touches.has(event.pointerId)) touches.set(event.pointerId, { x: event.clientX, y: event.clientY });
  if (pinch && dragged === panel) return pinched(panel);
  hover(voxelAt(panel, event));
  if (dragged !== panel || touches.size !== 1) return;
  state.at = voxelAt(panel, event);
  change();
}

function up(event) {
  const wasPinched = pinch !== null;
  touches.delete(event.pointerId);
  pinch = null;
  if (touches.size) return;
  dragged = null;
  if (!wasPinched) follow();
  change();
}

function wheel(panel, event) {
  event.preventDefault();
  if (event.ctrlKey) return void (event.deltaY && setZoom(event.deltaY < 0 ? state.zoom * 2 : state.zoom / 2));
  move(panel.dataset.axis, Math.sign(event.deltaY || event.deltaX) * (event.shiftKey ? 10 : 1));
}

export function listenToPointers() {
  for (const panel of Object.values(panels)) {
    panel.addEventListener("pointerdown", (event) => down(panel, event));
    panel.addEventListener("pointermove", (event) => moved(panel, event));
    panel.addEventListener("pointerleave", () => hover(null));
    for (const end of ["pointerup", "pointercancel"]) panel.addEventListener(end, up);
    panel.addEventListener("wheel", (event) => wheel(panel, event), { passive: false });
  }
}
