// Only on pages that `c360 docs serve --watch` serves: asks every second which site this is, and loads it anew when it
// is another one. What a page shows stands in its address, so it comes back to where it was.
"use strict";
(function () {
  let known = null;
  window.c360Live = function (version) {
    if (known !== null && version !== known) {
      location.reload();
    }
    known = version;
  };
  function poll() {
    window.c360.loadScript("__live/version.js?" + Date.now()).then(wait, wait);
  }
  function wait() {
    setTimeout(poll, 1000);
  }
  poll();
})();
