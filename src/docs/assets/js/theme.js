"use strict";
// Light or dark, before anything is painted. The reader's choice is kept if the browser lets a page keep something.
(() => {
  const key = "c360-theme";
  const read = () => {
    try {
      return localStorage.getItem(key);
    } catch {
      return null;
    }
  };
  const media = window.matchMedia("(prefers-color-scheme: dark)");
  let chosen = read();
  let isPrinting = false;
  const apply = () => {
    const dark = !isPrinting && (chosen === "dark" || (chosen !== "light" && media.matches));
    document.documentElement.dataset.theme = dark ? "dark" : "light";
    document.dispatchEvent(new CustomEvent("c360-theme"));
  };
  media.addEventListener("change", apply);
  // Paper is light.
  const printing = (is) => () => {
    isPrinting = is;
    apply();
  };
  window.addEventListener("beforeprint", printing(true));
  window.addEventListener("afterprint", printing(false));
  apply();
  window.c360Theme = {
    isDark: () => document.documentElement.dataset.theme === "dark",
    toggle() {
      chosen = window.c360Theme.isDark() ? "light" : "dark";
      try {
        localStorage.setItem(key, chosen);
      } catch {
        // A page without storage forgets the choice; that is all.
      }
      apply();
    },
  };
})();
