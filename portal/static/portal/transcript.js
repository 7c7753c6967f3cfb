// The transcript: the line being spoken is lit and kept in view, lines are walked with the arrow keys, words are found.

// Returns a function to be told the seconds that are being heard. `jump` is called with the seconds of a chosen line.
export function followLines(lines, jump) {
  const list = lines[0]?.parentElement;
  if (!list) return () => {};
  const starts = lines.map((line) => Number(line.dataset.start));
  const stamps = lines.map((line) => line.querySelector(".stamp"));
  let lit = -1;
  let reading = 0;

  // One stop for the Tab key; arrows walk from there.
  const reach = (index) => stamps.forEach((button, other) => (button.tabIndex = other === index ? 0 : -1));
  reach(0);
  list.addEventListener("keydown", (event) => {
    const from = stamps.indexOf(document.activeElement);
    const to = { ArrowDown: from + 1, ArrowUp: from - 1, Home: 0, End: stamps.length - 1 }[event.key];
    if (from < 0 || to === undefined || !stamps[to]) return;
    event.preventDefault();
    reach(to);
    stamps[to].focus();
  });
  list.addEventListener("click", ({ target }) => {
    const line = target.closest("li");
    if (line && getSelection().isCollapsed) jump(Number(line.dataset.start));
  });
  // Whoever scrolls is reading: do not pull the page away from under them.
  for (const name of ["wheel", "touchmove", "keydown"]) list.addEventListener(name, () => (reading = Date.now()), { passive: true });
  findIn(lines);

  return (seconds) => {
    let index = starts.findLastIndex((start) => start <= seconds + 0.05);
    if (seconds === 0) index = -1;
    if (index === lit) return;
    lines[lit]?.classList.remove("now");
    lines[lit]?.removeAttribute("aria-current");
    lit = index;
    const line = lines[index];
    if (!line) return;
    line.classList.add("now");
    line.setAttribute("aria-current", "true");
    if (!list.contains(document.activeElement)) reach(index);
    if (Date.now() - reading > 4000) list.scrollTop = line.offsetTop - list.clientHeight / 3;
  };
}

function findIn(lines) {
  const form = document.querySelector("[data-find]");
  const found = document.querySelector("[data-found]");
  if (!form) return;
  const texts = lines.map((line) => line.querySelector("p > span"));
  const find = () => {
    const wanted = form.querySelector("input").value.trim().toLowerCase();
    let count = 0;
    texts.forEach((text, index) => {
      const words = text.textContent;
      const place = wanted ? words.toLowerCase().indexOf(wanted) : -1;
      lines[index].hidden = Boolean(wanted) && place < 0;
      text.textContent = words;
      if (place < 0) return;
      count += 1;
      const range = document.createRange();
      range.setStart(text.firstChild, place);
      range.setEnd(text.firstChild, place + wanted.length);
      range.surroundContents(document.createElement("mark"));
    });
    found.hidden = !wanted;
    found.textContent = count === 1 ? "1 line" : `${count} lines`;
  };
  form.addEventListener("input", find);
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    lines.find((line) => !line.hidden)?.querySelector(".stamp").focus();
  });
}
