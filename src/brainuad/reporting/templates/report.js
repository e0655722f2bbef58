// Sortable tables and the choice between light and dark; pages are complete without it.
"use strict";

(function () {
  const order = { ascending: 1, descending: -1 };

  function sortValue(cell) {
    const text = cell.dataset.value !== undefined ? cell.dataset.value : cell.textContent.trim();
    const number = parseFloat(text.replace("−", "-").replace("<", ""));
    return { text, number: Number.isNaN(number) ? null : number };
  }

  function compare(a, b, sign) {
    if (a.number !== null && b.number !== null) return sign * (a.number - b.number);
    if (a.number !== null || b.number !== null) return a.number !== null ? -1 : 1;
    if (a.text === "" || b.text === "") return a.text === "" ? 1 : -1;
    return sign * a.text.localeCompare(b.text);
  }

  // The position of a heading among the cells of a row, with headings that span rows or columns.
  function columnOf(heading) {
    const rows = Array.from(heading.closest("thead").rows);
    const taken = rows.map(() => []);
    for (const [index, row] of rows.entries()) {
      let column = 0;
      for (const cell of row.cells) {
        while (taken[index][column]) column += 1;
        if (cell === heading) return column;
        for (let r = 0; r < cell.rowSpan; r += 1) {
          for (let c = 0; c < cell.colSpan; c += 1) taken[index + r][column + c] = true;
        }
        column += cell.colSpan;
      }
    }
    return 0;
  }

  function sortBy(heading) {
    const table = heading.closest("table");
    const first = heading.dataset.first || (heading.classList.contains("num") ? "descending" : "ascending");
    const second = first === "ascending" ? "descending" : "ascending";
    const direction = heading.getAttribute("aria-sort") === first ? second : first;
    const column = columnOf(heading);
    for (const other of table.querySelectorAll("th[aria-sort]")) other.removeAttribute("aria-sort");
    heading.setAttribute("aria-sort", direction);
    const body = table.tBodies[0];
    Array.from(body.rows)
      .map((row) => ({ row, value: sortValue(row.cells[column]) }))
      .sort((a, b) => compare(a.value, b.value, order[direction]))
      .forEach(({ row }) => body.appendChild(row));
  }

  for (const button of document.querySelectorAll("table.sortable thead button")) {
    button.addEventListener("click", () => sortBy(button.closest("th")));
  }

  const root = document.documentElement;
  const toggle = document.getElementById("theme");
  const dark = () =>
    root.dataset.theme ? root.dataset.theme === "dark" : matchMedia("(prefers-color-scheme: dark)").matches;

  function show(theme) {
    if (theme) root.dataset.theme = theme;
    toggle.textContent = dark() ? "Light" : "Dark";
    toggle.setAttribute("aria-label", `Switch to ${dark() ? "light" : "dark"} colours`);
  }

  // Some browsers refuse storage to pages opened from a disk.
  function stored(theme) {
    try {
      if (theme) localStorage.setItem("brainuad-theme", theme);
      return localStorage.getItem("brainuad-theme");
    } catch (error) {
      return null;
    }
  }

  toggle.hidden = false;
  toggle.addEventListener("click", () => {
    const theme = dark() ? "light" : "dark";
    stored(theme);
    show(theme);
  });
  show(stored());
})();
