// Colours for GraphQL and JSON, as spans with classes. Long texts stay plain, so that nothing becomes slow.
const LONGEST = 200_000;
const JSON_PARTS = /("(?:[^"\\]|\\.)*")(\s*:)?|(-?\d[\d.eE+-]*)|\b(true|false|null)\b/g;
const GRAPHQL_PARTS =
  /(#[^\n]*)|("""[\s\S]*?"""|"(?:[^"\\\n]|\\.)*"?)|(\$[A-Za-z_]\w*)|(-?\b\d[\d.eE+-]*)|\b(query|fragment|on|true|false|null)\b|([A-Za-z_]\w*)(?=\s*:)|(@\w+)/g;

function span(kind, text) {
  const made = document.createElement("span");
  made.className = `c-${kind}`;
  made.textContent = text;
  return made;
}

function paint(place, text, pattern, kindOf) {
  if (text.length > LONGEST) {
    place.textContent = text;
    return;
  }
  const parts = [];
  let end = 0;
  for (const match of text.matchAll(pattern)) {
    const [kind, word] = kindOf(match);
    parts.push(text.slice(end, match.index), span(kind, word));
    end = match.index + word.length;
  }
  place.replaceChildren(...parts, text.slice(end));
}

export function paintJson(place, text) {
  paint(place, text, JSON_PARTS, ([, string, colon, number, word]) =>
    string ? [colon ? "key" : "text", string] : number ? ["number", number] : ["word", word]);
}

export function paintGraphql(place, text) {
  const kinds = ["comment", "text", "variable", "number", "word", "key", "word"];
  paint(place, text, GRAPHQL_PARTS, (match) => {
    const number = match.slice(1).findIndex((part) => part !== undefined);
    return [kinds[number], match[number + 1]];
  });
}
