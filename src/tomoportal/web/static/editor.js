// A text area with line numbers and colours. Tab indents, Escape then Tab leaves; undo works, since text goes in as if typed.
import { paintGraphql } from "./paint.js";

export function edit(area, gutter, paint) {
  const draw = () => {
    const lines = area.value.split("\n").length;
    gutter.textContent = Array.from({ length: lines }, (_, number) => number + 1).join("\n") + "\n";
    paintGraphql(paint, area.value);
    paint.append("\n");
    follow();
  };
  const follow = () => {
    gutter.scrollTop = paint.scrollTop = area.scrollTop;
    paint.scrollLeft = area.scrollLeft;
  };
  const type = (text) => {
    area.focus();
    if (!document.execCommand("insertText", false, text)) {
      area.setRangeText(text, area.selectionStart, area.selectionEnd, "end");
      draw();
    }
  };
  const indent = () => {
    const line = area.value.slice(0, area.selectionStart).split("\n").at(-1);
    return line.match(/^ */)[0];
  };
  let leaving = false;
  area.addEventListener("keydown", (event) => {
    if (event.key === "Escape") leaving = true;
    else if (event.key === "Tab" && !event.shiftKey && !leaving) {
      event.preventDefault();
      type("  ");
    } else if (event.key === "Enter" && !event.ctrlKey && !event.metaKey) {
      event.preventDefault();
      const opens = /[{(\[]\s*$/.test(area.value.slice(0, area.selectionStart));
      type(`\n${indent()}${opens ? "  " : ""}`);
    } else leaving = false;
  });
  area.addEventListener("input", draw);
  area.addEventListener("scroll", follow);
  area.parentElement.classList.add("is-painted");
  draw();
  return {
    replace(text) {
      area.select();
      type(text);
      area.setSelectionRange(0, 0);
      area.scrollTop = 0;
      draw();
    },
    insert(text) {
      const before = area.value.slice(0, area.selectionStart);
      const spaced = text.replaceAll("\n", `\n${indent()}`);
      type(`${/[\s{(\[]$|^$/.test(before) ? "" : " "}${spaced}`);
    },
  };
}
