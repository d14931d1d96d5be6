"use strict";
// Above the graph: what to show, how far, in which colours; and the ways to take it along.
(() => {
  const { h, icon, model, paint, format } = window.c360;
  const { nodes } = model;

  /** What a card's colour may stand for: {title, of(node) -> name, colours}. */
  function scales() {
    const ranked = (names) => [...new Set(names)];
    const byLayer = ranked(
      [...nodes]
        .filter((node) => model.graph.layer[node.n] >= 0)
        .sort((a, b) => model.graph.layer[a.n] - model.graph.layer[b.n] || a.n - b.n)
        .map((node) => node.layer || node.type),
    );
    const owners = ranked(nodes.map((node) => node.owner).filter(Boolean)).sort();
    const types = ranked(nodes.map((node) => node.type));
    const cycle = (names, name) => paint.colours().scale[names.indexOf(name) % 10];
    const times = nodes
      .map((node) => node.seconds)
      .filter((s) => s !== undefined)
      .sort((a, b) => a - b);
    const cutAt = [0.5, 0.75, 0.9, 0.97].map(
      (share) => times[Math.min(times.length - 1, Math.floor(times.length * share))] || 0,
    );
    const bins = ["fastest half", "slower", "slow", "slowest tenth", "slowest of all"];
    const heat = () =>
      paint.colours().dark
        ? ["#3f6f6a", "#5f9a68", "#c2a83e", "#dd8243", "#ef5c51"]
        : ["#7fb7ae", "#63a26b", "#d3ac2b", "#dd7a35", "#d63c32"];
    const tones = { ok: "fine", warn: "warning", bad: "failed", skip: "skipped", none: "not run" };
    const grey = () => paint.colours()["skip-mark"];
    return {
      layer: {
        title: "Layer",
        names: byLayer,
        colour: (name) => cycle(byLayer, name),
        of: (node) => node.layer || node.type,
        own: (node) => node.color,
      },
      type: {
        title: "Type",
        names: types,
        colour: (name) => cycle(types, name),
        of: (node) => node.type,
        label: (name) => model.typeOf(name).one,
      },
      status: {
        title: "Status",
        names: Object.keys(tones),
        colour: (name) => paint.toneColour(name) || grey(),
        of: (node) => model.health(node),
        label: (name) => tones[name],
      },
      duration: {
        title: "Duration",
        names: times.length > 0 ? [0, 1, 2, 3, 4] : [],
        colour: (name) => (name === undefined ? grey() : heat()[name]),
        of: (node) => (node.seconds === undefined ? undefined : cutAt.filter((cut) => node.seconds > cut).length),
        label: (name) =>
          name === 0
            ? `up to ${format.seconds(cutAt[0])}`
            : name === 4
              ? `over ${format.seconds(cutAt[3])}`
              : `${bins[name]}, up to ${format.seconds(cutAt[name])}`,
      },
      owner: {
        title: "Owner",
        names: owners,
        colour: (name) => (name ? cycle(owners, name) : grey()),
        of: (node) => node.owner,
      },
    };
  }

  function colouring(name) {
    const all = scales();
    const scale = all[name] || all.layer;
    return (node) => (scale.own && scale.own(node)) || scale.colour(scale.of(node));
  }

  /** What the colours mean, for the nodes that are shown. */
  function legend(name, visible) {
    const all = scales();
    const scale = all[name] || all.layer;
    const used = new Set(visible.map((n) => scale.of(nodes[n])));
    const names = scale.names.filter((each) => used.has(each));
    return h(
      "ul",
      { class: "legend", "aria-label": `Colours: ${scale.title.toLowerCase()}` },
      names
        .slice(0, 10)
        .map((each) =>
          h("li", {}, h("i", { vars: { "--colour": scale.colour(each) } }), scale.label ? scale.label(each) : each),
        ),
      names.length > 10 && h("li", {}, `and ${names.length - 10} more`),
      used.has(undefined) &&
        name !== "layer" &&
        h(
          "li",
          {},
          h("i", { vars: { "--colour": scale.colour(undefined) } }),
          name === "owner" ? "no owner" : "not run",
        ),
    );
  }

  /** A slider from 0 to as far as it goes; the last step is "all". */
  function depth(title, key, deepest, state, change) {
    const limit = Math.max(1, deepest) + 1;
    const value = state[key] === undefined || state[key] === Infinity ? limit : Math.min(limit, state[key]);
    const said = (n) => (n >= limit ? "all" : String(n));
    const shown = h("output", {}, said(value));
    const input = h("input", {
      type: "range",
      min: "0",
      max: String(limit),
      step: "1",
      value: String(value),
      "aria-label": `${title}: steps`,
    });
    input.setAttribute("aria-valuetext", said(value));
    input.addEventListener("input", () => {
      const n = Number(input.value);
      shown.textContent = said(n);
      input.setAttribute("aria-valuetext", said(n));
      change({ [key]: n >= limit ? Infinity : n });
    });
    return h("label", { class: "depth" }, h("span", {}, title), input, shown);
  }

  /** A field for a selection, with what went wrong below. */
  function selection(title, key, placeholder, state, change) {
    const field = h("input", {
      class: "input mono",
      type: "text",
      value: state[key] || "",
      placeholder,
      "aria-label": title,
      "data-field": key,
      autocomplete: "off",
      autocapitalize: "off",
      spellcheck: "false",
      enterkeyhint: "go",
    });
    let waiting = 0;
    const apply = () => {
      clearTimeout(waiting);
      change({ [key]: field.value.trim() });
    };
    const list = window.c360.complete(field, apply);
    field.addEventListener("input", () => {
      clearTimeout(waiting);
      waiting = setTimeout(apply, 260);
    });
    field.addEventListener("keydown", (event) => {
      if (event.key === "Enter") apply();
      if (event.key === "Escape") {
        if (field.value !== "") {
          field.value = "";
          apply();
        } else field.blur();
        event.stopPropagation();
      }
    });
    return { field, element: h("div", { class: "select-field" }, field, list) };
  }

  function menu(label, iconName, entries) {
    const list = h("div", { class: "popup", role: "menu", hidden: true });
    const button = h(
      "button",
      { class: "button", type: "button", "aria-haspopup": "menu", "aria-expanded": "false" },
      icon(iconName),
      h("span", {}, label),
    );
    const box = h("div", { class: "popup-box" }, button, list);
    const close = () => {
      list.hidden = true;
      button.setAttribute("aria-expanded", "false");
      document.removeEventListener("pointerdown", away);
    };
    const away = (event) => {
      if (!box.contains(event.target)) close();
    };
    const items = entries.map(([title, act]) =>
      h(
        "button",
        {
          type: "button",
          role: "menuitem",
          tabindex: "-1",
          on: {
            click: () => {
              close();
              button.focus();
              act();
            },
          },
        },
        title,
      ),
    );
    list.append(...items);
    button.addEventListener("click", () => {
      if (!list.hidden) return close();
      list.hidden = false;
      button.setAttribute("aria-expanded", "true");
      document.addEventListener("pointerdown", away);
      items[0].focus();
    });
    box.addEventListener("keydown", (event) => {
      if (list.hidden) return;
      const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
      if (step) items[(items.indexOf(document.activeElement) + step + items.length) % items.length].focus();
      else if (event.key === "Escape") {
        close();
        button.focus();
      } else return;
      event.preventDefault();
      event.stopPropagation();
    });
    return box;
  }

  window.c360.toolbar = { scales, colouring, legend, depth, selection, menu };
})();
