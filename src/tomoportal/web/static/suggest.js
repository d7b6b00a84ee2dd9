// The search box of the whole portal: names that begin so, while somebody types. Without it the form leads to the page of results.
const PAUSE = 150;

function suggesting(form) {
  const input = form.querySelector("input[type=search]");
  const list = Object.assign(document.createElement("ul"), { id: "suggestions", className: "suggestions", hidden: true });
  list.setAttribute("role", "listbox");
  list.setAttribute("aria-label", "Suggestions");
  form.append(list);
  for (const [name, value] of Object.entries({ role: "combobox", "aria-controls": list.id, "aria-expanded": "false", "aria-autocomplete": "list" })) {
    input.setAttribute(name, value);
  }
  let waiting = 0;
  let asked = "";
  let chosen = -1;

  const show = (isShown) => {
    list.hidden = !isShown;
    input.setAttribute("aria-expanded", String(isShown));
    if (!isShown) choose(-1);
  };
  const choose = (place) => {
    const options = [...list.children];
    chosen = options.length ? (place + options.length + 1) % (options.length + 1) : -1;
    if (chosen === options.length) chosen = -1;
    options.forEach((option, at) => option.setAttribute("aria-selected", String(at === chosen)));
    if (chosen < 0) input.removeAttribute("aria-activedescendant");
    else {
      input.setAttribute("aria-activedescendant", options[chosen].id);
      options[chosen].scrollIntoView({ block: "nearest" });
    }
  };
  const ask = async () => {
    const text = input.value.trim();
    asked = text;
    if (text.length < 2) return show(false);
    const answer = await fetch(`${form.dataset.suggest}?${new URLSearchParams({ q: text })}`).catch(() => null);
    if (!answer?.ok || asked !== text) return;
    list.innerHTML = await answer.text();
    show(list.children.length > 0 && document.activeElement === input);
  };

  input.addEventListener("input", () => {
    clearTimeout(waiting);
    waiting = setTimeout(ask, PAUSE);
  });
  input.addEventListener("keydown", (event) => {
    if (event.key === "Escape" && !list.hidden) {
      event.preventDefault(); // else the browser would also empty the field
      return show(false);
    }
    if (list.hidden || !["ArrowDown", "ArrowUp", "Enter"].includes(event.key)) return;
    if (event.key === "Enter" && chosen < 0) return;
    event.preventDefault();
    if (event.key === "Enter") location.assign(list.children[chosen].dataset.href);
    else choose(chosen + (event.key === "ArrowDown" ? 1 : -1));
  });
  input.addEventListener("blur", () => show(false));
  list.addEventListener("mousedown", (event) => {
    event.preventDefault();
    const option = event.target.closest("[data-href]");
    if (option) location.assign(option.dataset.href);
  });
}

document.querySelectorAll("form[data-suggest]").forEach(suggesting);
