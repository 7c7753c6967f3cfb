// Who speaks when, in the colours of the voices: drawn by itself, and what the waveform takes its colours from.

const SVG = "http://www.w3.org/2000/svg";

// The lines as numbers, once: [{start, end, voice}], seconds. What a line does not say, the next one or the end does.
export function timesOf(lines, length) {
  const starts = lines.map((line) => Number(line.dataset.start));
  return lines.map((line, index) => ({
    start: starts[index],
    end: Number(line.dataset.end ?? starts[index + 1] ?? length),
    voice: /\bv\d\b/.exec(line.className)?.[0] ?? "v0",
  }));
}

// Lines of one voice joined; of a long talk, the voice that is heard most in each slot.
export function stretches(times, length, most = 150) {
  const all = [];
  for (const { start, end, voice } of times) {
    const last = all.at(-1);
    if (last?.voice === voice && start - last.end < 1) last.end = end;
    else all.push({ start, end, voice });
  }
  if (all.length <= most) return all;
  const slots = Array.from({ length: most }, () => new Map());
  const width = length / most;
  for (const { start, end, voice } of all) {
    for (let slot = Math.floor(start / width); slot < most && slot * width < end; slot += 1) {
      const heard = Math.min(end, (slot + 1) * width) - Math.max(start, slot * width);
      slots[slot].set(voice, (slots[slot].get(voice) ?? 0) + heard);
    }
  }
  return slots.flatMap((heard, slot) => {
    const [voice] = [...heard].reduce((best, next) => (next[1] > best[1] ? next : best), ["", width / 4]);
    return voice ? [{ start: slot * width, end: (slot + 0.85) * width, voice }] : [];
  });
}

export function bar(start, end, length, name, least = 0.15) {
  const drawn = document.createElementNS(SVG, "rect");
  drawn.setAttribute("class", name);
  drawn.setAttribute("x", `${(100 * start) / length}%`);
  drawn.setAttribute("width", `${Math.max(least, (100 * (end - start)) / length)}%`);
  drawn.setAttribute("height", "100%");
  return drawn;
}

// Draws them twice, pale and full; how much of the full ones is seen is how much was heard. Returns a function to be
// told the seconds that were.
export function drawVoices(track, stretched, length) {
  const [ahead, past] = [track.querySelector(".ahead"), track.querySelector(".past")];
  // Without a transcript nobody knows who speaks: a plain line.
  const drawn = stretched.map(({ start, end, voice }) => bar(start, end, length, `said ${voice}`));
  if (!drawn.length) drawn.push(bar(0, length, length, "line"));
  ahead.replaceChildren(...drawn);
  past.replaceChildren(...drawn.map((one) => one.cloneNode()));
  const heard = track.querySelector("clipPath rect");
  return (seconds) => heard.setAttribute("width", `${(100 * seconds) / length}%`);
}
