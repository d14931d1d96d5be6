"use strict";
// The global `c360`, and how data arrive: each file below data/ is a script that calls `c360Data(name, value)`, because a
// page that was opened from a file may load scripts but may not fetch.
window.c360 = (() => {
  const arrived = new Map();
  const awaited = new Map();

  // The one place where a text becomes a script's address: nothing but the site's own files.
  const own = /^(data|__live)\/[\w/-]+\.js(\?[\w.=&-]*)?$/;
  const address = (url) => {
    if (!own.test(url)) throw new TypeError(`not a file of this site: ${url}`);
    return url;
  };
  const policy = window.trustedTypes
    ? window.trustedTypes.createPolicy("c360", { createScriptURL: address })
    : { createScriptURL: address };

  /** Runs a script of the site; resolves when it has run. */
  function loadScript(url) {
    return new Promise((resolve, reject) => {
      const script = document.createElement("script");
      script.src = policy.createScriptURL(url);
      script.addEventListener("load", () => {
        script.remove();
        resolve();
      });
      script.addEventListener("error", () => {
        script.remove();
        reject(new Error(`${url} is missing`));
      });
      document.head.append(script);
    });
  }

  /** The value of data/NAME.js: loaded once, kept from then on. */
  function load(name) {
    if (!awaited.has(name)) {
      const value = arrived.has(name)
        ? Promise.resolve(arrived.get(name))
        : loadScript(`data/${name}.js`).then(() => {
            if (!arrived.has(name)) throw new Error(`data/${name}.js brought nothing`);
            return arrived.get(name);
          });
      value.catch(() => awaited.delete(name));
      awaited.set(name, value);
    }
    return awaited.get(name);
  }

  window.c360Data = (name, value) => arrived.set(name, value);

  return {
    load,
    loadScript,
    /** The value of a file that has been loaded already. */
    loaded: (name) => arrived.get(name),
    pages: {},
  };
})();
