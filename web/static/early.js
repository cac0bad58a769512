// Before the first paint: whether the navigation is folded. Nothing else may be here, it delays the page.
try {
  if (localStorage.getItem("treegarth-rail") === "narrow") document.documentElement.dataset.rail = "narrow";
} catch { /* storage is forbidden in this browser: the navigation starts unfolded */ }
