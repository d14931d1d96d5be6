"use strict";
// Search over names, columns, descriptions, tags and SQL: ranked, driven by the keyboard. The texts are loaded when it opens.
(() => {
  const { h, icon, fill, model, load, router, format } = window.c360;
  const { nodes, tests, macros } = model;
  const most = 40;
  let entries = null;
  let hasTexts = false;

  const lower = (text) => (text || "").toLowerCase();

  /** Something that can be found: its title, where it leads, and the texts that it is found by. */
  function entry(kind, title, href, { type, weight = 0, note = "", tags = "", text = "" }) {
    return {
      kind,
      type,
      title,
      href,
      note,
      name: lower(title),
      tags: lower(tags),
      text,
      lowText: lower(text),
      sql: "",
      lowSql: "",
      weight,
    };
  }

  const weights = { model: 14, source: 12, exposure: 12, destination: 10, seed: 9, snapshot: 9 };

  function build() {
    const found = nodes.map((node) =>
      entry("node", node.name, model.hrefs.node(node), {
        type: node.type,
        weight: weights[node.type] || 6,
        note: model.typeOf(node.type).one,
        tags: [...(node.tags || []), node.owner, node.layer, node.path].filter(Boolean).join(" "),
        text: node.summary,
      }),
    );
    for (const macro of macros)
      found.push(
        entry("macro", macro.name, model.hrefs.macro(macro), {
          type: "macro",
          weight: 4,
          note: "Macro",
          tags: macro.path,
          text: macro.summary,
        }),
      );
    for (const test of tests)
      found.push(
        entry("test", test.title, model.hrefs.test(test), {
          type: "test",
          weight: 0,
          note: "Test",
          tags: [test.column, nodes[test.node] && nodes[test.node].name].filter(Boolean).join(" "),
        }),
      );
    return found;
  }

  /** Adds what data/search.js and then data/sql.js bring. */
  async function loadTexts(again) {
    if (hasTexts) return;
    hasTexts = true;
    const texts = await load("search").catch(() => null);
    if (texts) {
      for (const item of texts.nodes || []) {
        const node = nodes[item.n];
        if (!node) continue;
        const own = entries[item.n];
        if (item.text) [own.text, own.lowText] = [item.text, lower(item.text)];
        for (const [name, about] of item.columns || []) {
          entries.push(
            entry("column", name, `${model.hrefs.node(node)}/columns?column=${encodeURIComponent(name)}`, {
              type: "column",
              weight: 5 + (weights[node.type] || 0) / 4,
              note: node.name,
              tags: node.name,
              text: about,
            }),
          );
        }
      }
      const own = (start, list, key) => {
        for (const item of list || [])
          if (entries[start + item[key]])
            [entries[start + item[key]].text, entries[start + item[key]].lowText] = [item.text, lower(item.text)];
      };
      own(nodes.length, texts.macros, "m");
      own(nodes.length + macros.length, texts.tests, "t");
      again();
    }
    const sql = await load("sql").catch(() => null);
    if (!sql) return;
    const put = (at, text) => {
      if (entries[at] && text) [entries[at].sql, entries[at].lowSql] = [text, lower(text)];
    };
    (sql.nodes || []).forEach((text, n) => put(n, text));
    (sql.macros || []).forEach((text, m) => put(nodes.length + m, text));
    for (const [t, text] of sql.tests || []) put(nodes.length + macros.length + t, text);
    again();
  }

  /** Are the letters of a word in a name, in order? As many points as they stand close. */
  function scattered(name, word) {
    let at = -1;
    let gaps = 0;
    for (const letter of word) {
      const next = name.indexOf(letter, at + 1);
      if (next < 0) return 0;
      if (at >= 0) gaps += next - at - 1;
      at = next;
    }
    return gaps <= word.length ? Math.max(1, 24 - gaps * 2) : 0;
  }

  function scoreWord(item, word) {
    if (item.name === word) return 120;
    const at = item.name.indexOf(word);
    if (at === 0) return 92 - Math.min(20, item.name.length - word.length);
    if (at > 0) return (/[^a-z0-9]/.test(item.name[at - 1]) ? 74 : 58) - Math.min(18, at / 2);
    if (item.tags.includes(word)) return 42;
    const text = item.lowText.indexOf(word);
    if (text >= 0) return text === 0 || /\W/.test(item.lowText[text - 1]) ? 34 : 24;
    if (word.length > 2 && item.lowSql.includes(word)) return 14;
    return word.length > 2 && item.kind !== "test" ? scattered(item.name, word) : 0;
  }

  /** The best entries for a query. */
  function find(query) {
    const words = lower(query).split(/\s+/).filter(Boolean);
    if (words.length === 0) return [];
    const found = [];
    for (const item of entries) {
      let score = item.weight;
      let fits = true;
      for (const word of words) {
        const points = scoreWord(item, word);
        if (points === 0) {
          fits = false;
          break;
        }
        score += points;
      }
      if (fits) found.push({ item, score });
    }
    found.sort(
      (a, b) =>
        b.score - a.score || a.item.title.length - b.item.title.length || (a.item.title < b.item.title ? -1 : 1),
    );
    return found.slice(0, most).map(({ item }) => item);
  }

  /** A text with the words of the query marked. */
  function marked(text, words) {
    const low = lower(text);
    const cuts = [];
    for (const word of words) {
      for (let at = low.indexOf(word); at >= 0 && cuts.length < 60; at = low.indexOf(word, at + word.length))
        cuts.push([at, at + word.length]);
    }
    cuts.sort((a, b) => a[0] - b[0]);
    const pieces = [];
    let from = 0;
    for (const [start, end] of cuts) {
      if (start < from) continue;
      if (start > from) pieces.push(text.slice(from, start));
      pieces.push(h("mark", {}, text.slice(start, end)));
      from = end;
    }
    if (from < text.length) pieces.push(text.slice(from));
    return pieces;
  }

  /** The part of a text around the first word that is in it. */
  function around(text, words) {
    const low = lower(text);
    const at =
      words
        .map((word) => low.indexOf(word))
        .filter((i) => i >= 0)
        .sort((a, b) => a - b)[0] ?? 0;
    const start = at > 70 ? text.lastIndexOf(" ", at - 40) + 1 : 0;
    return `${start > 0 ? "… " : ""}${text.slice(start, start + 190)}`;
  }

  function why(item, words) {
    if (item.text && (words.some((word) => item.lowText.includes(word)) || !item.sql))
      return h("span", { class: "why" }, marked(around(item.text, words), words));
    const isSql = item.sql && words.some((word) => item.lowSql.includes(word) && !item.name.includes(word));
    if (isSql)
      return h("span", { class: "why" }, h("code", {}, marked(around(item.sql.replace(/\s+/g, " "), words), words)));
    return item.text ? h("span", { class: "why" }, item.text) : null;
  }

  let dialog = null;
  let field;
  let list;
  let foot;
  let shown = [];
  let current = 0;

  function choose(index) {
    current = index;
    [...list.querySelectorAll('[role="option"]')].forEach((option, i) => {
      option.setAttribute("aria-selected", String(i === index));
      if (i === index) option.scrollIntoView({ block: "nearest" });
    });
    field.setAttribute("aria-activedescendant", shown.length > 0 ? `found-${index}` : "");
  }

  /** Without a query: the ways into the site. */
  function suggestions() {
    const go = (title, href, type, note) => ({ kind: "go", title, href, type, note, text: "" });
    return [
      go("Lineage graph", "#/lineage", "graph", "g l"),
      ...[...model.byType.keys()].map((type) =>
        go(model.typeOf(type).many, `#/${model.typeOf(type).route}`, type, format.count(model.byType.get(type).length)),
      ),
      go("Tests", "#/tests", "test", format.count(tests.length)),
      go("Macros", "#/macros", "macro", format.count(macros.length)),
      go("Runs", "#/runs", "run", format.count(model.runs.length)),
    ];
  }

  function update() {
    const words = lower(field.value).split(/\s+/).filter(Boolean);
    shown = words.length > 0 ? find(field.value) : suggestions();
    fill(
      list,
      shown.map((item, i) =>
        h(
          "li",
          {
            role: "option",
            id: `found-${i}`,
            "aria-selected": "false",
            "data-kind": item.kind,
            on: { click: () => follow(i), pointermove: () => current !== i && choose(i) },
          },
          icon(item.type === "column" ? "columns" : item.type === "graph" ? "graph" : item.type, `t-${item.type}`),
          h("span", { class: item.kind === "go" ? "what plain" : "what" }, marked(item.title, words)),
          h("span", { class: "kind" }, item.note),
          item.kind === "go" ? null : why(item, words),
        ),
      ),
    );
    if (shown.length === 0) list.append(h("li", { class: "nothing", role: "presentation" }, "Nothing found."));
    foot.textContent =
      words.length === 0 ? "" : shown.length === most ? `the best ${most}` : format.plural(shown.length, "result");
    choose(0);
    list.scrollTop = 0;
  }

  function follow(index) {
    const item = shown[index];
    if (!item) return;
    dialog.close();
    router.go(item.href);
  }

  function keys(event) {
    const step = { ArrowDown: 1, ArrowUp: -1, PageDown: 8, PageUp: -8 }[event.key];
    if (step && shown.length > 0)
      choose(
        Math.abs(step) === 1
          ? (current + step + shown.length) % shown.length
          : Math.min(shown.length - 1, Math.max(0, current + step)),
      );
    else if (event.key === "Enter") follow(current);
    else if (event.key === "Home" && field.value === "") choose(0);
    else return;
    event.preventDefault();
  }

  function make() {
    field = h("input", {
      type: "text",
      role: "combobox",
      "aria-expanded": "true",
      "aria-controls": "found",
      "aria-autocomplete": "list",
      "aria-label": "Search",
      placeholder: "Search models, columns, descriptions, tags, SQL",
      autocomplete: "off",
      spellcheck: "false",
      on: { input: update, keydown: keys },
    });
    list = h("ul", { class: "search-list", role: "listbox", id: "found", "aria-label": "Results" });
    foot = h("span", { role: "status" });
    dialog = h(
      "dialog",
      { class: "search", "aria-label": "Search" },
      h("div", { class: "search-head" }, icon("search"), field, h("kbd", {}, "esc")),
      list,
      h(
        "div",
        { class: "search-foot" },
        h("span", {}, h("kbd", {}, "↑"), " ", h("kbd", {}, "↓"), " choose"),
        h("span", {}, h("kbd", {}, "↵"), " open"),
        foot,
      ),
    );
    dialog.addEventListener("click", (event) => {
      if (event.target === dialog) dialog.close();
    });
    document.body.append(dialog);
  }

  function open(query = "") {
    if (!entries) entries = build();
    if (!dialog) make();
    if (!dialog.open) dialog.showModal();
    field.value = query;
    field.focus();
    update();
    loadTexts(() => dialog.open && update());
  }

  window.c360.search = { open, find: (query) => find(query), isOpen: () => Boolean(dialog && dialog.open) };
})();
