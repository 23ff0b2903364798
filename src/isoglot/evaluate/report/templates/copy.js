// Copies a text that the page shows; where the browser refuses, it is selected instead.
function makeCopy(line) {
  const button = line.querySelector("button");
  const text = document.getElementById(button.dataset.copies);
  const status = line.querySelector("[role=status]");

  button.addEventListener("click", async () => {
    try {
      await navigator.clipboard.writeText(text.textContent);
      status.textContent = "Copied.";
    } catch {
      getSelection().selectAllChildren(text);
      status.textContent = "Selected: copy with the keyboard.";
    }
  });
  line.hidden = false;
}

document.querySelectorAll(".copy").forEach(makeCopy);
