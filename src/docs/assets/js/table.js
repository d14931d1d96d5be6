"use strict";
// A table that sorts and filters, and draws only as many rows as are looked at.
(() => {
  const { h, icon, format } = window.c360;
  const chunk = 200;

  /** -1, 0, 1; what is not known comes last whichever way the table is sorted. */
  function compare(a, b, direction) {
    const missing = (value) => value === undefined || value === null || value === "";
    if (missing(a) || missing(b)) return missing(a) - missing(b);
    const order =
      typeof a === "number" && typeof b === "number"
        ? a - b
        : String(a).localeCompare(String(b), "en", { numeric: true });
    return order * direction;
  }

  /**
   * columns: [{key, title, cell(row), value(row), number, sortable, className}]; `filter(row, words)` decides what a search leaves.
   */
  function table({ label, columns, rows, sort, text, facets = [], onState, empty = "Nothing here." }) {
    let order = { key: sort && sort.key, direction: (sort && sort.direction) || 1 };
    let query = (sort && sort.query) || "";
    const chosen = new Map(facets.map((facet) => [facet.key, (sort && sort.facets && sort.facets[facet.key]) || ""]));
    let shown = chunk;
    const body = h("tbody", {});
    const tally = h("span", { class: "tally", role: "status" });
    const more = h(
      "button",
      { class: "button more", type: "button", on: { click: () => draw((shown += chunk * 5)) } },
      "Show more",
    );
    const heads = columns.map((column) => {
      if (column.sortable === false) return h("th", { scope: "col", class: column.className }, column.title);
      const button = h(
        "button",
        { type: "button", on: { click: () => toggle(column) } },
        column.title,
        icon("down", "sort"),
      );
      return h("th", { scope: "col", class: `${column.number ? "number" : ""} ${column.className || ""}` }, button);
    });

    function toggle(column) {
      const first = column.number ? -1 : 1;
      order =
        order.key === column.key
          ? { key: column.key, direction: -order.direction }
          : { key: column.key, direction: first };
      draw();
      tell();
    }

    function tell() {
      if (onState) onState({ key: order.key, direction: order.direction, query, facets: Object.fromEntries(chosen) });
    }

    function visible() {
      const words = query.toLowerCase().split(/\s+/).filter(Boolean);
      return rows.filter((row) => {
        if (facets.some((facet) => chosen.get(facet.key) && String(facet.of(row)) !== chosen.get(facet.key)))
          return false;
        if (words.length === 0) return true;
        const haystack = text(row).toLowerCase();
        return words.every((word) => haystack.includes(word));
      });
    }

    function draw() {
      const found = visible();
      const column = columns.find((other) => other.key === order.key);
      if (column) found.sort((a, b) => compare(column.value(a), column.value(b), order.direction));
      columns.forEach((other, i) => {
        if (other.key === order.key)
          heads[i].setAttribute("aria-sort", order.direction > 0 ? "ascending" : "descending");
        else heads[i].removeAttribute("aria-sort");
      });
      body.replaceChildren(
        ...found.slice(0, shown).map((row) =>
          h(
            "tr",
            {},
            columns.map((other) =>
              h("td", { class: `${other.number ? "number" : ""} ${other.className || ""}` }, other.cell(row)),
            ),
          ),
        ),
      );
      if (found.length === 0)
        body.append(
          h("tr", {}, h("td", { class: "nothing", colspan: columns.length }, rows.length === 0 ? empty : "No match.")),
        );
      tally.textContent =
        found.length === rows.length
          ? format.count(rows.length)
          : `${format.count(found.length)} of ${format.count(rows.length)}`;
      more.hidden = found.length <= shown;
    }

    const filter = h("input", {
      type: "search",
      class: "input",
      placeholder: "Filter",
      "aria-label": `Filter ${label}`,
      value: query,
      autocomplete: "off",
      spellcheck: "false",
      on: {
        input: () => {
          query = filter.value;
          draw();
          tell();
        },
      },
    });
    const selects = facets.map((facet) => {
      const values = [
        ...new Set(rows.map((row) => facet.of(row)).filter((value) => value !== undefined && value !== "")),
      ]
        .map(String)
        .sort();
      if (values.length < 2) return null;
      const select = h(
        "select",
        {
          class: "input",
          "aria-label": facet.title,
          on: {
            change: () => {
              chosen.set(facet.key, select.value);
              draw();
              tell();
            },
          },
        },
        h("option", { value: "" }, `${facet.title}: all`),
        values.map((value) => h("option", { value }, value)),
      );
      select.value = chosen.get(facet.key);
      return select;
    });
    draw();
    return h(
      "div",
      { class: "list" },
      rows.length > 0 && h("div", { class: "list-tools" }, filter, selects, tally),
      h(
        "div",
        { class: "scroll", tabindex: "0", role: "region", "aria-label": label },
        h("table", { class: "grid" }, h("thead", {}, h("tr", {}, heads)), body),
      ),
      more,
    );
  }

  Object.assign(window.c360, { table });
})();
