// A button on every box of code, which copies it.
function addButtons() {
  const kinds = ["python", "Python", "bash", "default", "bibtex"];
  for (const box of document.querySelectorAll(kinds.map((kind) => `div.highlight-${kind}`).join())) {
    const code = box.querySelector("pre");
    if (!code) continue;
    const button = document.createElement("button");
    button.className = "copy";
    button.type = "button";
    button.textContent = "Copy";
    button.addEventListener("click", async () => {
      await navigator.clipboard.writeText(code.innerText);
      button.textContent = "Copied";
      setTimeout(() => { button.textContent = "Copy"; }, 1500);
    });
    box.append(button);
  }
}

// Tables of three columns become a section for each row on a phone; then each cell says which column it is of.
function labelCells() {
  for (const table of document.querySelectorAll("main table")) {
    const heads = [...table.querySelectorAll("thead th")].map((cell) => cell.innerText.trim());
    if (heads.length > 3) continue;
    table.classList.add("narrow");
    for (const row of table.tBodies[0]?.rows ?? []) {
      [...row.cells].forEach((cell, number) => {
        if (number > 0 && heads[number]) cell.dataset.label = heads[number];
      });
    }
  }
}

document.addEventListener("DOMContentLoaded", () => {
  addButtons();
  labelCells();
});
