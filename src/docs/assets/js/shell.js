"use strict";
// The frame: side bar, crumbs, the menu of a narrow screen, light and dark.
(() => {
  const { h, svg, icon, fill, model, format, router, search, tree } = window.c360;
  const { project, tests, macros, runs } = model;
  const side = document.getElementById("side");
  const top = document.getElementById("top");
  const veil = document.getElementById("veil");

  const mark = () =>
    svg(
      "svg",
      { class: "mark", viewBox: "0 0 32 32", "aria-hidden": "true" },
      svg("rect", { width: 32, height: 32, rx: 8, fill: "#4453d6" }),
      svg("path", {
        d: "M11 10.500c5 0 5 5.500 10 5.500M11 21.500c5 0 5-5.500 10-5.500",
        fill: "none",
        stroke: "#fff",
        "stroke-width": 2.4,
        "stroke-linecap": "round",
      }),
      [
        [9.5, 10.5],
        [9.5, 21.5],
        [22.5, 16],
      ].map(([cx, cy]) => svg("circle", { cx, cy, r: 3, fill: "#fff" })),
    );

  function navLink(href, name, title, n) {
    return h(
      "li",
      {},
      h(
        "a",
        { href, "data-nav": href },
        icon(name),
        h("span", {}, title),
        n !== undefined && h("span", { class: "n" }, format.count(n)),
      ),
    );
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
    const types = [
      ...order.filter((type) => model.byType.has(type)),
      ...[...model.byType.keys()].filter((type) => !order.includes(type)),
    ];
    side.append(
      h(
        "div",
        { class: "brand" },
        h(
          "a",
          { href: "#/" },
          mark(),
          h(
            "span",
            {},
            h("strong", {}, project.name),
            h("small", {}, [project.target, project.adapter].filter(Boolean).join(" · ") || "docs"),
          ),
        ),
      ),
      h(
        "button",
        { class: "find", type: "button", on: { click: () => search.open() } },
        icon("search"),
        h("span", {}, "Search"),
        h("kbd", {}, "/"),
      ),
      h(
        "div",
        { class: "side-scroll", tabindex: "-1" },
        h(
          "nav",
          { class: "nav", "aria-label": "Pages" },
          h("ul", {}, navLink("#/", "home", "Home"), navLink("#/lineage", "graph", "Lineage")),
        ),
        h("h2", { id: "nav-things" }, "Project"),
        h(
          "nav",
          { class: "nav", "aria-labelledby": "nav-things" },
          h(
            "ul",
            {},
            types.map((type) =>
              navLink(`#/${model.typeOf(type).route}`, type, model.typeOf(type).many, model.byType.get(type).length),
            ),
            tests.length > 0 && navLink("#/tests", "test", "Tests", tests.length),
            macros.length > 0 && navLink("#/macros", "macro", "Macros", macros.length),
            runs.length > 0 && navLink("#/runs", "run", "Runs", runs.length),
          ),
        ),
        h("h2", { id: "nav-files" }, "Files"),
        h("nav", { "aria-labelledby": "nav-files" }, tree.draw()),
      ),
      h(
        "div",
        { class: "side-foot" },
        h(
          "p",
          { title: project.generatedAt && format.time(project.generatedAt) },
          project.generatedAt ? `made ${format.ago(project.generatedAt)}` : "",
          project.generator && h("br", {}),
          project.generator,
        ),
        themeButton(),
        h(
          "button",
          {
            class: "round",
            type: "button",
            "aria-label": "Keys and help",
            title: "Keys and help (?)",
            on: { click: () => window.c360.showHelp() },
          },
          icon("help"),
        ),
      ),
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
      const type =
        kind === "node" ? model.typeOf(thing.type) : { many: kind === "test" ? "Tests" : "Macros", route: `${kind}s` };
      return [home, sep(), h("a", { href: `#/${type.route}` }, type.many), sep(), here(thing.title || thing.name)];
    }
    const title = document.querySelector("main h1");
    return [home, sep(), here(title ? title.textContent : kind)];
  }

  /** Scrolls the side bar, and nothing else, to a link that is out of sight. */
  function showInSide(link) {
    const frame = side.querySelector(".side-scroll");
    const top = link.offsetTop - frame.offsetTop;
    if (top < frame.scrollTop || top > frame.scrollTop + frame.clientHeight - 30)
      frame.scrollTop = Math.max(0, top - 60);
  }

  function drawTop(route) {
    fill(
      top,
      h(
        "button",
        {
          class: "round menu",
          type: "button",
          "aria-label": "Menu",
          "aria-expanded": "false",
          "aria-controls": "side",
          on: { click: () => setMenu(!side.classList.contains("open")) },
        },
        icon("menu"),
      ),
      h(
        "button",
        {
          class: "round fold",
          type: "button",
          "aria-label": "Show or hide the side bar",
          title: "Side bar ([)",
          "aria-pressed": String(document.body.dataset.side === "off"),
          on: { click: toggleSide },
        },
        icon("side"),
      ),
      h("nav", { class: "crumbs", "aria-label": "Where you are" }, crumbs(route)),
      h(
        "div",
        { class: "top-tools" },
        h(
          "button",
          { class: "round narrow", type: "button", "aria-label": "Search", on: { click: () => search.open() } },
          icon("search"),
        ),
      ),
    );
    setMenu(false);
    const kind = route.path[0] || "";
    for (const link of side.querySelectorAll("[data-nav]")) {
      const isHere = link.dataset.nav === `#/${kind}`;
      if (isHere) link.setAttribute("aria-current", "page");
      else link.removeAttribute("aria-current");
      if (isHere) showInSide(link);
    }
    tree.show(kind === "node" ? model.nodeById.get(route.path[1]) : null);
  }

  veil.addEventListener("click", () => setMenu(false));
  document.querySelector(".skip").addEventListener("click", (event) => {
    event.preventDefault();
    document.getElementById("main").focus();
  });

  window.c360.shell = { toggleSide, setMenu, isMenuOpen: () => side.classList.contains("open") };
  drawSide();
  router.onChange(drawTop);
})();
