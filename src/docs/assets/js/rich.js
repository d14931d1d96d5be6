"use strict";
// Descriptions: sanitised HTML becomes elements by a parser that knows two dozen tags and nothing else. It never hands text
// to the browser's own parser, so what it does not know stays text, whatever wrote it.
(() => {
  const { safeHref } = window.c360;
  const known = new Set(
    [
      "p",
      "br",
      "em",
      "strong",
      "del",
      "code",
      "pre",
      "blockquote",
      "ul",
      "ol",
      "li",
      "h3",
      "h4",
      "h5",
      "h6",
      "hr",
    ].concat(["table", "thead", "tbody", "tr", "th", "td", "a", "sup"]),
  );
  const empty = new Set(["br", "hr"]);
  const named = { amp: "&", lt: "<", gt: ">", quot: '"', apos: "'", nbsp: "\u00a0" };
  const token = /<(\/?)([a-z][a-z0-9]*)((?:\s+[a-z-]+(?:="[^"]*")?)*)\s*\/?>/g;

  function decode(text) {
    return text.replace(/&(#x[0-9a-f]{1,6}|#\d{1,7}|[a-z]+);/gi, (whole, name) => {
      if (name[0] !== "#") return Object.hasOwn(named, name) ? named[name] : whole;
      const code = name[1] === "x" || name[1] === "X" ? parseInt(name.slice(2), 16) : Number(name.slice(1));
      return code > 0 && code <= 0x10ffff ? String.fromCodePoint(code) : whole;
    });
  }

  function attribute(attributes, name) {
    const found = new RegExp(`\\s${name}="([^"]*)"`).exec(attributes);
    return found ? decode(found[1]) : null;
  }

  function open(tag, attributes) {
    const element = document.createElement(tag);
    if (tag === "a") {
      const href = safeHref(attribute(attributes, "href") || "");
      if (href) {
        element.setAttribute("href", href);
        element.setAttribute("rel", "noopener noreferrer");
      }
    }
    const start = tag === "ol" && attribute(attributes, "start");
    if (start && /^\d{1,6}$/.test(start)) element.setAttribute("start", start);
    return element;
  }

  /** The elements of a description. */
  function rich(html) {
    const root = document.createElement("div");
    root.className = "prose";
    const stack = [root];
    const top = () => stack[stack.length - 1];
    let from = 0;
    for (const found of html.matchAll(token)) {
      const [whole, slash, tag, attributes] = found;
      if (found.index > from) top().append(decode(html.slice(from, found.index)));
      from = found.index + whole.length;
      if (!known.has(tag)) top().append(decode(whole));
      else if (!slash) {
        const element = open(tag, attributes);
        top().append(element);
        if (!empty.has(tag)) stack.push(element);
      } else {
        const at = stack.findLastIndex((element) => element.localName === tag);
        if (at > 0) stack.length = at;
      }
    }
    if (from < html.length) top().append(decode(html.slice(from)));
    return root;
  }

  Object.assign(window.c360, { rich });
})();
