"use strict";
// Elements from values. Text is always a text node; a link goes nowhere but to the web, to mail, or to this page.
(() => {
  const svgNamespace = "http://www.w3.org/2000/svg";

  /** The address if it may stand in a link, else nothing. */
  function safeHref(href) {
    return /^(https?:\/\/|mailto:|#)/i.test(String(href)) ? String(href) : null;
  }

  function append(element, children) {
    for (const child of children) {
      if (child === null || child === undefined || child === false) continue;
      if (Array.isArray(child)) append(element, child);
      else element.append(child instanceof Node ? child : document.createTextNode(String(child)));
    }
  }

  function set(element, key, value) {
    if (value === null || value === undefined || value === false) return;
    if (key === "class") element.setAttribute("class", value);
    else if (key === "on")
      for (const [event, listener] of Object.entries(value)) element.addEventListener(event, listener);
    else if (key === "vars") for (const [name, text] of Object.entries(value)) element.style.setProperty(name, text);
    else if (key === "href") {
      const href = safeHref(value);
      if (href === null) return;
      element.setAttribute("href", href);
      if (!href.startsWith("#")) element.setAttribute("rel", "noopener noreferrer");
    } else if (key === "value") element.value = value;
    else element.setAttribute(key, value === true ? "" : String(value));
  }

  /** An element: `h("a", {href: "#/", class: "x", on: {click}}, "text", child, [children])`. */
  function h(tag, attributes, ...children) {
    const element = document.createElement(tag);
    for (const key in attributes) set(element, key, attributes[key]);
    append(element, children);
    return element;
  }

  /** The same for an element of a drawing. */
  function svg(tag, attributes, ...children) {
    const element = document.createElementNS(svgNamespace, tag);
    for (const key in attributes) set(element, key, attributes[key]);
    append(element, children);
    return element;
  }

  /** Replaces what an element holds. */
  function fill(element, ...children) {
    element.replaceChildren();
    append(element, children);
    return element;
  }

  const paths = {
    home: "M3 7.500 8 3l5 4.500V13H9.500V9.500h-3V13H3z",
    graph: "M3 4.500h3M3 11.500h3M10 8h3M6 4.500c3 0 2 3.500 4 3.500M6 11.500c3 0 2-3.500 4-3.500",
    model: "M8 2.500 13.200 5.300v5.400L8 13.500l-5.200-2.800V5.300zM2.900 5.400 8 8.200l5.100-2.800M8 8.200v5.200",
    source:
      "M8 3c2.800 0 4.800.8 4.800 1.900S10.800 6.800 8 6.800 3.200 6 3.200 4.900 5.200 3 8 3zM3.200 4.900v6.200C3.200 12.200 5.200 13 8 13s4.800-.8 4.800-1.900V4.900M3.200 8c0 1.100 2 1.900 4.800 1.900s4.800-.8 4.800-1.900",
    seed: "M8 13.500V8M8 9C8 5.500 5.500 4 3 4c0 3 1.500 5 5 5zM8 7.500c0-3 2-4.500 5-4.500 0 3-1.500 4.500-5 4.500z",
    snapshot: "M3 5.500h2l1-1.500h4l1 1.500h2v7H3zM8 7a2 2 0 1 1 0 4 2 2 0 0 1 0-4z",
    test: "M8 2.500 12.500 4v4c0 3-2 4.700-4.500 5.500C5.500 12.700 3.500 11 3.500 8V4zM6 8l1.500 1.500L10.200 6.500",
    unit_test:
      "M8 2.500 12.500 4v4c0 3-2 4.700-4.500 5.500C5.500 12.700 3.500 11 3.500 8V4zM6 8l1.500 1.500L10.200 6.500",
    macro: "M6.500 3C4.500 3 5.500 7 3.500 8c2 1 1 5 3 5M9.500 3c2 0 1 4 3 5-2 1-1 5-3 5",
    exposure: "M3 13V9.500M6.300 13V6M9.600 13V8M13 13V3.500",
    destination: "M3 8h7M7.200 5 10.200 8l-3 3M9.500 3H13v10H9.500",
    analysis: "M7 3a4 4 0 1 1 0 8 4 4 0 0 1 0-8zM10 10l3.200 3.200",
    run: "M8 2.800a5.200 5.200 0 1 1 0 10.400A5.200 5.200 0 0 1 8 2.800zM8 5.300V8l2 1.500",
    search: "M7 2.800a4.200 4.200 0 1 1 0 8.400 4.200 4.200 0 0 1 0-8.400zM10.200 10.200l3 3",
    sun: "M8 5.300a2.700 2.700 0 1 1 0 5.400 2.700 2.700 0 0 1 0-5.400zM8 1.500v1.300M8 13.200v1.300M1.500 8h1.300M13.200 8h1.300M3.400 3.400l.9.9M11.700 11.700l.9.9M12.600 3.400l-.9.9M4.300 11.700l-.9.9",
    moon: "M13 9.500A5.500 5.500 0 0 1 6.500 3 5.500 5.500 0 1 0 13 9.500z",
    help: "M8 2.500a5.500 5.500 0 1 1 0 11 5.500 5.500 0 0 1 0-11zM6.300 6.500c0-1 .7-1.600 1.700-1.600s1.700.6 1.700 1.500c0 1.300-1.700 1.300-1.700 2.500M8 11v.1",
    side: "M2.500 3h11v10h-11zM6.300 3v10",
    menu: "M2.500 4.500h11M2.500 8h11M2.500 11.500h11",
    close: "M4 4l8 8M12 4l-8 8",
    copy: "M5.500 5.500v-3h8v8h-3M2.500 5.500h8v8h-8z",
    check: "M3.500 8.500 6.500 11.500 12.500 4.500",
    down: "M4 6l4 4 4-4",
    right: "M6 4l4 4-4 4",
    plus: "M8 3.500v9M3.500 8h9",
    minus: "M3.500 8h9",
    fit: "M3 6V3h3M10 3h3v3M13 10v3h-3M6 13H3v-3",
    export: "M8 2.500v7.500M5 7.200l3 3 3-3M3 12v1.500h10V12",
    link: "M6.800 9.200l2.400-2.400M7.500 4.800l1.300-1.300a2.600 2.600 0 0 1 3.700 3.700L11.200 8.500M8.500 11.200l-1.300 1.300a2.600 2.600 0 0 1-3.700-3.700L4.800 7.500",
    key: "M10 3a3 3 0 1 1-2 5.200L4 12.200V13.500H2.500V12L6.800 7.200A3 3 0 0 1 10 3zM10.500 5.500v.1",
    lock: "M4 7.500h8v5.500H4zM5.500 7.500V5.500a2.500 2.500 0 0 1 5 0v2",
    columns: "M3 3h10v10H3zM3 6.300h10M7 6.300V13",
    eye: "M1.800 8S4 3.800 8 3.800 14.200 8 14.200 8 12 12.200 8 12.200 1.800 8 1.800 8zM8 6.300a1.700 1.700 0 1 1 0 3.400 1.700 1.700 0 0 1 0-3.400z",
    folder: "M2.500 4h4l1.300 1.500h5.700v7h-11z",
    warn: "M8 2.800 14 13H2zM8 6.500v3M8 11.300v.1",
    external: "M9 3h4v4M13 3 7.500 8.500M11.500 9.500V13H3V4.500h3.500",
  };

  /** A small drawing in a line's height; it says nothing to those who cannot see it. */
  function icon(name, className) {
    return svg(
      "svg",
      { class: `icon ${className || ""}`, viewBox: "0 0 16 16", "aria-hidden": "true", focusable: "false" },
      svg("path", { d: paths[name] || paths.model }),
    );
  }

  /** Tells a screen reader something that sighted readers see happen. */
  function announce(text) {
    document.getElementById("announce").textContent = text;
  }

  Object.assign(window.c360, { h, svg, fill, icon, safeHref, announce });
})();
