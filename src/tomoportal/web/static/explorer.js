// The page for GraphQL: runs queries, keeps a history, copies commands. Editor and schema have modules of their own.
import { edit } from "./editor.js";
import { paintJson } from "./paint.js";
import { showSchema } from "./schema.js";

const by = (id) => document.getElementById(id);
const endpoint = new URL(document.querySelector(".explorer").dataset.endpoint, location.href);
const form = document.querySelector(".workbench");
const [query, variables, answer] = [by("query"), by("variables"), by("answer")];
const HISTORY = "tomoportal.queries";
const MOST = 30;

for (const element of document.querySelectorAll(".needs-script")) element.hidden = false;
const editor = edit(query, document.querySelector(".gutter"), document.querySelector(".paint"));

function given() {
  const text = variables.value.trim();
  return text ? JSON.parse(text) : undefined;
}

async function ask(body) {
  const response = await fetch(endpoint, {
    method: "POST", headers: { "Content-Type": "application/json", Accept: "application/json" }, body: JSON.stringify(body),
  });
  return [await response.text(), response.status];
}

function tell(text, hasErrors, note) {
  paintJson(answer, text);
  answer.scrollTop = 0;
  form.querySelector(".told").classList.toggle("has-errors", hasErrors);
  by("status").textContent = note;
}

let last = 0;
async function run() {
  const mine = ++last;
  const body = { query: query.value };
  variables.removeAttribute("aria-invalid");
  try {
    body.variables = given();
  } catch (error) {
    variables.setAttribute("aria-invalid", "true");
    return tell(`The variables are not JSON: ${error.message}`, true, "not sent");
  }
  remember(body.query, variables.value);
  const button = form.querySelector(".run");
  button.setAttribute("aria-busy", "true");
  form.querySelector(".told").classList.add("is-waiting");
  const started = performance.now();
  try {
    const [text, status] = await ask(body);
    if (mine !== last) return;
    const took = Math.round(performance.now() - started);
    const { errors } = JSON.parse(text);
    const size = text.length < 10000 ? `${text.length} B` : `${(text.length / 1000).toFixed(0)} kB`;
    const trouble = errors ? `${errors.length} error${errors.length > 1 ? "s" : ""} · ` : status === 200 ? "" : `${status} · `;
    tell(JSON.stringify(JSON.parse(text), null, 2), Boolean(errors), `${trouble}${took} ms · ${size}`);
  } catch (error) {
    if (mine === last) tell(`The portal did not answer: ${error.message}`, true, "no answer");
  } finally {
    if (mine === last) {
      button.removeAttribute("aria-busy");
      form.querySelector(".told").classList.remove("is-waiting");
    }
  }
}

form.addEventListener("submit", (event) => { event.preventDefault(); run(); });
document.addEventListener("keydown", (event) => {
  if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) { event.preventDefault(); run(); }
});

// ---- examples and history

function put(item) {
  variables.value = item.variables ?? "";
  editor.replace(item.query);
}

const examples = JSON.parse(by("example-queries").textContent);
by("examples").addEventListener("change", ({ target }) => {
  if (target.value === "") return;
  put(examples[Number(target.value)]);
  target.value = "";
  run();
});

function remembered() {
  try {
    return JSON.parse(localStorage.getItem(HISTORY)) ?? [];
  } catch {
    return [];
  }
}

function remember(text, values) {
  const others = remembered().filter((item) => item.query !== text || item.variables !== values);
  keep([{ query: text, variables: values, when: new Date().toISOString() }, ...others].slice(0, MOST));
}

function keep(items) {
  try {
    localStorage.setItem(HISTORY, JSON.stringify(items));
  } catch { /* private windows may keep nothing */ }
  list(items);
}

function list(items) {
  const menu = by("history");
  menu.replaceChildren(new Option("History", ""));
  for (const [number, item] of items.entries()) {
    const line = item.query.replace(/[\s{}]+/g, " ").trim().slice(0, 50);
    menu.append(new Option(`${item.when.slice(5, 16).replace("T", " ")}  ${line}`, String(number)));
  }
  if (items.length) menu.append(new Option("Forget all", "forget"));
}

by("history").addEventListener("change", ({ target }) => {
  if (target.value === "forget") keep([]);
  else if (target.value !== "") put(remembered()[Number(target.value)]);
  target.value = "";
});
list(remembered());

// ---- commands for the clipboard

const inShell = (text) => `'${text.replaceAll("'", "'\\''")}'`;
const inPython = (text) => (/"""|\\|"$/.test(text) ? JSON.stringify(text) : `"""${text}"""`);

function asPython(body) {
  const names = body.variables ? ', "variables": variables' : "";
  const values = body.variables ? `variables = json.loads(${inPython(JSON.stringify(body.variables))})\n` : "";
  return `import json\nimport urllib.request\n\nquery = ${inPython(body.query)}\n${values}` +
    `body = json.dumps({"query": query${names}}).encode()\n` +
    `request = urllib.request.Request("${endpoint}", body, {"Content-Type": "application/json"})\n` +
    `with urllib.request.urlopen(request) as response:\n    answer = json.load(response)\nprint(json.dumps(answer, indent=2))\n`;
}

const commands = {
  curl: (body) => `curl -sS ${endpoint} -H 'Content-Type: application/json' --data-binary ${inShell(JSON.stringify(body))}`,
  python: asPython,
};

for (const button of document.querySelectorAll("[data-copy]")) {
  const name = button.textContent;
  button.addEventListener("click", async () => {
    let said = "Copied";
    try {
      await navigator.clipboard.writeText(commands[button.dataset.copy]({ query: query.value, variables: given() }));
    } catch (error) {
      said = error instanceof SyntaxError ? "Variables are not JSON" : "Not allowed here";
    }
    button.textContent = said;
    setTimeout(() => (button.textContent = name), 1600);
  });
}

if (answer.textContent) paintJson(answer, answer.textContent);
showSchema({
  ask, insert: editor.insert, find: by("find"), trail: document.querySelector(".trail"), place: by("type"),
});
