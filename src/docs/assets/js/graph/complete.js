"use strict";
// What may be typed next in a selection: names, methods, and a method's values.
(() => {
  const { h, icon, fill, model, columns } = window.c360;
  const { nodes } = model;
  const most = 8;

  const unique = (values) => [...new Set(values.filter((value) => value !== undefined && value !== ""))].sort();

  function folders() {
    const found = [];
    for (const node of nodes) {
      const parts = String(node.path || "").split("/");
      for (let i = 1; i <= parts.length; i += 1) found.push(parts.slice(0, i).join("/"));
    }
    return found;
  }

  /** The values of a method; nothing for one whose values are not few. */
  function valuesOf(method) {
    switch (method) {
      case "tag":
        return nodes.flatMap((node) => node.tags || []);
      case "source":
        return nodes.filter((node) => node.type === "source").flatMap((node) => [node.sourceName, node.name]);
      case "exposure":
      case "destination":
        return nodes.filter((node) => node.type === method).map((node) => node.short || node.name);
      case "type":
      case "resource_type":
        return [...model.byType.keys()];
      case "owner":
      case "group":
      case "package":
      case "access":
        return nodes.map((node) => node[method]);
      case "config.materialized":
        return nodes.map((node) => node.materialized);
      case "path":
        return folders();
      case "result":
        return nodes.map((node) => node.status);
      case "column":
        return columns.loaded()
          ? nodes.flatMap((node) => columns.names(node.n).map((name) => `${node.name}.${name}`))
          : [];
      default:
        return [];
    }
  }

  const methods = [
    "tag:",
    "path:",
    "source:",
    "type:",
    "owner:",
    "exposure:",
    "destination:",
    "config.materialized:",
    "package:",
    "group:",
    "column:",
    "result:",
    "exclude:",
  ];

  /** The word before the caret in three parts: what stays, the method, what is being typed. */
  function wordAt(text, caret) {
    const before = text.slice(0, caret);
    const start = Math.max(before.lastIndexOf(" "), before.lastIndexOf(",")) + 1;
    const word = before.slice(start);
    const lead = /^(exclude:)?@?(\d*\+)?/.exec(word)[0];
    const rest = word.slice(lead.length);
    const method = /^([\w.]+):/.exec(rest);
    return {
      from: start + lead.length,
      method: method ? method[1] : "",
      typed: method ? rest.slice(method[0].length) : rest,
    };
  }

  /** Values that fit what is typed: those that begin with it first. */
  function suggestions({ method, typed }) {
    if (method === "" && typed === "") return [];
    const all = unique(
      method
        ? valuesOf(method)
        : nodes
            .filter((node) => node.type !== "source")
            .map((node) => node.short || node.name)
            .concat(methods),
    );
    const low = typed.toLowerCase();
    const rank = (value) => {
      const at = value.toLowerCase().indexOf(low);
      return at < 0 ? -1 : at === 0 ? 0 : 1;
    };
    const found = all.filter((value) => !/[\s,]/.test(value) && rank(value) >= 0 && value !== typed);
    found.sort((a, b) => rank(a) - rank(b) || a.length - b.length);
    return found.slice(0, most);
  }

  let count = 0;

  /** Adds a list to a field; `onChoose` is told when a value was taken. */
  function complete(field, onChoose) {
    count += 1;
    const id = `complete-${count}`;
    const list = h("ul", { class: "complete", role: "listbox", id, hidden: true, "aria-label": "Suggestions" });
    let shown = [];
    let word = null;
    let current = -1;
    field.setAttribute("role", "combobox");
    field.setAttribute("aria-autocomplete", "list");
    field.setAttribute("aria-controls", id);
    field.setAttribute("aria-expanded", "false");

    function close() {
      list.hidden = true;
      shown = [];
      current = -1;
      field.setAttribute("aria-expanded", "false");
      field.removeAttribute("aria-activedescendant");
    }

    function mark(index) {
      current = index;
      [...list.children].forEach((item, i) => item.setAttribute("aria-selected", String(i === index)));
      if (index >= 0) field.setAttribute("aria-activedescendant", `${id}-${index}`);
    }

    function take(index) {
      const value = shown[index];
      const caret = field.selectionStart;
      const text = `${word.method ? `${word.method}:` : ""}${value}`;
      field.value = field.value.slice(0, word.from) + text + field.value.slice(caret);
      field.setSelectionRange(word.from + text.length, word.from + text.length);
      close();
      if (value.endsWith(":")) update();
      else onChoose();
    }

    function update() {
      word = wordAt(field.value, field.selectionStart);
      if (word.method === "column" && !columns.loaded())
        columns.ready().then(
          () => document.activeElement === field && update(),
          () => {},
        );
      shown = suggestions(word);
      if (shown.length === 0) {
        close();
        return;
      }
      fill(
        list,
        shown.map((value, i) => {
          const node = nodes.find((other) => (other.short || other.name) === value || other.name === value);
          return h(
            "li",
            {
              role: "option",
              id: `${id}-${i}`,
              "aria-selected": "false",
              on: { pointerdown: (event) => (event.preventDefault(), take(i)) },
            },
            icon(
              node && word.method !== "tag" ? node.type : value.endsWith(":") ? "search" : "link",
              node ? `t-${node.type}` : "t-test",
            ),
            h("span", { class: "mono" }, word.method ? h("span", { class: "muted" }, `${word.method}:`) : null, value),
          );
        }),
      );
      list.hidden = false;
      field.setAttribute("aria-expanded", "true");
      mark(-1);
    }

    field.addEventListener("input", update);
    field.addEventListener("blur", close);
    field.addEventListener(
      "keydown",
      (event) => {
        if (list.hidden) return;
        const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
        if (step) mark((current + step + shown.length + (current < 0 && step < 0 ? 1 : 0)) % shown.length);
        else if (event.key === "Tab" && !event.shiftKey) take(Math.max(0, current));
        else if (event.key === "Enter" && current >= 0) take(current);
        else if (event.key === "Enter") {
          close();
          return;
        } else if (event.key === "Escape") close();
        else return;
        event.preventDefault();
        event.stopImmediatePropagation();
      },
      true,
    );
    return list;
  }

  window.c360.complete = complete;
})();
