// The player: play, place, speed; who speaks when; the transcript follows, and each of its lines jumps.
import { findIn } from "./find.js";
import { listenToKeys } from "./keys.js";
import { say } from "./live.js";
import { linkTo, moment, stamp } from "./moment.js";
import { soundOf } from "./sound.js";
import { followLines } from "./transcript.js";
import { drawVoices, stretches, timesOf } from "./voices.js";
import { drawWaveform } from "./waveform.js";

const calm = matchMedia("(prefers-reduced-motion: reduce)");

// `address`: where its sound comes from (address.js); `drawing`: what its waveform is drawn from (waveform.js).
export function startPlayer(player, { address, drawing }) {
  const length = Number(player.dataset.ms) / 1000;
  const track = player.querySelector(".track");
  const lines = [...document.querySelectorAll("[data-lines] > li")];
  const times = timesOf(lines, length);
  const stretched = stretches(times, length);
  const drawings = [drawVoices(track, stretched, length)];
  const sound = soundOf(player, address, length, () => show());
  const jump = (seconds, options) => {
    sound.jump(seconds, options);
    follow(sound.place, true);
  };
  const follow = followLines(lines, times.map((time) => time.start), (seconds) => jump(seconds, { andPlay: true }));
  const face = faceOf(player, length);
  const show = () => {
    const seconds = sound.place;
    face(seconds, sound);
    for (const draw of drawings) draw(seconds);
    follow(seconds, false);
    if (sound.playing && !calm.matches) glide();
  };
  let gliding = 0;
  // Between the few times a second at which an element tells its place.
  const glide = () => {
    gliding ||= requestAnimationFrame(() => {
      gliding = 0;
      sound.look();
    });
  };

  listen(player, sound, jump, length);
  findIn(lines, times, length, track.querySelector(".hits"));
  const wanted = moment(new URLSearchParams(location.search).get("t") ?? "");
  if (wanted === null) show();
  else jump(beginning(wanted, times));
  drawWaveform(player, drawing, stretched, length).then(
    (draw) => {
      if (draw) drawings.splice(0, 1, draw);
      show();
    },
    () => {}, // the voices are drawn already
  );
}

// A whole second is how people write down the line that begins within it.
function beginning(seconds, times) {
  const line = Number.isInteger(seconds) && times.find(({ start }) => start >= seconds && start < seconds + 1);
  return line ? line.start : seconds;
}

// What the numbers and the button say. Returns a function to be told the seconds and the sound.
function faceOf(player, length) {
  const go = player.querySelector(".go");
  const place = player.querySelector('input[type="range"]');
  const at = player.querySelector(".time b");
  place.max = length;
  return (seconds, { playing, over }) => {
    place.value = seconds;
    const said = stamp(seconds);
    if (at.textContent !== said || !place.hasAttribute("aria-valuetext")) {
      at.textContent = said;
      place.setAttribute("aria-valuetext", `${said} of ${stamp(length)}`);
    }
    if (go.getAttribute("aria-pressed") === String(playing) && go.disabled === over) return;
    go.setAttribute("aria-pressed", String(playing));
    go.setAttribute("aria-label", playing ? "Pause" : "Play");
    go.disabled = over; // as it comes: what is clicked before we listen would be lost
  };
}

function listen(player, sound, jump, length) {
  const place = player.querySelector('input[type="range"]');
  const speed = player.querySelector("select");
  const skip = (seconds) => jump(sound.place + seconds);
  const faster = (step) => {
    const index = Math.min(Math.max(0, speed.selectedIndex + step), speed.options.length - 1);
    speed.selectedIndex = index;
    sound.speed = Number(speed.value);
    say(`Speed ${speed.value}`);
  };

  player.querySelector(".go").addEventListener("click", () => sound.toggle());
  for (const button of player.querySelectorAll("[data-skip]")) {
    button.addEventListener("click", () => skip(Number(button.dataset.skip)));
  }
  place.addEventListener("input", () => jump(Number(place.value)));
  place.addEventListener("keydown", (event) => {
    const step = { ArrowLeft: -5, ArrowRight: 5, ArrowDown: -5, ArrowUp: 5, PageDown: -30, PageUp: 30 }[event.key];
    if (!step || event.ctrlKey || event.metaKey || event.altKey) return;
    event.preventDefault();
    skip(step);
  });
  speed.addEventListener("change", () => (sound.speed = Number(speed.value)));
  linkMoments(player, sound);
  listenToKeys(player, { skip, faster, toggle: () => sound.toggle(), tenth: (tenth) => jump((length * tenth) / 10) });
}

// A link to where the sound is; a page on a disk has none to give.
function linkMoments(player, sound) {
  const link = player.querySelector("[data-link]");
  link?.addEventListener("click", async () => {
    const address = linkTo(sound.place);
    history.replaceState(history.state, "", address); // so that it can be had there where copying is not allowed
    try {
      await navigator.clipboard.writeText(address);
      say(`The link to ${stamp(sound.place)} was copied.`);
    } catch {
      say(`The address of this page is now the link to ${stamp(sound.place)}.`);
    }
    const use = link.querySelector("use");
    const icon = (name) => use.setAttribute("href", use.getAttribute("href").replace(/#\w+$/, name));
    icon("#check");
    setTimeout(icon, 2000, "#copy");
  });
}
