"use strict";
// Which page an address means; then the first one is drawn.
(() => {
  const { pages, model, router } = window.c360;
  const single = {
    lineage: () => pages.lineage,
    node: () => pages.node,
    test: () => pages.test,
    macro: () => pages.macro,
    tests: () => pages.tests,
    macros: () => pages.macros,
    runs: () => pages.runs,
  };
  const lists = new Map(
    [...model.byType.keys(), ...Object.keys(model.types)].map((type) => [model.typeOf(type).route, type]),
  );

  pages.find = (route) => {
    const [kind] = route.path;
    if (!kind) return pages.home;
    if (Object.hasOwn(single, kind)) return single[kind]();
    return lists.has(kind) ? pages.list(lists.get(kind)) : pages.missing;
  };
  router.draw();
})();
