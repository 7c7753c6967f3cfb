// Menus and reasons: one open at a time; Escape and a click elsewhere close them.
const CLOSING = "details[data-closes][open]";

export function closeFolds() {
  document.addEventListener("click", ({ target }) => {
    for (const open of document.querySelectorAll(CLOSING)) if (!open.contains(target)) open.open = false;
  });
  document.addEventListener("keydown", ({ key }) => {
    if (key !== "Escape") return;
    for (const open of document.querySelectorAll(CLOSING)) {
      open.open = false;
      if (open.contains(document.activeElement)) open.querySelector("summary").focus();
    }
  });
  document.addEventListener("focusout", ({ target, relatedTarget }) => {
    const open = target.closest(CLOSING);
    if (open && relatedTarget && !open.contains(relatedTarget)) open.open = false;
  });
  document.querySelectorAll("details[data-hover]").forEach(openAtHover);
}

function openAtHover(why) {
  const summary = why.querySelector("summary");
  let shown = 0;
  const show = () => {
    shown = Date.now();
    why.open = true;
  };
  why.addEventListener("pointerenter", ({ pointerType }) => pointerType === "mouse" && show());
  why.addEventListener("pointerleave", ({ pointerType }) => {
    if (pointerType === "mouse" && document.activeElement !== summary) why.open = false;
  });
  summary.addEventListener("focus", () => summary.matches(":focus-visible") && show());
  // The press that follows the opening by hover or focus must not close it again.
  summary.addEventListener("click", (event) => why.open && Date.now() - shown < 400 && event.preventDefault());
}
