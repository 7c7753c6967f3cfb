// Before the first paint: the colours that this reader chose, and what the style sheets need to know of the browser.
(() => {
  const root = document.documentElement;
  root.classList.add("js");
  try {
    const chosen = localStorage.getItem("theme");
    if (chosen === "light" || chosen === "dark") root.dataset.theme = chosen;
  } catch {
    // Storage is switched off: the system's colours it is.
  }
  if (Intl.DateTimeFormat().resolvedOptions().timeZone === "UTC") root.dataset.zone = "utc";
})();
