// Hides what does not have the typed name; rows stay in the order they were sorted in.
function makeFilter(box) {
  const section = box.closest(".filtered");
  const field = box.querySelector("input");
  const status = box.querySelector("[role=status]");
  const items = [...section.querySelectorAll(".item")];
  const first = items.filter((item) => item.parentElement === items[0].parentElement);
  const named = items.map((item) => [...item.querySelectorAll(".item-name")].map((name) => name.textContent).join(" ").toLowerCase());

  field.addEventListener("input", () => {
    const wanted = field.value.trim().toLowerCase();
    items.forEach((item, index) => { item.hidden = !named[index].includes(wanted); });
    const shown = first.filter((item) => !item.hidden).length;
    status.textContent = wanted === "" ? "" : shown === 0 ? "Nothing has this name." : `${shown} shown`;
  });
  box.hidden = false;
}

document.querySelectorAll(".filter").forEach(makeFilter);
