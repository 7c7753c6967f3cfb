// The player: play, seek, speed; who speaks when; the transcript follows, and each of its lines seeks.
import { announce } from "../core/announce.js";
import { findElement, getElement, getElements, setIcon } from "../core/dom.js";
import { formatDuration } from "../core/format.js";
import { mountShortcuts } from "../core/shortcuts.js";
import { gettext, interpolate } from "../core/translate.js";
import { AudioSession } from "./audio-session.js";
import { mountLineLink } from "./line-link.js";
import { forget, recall, remember } from "./memory.js";
import { drawSpeakerTrack, mergeSegments, readTimes } from "./speaker-track.js";
import { copyLink, linkTo, parseTimecode } from "./timecode.js";
import { findLine, followLines } from "./transcript.js";
import { mountTranscriptFind } from "./transcript-find.js";
import { drawWaveform } from "./waveform.js";

/** @import { AudioSource } from "./audio-source.js" */
/** @import { WaveformData } from "./waveform.js" */
/** @typedef {(seconds: number, options?: {andPlay?: boolean}) => void} Seek */

const reducedMotion = matchMedia("(prefers-reduced-motion: reduce)");

/**
 * @param {HTMLElement} player
 * @param {object} data
 * @param {AudioSource} data.source
 * @param {Promise<WaveformData | null>} data.waveform
 */
export function startPlayer(player, { source, waveform }) {
  const length = Number(player.dataset.durationMs) / 1000;
  const track = getElement(player, ".track");
  const lines = getElements(document, "[data-lines] > li");
  const times = readTimes(lines, length);
  const segments = mergeSegments(times, length);
  const session = new AudioSession(player, source, length, () => show());
  /** @type {Seek} */
  const seek = (seconds, options) => {
    session.seek(seconds, options);
    follow(session.position, "sought");
  };
  const starts = times.map((time) => time.start);
  const follow = followLines(lines, starts, (seconds) => seek(seconds, { andPlay: true }));
  const showControls = makeControls(player, length);
  const markChapter = mountChapters(seek);
  let draw = drawSpeakerTrack(track, segments, length);
  const show = () => {
    showControls(session);
    draw(session.position);
    follow(session.position, "played");
    markChapter(session.position);
    if (session.playing && !reducedMotion.matches) animate();
  };
  let frame = 0;
  // Audio elements report their position only a few times a second; read it once a frame in between.
  const animate = () => {
    if (frame) return;
    frame = requestAnimationFrame(() => {
      frame = 0;
      session.update();
    });
  };

  listen(player, session, seek, length);
  mountTranscriptFind(lines, times, length, getElement(track, ".hits", SVGElement));
  const start = parseTimecode(new URLSearchParams(location.search).get("t") ?? "");
  mountLineLink(player, lines);
  mountMemory(player, session, length, start === null);
  if (start === null) show();
  else {
    session.seek(snapToLine(start, starts));
    follow(session.position, "linked");
  }
  drawWaveform(player, waveform, segments, length).then(
    (drawPosition) => {
      if (drawPosition) draw = drawPosition;
      show();
    },
    () => {}, // the speaker track is drawn already
  );
}

/**
 * People write a position in whole seconds; if a line starts within that second, they mean its start.
 *
 * @param {number} seconds
 * @param {number[]} starts seconds
 */
function snapToLine(seconds, starts) {
  if (!Number.isInteger(seconds)) return seconds;
  return starts.find((start) => start >= seconds && start < seconds + 1) ?? seconds;
}

/**
 * @param {HTMLElement} player
 * @param {number} length seconds
 * @returns {(session: AudioSession) => void} shows position and state
 */
function makeControls(player, length) {
  const button = getElement(player, ".go", HTMLButtonElement);
  const slider = getElement(player, 'input[type="range"]', HTMLInputElement);
  const time = getElement(player, ".time b");
  slider.max = String(length);
  return ({ position, playing, ended }) => {
    slider.value = String(position);
    const text = formatDuration(position);
    if (time.textContent !== text || !slider.hasAttribute("aria-valuetext")) {
      time.textContent = text;
      const spoken = interpolate(gettext("%(position)s of %(length)s"), {
        position: text,
        length: formatDuration(length),
      });
      slider.setAttribute("aria-valuetext", spoken);
    }
    if (button.getAttribute("aria-pressed") === String(playing) && button.disabled === ended) return;
    button.setAttribute("aria-pressed", String(playing));
    button.setAttribute("aria-label", playing ? gettext("Pause") : gettext("Play"));
    button.disabled = ended; // it starts disabled, so that no click is lost before the listeners are there
  };
}

/**
 * @param {HTMLElement} player
 * @param {AudioSession} session
 * @param {Seek} seek
 * @param {number} length seconds
 */
