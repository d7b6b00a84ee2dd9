// The page around Neuroglancer: menus act on the viewer in the frame, the address tells what is seen and brings it back, another tomogram
// of the run takes the place of the one that is shown without loading the viewer again.
import { found, untilKnown } from "./client.js";
import { pressed, shown as showInMenus, tabs, ticked } from "./controls.js";
import { applied, byName, carried, changes, read, rounded, settled, told, written } from "./link.js";
import { closeMenus, listenToMenus } from "./menus.js";
import { alone, copied, sameSlices } from "./share.js";

const client = document.getElementById("viewer-client");
const notice = document.getElementById("viewer-told");
const bar = () => document.getElementById("viewer-bar");
const stateIn = (frame) => JSON.parse(decodeURIComponent(frame.getAttribute("src").split("#!")[1]));

let about = JSON.parse(bar().dataset.shown);
let served = stateIn(client);
let viewer = null;
let first = null; // the served state as the viewer itself tells it, once its data are known
let settling = null;
let waiting = 0;

function tell(sentence) {
  notice.textContent = sentence;
  clearTimeout(tell.timer);
  tell.timer = setTimeout(() => (notice.textContent = ""), 8000);
}

function stateNow() {
  return viewer.state.toJSON();
}

function wishNow() {
  const wish = told(first, rounded(stateNow()));
  return tabs.shown(viewer) ? { ...wish, tabs: true } : wish;
}

function restore(state) {
  viewer.state.reset();
  viewer.state.restoreState(state);
}

// Shows the served state with what is wished for. The viewer tells controls of shaders in its own way as soon as it knows the data.
function open(wish) {
  const { tabs: hasTabs = false, ...rest } = wish;
  first = rounded(stateNow());
  if (Object.keys(rest).length) restore(applied(served, rest));
  tabs.show(viewer, hasTabs);
  const mine = (settling = untilKnown(viewer).then(() => {
    if (mine !== settling) return;
    first = settled(first, rounded(stateNow()), served, rest);
    settling = null;
    follow();
  }));
}

function follow() {
  clearTimeout(waiting);
  waiting = setTimeout(() => {
    const state = stateNow();
    showInMenus(viewer, state);
    if (!settling) history.replaceState(history.state, "", location.pathname + location.search + written(wishNow()));
    document.getElementById("viewer-slices").href = sameSlices(about, state);
    document.getElementById("viewer-alone").href = alone(about, state);
  }, 250);
}

function acted() {
  showInMenus(viewer, stateNow());
  follow();
}

// ---- another tomogram

async function page(address) {
  const answer = await fetch(address);
  if (!answer.ok) throw new Error(String(answer.status));
  return new DOMParser().parseFromString(await answer.text(), "text/html");
}

function explain(from, before) {
  const lost = before.filter((name) => !served.layers.some((layer) => layer.name === name)).length;
  const many = lost === 1 ? "One layer that was shown is" : `${lost} layers that were shown are`;
  if (from.frame !== about.frame) {
    tell(`TM-${about.tomogram} was made with another alignment (${about.frame}): places are not comparable, so it is seen from its middle, with annotations of its own.`);
  } else tell(lost ? `The same place in TM-${about.tomogram}. ${many} not given over it.` : `The same place in TM-${about.tomogram}.`);
}

let switching = 0;
async function switchTo(link) {
  closeMenus();
  const mine = ++switching;
  const made = await page(link.href).catch(() => null);
  await settling;
  if (mine !== switching) return;
  if (!made) return location.assign(link.href);
  const [from, now] = [about, stateNow()];
  const wish = changes(byName(first), byName(rounded(now)));
  const before = (now.layers ?? []).filter((layer) => layer.visible !== false && layer.type !== "image").map((layer) => layer.name);
  bar().replaceWith(made.getElementById("viewer-bar"));
  document.title = made.title;
  client.title = made.getElementById("viewer-client").title;
  about = JSON.parse(bar().dataset.shown);
  served = stateIn(made.getElementById("viewer-client"));
  restore(served);
  open({ ...carried(wish, rounded(now), from, about), tabs: tabs.shown(viewer) });
  history.pushState({}, "", link.href);
  bar().querySelector(".switch summary").focus();
  explain(from, before);
  acted();
}

// ---- begin

function reset() {
  restore(served);
  open({});
}

function listen() {
  const act = (event) => {
    const button = event.target.closest("#viewer-bar button, #viewer-bar a[data-tomogram]");
    if (!button || event.ctrlKey || event.metaKey || event.shiftKey) return;
    if (button.dataset.tomogram) {
      event.preventDefault();
      switchTo(button);
    } else if (button.dataset.copy) copied(button.dataset.copy, about, stateNow(), written(wishNow()), tell);
    else if (button.dataset.act === "reset") reset();
    else pressed(viewer, served, button);
    acted();
  };
  document.addEventListener("click", act);
  document.addEventListener("change", (event) => {
    if (event.target.closest("#viewer-bar")) ticked(viewer, event.target);
    acted();
  });
  addEventListener("popstate", () => location.reload());
  viewer.state.changed.add(follow);
}

listenToMenus();
viewer = await found(client);
if (viewer) {
  try {
    open(read(location.hash) ?? {});
  } catch {
    reset();
    tell("The view in this address cannot be read; this is the tomogram as the portal shows it at first.");
  }
  listen();
  acted();
  bar().dataset.ready = "";
} else tell("The 3-D viewer could not be loaded. Slices of the tomogram are under Share.");
