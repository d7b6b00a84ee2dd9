// The film of a tilt series: steps and plays through its sections without asking for new pages. The address tells which one is shown.
const root = document.getElementById("film");
const known = JSON.parse(root.dataset.film);
const picture = document.getElementById("film-picture");
const caption = document.getElementById("film-caption");
const slider = document.getElementById("film-slider");
const play = document.getElementById("film-play");
const label = document.getElementById("film-place");
const isCalm = matchMedia("(prefers-reduced-motion: reduce)");
const PAUSE = { usual: 140, calm: 900 };

const asked = new URLSearchParams(location.search);
let order = asked.get("order") === "acquisition" ? "acquisition" : "angle";
let film = inOrder();
let place = Number(slider.value);
let playing = null;
let direction = 1;
const pictures = new Map();

function inOrder() {
  const value = (section) => (order === "angle" ? section.angle : section.order) ?? Infinity;
  return [...known.sections].sort((a, b) => value(a) - value(b) || a.index - b.index);
}

function address(section) {
  return `/tiltseries/${known.id}/section.jpg?index=${section.index}&w=${known.width}&v=${known.version}`;
}

async function fetched(section) {
  if (!pictures.has(section.index)) {
    const made = new Image();
    made.src = address(section);
    pictures.set(section.index, made.decode().then(() => made.src));
  }
  return pictures.get(section.index);
}

let wish = 0;
async function show(number, { quiet = false } = {}) {
  place = Math.max(0, Math.min(film.length - 1, number));
  const section = film[place];
  const mine = ++wish;
  slider.value = place;
  slider.setAttribute("aria-valuetext", section.text);
  try {
    const source = await fetched(section);
    if (mine !== wish) return;
    picture.src = source;
  } catch {
    pictures.delete(section.index);
    caption.textContent = `Section ${section.index} cannot be shown just now.`;
    return stop();
  }
  picture.alt = `Section ${section.index} of the tilt series`;
  caption.textContent = section.text;
  label.textContent = `${place + 1} of ${film.length}`;
  mark(section.index);
  if (!quiet) history.replaceState(null, "", `?index=${section.index}${order === "angle" ? "" : "&order=acquisition"}`);
  for (const near of [place + direction, place - direction]) if (film[near]) fetched(film[near]).catch(() => pictures.delete(film[near].index));
}

function mark(index) {
  for (const element of document.querySelectorAll("[data-index]")) element.classList.toggle("here", Number(element.dataset.index) === index);
}

function stop() {
  clearTimeout(playing);
  playing = null;
  play.textContent = "Play";
  play.setAttribute("aria-pressed", "false");
  caption.setAttribute("aria-live", "polite");
}

function start() {
  play.textContent = "Pause";
  play.setAttribute("aria-pressed", "true");
  caption.setAttribute("aria-live", "off");
  const step = async () => {
    if (place + direction < 0 || place + direction >= film.length) direction = -direction;
    await show(place + direction, { quiet: true });
    if (playing !== null) playing = setTimeout(step, isCalm.matches ? PAUSE.calm : PAUSE.usual);
  };
  playing = setTimeout(step, 0);
}

function go(number) {
  stop();
  show(number);
}

play.addEventListener("click", () => (playing === null ? start() : (stop(), show(place))));
slider.addEventListener("input", () => go(Number(slider.value)));
for (const [id, step] of [["film-previous", -1], ["film-next", 1]]) {
  document.getElementById(id).addEventListener("click", (event) => {
    if (event.ctrlKey || event.metaKey || event.shiftKey) return;
    event.preventDefault();
    go(place + step);
  });
}
for (const link of root.querySelectorAll("[data-order]")) {
  link.addEventListener("click", (event) => {
    if (event.ctrlKey || event.metaKey || event.shiftKey) return;
    event.preventDefault();
    const { index } = film[place];
    order = link.dataset.order;
    film = inOrder();
    for (const other of root.querySelectorAll("[data-order]")) other.toggleAttribute("aria-current", other === link);
    go(film.findIndex((section) => section.index === index));
  });
}
for (const link of document.querySelectorAll(".sections-table th a")) {
  link.addEventListener("click", (event) => {
    if (event.ctrlKey || event.metaKey || event.shiftKey) return;
    event.preventDefault();
    go(film.findIndex((section) => section.index === Number(link.closest("tr").dataset.index)));
    root.scrollIntoView({ block: "nearest" });
  });
}
for (const dot of root.querySelectorAll(".dot-of")) {
  dot.addEventListener("click", () => go(film.findIndex((section) => section.index === Number(dot.dataset.index))));
}

document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || event.target.closest("input, select, textarea, button, a")) return;
  const rect = root.getBoundingClientRect();
  if (rect.bottom < 0 || rect.top > innerHeight) return;
  if (event.key === "ArrowLeft") go(place - 1);
  else if (event.key === "ArrowRight") go(place + 1);
  else if (event.key === "Home") go(0);
  else if (event.key === "End") go(film.length - 1);
  else if (event.key === " ") play.click();
  else return;
  event.preventDefault();
});

for (const control of [slider, play]) control.classList.remove("scripted");
mark(film[place].index);
