// The slice viewer: moves the server's drawing without asking for a new page. The address is the state, as the server reads it.
const AXES = ["z", "y", "x"];
const PLANES = { z: "XY", y: "XZ", x: "YZ" };
const ACROSS = { z: "x", y: "x", x: "z" };
const DOWN = { z: "y", y: "z", x: "y" };
const COORDINATE = { x: 0, y: 1, z: 2 };
const WIDTHS = [128, 256, 512, 768, 1024, 1536, 2048, 4096];
const ZOOMS = [1, 2, 4, 8];
const POINTS = 20000;
const SVG = "http://www.w3.org/2000/svg";

const root = document.getElementById("look");
const svg = document.getElementById("look-svg");
const readout = document.getElementById("look-readout");
const known = JSON.parse(root.dataset.look);
const count = { x: known.size[0], y: known.size[1], z: known.size[2] };
const panels = Object.fromEntries([...svg.querySelectorAll(".panel")].map((panel) => [panel.dataset.axis, panel]));
const place = Object.fromEntries(AXES.map((axis) => [axis, ["x", "y", "width", "height"].map((name) => Number(panels[axis].getAttribute(name)))]));
const whole = [Number(svg.dataset.width), Number(svg.dataset.height)];
const input = (name) => document.getElementById(`look-${name}`);
const boxes = [...root.querySelectorAll(".toggles input:not(:disabled)")];
const clamp = (value, least, most) => Math.max(least, Math.min(most, value));

const state = {
  at: Object.fromEntries(AXES.map((axis) => [axis, Number(input(axis).value)])),
  slab: Number(input("slab").value),
  lo: null,
  hi: null,
  show: new Set(boxes.filter((box) => box.checked).map((box) => box.value)),
  view: new URLSearchParams(location.search).get("view") || "",
  zoom: Number(root.querySelector("[data-zoom][aria-current]")?.dataset.zoom || 1),
};
for (const end of ["lo", "hi"]) if (new URLSearchParams(location.search).get(end)) state[end] = Number(input(end)?.value);
if (!Object.values(PLANES).includes(state.view)) state.view = "";

// ---- addresses

function query(parameters) {
  return new URLSearchParams(Object.entries(parameters).filter(([, value]) => value !== null && value !== "")).toString().replaceAll("%2C", ",");
}

function pageQuery() {
  const first = known.first;
  const isFirst = first.length === state.show.size && first.every((key) => state.show.has(key));
  return query({
    ...state.at, slab: state.slab || null, lo: state.lo, hi: state.hi, view: state.view, zoom: state.zoom > 1 ? state.zoom : null,
  }) + (isFirst ? "" : `&show=${[...state.show].join(",")}`);
}

let telling = 0;
function tellAddress() {
  clearTimeout(telling);
  telling = setTimeout(() => history.replaceState(null, "", `${location.pathname}?${pageQuery()}${location.hash}`), 150);
}

// Pixels of the screen per unit of the drawing, which keeps its proportions.
function screenScale() {
  const [seen, box] = [svg.getBoundingClientRect(), svg.viewBox.baseVal];
  return Math.min(seen.width / box.width, seen.height / box.height) || 1;
}

function pictureWidth(axis) {
  const scale = screenScale();
  const [, , columns] = place[axis];
  const wanted = columns * scale * state.zoom * Math.min(devicePixelRatio || 1, 2);
  if (axis === "x") return Math.min(columns, [...WIDTHS].reverse().find((width) => width <= Math.max(128, wanted)));
  return Math.min(columns, WIDTHS.find((width) => width >= wanted) || 4096);
}

function sliceAddress(axis, index, width) {
  const { slab, lo, hi } = state;
  return `/tomograms/${known.tomogram}/slice.jpg?` + query({ axis, index, slab: slab || null, lo, hi, w: Math.max(16, width), v: known.version });
}

function maskAddress(layer, axis, index) {
  return `/annotations/${layer.id}/mask.png?` +
    query({ tomogram: known.tomogram, axis, index, shape: layer.shape, w: clamp(Math.min(place[axis][2], 512), 16, 4096), v: known.version });
}

