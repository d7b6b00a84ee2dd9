// Adds a button to every command that puts its text on the clipboard, also to those that come later.
function equip(root) {
  for (const command of root.querySelectorAll(".command:not(:has(> .copy))")) command.append(copying(command));
}

function copying(command) {
  const button = document.createElement("button");
  button.type = "button";
  button.className = "copy";
  button.textContent = "Copy";
  button.addEventListener("click", async () => {
    const text = command.querySelector("code").textContent;
    try {
      await navigator.clipboard.writeText(text);
      button.textContent = "Copied";
    } catch {
      getSelection().selectAllChildren(command.querySelector("code"));
      button.textContent = "Selected";
    }
    setTimeout(() => (button.textContent = "Copy"), 1600);
  });
  return button;
}

equip(document);
document.addEventListener("portal:content", (event) => equip(event.detail));
document.addEventListener("htmx:load", (event) => equip(event.target));
