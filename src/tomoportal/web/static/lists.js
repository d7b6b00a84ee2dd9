// Lists: searching while typing, finding in long filters, clean addresses, and filters that stay folded when results are swapped.
const plain = (text) => text.normalize("NFKD").replace(/\p{M}/gu, "").toLowerCase();

function enliven(root) {
  for (const input of root.querySelectorAll(".facet-find")) {
    input.classList.remove("scripted");
    input.addEventListener("input", (event) => {
      event.stopPropagation();
      const wanted = plain(input.value);
      for (const item of input.parentElement.querySelectorAll("li")) {
        item.hidden = !plain(item.textContent).includes(wanted) && !item.querySelector(":checked");
      }
    });
    input.addEventListener("change", (event) => event.stopPropagation());
    input.addEventListener("keydown", (event) => event.key === "Enter" && event.preventDefault());
  }
}

// One request for what was typed: after a pause, or at once with Enter, which the browser tells as a change and a submission.
function searchWhileTyping(form) {
  const input = form.querySelector("input[type=search]");
  let waiting = 0;
  input.addEventListener("change", (event) => event.stopPropagation());
  input.addEventListener("input", () => {
    clearTimeout(waiting);
    waiting = setTimeout(() => form.requestSubmit(), 300);
  });
  form.addEventListener("submit", () => clearTimeout(waiting));
}

let folded = new Set();

document.addEventListener("htmx:configRequest", (event) => {
  const { parameters } = event.detail;
  for (const [name, value] of Object.entries(parameters)) if (value === "") delete parameters[name];
  folded = new Set([...document.querySelectorAll(".facet:not([open]) summary")].map((summary) => summary.textContent));
});

document.addEventListener("htmx:oobAfterSwap", () => {
  for (const facet of document.querySelectorAll(".facet")) {
    facet.open = !folded.has(facet.querySelector("summary").textContent);
  }
  enliven(document);
});

// A request that a newer one took the place of is no error; htmx would write it to the console as two, the first without a cause.
const HARMLESS = ["htmx:afterRequest", "htmx:sendAbort"];
window.htmx.logger = (_, name, detail) => {
  if (HARMLESS.includes(name)) delete detail.error;
};

enliven(document);
document.querySelectorAll("form[hx-get]").forEach(searchWhileTyping);
