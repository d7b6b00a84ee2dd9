// Waiting for the viewer in the frame, and for what it can only tell when it knows the data.
const PAUSE = 50;
const pause = () => new Promise((later) => setTimeout(later, PAUSE));

// Neuroglancer's own object; null when it was not loaded: then the frame holds a page of the browser, which cannot be looked into.
export async function found(client, seconds = 60) {
  for (let tries = 0; tries < (seconds * 1000) / PAUSE; tries++) {
    try {
      const viewer = client.contentWindow.viewer;
      if (viewer?.state.toJSON().layers?.length) return viewer;
    } catch {
      return null;
    }
    await pause();
  }
  return null;
}

const isKnown = ({ layer }) =>
  layer && (!layer.shaderControlState || layer.shaderControlState.controls.value || layer.dataSources.some((source) => source.loadState?.error));

export async function untilKnown(viewer, seconds = 20) {
  for (let tries = 0; tries < (seconds * 1000) / PAUSE; tries++) {
    if (viewer.layerManager.managedLayers.every(isKnown)) return;
    await pause();
  }
}