function listen(player, session, seek, length) {
  const slider = getElement(player, 'input[type="range"]', HTMLInputElement);
  const speed = getElement(player, "select", HTMLSelectElement);
  const skip = (/** @type {number} */ seconds) => seek(session.position + seconds);
  const changeSpeed = (/** @type {number} */ step) => {
    speed.selectedIndex = Math.min(Math.max(0, speed.selectedIndex + step), speed.options.length - 1);
    session.setSpeed(Number(speed.value));
    announce(interpolate(gettext("Speed %(speed)s"), { speed: speed.value }));
  };

  getElement(player, ".go").addEventListener("click", () => session.toggle());
  for (const button of getElements(player, "[data-skip]")) {
    button.addEventListener("click", () => skip(Number(button.dataset.skip)));
  }
  slider.addEventListener("input", () => seek(Number(slider.value)));
  slider.addEventListener("keydown", (event) => {
    /** @type {Record<string, number>} */
    const steps = { ArrowLeft: -5, ArrowRight: 5, ArrowDown: -5, ArrowUp: 5, PageDown: -30, PageUp: 30 };
    const step = steps[event.key];
    if (!step || event.ctrlKey || event.metaKey || event.altKey) return;
    event.preventDefault();
    skip(step);
  });
  speed.addEventListener("change", () => session.setSpeed(Number(speed.value)));
  mountVolume(player, session);
  mountLinkButton(player, session);
  mountShortcuts(player, {
    skip,
    changeSpeed,
    toggle: () => session.toggle(),
    goToTenth: (tenth) => seek((length * tenth) / 10),
  });
}

/**
 * The volume slider. It has its own arrow keys: those of the player's shortcuts skip.
 *
 * @param {HTMLElement} player
 * @param {AudioSession} session
 */
function mountVolume(player, session) {
  const volume = getElement(player, ".volume input", HTMLInputElement);
  const show = () => volume.setAttribute("aria-valuetext", `${Math.round(100 * Number(volume.value))} %`);
  volume.addEventListener("input", () => {
    session.audio.volume = Number(volume.value);
  });
  volume.addEventListener("keydown", (event) => {
    if (event.key.startsWith("Arrow")) event.stopPropagation();
  });
  session.audio.addEventListener("volumechange", () => {
    volume.value = String(session.audio.volume);
    show();
  });
  show();
}

/**
 * The list of chapters: each seeks, and the current one is marked.
 *
 * @param {Seek} seek
 * @returns {(seconds: number) => void} shows a position
 */
function mountChapters(seek) {
  const links = getElements(document, "[data-chapter]");
  const starts = links.map((link) => Number(link.dataset.chapter));
  let current = -1;
  links.forEach((link, index) => {
    link.addEventListener("click", (event) => {
      if (event.ctrlKey || event.metaKey || event.shiftKey) return;
      event.preventDefault();
      seek(starts[index], { andPlay: true });
    });
  });
  return (seconds) => {
    const index = findLine(starts, seconds + 0.05, current);
    if (index === current) return;
    links[current]?.removeAttribute("aria-current");
    links[index]?.setAttribute("aria-current", "true");
    current = index;
  };
}

/**
 * Restore the listener's position, speed and volume. The offline page stores none.
 *
 * @param {HTMLElement} player
 * @param {AudioSession} session
 * @param {number} length seconds
 * @param {boolean} isToSeek whether nothing else says where to start
 */
function mountMemory(player, session, length, isToSeek) {
  const { space } = player.dataset;
  if (!space) return;
  const speed = getElement(player, "select", HTMLSelectElement);
  const place = recall(space);
  if (place) {
    speed.value = String(place.speed);
    if (speed.selectedIndex < 0) speed.value = "1";
    session.setSpeed(Number(speed.value));
    session.audio.volume = place.volume;
    if (isToSeek && place.seconds > 0) session.seek(place.seconds);
  }
  const store = () => {
    if (session.ended) forget(space);
    else remember(space, session.position, { speed: Number(speed.value), volume: session.audio.volume }, length);
  };
  setInterval(() => session.playing && store(), 5000);
  for (const name of ["pause", "seeked", "ratechange", "volumechange"]) session.audio.addEventListener(name, store);
  addEventListener("pagehide", store);
}

/**
 * The button that copies a link to the current position. The offline page has none.
 *
 * @param {HTMLElement} player
 * @param {AudioSession} session
 */
function mountLinkButton(player, session) {
  const button = findElement(player, "[data-link]");
  button?.addEventListener("click", async () => {
    const time = formatDuration(session.position);
    const isCopied = await copyLink(linkTo(session.position));
    announce(
      isCopied
        ? interpolate(gettext("The link to %(time)s was copied."), { time })
        : interpolate(gettext("The address of this page is now the link to %(time)s."), { time }),
    );
    setIcon(button, "check");
    setTimeout(() => setIcon(button, "copy"), 2000);
  });
}
