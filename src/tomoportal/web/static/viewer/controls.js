// What the menus do to the viewer, and how they show what it does. `viewer` is Neuroglancer's own object in the frame.
const layerOf = (viewer, name) => viewer.layerManager.managedLayers.find((layer) => layer.name === name);
const imageOf = (viewer) => viewer.layerManager.managedLayers.find((layer) => layer.layer?.constructor.type === "image");
const greys = (viewer) => imageOf(viewer)?.layer.shaderControlState;
const bar = () => document.getElementById("viewer-bar");
const set = (viewer, part) => viewer.state.restoreState(part);

// Whether Neuroglancer shows its tabs of layers, which our menu stands in for. It keeps that out of its state; the address has it as `tabs`.
export const tabs = {
  shown: (viewer) => viewer.uiConfiguration.showLayerPanel.value,
  show(viewer, isShown) {
    viewer.uiConfiguration.showLayerPanel.value = isShown;
  },
};

const ACTS = {
  contrast: (viewer, served) => greys(viewer)?.restoreState({ ...greys(viewer).toJSON(), ...contrasts(served) }),
  controls: (viewer) => controlsOf(viewer, imageOf(viewer)?.name),
  snap: (viewer) => viewer.navigationState.pose.orientation.snap(),
  help: (viewer) => set(viewer, { helpPanel: { visible: true, side: "right" } }),
};

function controlsOf(viewer, layer) {
  set(viewer, { selectedLayer: { visible: true, layer, side: "left" } });
}

function contrasts(served) {
  const { contrast, contrast_3D } = served.layers.find((layer) => layer.type === "image")?.shaderControls ?? {};
  return { ...(contrast && { contrast }), ...(contrast_3D && { contrast_3D }) };
}

function showAll(viewer, button) {
  for (const box of (button.closest("fieldset") ?? button.closest(".sheet")).querySelectorAll("[data-layer]")) {
    layerOf(viewer, box.dataset.layer)?.setVisible(button.dataset.all === "on");
  }
}

export function pressed(viewer, served, button) {
  const { layout, ground, all, act, controls } = button.dataset;
  if (layout) set(viewer, { layout });
  if (ground) set(viewer, { crossSectionBackgroundColor: ground, projectionBackgroundColor: ground });
  if (all) showAll(viewer, button);
  if (controls) controlsOf(viewer, controls);
  ACTS[act]?.(viewer, served);
}

export function ticked(viewer, box) {
  const { layer, flag, invert } = box.dataset;
  if (layer) layerOf(viewer, layer)?.setVisible(box.checked);
  else if (flag === "tabs") tabs.show(viewer, box.checked);
  else if (flag) set(viewer, { [flag]: box.checked });
  else if (invert !== undefined) greys(viewer)?.restoreState({ ...greys(viewer).toJSON(), invert_contrast: box.checked });
}

// Neuroglancer leaves out of its state what is as it is at first.
const AT_FIRST = { showScaleBar: true, showAxisLines: true, showDefaultAnnotations: true, showSlices: true, layout: "xy", projectionBackgroundColor: "#000000" };

export function shown(viewer, state) {
  const now = { ...AT_FIRST, ...JSON.parse(JSON.stringify(state)) };
  const layout = now.layout.type ?? now.layout;
  const press = (button, isOn) => button.setAttribute("aria-pressed", isOn);
  for (const box of bar().querySelectorAll("[data-flag]")) box.checked = box.dataset.flag === "tabs" ? tabs.shown(viewer) : now[box.dataset.flag];
  for (const box of bar().querySelectorAll("[data-layer]")) box.checked = layerOf(viewer, box.dataset.layer)?.visible ?? false;
  for (const button of bar().querySelectorAll("[data-layout]")) press(button, button.dataset.layout === layout);
  for (const button of bar().querySelectorAll("[data-ground]")) press(button, button.dataset.ground === now.projectionBackgroundColor);
  bar().querySelector("[data-invert]").checked = greys(viewer)?.toJSON()?.invert_contrast ?? false;
}
