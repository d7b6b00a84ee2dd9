// Links with data-dialog open the page that they lead to inside a dialog, without frame and path. Meanwhile the address is that of the page:
// it can be linked and loaded anew; going back closes the dialog. Forms with data-at-once ask as soon as something is chosen.
const home = location.pathname;
let dialog, body, told, title, isThere = false, turn = 0;

async function pageAt(address) {
  const answer = await fetch(address, { headers: { accept: "text/html" } });
  if (!answer.ok) throw new Error(`${address} answered ${answer.status}`);
  return new DOMParser().parseFromString(await answer.text(), "text/html");
}

// Style sheets of the page that this one has not loaded yet.
function styled(page) {
  const known = new Set([...document.querySelectorAll("link[rel=stylesheet]")].map((link) => link.getAttribute("href")));
  const missing = [...page.querySelectorAll("link[rel=stylesheet]")].filter((link) => !known.has(link.getAttribute("href")));
  return Promise.all(missing.map((link) => new Promise((done) => {
    const copy = document.head.appendChild(document.importNode(link));
    copy.onload = copy.onerror = done;
  })));
}

function show(page, root) {
  root.replaceChildren(...page.querySelector("#main").childNodes);
  if (root === body) body.querySelector("h1").id = "dialog-title";
  document.title = page.title;
  document.dispatchEvent(new CustomEvent("portal:content", { detail: root }));
}

function made() {
  dialog = document.createElement("dialog");
  dialog.className = "paged";
  dialog.setAttribute("aria-labelledby", "dialog-title");
  dialog.innerHTML = `<form class="paged-bar" method="dialog"><button class="paged-close">Close</button></form>
    <p class="sr" role="status"></p><div class="paged-body"></div>`;
  [body, told] = [dialog.querySelector(".paged-body"), dialog.querySelector("[role=status]")];
  dialog.addEventListener("click", (event) => event.target === dialog && dialog.close());
  dialog.addEventListener("close", () => {
    if (isThere) history.back();
    document.title = title;
  });
  document.body.append(dialog);
}

async function open(address, { anew }) {
  const mine = ++turn;
  const page = await pageAt(address);
  await styled(page);
  if (mine !== turn) return;
  if (!dialog) made();
  if (!dialog.open) title = document.title;
  show(page, body);
  told.textContent = "";
  if (anew) history.pushState({ dialog: address }, "", address);
  isThere = true;
  if (!dialog.open) dialog.showModal();
  dialog.scrollTop = 0;
}

async function choose(form) {
  const mine = ++turn;
  const root = form.closest("#main, .paged-body");
  const address = `${form.action}?${new URLSearchParams(new FormData(form))}`;
  root.ariaBusy = "true";
  const page = await pageAt(address).finally(() => root.ariaBusy = null);
  if (mine !== turn) return;
  const { name, value } = document.activeElement;
  show(page, root);
  history.replaceState(history.state?.dialog ? { dialog: address } : history.state, "", address);
  if (name) root.querySelector(`[name="${CSS.escape(name)}"][value="${CSS.escape(value)}"]`)?.focus();
  if (root === body) told.textContent = root.querySelector("form ~ [role=status]")?.textContent ?? "";
}

document.addEventListener("click", (event) => {
  const link = event.target.closest?.("a[data-dialog]");
  if (!link || event.button || event.ctrlKey || event.metaKey || event.shiftKey || event.altKey) return;
  event.preventDefault();
  open(link.href, { anew: true }).catch(() => (location.href = link.href));
});

document.addEventListener("change", (event) => {
  const form = event.target.closest?.("form[data-at-once]");
  if (form) choose(form).catch(() => form.submit());
});

function arrive(address) {
  turn++;
  if (address) {
    open(address, { anew: false }).catch(() => location.reload());
  } else if (dialog?.open) {
    document.title = title;
    dialog.close();
  } else if (location.pathname !== home) {
    location.reload();
  }
}

// Before htmx, which would load the page below the dialog again.
addEventListener("popstate", (event) => {
  if (isThere || event.state?.dialog) event.stopImmediatePropagation();
  isThere = false;
  arrive(event.state?.dialog);
}, { capture: true });
