"use strict";
// The address of a view is behind the `#`: a path and options, so that every view can be linked, kept and gone back to.
(() => {
  const { model } = window.c360;

  function decode(text) {
    try {
      return decodeURIComponent(text);
    } catch {
      return text;
    }
  }

  /** `#/node/model.a.b/code?x=1` -> {path: ["node", "model.a.b", "code"], options: {x: "1"}} */
  function parse(hash) {
    const text = hash.replace(/^#\/?/, "");
    const cut = text.indexOf("?");
    const path = (cut < 0 ? text : text.slice(0, cut)).split("/").filter(Boolean).map(decode);
    const options = new Map();
    for (const part of cut < 0 ? [] : text.slice(cut + 1).split("&")) {
      const [key, ...rest] = part.split("=");
      if (key) options.set(decode(key), decode(rest.join("=").replace(/\+/g, "%20")));
    }
    return { path, options };
  }

  let drawn = null;
  let cleanUp = null;

  /** Changes the options of the address in place: the view stays, a link to it changes. */
  function update(options, { push = false } = {}) {
    const route = parse(location.hash);
    const merged = { ...Object.fromEntries(route.options), ...options };
    const address = `#/${route.path.map(encodeURIComponent).join("/")}${model.query(merged)}`;
    if (address === location.hash) return;
    drawn = address;
    if (push) history.pushState(null, "", address);
    else history.replaceState(null, "", address);
  }

  const listeners = [];

  function draw() {
    if (location.hash === drawn) return;
    const previous = drawn === null ? null : parse(drawn);
    drawn = location.hash;
    const route = parse(location.hash);
    const main = document.getElementById("main");
    const again = previous !== null && previous.path.slice(0, 2).join("/") === route.path.slice(0, 2).join("/");
    const page = window.c360.pages.find(route);
    if (again && page.stay && page.stay(route)) return;
    if (cleanUp) cleanUp();
    cleanUp = null;
    document.body.dataset.page = page.name;
    main.className = `page-${page.name}`;
    main.replaceChildren();
    window.scrollTo(0, 0);
    cleanUp = page.draw(main, route) || null;
    const title = document.querySelector("main h1");
    const name = title ? title.textContent : page.title || "";
    document.title =
      name && name !== model.project.name ? `${name} · ${model.project.name}` : `${model.project.name} docs`;
    for (const listener of listeners) listener(route);
    if (previous !== null) {
      window.c360.announce(document.title);
      main.focus({ preventScroll: true });
    }
  }

  window.addEventListener("hashchange", draw);
  window.addEventListener("popstate", draw);

  window.c360.router = {
    parse,
    update,
    draw,
    current: () => parse(location.hash),
    go: (hash) => {
      location.hash = hash;
    },
    onChange: (listener) => listeners.push(listener),
  };
})();