// ---- pictures: one request at a time for each place, and the newest wish after it

class Slot {
  constructor(image) {
    this.image = image;
    this.shown = image.getAttribute("href");
    this.wish = null;
    this.busy = false;
  }

  want(address) {
    if (address === this.shown && !this.busy) return;
    this.wish = address;
    if (!this.busy) this.next();
  }

  async next() {
    const address = this.wish;
    this.wish = null;
    if (!address || address === this.shown) return;
    this.busy = true;
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
    this.busy = false;
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
let first = { ...state.at };

function drawSlice(axis) {
  const width = pictureWidth(axis);
  const isTheServers = first && state.at[axis] === first[axis] && width <= widths[axis];
  if (isTheServers) return;
  widths[axis] = Math.max(width, axis === "x" ? 0 : Math.min(widths[axis], 1024));
  slices[axis].want(sliceAddress(axis, state.at[axis], widths[axis]));
}

let prefetching = 0;
const fetched = [];
function prefetch(axis, direction) {
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

// ---- annotations

const layers = known.layers.map((layer) => ({ ...layer, groups: {}, slots: {}, points: null }));

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

function drawLayer(layer, axis) {
  const isOn = state.show.has(layer.key);
  if (!isOn) return layer.groups[axis]?.setAttribute("visibility", "hidden");
  group(layer, axis).setAttribute("visibility", "visible");
  if (layer.mask) layer.slots[axis].want(maskAddress(layer, axis, state.at[axis]));
  else drawPoints(layer, axis);
}

// ---- frame

const centre = { ...state.at };

// What is magnified stays where it is while the pointer moves the cross-hair in it, and follows when it comes near an edge.
function follow() {
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

function drawFrame() {
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

function fillControls() {
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

function position(at) {
  const parts = ["x", "y", "z"].map((axis) => `${axis} ${at[axis]}`).join(", ");
  const nanometres = ["x", "y", "z"].map((axis) => ((at[axis] * known.spacing) / 10).toFixed(1)).join(", ");
  return `${parts}  ·  ${nanometres} nm`;
}

let hovered = null;

let drawing = 0;
function draw() {
  cancelAnimationFrame(drawing);
  drawing = requestAnimationFrame(() => {
    drawFrame();
    fillControls();
    readout.textContent = position(hovered || state.at);
    for (const axis of AXES) {
      drawSlice(axis);
      for (const layer of layers) drawLayer(layer, axis);
    }
  });
}

function change() {
  draw();
  tellAddress();
}

function move(axis, steps) {
  const index = clamp(state.at[axis] + steps, 0, count[axis] - 1);
  if (index === state.at[axis]) return;
  state.at[axis] = index;
  follow();
  change();
  prefetch(axis, Math.sign(steps));
}

function redrawGrey() {
  first = null;
  change();
}

function setZoom(zoom) {
  state.zoom = clamp(zoom, 1, ZOOMS.at(-1));
  Object.assign(centre, state.at);
  change();
}

// ---- pointer, wheel, keys

function voxelAt(panel, event) {
  const point = new DOMPoint(event.clientX, event.clientY).matrixTransform(panel.querySelector(".ground").getScreenCTM().inverse());
  const axis = panel.dataset.axis;
  const at = { ...state.at };
  at[ACROSS[axis]] = clamp(Math.round(point.x), 0, count[ACROSS[axis]] - 1);
  at[DOWN[axis]] = clamp(Math.round(point.y), 0, count[DOWN[axis]] - 1);
  return at;
}

let dragged = null;
for (const panel of Object.values(panels)) {
  panel.addEventListener("pointerdown", (event) => {
    if (event.button) return;
    dragged = panel;
    panel.setPointerCapture(event.pointerId);
    state.at = voxelAt(panel, event);
    change();
  });
  panel.addEventListener("pointermove", (event) => {
    hovered = voxelAt(panel, event);
    readout.textContent = position(hovered);
    if (dragged !== panel) return;
    state.at = hovered;
    change();
  });
  panel.addEventListener("pointerleave", () => {
    hovered = null;
    readout.textContent = position(state.at);
  });
  for (const end of ["pointerup", "pointercancel"]) {
    panel.addEventListener(end, () => {
      dragged = null;
      follow();
      change();
    });
  }
  panel.addEventListener("wheel", (event) => {
    event.preventDefault();
    if (event.ctrlKey) return void (event.deltaY && setZoom(event.deltaY < 0 ? state.zoom * 2 : state.zoom / 2));
    move(panel.dataset.axis, Math.sign(event.deltaY || event.deltaX) * (event.shiftKey ? 10 : 1));
  }, { passive: false });
}

const KEYS = {
  ArrowLeft: ["x", -1], ArrowRight: ["x", 1], ArrowUp: ["y", -1], ArrowDown: ["y", 1], PageUp: ["z", 1], PageDown: ["z", -1],
};
svg.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey) return;
  const step = KEYS[event.key];
  if (step) move(step[0], step[1] * (event.shiftKey ? 10 : 1));
  else if (event.key === "+" || event.key === "=") setZoom(state.zoom * 2);
  else if (event.key === "-") setZoom(state.zoom / 2);
  else if (event.key === "[" || event.key === "]") setSlab(state.slab + (event.key === "]" ? 1 : -1));
  else if (event.key.toLowerCase() === "c") svg.classList.toggle("plain");
  else return;
  event.preventDefault();
});

// ---- controls

function setSlab(slab) {
  state.slab = clamp(Math.round(slab) || 0, 0, Number(input("slab").max));
  redrawGrey();
}

for (const axis of AXES) {
  for (const name of [axis, `${axis}-slider`]) {
    input(name).addEventListener("input", (event) => {
      if (event.target.value !== "") move(axis, Math.round(Number(event.target.value)) - state.at[axis]);
    });
  }
}
for (const name of ["slab", "slab-slider"]) input(name).addEventListener("input", (event) => setSlab(Number(event.target.value)));
if (input("lo")) {
  for (const end of ["lo", "hi"]) {
    for (const name of [end, `${end}-slider`]) {
      input(name).addEventListener("input", (event) => {
        const other = end === "lo" ? state.hi ?? known.limits[1] : state.lo ?? known.limits[0];
        const value = Number(event.target.value);
        if (event.target.value === "" || (end === "lo" ? value >= other : value <= other)) return;
        state[end] = value;
        redrawGrey();
      });
    }
  }
  input("auto").addEventListener("click", () => {
    state.lo = state.hi = null;
    redrawGrey();
  });
}
for (const box of boxes) {
  box.addEventListener("change", () => {
    state.show[box.checked ? "add" : "delete"](box.value);
    change();
  });
}
for (const link of root.querySelectorAll("[data-view], [data-zoom], .step[data-step]")) {
  link.addEventListener("click", (event) => {
    if (event.ctrlKey || event.metaKey || event.shiftKey) return;
    event.preventDefault();
    if (link.dataset.step) return move(link.dataset.axis, Number(link.dataset.step));
    if (link.dataset.zoom) return setZoom(Number(link.dataset.zoom));
    state.view = link.dataset.view;
    change();
  });
}
root.querySelector("form").addEventListener("submit", (event) => event.preventDefault());
const copy = input("copy");
copy.addEventListener("click", async () => {
  const address = `${location.origin}${location.pathname}?${pageQuery()}`;
  history.replaceState(null, "", address);
  try {
    await navigator.clipboard.writeText(address);
    copy.textContent = "Copied";
  } catch {
    copy.textContent = "It is in the address bar";
  }
  setTimeout(() => (copy.textContent = "Copy link to this view"), 1600);
});
for (const element of root.querySelectorAll(".scripted")) element.classList.remove("scripted");

// What the server has laid over the slices is drawn anew, so that it can move.
for (const image of svg.querySelectorAll(".laid > image")) image.remove();
new ResizeObserver(() => draw()).observe(svg);
