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
  const apply = () => {
    const dark = chosen === "dark" || (chosen !== "light" && media.matches);
    document.documentElement.dataset.theme = dark ? "dark" : "light";
    document.dispatchEvent(new CustomEvent("c360-theme"));
  };
  media.addEventListener("change", apply);
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
