"use strict";
// Sorts and filters the table. Without this script the page shows everything.
document.documentElement.classList.add("scripted");
addEventListener("DOMContentLoaded", () => {
  const step = 100;
  const get = id => document.getElementById(id);
  const table = get("list"), body = table.tBodies[0], find = get("find"), status = get("shown");
  const original = Array.from(body.rows);
  const boxes = Array.from(document.getElementsByName("level"));
  const headers = Array.from(table.tHead.rows[0].cells);
  const count = n => n.toLocaleString("en") + (n === 1 ? " address" : " addresses");
  const levels = ["unknown", "low", "medium", "high", "critical"];
  const texts = new Map();
  let rows = original, limit = step;

  const level = row => row.cells[1].textContent;
  const textOf = row => {
    if (!texts.has(row)) texts.set(row, Array.from(row.cells, cell => cell.textContent).join("\n").toLowerCase());
    return texts.get(row);
  };

  // show shows the rows that the filter selects, up to the limit. A printer prints the others too.
  const show = () => {
    const words = find.value.toLowerCase().split(/\s+/).filter(Boolean);
    const chosen = new Set(boxes.filter(box => box.checked).map(box => box.value));
    let matching = 0;
    for (const row of rows) {
      const matches = chosen.has(level(row)) && (words.length === 0 || words.every(word => textOf(row).includes(word)));
      if (matches) matching++;
      row.hidden = !matches;
      row.classList.toggle("later", matches && matching > limit);
    }
    const visible = Math.min(matching, limit);
    status.textContent = matching > visible ? "The first " + visible + " of " + count(matching) + (matching < original.length ? " that match" : "") :
      matching < original.length ? matching.toLocaleString("en") + " of " + count(original.length) : count(matching);
    get("more").parentElement.hidden = matching <= limit;
    get("all").textContent = "Show all " + matching.toLocaleString("en");
  };

  // Values that are missing come last in both directions.
  const number = text => text === "-" || text === "" ? null : parseFloat(text);
  const words = text => text === "" ? null : text.toLowerCase();
  const keys = [
    row => Number(row.dataset.n), row => levels.indexOf(level(row)), row => number(row.cells[2].textContent), row => number(row.cells[3].textContent),
    null, row => words(row.cells[5].textContent), row => words(row.cells[6].textContent), row => number(row.cells[7].textContent),
  ];
  const sort = (column, descending) => {
    const sign = descending ? -1 : 1;
    const keyed = original.map((row, i) => ({row, i, key: keys[column](row)}));
    keyed.sort((a, b) => {
      if (a.key === b.key) return a.i - b.i;
      if (a.key === null) return 1;
      if (b.key === null) return -1;
      return (a.key < b.key ? -1 : 1) * sign;
    });
    rows = keyed.map(entry => entry.row);
    body.append(...rows);
    headers.forEach((header, i) => {
      if (i === column) header.setAttribute("aria-sort", descending ? "descending" : "ascending");
      else header.removeAttribute("aria-sort");
    });
    show();
  };
  headers.forEach((header, column) => {
    if (!keys[column]) return;
    const button = document.createElement("button");
    button.type = "button";
    button.append(...header.childNodes);
    header.append(button);
    button.addEventListener("click", () => {
      const now = header.getAttribute("aria-sort");
      sort(column, now ? now === "ascending" : column > 0 && column < 4);
    });
  });

  const restart = () => { limit = step; show(); };
  find.addEventListener("input", restart);
  boxes.forEach(box => box.addEventListener("change", restart));
  get("reset").addEventListener("click", () => {
    find.value = "";
    boxes.forEach(box => { box.checked = true; });
    restart();
  });
  get("more").addEventListener("click", () => { limit += step; show(); });
  get("all").addEventListener("click", () => { limit = Infinity; show(); });
  document.querySelector("search").hidden = false;
  body.classList.add("ready");
  show();
});
