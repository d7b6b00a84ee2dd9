// The basket without leaving the page: what is picked is sent, the counter in the header and the button tell the result.
const form = document.getElementById("basket-form");
const told = document.getElementById("basket-told");
const count = document.getElementById("basket-count");
let fading = 0;

function tell(text, isWrong) {
  clearTimeout(fading);
  told.textContent = text;
  told.classList.toggle("wrong", isWrong);
  fading = setTimeout(() => (told.textContent = ""), isWrong ? 12000 : 5000);
}

function turn(button) {
  const isIn = button.name === "add";
  button.name = isIn ? "remove" : "add";
  button.textContent = isIn ? "Take out of basket" : "Add to basket";
}

async function send(button) {
  const fields = new URLSearchParams(new FormData(form, button));
  if (!fields.size) return tell("Nothing is ticked.", true);
  const answer = await fetch(form.action, { method: "POST", body: fields, headers: { accept: "application/json" } });
  const said = await answer.json();
  if (!answer.ok) return tell(said.error.message, true);
  count.textContent = said.count ? said.count.toLocaleString("en") : "";
  tell(said.text, false);
  if (button.classList.contains("pick")) turn(button);
  for (const box of form.elements) if (box.type === "checkbox") box.checked = false;
}

// A button that was pressed sends what it says; the boxes are for the one without a name.
function own(button) {
  if (!button.name) return;
  for (const box of form.elements) if (box.type === "checkbox") box.checked = false;
}

form?.addEventListener("submit", (event) => {
  event.preventDefault();
  own(event.submitter);
  send(event.submitter).catch(() => form.submit());
});

// Ticking a row does not change the filters around it.
document.addEventListener("change", (event) => form && event.target.form === form && event.stopPropagation(), true);
