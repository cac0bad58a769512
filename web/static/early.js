// Before the first paint: whether the navigation is folded. Nothing else may be here, it delays the page.
try {
  const wanted = localStorage.getItem("treegarth-rail") ?? (innerWidth < 1020 ? "narrow" : "wide");
  if (wanted === "narrow") document.documentElement.dataset.rail = "narrow";
} catch { /* storage is forbidden in this browser: the navigation starts unfolded */ }
