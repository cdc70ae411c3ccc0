// A button on every box of code, which copies it.
document.addEventListener("DOMContentLoaded", () => {
  const boxes = "div.highlight-python, div.highlight-bash, div.highlight-default, div.highlight-bibtex, div.highlight-Python";
  for (const box of document.querySelectorAll(boxes)) {
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
});
