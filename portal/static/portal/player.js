// The player: play, place, speed; who speaks when; the transcript follows, and each of its lines jumps.
import { followLines } from "./transcript.js";

const SVG = "http://www.w3.org/2000/svg";

export function stamp(seconds) {
  const whole = Math.max(0, Math.floor(seconds));
  const two = (number) => String(number).padStart(2, "0");
  const [hours, minutes] = [Math.floor(whole / 3600), Math.floor(whole / 60) % 60];
  return hours ? `${hours}:${two(minutes)}:${two(whole % 60)}` : `${minutes}:${two(whole % 60)}`;
}

// Who speaks from when to when: lines of one voice joined; of a long talk, the voice that is heard most in each slot.
function stretches(lines, length, most = 150) {
  const all = [];
  for (const [index, line] of lines.entries()) {
    const start = Number(line.dataset.start);
    const end = Number(line.dataset.end ?? lines[index + 1]?.dataset.start ?? length);
    const voice = [...line.classList].find((name) => /^v\d$/.test(name));
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

function drawVoices(group, lines, length) {
  for (const { start, end, voice } of stretches(lines, length)) {
    const said = document.createElementNS(SVG, "rect");
    said.setAttribute("class", `said ${voice}`);
    said.setAttribute("x", `${(100 * start) / length}%`);
    said.setAttribute("width", `${Math.max(0.15, (100 * (end - start)) / length)}%`);
    said.setAttribute("y", "8");
    said.setAttribute("height", "24");
    said.setAttribute("rx", "2");
    said.dataset.start = start;
    group.append(said);
  }
}

// Without a transcript nobody knows who speaks: a plain line, and how much of it is heard.
function drawLine(group) {
  const past = document.createElementNS(SVG, "rect");
  past.setAttribute("class", "past");
  for (const line of [group.previousElementSibling, past]) {
    for (const [name, value] of [["y", 18], ["height", 4], ["rx", 2]]) line.setAttribute(name, value);
  }
  group.append(past);
  return past;
}

function start(player) {
  const audio = player.querySelector("audio");
  const go = player.querySelector(".go");
  const place = player.querySelector('input[type="range"]');
  const [at] = player.querySelectorAll(".time b");
  const group = player.querySelector(".track g");
  const lines = [...document.querySelectorAll("[data-lines] > li")];
  const length = Number(player.dataset.ms) / 1000;
  place.max = length;
  drawVoices(group, lines, length);
  const past = lines.length ? null : drawLine(group);
  const drawn = [...group.children];
  const follow = followLines(lines, (seconds) => jump(seconds, true));

  const show = () => {
    const seconds = audio.currentTime;
    place.value = seconds;
    place.setAttribute("aria-valuetext", `${stamp(seconds)} of ${stamp(length)}`);
    at.textContent = stamp(seconds);
    for (const said of drawn) said.classList.toggle("heard", Number(said.dataset.start) <= seconds);
    past?.setAttribute("width", `${(100 * seconds) / length}%`);
    follow(seconds);
  };
  const jump = (seconds, play) => {
    audio.currentTime = Math.min(Math.max(0, seconds), length);
    show();
    if (play) audio.play();
  };
  const state = () => {
    go.setAttribute("aria-pressed", String(!audio.paused));
    go.setAttribute("aria-label", audio.paused ? "Play" : "Pause");
  };

  go.addEventListener("click", () => (audio.paused ? audio.play() : audio.pause()));
  place.addEventListener("input", () => jump(Number(place.value), false));
  place.addEventListener("keydown", (event) => {
    const step = { ArrowLeft: -5, ArrowRight: 5, ArrowDown: -5, ArrowUp: 5, PageDown: -30, PageUp: 30 }[event.key];
    if (!step) return;
    event.preventDefault();
    jump(audio.currentTime + step, false);
  });
  player.querySelector("select").addEventListener("change", ({ target }) => (audio.playbackRate = Number(target.value)));
  for (const name of ["play", "pause", "ended"]) audio.addEventListener(name, state);
  audio.addEventListener("timeupdate", show);

  // The address behind the audio lives for minutes, a reader stays for hours: ask for a new one, once in a while.
  let asked = 0;
  audio.addEventListener("error", () => {
    if (Date.now() - asked < 10e3) return player.classList.add("plain");
    asked = Date.now();
    const [seconds, playing] = [audio.currentTime, !audio.paused];
    audio.load();
    audio.addEventListener("loadedmetadata", () => jump(seconds, playing), { once: true });
  });

  const wanted = Number(new URLSearchParams(location.search).get("t"));
  if (wanted > 0) {
    if (audio.readyState > 0) jump(wanted, false);
    else audio.addEventListener("loadedmetadata", () => jump(wanted, false), { once: true });
  }
  show();
}

document.querySelectorAll("[data-player]").forEach(start);
