// Finding words in the transcript: every place is marked in the text and on the waveform, Enter walks through them.
import { bar } from "./voices.js";
import { bring } from "./transcript.js";

const PAUSE = 150; // ms without a key, then it is looked for
const STEPS = 400; // marks that can be told apart on a waveform

// `times` are the lines' times (voices.js), `length` the recording's, seconds.
export function findIn(lines, times, length, svg) {
  const form = document.querySelector("[data-find]");
  if (!form) return;
  const [input, said] = [form.querySelector("input"), document.querySelector("[data-found]")];
  const texts = lines.map((line) => line.lastElementChild.lastElementChild);
  let [places, at, sought] = [[], -1, ""];
  let waiting = 0;

  const find = () => {
    const wanted = input.value.trim();
    if (wanted === sought) return;
    sought = wanted;
    places = wanted ? placesOf(texts, wanted) : [];
    at = -1;
    show("found", places.map(rangeOf));
    show("found-now", []);
    drawHits(svg, places, times, length);
    for (const button of form.querySelectorAll("button")) button.disabled = !places.length;
    said.textContent = !wanted ? "" : places.length === 1 ? "1 place" : `${places.length} places`;
  };
  const go = (step) => {
    find();
    if (!places.length) return;
    at = (at + step + places.length + (at < 0 && step < 0 ? 1 : 0)) % places.length;
    const place = places[at];
    show("found-now", [rangeOf(place)]);
    bring(lines[place.index].parentElement, lines[place.index]);
    lines[place.index].scrollIntoView({ block: "nearest" }); // the page too: who looks for it wants to see it
    svg.querySelector(".now")?.remove();
    svg.append(hit(place, times, length, "hit now"));
    said.textContent = `${at + 1} of ${places.length}`;
  };

  form.addEventListener("input", () => {
    clearTimeout(waiting);
    waiting = setTimeout(find, PAUSE);
  });
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    go(event.submitter?.name === "before" ? -1 : 1);
  });
  input.addEventListener("keydown", (event) => {
    if (event.key === "Escape") {
      input.value = "";
      find();
    } else if (event.key === "Enter" && !event.isComposing) {
      event.preventDefault(); // also the form's own, which would press its first button
      go(event.shiftKey ? -1 : 1);
    }
  });

  const given = new URLSearchParams(location.search).get("find"); // from the search over all Spaces
  if (given) {
    input.value = given;
    go(1);
  }
}

// Each place in each text, capitals or not: [{index of the line, text node, start and end in it}].
function placesOf(texts, wanted) {
  const pattern = new RegExp(wanted.replace(/[\\^$.*+?()[\]{}|/-]/g, "\\$&"), "giu");
  return texts.flatMap((text, index) =>
    Array.from((text.firstChild?.data ?? "").matchAll(pattern), ({ 0: words, index: start }) => ({
      index,
      node: text.firstChild,
      start,
      end: start + words.length,
    })),
  );
}

function rangeOf({ node, start, end }) {
  return new StaticRange({ startContainer: node, startOffset: start, endContainer: node, endOffset: end });
}

// Marked without touching the text, so that a thousand places cost nothing. A browser that can't still counts, walks
// and draws them on the waveform.
function show(name, ranges) {
  if (!globalThis.Highlight) return;
  if (ranges.length) CSS.highlights.set(name, new Highlight(...ranges));
  else CSS.highlights.delete(name);
}

// When a word is said is not known: as far into its line's time as it stands in its text.
function hit({ index, node, start }, times, length, name) {
  const { start: from, end: to } = times[index];
  const said = Math.min(length, from + ((to - from) * start) / node.length);
  return bar(said, said, length, name, 0.25);
}

function drawHits(svg, places, times, length) {
  const drawn = new Map();
  for (const place of places) {
    const step = Math.floor((STEPS * times[place.index].start) / length);
    const mark = hit(place, times, length, "hit");
    const key = `${step} ${places.length > STEPS ? "" : mark.getAttribute("x")}`;
    if (!drawn.has(key)) drawn.set(key, mark);
  }
  svg.replaceChildren(...drawn.values());
}
