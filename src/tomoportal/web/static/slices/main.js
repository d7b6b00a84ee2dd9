// The slice viewer: moves the server's drawing without asking for a new page. The address is the state, as the server reads it.
import { listenToControls } from "./controls.js";
import { draw } from "./drawing.js";
import { listenToPointers } from "./pointer.js";
import { svg } from "./state.js";

listenToControls();
listenToPointers();
// What the server has laid over the slices is drawn anew, so that it can move.
for (const image of svg.querySelectorAll(".laid > image")) image.remove();
new ResizeObserver(() => draw()).observe(svg);
