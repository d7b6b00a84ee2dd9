// The view as it stands in the address after `#!`: what a visitor has changed of the state that the portal gives. Pure.
//
// A link holds a patch: an object in which only what differs has a place, `null` takes something away, and layers go by their names.
// A whole state of Neuroglancer (its layers are a list) is understood as well.
const UNTOLD = new Set(["dimensions", "source", "helpPanel", "settingsPanel", "selection", "statistics", "selectedStateServer"]);
const isObject = (value) => value !== null && typeof value === "object" && !Array.isArray(value);

// Six digits are finer than a pixel.
export function rounded(state) {
  return JSON.parse(JSON.stringify(state), (_, value) => (typeof value === "number" ? Number(value.toPrecision(6)) : value));
}

export function changes(before, after) {
  const found = {};
  for (const key of new Set([...Object.keys(before), ...Object.keys(after)])) {
    const [old, now] = [before[key], after[key]];
    if (UNTOLD.has(key)) continue;
    if (isObject(old) && isObject(now)) {
      const inner = changes(old, now);
      if (Object.keys(inner).length) found[key] = inner;
    } else if (JSON.stringify(old) !== JSON.stringify(now)) found[key] = now ?? null;
  }
  return found;
}

export function byName(state) {
  const layers = Object.fromEntries((state.layers ?? []).map(({ name, ...layer }) => [name, layer]));
  return { ...state, layers };
}

// The patch that makes `after` of `before`, or all of `after` where layers stand in another order.
export function told(before, after) {
  const names = (state) => (state.layers ?? []).map((layer) => layer.name);
  const [first, now] = [names(before), names(after)];
  const kept = [...first.filter((name) => now.includes(name)), ...now.filter((name) => !first.includes(name))];
  return kept.join("\n") === now.join("\n") ? changes(byName(before), byName(after)) : after;
}

// The beginning (`before`) with the controls of its shaders as the viewer tells them now, but for those that a wish has changed.
export function settled(before, now, served, wish) {
  const [mine, given, wished] = [now, served, wish].map((state) => (Array.isArray(state.layers) ? byName(state) : state).layers ?? {});
  const layers = before.layers.map((layer) => {
    const controls = { ...mine[layer.name]?.shaderControls };
    for (const name of Object.keys(wished[layer.name]?.shaderControls ?? {})) controls[name] = given[layer.name]?.shaderControls?.[name];
    return { ...layer, shaderControls: Object.keys(controls).length ? controls : undefined };
  });
  return { ...before, layers };
}

function patched(base, patch) {
  if (!isObject(patch)) return patch;
  const made = isObject(base) ? { ...base } : {};
  for (const [key, value] of Object.entries(patch)) {
    if (value === null) delete made[key];
    else made[key] = patched(made[key], value);
  }
  return made;
}

export function applied(state, wish) {
  if (Array.isArray(wish.layers)) return wish;
  const made = patched(byName(state), wish);
  return { ...made, layers: Object.entries(made.layers).map(([name, layer]) => ({ ...layer, name })).filter((layer) => layer.source) };
}

export function written(wish) {
  return Object.keys(wish).length ? `#!${encodeURIComponent(JSON.stringify(wish)).replace(/%3A|%2C/g, decodeURIComponent)}` : "";
}

// What an address asks for: null when it asks for nothing. Throws for what cannot be read.
export function read(hash) {
  if (!hash.startsWith("#!")) return null;
  const wish = JSON.parse(decodeURIComponent(hash.slice(2)));
  if (!isObject(wish)) throw new SyntaxError("not an object");
  return wish;
}

// The wish for another tomogram of the run that shows the same: places and scales in its voxels; grey values of its own. Where another
// alignment makes places others, its own middle.
export function carried(wish, now, from, to) {
  const kept = structuredClone(wish);
  for (const layer of Object.values(kept.layers ?? {})) {
    delete layer?.shaderControls?.contrast;
    delete layer?.shaderControls?.contrast_3D;
  }
  const ratio = from.spacing / to.spacing;
  for (const name of ["crossSectionScale", "projectionScale"]) if (now[name]) kept[name] = now[name] * ratio;
  for (const name of ["crossSectionDepth", "projectionDepth"]) if (kept[name]) kept[name] *= ratio;
  if (from.frame === to.frame && now.position) kept.position = now.position.map((place) => (place + 0.5) * ratio - 0.5);
  else delete kept.position;
  return kept;
}
