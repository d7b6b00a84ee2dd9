// The schema as pages of types: search, follow types, put fields into the query with a click.
const OF = "kind name ofType { kind name ofType { kind name ofType { kind name } } }";
const INPUTS = `{ name description defaultValue type { ${OF} } }`;
const QUESTION = `{ __schema { queryType { name } types { kind name description enumValues { name description }
  inputFields ${INPUTS} fields { name description type { ${OF} } args ${INPUTS} } } } }`;
const MOST_FOUND = 60;
const MOST_TYPES = 20;

const written = (type) => type.kind === "NON_NULL" ? `${written(type.ofType)}!` : type.kind === "LIST" ? `[${written(type.ofType)}]` : type.name;
const inner = (type) => (type.ofType ? inner(type.ofType) : type);

function element(name, attributes = {}, ...children) {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) {
    if (key === "onclick") made.addEventListener("click", value);
    else made.setAttribute(key, value);
  }
  made.append(...children);
  return made;
}

export async function showSchema({ ask, insert, find, trail, place }) {
  let types;
  try {
    const [text] = await ask({ query: QUESTION });
    types = new Map(JSON.parse(text).data.__schema.types.map((type) => [type.name, type]));
  } catch (error) {
    place.textContent = `The schema cannot be shown: ${error.message}`;
    return;
  }
  const way = ["Query"];

  const open = (name) => {
    const known = way.indexOf(name);
    way.splice(known < 0 ? way.length : known + 1, Infinity, ...(known < 0 ? [name] : []));
    find.value = "";
    show();
    place.scrollTop = 0;
    place.focus({ preventScroll: true });
  };

  const linked = (type) => {
    const target = inner(type).name;
    const text = written(type);
    const [before, after] = text.split(target);
    return element("span", { class: "of" }, before, element("button", { type: "button", onclick: () => open(target) }, target), after);
  };

  // What a click puts into the query: a field with as little below it as makes it valid.
  const snippet = (field, isInput) => {
    const type = types.get(inner(field.type).name);
    if (isInput) return type.kind === "INPUT_OBJECT" ? `${field.name}: {}` : `${field.name}: `;
    return `${field.name}${below(type)}`;
  };
  const below = (type) => {
    if (!type.fields) return "";
    const names = new Map(type.fields.map((field) => [field.name, field]));
    if (names.has("edges")) return "(first: 10) {\n  edges { node { id } }\n}";
    if (names.has("aggregate")) return " {\n  aggregate { count }\n}";
    return names.has("id") ? " {\n  id\n}" : ` {\n  ${type.fields[0].name}\n}`;
  };

  const row = (field, isInput, owner = "") => {
    const name = element("button", { type: "button", class: "field", title: "Put it into the query", onclick: () => insert(snippet(field, isInput)) }, field.name);
    const made = element("li", {}, owner && element("span", { class: "of" }, element("button", { type: "button", onclick: () => open(owner) }, owner), "."), name, ": ", linked(field.type));
    if (field.args?.length) {
      const rows = field.args.map((argument) => element("li", {}, `${argument.name}: `, linked(argument.type)));
      const names = field.args.map((argument) => argument.name).join(", ");
      made.append(element("details", {}, element("summary", {}, names), element("ul", { class: "arguments" }, ...rows)));
    }
    if (field.description) made.append(element("p", {}, field.description));
    return made;
  };

  const page = (type) => {
    const parts = [element("h2", {}, type.name)];
    if (type.description) parts.push(element("p", {}, type.description));
    const fields = type.fields ?? type.inputFields;
    if (fields) parts.push(element("ul", {}, ...fields.map((field) => row(field, Boolean(type.inputFields)))));
    if (type.enumValues) {
      parts.push(element("ul", {}, ...type.enumValues.map((value) =>
        element("li", {}, element("button", { type: "button", class: "field", onclick: () => insert(value.name) }, value.name)))));
    }
    return parts;
  };

  const results = (word) => {
    const fits = (name) => name.toLowerCase().includes(word);
    const all = [...types.values()].filter((type) => !type.name.startsWith("__"));
    const named = all.filter((type) => fits(type.name)).sort((a, b) => a.name.length - b.name.length);
    const objects = all.filter((type) => type.kind === "OBJECT" && !/(Aggregate|Functions|Columns|Options|Connection|Edge)$/.test(type.name));
    const fields = objects.flatMap((type) => type.fields.filter((field) => fits(field.name)).map((field) => [type.name, field]));
    fields.sort(([a], [b]) => (b === "Query") - (a === "Query"));
    const parts = [];
    if (fields.length) {
      const shown = fields.slice(0, MOST_FOUND).map(([owner, field]) => row(field, false, owner));
      parts.push(element("h3", {}, `Fields (${shown.length} of ${fields.length})`), element("ul", {}, ...shown));
    }
    if (named.length) {
      const shown = named.slice(0, MOST_TYPES).map((type) => element("li", {}, element("button", { type: "button", class: "field", onclick: () => open(type.name) }, type.name)));
      parts.push(element("h3", {}, `Types (${shown.length} of ${named.length})`), element("ul", {}, ...shown));
    }
    return parts.length ? parts : [element("p", {}, `Nothing is called “${word}”.`)];
  };

  const show = () => {
    const word = find.value.trim().toLowerCase();
    trail.replaceChildren(...way.map((name) => element("span", {}, element("button", { type: "button", onclick: () => open(name) }, name))));
    place.replaceChildren(...(word ? results(word) : page(types.get(way.at(-1)))));
  };

  find.addEventListener("input", show);
  find.addEventListener("keydown", (event) => { if (event.key === "Enter") event.preventDefault(); });
  show();
}
