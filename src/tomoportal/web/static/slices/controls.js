// Sliders, fields, links and keys.
import { pageQuery } from "./addresses.js";
import { change, move, redrawGrey, setSlab, setZoom } from "./drawing.js";
import { AXES, boxes, input, known, root, state, svg } from "./state.js";

const KEYS = {
  ArrowLeft: ["x", -1], ArrowRight: ["x", 1], ArrowUp: ["y", -1], ArrowDown: ["y", 1], PageUp: ["z", 1], PageDown: ["z", -1],
};

function listenToKeys() {
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
}

function listenToNumbers() {
  for (const axis of AXES) {
    for (const name of [axis, `${axis}-slider`]) {
      input(name).addEventListener("input", (event) => {
        if (event.target.value !== "") move(axis, Math.round(Number(event.target.value)) - state.at[axis]);
      });
    }
  }
  for (const name of ["slab", "slab-slider"]) input(name).addEventListener("input", (event) => setSlab(Number(event.target.value)));
}

function listenToContrast() {
  if (!input("lo")) return;
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

function listenToChoices() {
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
}

function listenToCopy() {
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
}

export function listenToControls() {
  listenToKeys();
  listenToNumbers();
  listenToContrast();
  listenToChoices();
  listenToCopy();
  root.querySelector("form").addEventListener("submit", (event) => event.preventDefault());
  for (const element of root.querySelectorAll(".scripted")) element.classList.remove("scripted");
}
