// Runs before the first paint: apply the stored color theme, and tell the style sheets that scripts run and whether the
// reader's zone is UTC.
(() => {
  const root = document.documentElement;
  root.classList.add("js");
  try {
    const theme = localStorage.getItem("theme");
    if (theme === "light" || theme === "dark") root.dataset.theme = theme;
  } catch {
    // Storage is disabled: the system's theme applies.
  }
  if (Intl.DateTimeFormat().resolvedOptions().timeZone === "UTC") root.dataset.zone = "utc";
})();
