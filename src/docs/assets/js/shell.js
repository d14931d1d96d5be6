"use strict";
// The frame: side bar with the project's tree, crumbs, theme, keys.
(() => {
  const { h, svg, icon, fill, model, format, router, search } = window.c360;
  const { project, nodes, tests, macros, runs } = model;
  const side = document.getElementById("side");
  const top = document.getElementById("top");
  const veil = document.getElementById("veil");

  const mark = () =>
    svg(
      "svg",
      { class: "mark", viewBox: "0 0 32 32", "aria-hidden": "true" },
      svg("rect", { width: 32, height: 32, rx: 8, fill: "#4453d6" }),
      svg("path", { d: "M11 10.500c5 0 5 5.500 10 5.500M11 21.500c5 0 5-5.500 10-5.500", fill: "none", stroke: "#fff", "stroke-width": 2.4, "stroke-linecap": "round" }),
      [[9.5, 10.5], [9.5, 21.5], [22.5, 16]].map(([cx, cy]) => svg("circle", { cx, cy, r: 3, fill: "#fff" })),
    );

  function navLink(href, name, title, n) {
    return h("li", {}, h("a", { href, "data-nav": href }, icon(name), h("span", {}, title), n !== undefined && h("span", { class: "n" }, format.count(n))));
  }

  /** Folders and files of the project, as deep as they are. */
  function tree() {
    const root = { folders: new Map(), nodes: [] };
    for (const node of nodes) {
      if (["exposure", "destination", "source"].includes(node.type)) continue;
      const folders = node.package === project.name ? [] : [node.package];
      folders.push(...String(node.path || "").split("/").slice(0, -1));
      let at = root;
      for (const folder of folders) {
        if (!at.folders.has(folder)) at.folders.set(folder, { folders: new Map(), nodes: [] });
        at = at.folders.get(folder);
      }
      at.nodes.push(node);
    }
    const sources = nodes.filter((node) => node.type === "source");
    for (const node of sources) {
      const name = "sources";
      if (!root.folders.has(name)) root.folders.set(name, { folders: new Map(), nodes: [] });
      const inside = root.folders.get(name).folders;
      if (!inside.has(node.sourceName)) inside.set(node.sourceName, { folders: new Map(), nodes: [] });
      inside.get(node.sourceName).nodes.push(node);
    }
    return root;
  }

  function drawTree(folder, deep) {
    const items = [...folder.folders].sort((a, b) => a[0].localeCompare(b[0])).map(([name, inside]) => {
      const list = h("ul", {});
      const isOpen = deep === 0 && nodes.length < 60;
      const details = h("details", { open: isOpen }, h("summary", {}, icon("right"), icon("folder"), h("span", {}, name)), list);
      const build = () => list.childElementCount === 0 && list.append(...drawTree(inside, deep + 1));
      if (isOpen) build();
      details.addEventListener("toggle", () => details.open && build());
      return h("li", { "data-folder": name }, details);
    });
    const leaves = folder.nodes.sort((a, b) => a.name.localeCompare(b.name)).map((node) => {
      const tone = model.health(node);
      return h(
        "li",
        {},
        h("a", { href: model.hrefs.node(node), "data-node": node.id, title: node.id }, icon(node.type, `t-${node.type}`), h("span", { class: "mono" }, node.short || node.name), ["bad", "warn"].includes(tone) && h("i", { class: `dot ${tone}`, "aria-hidden": "true" })),
      );
    });
    return items.concat(leaves);
  }

  const root = tree();

  /** Opens the folders down to a node and marks it. */
  function showInTree(node) {
    for (const link of side.querySelectorAll(".tree [aria-current]")) link.removeAttribute("aria-current");
    if (!node || ["exposure", "destination"].includes(node.type)) return;
    const folders = node.type === "source" ? ["sources", node.sourceName] : [...(node.package === project.name ? [] : [node.package]), ...String(node.path || "").split("/").slice(0, -1)];
    let at = side.querySelector(".tree");
    for (const folder of folders) {
      const item = [...at.children].find((child) => child.dataset.folder === folder);
      if (!item) return;
      const details = item.firstElementChild;
      if (!details.open) {
        details.open = true;
        const inside = folderAt(folders.slice(0, folders.indexOf(folder) + 1));
        const list = details.querySelector("ul");
        if (inside && list.childElementCount === 0) list.append(...drawTree(inside, 1));
      }
      at = details.querySelector("ul");
    }
    const link = [...at.querySelectorAll("a")].find((other) => other.dataset.node === node.id);
    if (!link) return;
    link.setAttribute("aria-current", "page");
    const box = link.getBoundingClientRect();
    const frame = side.querySelector(".side-scroll").getBoundingClientRect();
    if (box.top < frame.top || box.bottom > frame.bottom) link.scrollIntoView({ block: "center" });
  }

  function folderAt(names) {
    let at = root;
    for (const name of names) at = at && at.folders.get(name);
    return at;
  }

  function themeButton() {
    const button = h("button", { class: "round", type: "button", on: { click: () => window.c360Theme.toggle() } });
    const draw = () => {
      const dark = window.c360Theme.isDark();
      button.setAttribute("aria-label", dark ? "Light colours" : "Dark colours");
      button.title = dark ? "Light colours (t)" : "Dark colours (t)";
      fill(button, icon(dark ? "sun" : "moon"));
    };
    document.addEventListener("c360-theme", draw);
    draw();
    return button;
  }

  function drawSide() {
    const order = ["model", "source", "seed", "snapshot"];
    const types = [...order.filter((type) => model.byType.has(type)), ...[...model.byType.keys()].filter((type) => !order.includes(type))];
    side.append(
      h("div", { class: "brand" }, h("a", { href: "#/" }, mark(), h("span", {}, h("strong", {}, project.name), h("small", {}, [project.target, project.adapter].filter(Boolean).join(" · ") || "docs")))),
      h("button", { class: "find", type: "button", on: { click: () => search.open() } }, icon("search"), h("span", {}, "Search"), h("kbd", {}, "/")),
      h(
        "div",
        { class: "side-scroll", tabindex: "-1" },
        h("nav", { class: "nav", "aria-label": "Pages" }, h("ul", {}, navLink("#/", "home", "Home"), navLink("#/lineage", "graph", "Lineage"))),
        h("h2", { id: "nav-things" }, "Project"),
        h(
          "nav",
          { class: "nav", "aria-labelledby": "nav-things" },
          h(
            "ul",
            {},
            types.map((type) => navLink(`#/${model.typeOf(type).route}`, type, model.typeOf(type).many, model.byType.get(type).length)),
            tests.length > 0 && navLink("#/tests", "test", "Tests", tests.length),
            macros.length > 0 && navLink("#/macros", "macro", "Macros", macros.length),
            runs.length > 0 && navLink("#/runs", "run", "Runs", runs.length),
          ),
        ),
        h("h2", { id: "nav-files" }, "Files"),
        h("nav", { "aria-labelledby": "nav-files" }, h("ul", { class: "tree" }, drawTree(root, 0))),
      ),
      h("div", { class: "side-foot" }, h("p", { title: project.generatedAt && format.time(project.generatedAt) }, project.generatedAt ? `made ${format.ago(project.generatedAt)}` : "", project.generator && h("br", {}), project.generator), themeButton(), h("button", { class: "round", type: "button", "aria-label": "Keys and help", title: "Keys and help (?)", on: { click: showHelp } }, icon("help"))),
    );
  }

  function setMenu(open) {
    side.classList.toggle("open", open);
    veil.hidden = !open;
    const button = top.querySelector(".menu");
    if (button) button.setAttribute("aria-expanded", String(open));
  }

  function toggleSide() {
    if (document.body.dataset.side === "off") delete document.body.dataset.side;
    else document.body.dataset.side = "off";
    const button = top.querySelector(".fold");
    if (button) button.setAttribute("aria-pressed", String(document.body.dataset.side === "off"));
  }

  /** Where one is: type, folder, name. */
  function crumbs(route) {
    const [kind, id] = route.path;
    const sep = () => h("span", { class: "sep", "aria-hidden": "true" }, "/");
    const here = (text) => h("span", { "aria-current": "page" }, text);
    const home = h("a", { href: "#/" }, project.name);
    if (!kind) return [here(project.name)];
    const things = { node: model.nodeById, test: model.testById, macro: model.macroById }[kind];
    const thing = things && things.get(id);
    if (thing) {
      const type = kind === "node" ? model.typeOf(thing.type) : { many: kind === "test" ? "Tests" : "Macros", route: `${kind}s` };
      return [home, sep(), h("a", { href: `#/${type.route}` }, type.many), sep(), here(thing.title || thing.name)];
    }
    const title = document.querySelector("main h1");
    return [home, sep(), here(title ? title.textContent : kind)];
  }

  function drawTop(route) {
    fill(
      top,
      h("button", { class: "round menu", type: "button", "aria-label": "Menu", "aria-expanded": "false", "aria-controls": "side", on: { click: () => setMenu(!side.classList.contains("open")) } }, icon("menu")),
      h("button", { class: "round fold", type: "button", "aria-label": "Show or hide the side bar", title: "Side bar ([)", "aria-pressed": String(document.body.dataset.side === "off"), on: { click: toggleSide } }, icon("side")),
      h("nav", { class: "crumbs", "aria-label": "Where you are" }, crumbs(route)),
      h("div", { class: "top-tools" }, h("button", { class: "round narrow", type: "button", "aria-label": "Search", on: { click: () => search.open() } }, icon("search"))),
    );
    setMenu(false);
    const kind = route.path[0] || "";
    for (const link of side.querySelectorAll("[data-nav]")) {
      const isHere = link.dataset.nav === `#/${kind}`;
      if (isHere) link.setAttribute("aria-current", "page");
      else link.removeAttribute("aria-current");
    }
    showInTree(kind === "node" ? model.nodeById.get(route.path[1]) : null);
  }

  let help = null;
  function showHelp() {
    if (!help) {
      const keys = (entries) => h("dl", {}, entries.map(([what, ...names]) => [h("dt", {}, what), h("dd", {}, names.map((name, i) => [i > 0 && " ", h("kbd", {}, name)]))]));
      help = h(
        "dialog",
        { class: "help", "aria-labelledby": "help-title" },
        h("div", { class: "help-head" }, h("h2", { id: "help-title" }, "Keys"), h("button", { class: "round", type: "button", "aria-label": "Close", on: { click: () => help.close() } }, icon("close"))),
        h(
          "div",
          { class: "help-grid" },
          h("div", {}, h("h3", {}, "Everywhere"), keys([["Search", "/"], ["", "Ctrl", "K"], ["Home", "g", "h"], ["Lineage", "g", "l"], ["Models", "g", "m"], ["Sources", "g", "s"], ["Tests", "g", "t"], ["Light or dark", "t"], ["Side bar", "["], ["This help", "?"]])),
          h(
            "div",
            {},
            h("h3", {}, "In the graph"),
            keys([["Walk along edges", "←", "→", "↑", "↓"], ["Move the view", "Shift", "←"], ["Open the page", "↵"], ["Zoom", "+", "−"], ["Fit everything", "0"], ["Columns of all cards", "c"], ["Only its lineage", "i"], ["Selection", "s"], ["Back to the whole", "esc"]]),
          ),
          h("div", {}, h("h3", {}, "Selecting"), keys([["A model and all above it", "+orders"], ["Two steps below", "orders+2"], ["By tag, path, type", "tag:x"], ["Both", "a,b"], ["Either", "a b"], ["Not", "exclude:a"]])),
          h("div", {}, h("h3", {}, "More methods"), h("p", { class: "muted" }, window.c360.selectMethods.join(", "))),
        ),
      );
      help.addEventListener("click", (event) => event.target === help && help.close());
      document.body.append(help);
    }
    help.showModal();
  }

  const jumps = { h: "#/", l: "#/lineage", m: "#/models", s: "#/sources", t: "#/tests", r: "#/runs", x: "#/macros" };
  let waitsForJump = 0;

  function keys(event) {
    const inField = event.target.closest && event.target.closest("input, textarea, select, [contenteditable]");
    if ((event.ctrlKey || event.metaKey) && event.key.toLowerCase() === "k") {
      event.preventDefault();
      search.open();
      return;
    }
    if (event.ctrlKey || event.metaKey || event.altKey || inField || document.querySelector("dialog[open]")) return;
    if (Date.now() - waitsForJump < 1200 && Object.hasOwn(jumps, event.key)) {
      waitsForJump = 0;
      router.go(jumps[event.key]);
    } else if (event.key === "g") waitsForJump = Date.now();
    else if (event.key === "/") search.open();
    else if (event.key === "?") showHelp();
    else if (event.key === "[") toggleSide();
    else if (event.key === "t") window.c360Theme.toggle();
    else if (event.key === "s" && document.querySelector("[data-field]")) document.querySelector("[data-field]").focus();
    else if (event.key === "Escape" && side.classList.contains("open")) setMenu(false);
    else return;
    event.preventDefault();
  }

  document.addEventListener("keydown", keys);
  veil.addEventListener("click", () => setMenu(false));
  document.querySelector(".skip").addEventListener("click", (event) => {
    event.preventDefault();
    document.getElementById("main").focus();
  });

  drawSide();
  router.onChange(drawTop);
})();
