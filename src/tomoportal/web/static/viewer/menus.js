// Menus that are <details>: one is open at a time; Escape, a click elsewhere and the viewer itself close it, arrow keys go along the bar.
const menus = () => [...document.querySelectorAll(".menu")];

export function closeMenus(but = null) {
  for (const menu of menus()) if (menu !== but) menu.open = false;
}

function alongTheBar(event) {
  const step = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
  const summaries = menus().map((menu) => menu.querySelector("summary"));
  const place = summaries.indexOf(event.target);
  if (!step || place < 0) return;
  event.preventDefault();
  const next = summaries[(place + step + summaries.length) % summaries.length];
  if (event.target.parentElement.open) next.parentElement.open = true;
  next.focus();
}

export function listenToMenus() {
  document.addEventListener("keydown", (event) => {
    const open = menus().find((menu) => menu.open);
    if (event.key === "Escape" && open) {
      open.open = false;
      open.querySelector("summary").focus();
    } else alongTheBar(event);
  });
  document.addEventListener("toggle", (event) => event.target.open && event.target.matches?.(".menu") && closeMenus(event.target), true);
  document.addEventListener("pointerdown", (event) => closeMenus(event.target.closest(".menu")));
  addEventListener("blur", () => closeMenus());
}
