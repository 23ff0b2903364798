"use strict";
// The page is complete without this script. It only moves rows that are there.

function sortBy(table, column, header) {
  const body = table.tBodies[0];
  const isText = header.dataset.kind === "text";
  const now = header.getAttribute("aria-sort");
  const down = now ? now === "ascending" : !isText;
  const key = (row) => {
    const cell = row.cells[column];
    if (isText) return cell.textContent.trim();
    return cell.dataset.value === undefined ? NaN : Number(cell.dataset.value);
  };
  const compare = (a, b) => {
    const [x, y] = [key(a), key(b)];
    if (isText) return (down ? -1 : 1) * x.localeCompare(y);
    if (Number.isNaN(x) || Number.isNaN(y)) return Number.isNaN(x) - Number.isNaN(y);
    return down ? y - x : x - y;
  };
  body.append(...[...body.rows].sort(compare));
  for (const other of table.tHead.querySelectorAll("[aria-sort]")) other.removeAttribute("aria-sort");
  header.setAttribute("aria-sort", down ? "descending" : "ascending");
}

function makeSortable(table) {
  table.querySelectorAll(".live").forEach((note) => { note.hidden = false; });
  const rows = [...table.tHead.rows];
  const whole = [...rows[0].cells].filter((cell) => rows.length > 1 && cell.rowSpan > 1);
  const leaves = [...whole, ...rows.at(-1).cells];
  leaves.forEach((header, column) => {
    if (header.dataset.kind === "none") return;
    const button = document.createElement("button");
    button.type = "button";
    button.append(...header.childNodes);
    header.append(button);
    button.addEventListener("click", () => sortBy(table, column, header));
  });
}

document.querySelectorAll("table.sortable").forEach(makeSortable);
