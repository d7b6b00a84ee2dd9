// Addresses of the view that is seen: for people, for pages of others, and of the same place among the slices.
import { closeMenus } from "./menus.js";

const escaped = (text) => text.replaceAll("&", "&amp;").replaceAll('"', "&quot;").replaceAll("<", "&lt;");
const within = (value, count) => Math.max(0, Math.min(count - 1, Math.round(value)));

export function alone(shown, state) {
  return `${shown.client}#!${encodeURIComponent(JSON.stringify(state))}`;
}

// The cross-hair stands where the viewer's does; a single panel stays one.
export function sameSlices(shown, state) {
  const [x, y, z] = (state.position ?? shown.size.map((side) => side / 2)).map((place, axis) => within(place, shown.size[axis]));
  const layout = state.layout?.type ?? state.layout ?? "";
  const view = { xy: "XY", xz: "XZ", yz: "YZ" }[layout];
  return `${shown.slices}?${new URLSearchParams({ z, y, x, ...(view && { view }) })}`;
}

function text(kind, shown, state, link) {
  const whole = location.origin + alone(shown, state);
  if (kind === "embed") return `<iframe src="${escaped(whole)}" title="${escaped(document.title)}" width="800" height="600" allowfullscreen></iframe>`;
  return kind === "whole" ? whole : location.origin + location.pathname + location.search + link;
}

export async function copied(kind, shown, state, link, tell) {
  const what = { link: "The link", whole: "The long link", embed: "The code" }[kind];
  try {
    await navigator.clipboard.writeText(text(kind, shown, state, link));
    tell(`${what} is on the clipboard.`);
  } catch {
    tell(kind === "link" ? "The link is in the address bar." : "The browser does not let this page use the clipboard.");
  }
  closeMenus();
}
