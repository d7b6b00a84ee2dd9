// Slices: one request at a time for each place, and the newest wish after it; neighbours are fetched ahead.
import { pictureWidth, sliceAddress } from "./addresses.js";
import { AXES, count, panels, readout, state } from "./state.js";

export class Slot {
  constructor(image) {
    this.image = image;
    this.shown = image.getAttribute("href");
    this.loading = null;
    this.wish = null;
  }

  want(address) {
    if (address === (this.loading ?? this.shown)) return void (this.wish = null);
    this.wish = address;
    if (!this.loading) this.next();
  }

  async next() {
    const address = this.wish;
    this.wish = null;
    if (!address || address === this.shown) return;
    this.loading = address;
    const picture = new Image();
    picture.src = address;
    try {
      await picture.decode();
      this.image.setAttribute("href", address);
      this.shown = address;
      readout.classList.remove("failed");
    } catch {
      await this.explain(address);
    }
    this.loading = null;
    this.next();
  }

  async explain(address) {
    const answer = await fetch(address).catch(() => null);
    if (!answer) readout.textContent = "The portal cannot be reached.";
    else if (!answer.ok) readout.textContent = await answer.json().then((told) => told.error.message, () => "This picture cannot be shown just now.");
    readout.classList.add("failed");
  }
}

const slices = Object.fromEntries(AXES.map((axis) => [axis, new Slot(panels[axis].querySelector(".slice"))]));
const widths = Object.fromEntries(AXES.map((axis) => [axis, Number(panels[axis].querySelector(".slice").dataset.pixels)]));
const COARSE = 128;
let first = { ...state.at }; // of these slices the server has put pictures into the page
let sharpening = 0;

// Pictures in other grey values than the server's are wanted.
export function forgetFirst() {
  first = null;
}

// Cuts across x need whole columns of chunks: a coarse one comes at once, the sharp one when the hand rests.
function drawAcrossX(sharp) {
  const address = (width) => sliceAddress("x", state.at.x, width);
  clearTimeout(sharpening);
  if ((slices.x.loading ?? slices.x.shown) === address(sharp)) return;
  slices.x.want(address(Math.min(sharp, COARSE)));
  if (sharp > COARSE) sharpening = setTimeout(() => slices.x.want(address(sharp)), 200);
}

export function drawSlice(axis) {
  const width = pictureWidth(axis);
  const isTheServers = first && state.at[axis] === first[axis] && width <= widths[axis];
  if (isTheServers) return;
  widths[axis] = Math.max(width, axis === "x" ? 0 : Math.min(widths[axis], 1024));
  if (axis === "x") drawAcrossX(width);
  else slices[axis].want(sliceAddress(axis, state.at[axis], widths[axis]));
}

let prefetching = 0;
const fetched = [];
export function prefetch(axis, direction) {
  clearTimeout(prefetching);
  prefetching = setTimeout(() => {
    for (const step of [direction, 2 * direction, -direction]) {
      const index = state.at[axis] + step;
      if (index < 0 || index >= count[axis]) continue;
      const picture = new Image();
      picture.src = sliceAddress(axis, index, widths[axis]);
      fetched.push(picture);
    }
    fetched.splice(0, Math.max(0, fetched.length - 24));
  }, 120);
}
