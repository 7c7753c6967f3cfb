// The sound, and the place in it. The address behind an audio element may die (address.js): then a new one is asked for,
// and the sound goes on where it was, as it was. At the deadline it ends.

const SOON = 5000; // ms: a second failure within it is not an address that has lived its time

// `told` is called whenever place or state may have changed.
export function soundOf(player, address, length, told) {
  const audio = player.querySelector("audio");
  const trouble = player.querySelector("[data-trouble]");
  let place = 0; // where we are, or want to be: an element that lost its address forgets it
  let playing = false;
  let renewing = false;
  let asked = -Infinity; // when, for a new address
  let over = false;

  const say = (reason) => {
    trouble.hidden = !reason;
    if (!reason) return;
    trouble.querySelector("p").textContent = address.words[reason];
    trouble.querySelector("button").hidden = reason === "gone";
    told();
  };
  // Whether the address is too old to bring what is said at `seconds`.
  const dead = (seconds) => {
    if (!address.old()) return false;
    const { buffered } = audio;
    const here = (index) => buffered.start(index) <= seconds && seconds < buffered.end(index);
    return !Array.from(buffered, (_, index) => index).some(here);
  };
  const play = () => {
    if (over) return;
    playing = true;
    if (renewing) return;
    if (dead(place)) renew();
    else start();
  };
  const start = () => {
    audio.play().catch((problem) => {
      if (problem.name !== "NotAllowedError") return; // the others come as errors of the element
      playing = false;
      told();
    });
  };
  const stop = (reason) => {
    playing = false;
    audio.pause();
    say(reason);
  };
  const end = () => {
    if (over) return;
    over = true;
    stop("gone");
    audio.removeAttribute("src"); // what is buffered goes too
    audio.load();
  };

  const failed = () => renew(performance.now() - asked < SOON);
  const renew = async (again = false) => {
    if (over) return;
    renewing = true;
    asked = performance.now();
    const reason = await address.ask();
    if (reason === "gone") return end();
    if (reason || again) {
      renewing = false;
      return stop(reason || "mute"); // a new address did not help
    }
    const speed = audio.playbackRate;
    audio.load();
    audio.playbackRate = speed;
    audio.currentTime = place;
    if (playing) start();
  };
  const arrived = () => {
    if (Math.abs(audio.currentTime - place) > 0.5) audio.currentTime = place;
    renewing = false;
    say("");
    if (playing && audio.paused) start();
    told();
  };

  audio.addEventListener("error", failed);
  audio.addEventListener("waiting", () => {
    const starved = () => address.old() && !renewing && playing && audio.readyState < HTMLMediaElement.HAVE_FUTURE_DATA;
    setTimeout(() => starved() && renew(), 1000);
  });
  audio.addEventListener("loadedmetadata", arrived);
  const look = () => {
    if (renewing || audio.error || audio.readyState === 0) return;
    place = audio.currentTime;
    told();
  };
  audio.addEventListener("timeupdate", look);
  for (const name of ["play", "pause", "ended"]) {
    audio.addEventListener(name, () => {
      if (!renewing && !audio.error) playing = !audio.paused && !audio.ended;
      told();
    });
  }
  trouble.querySelector("button").addEventListener("click", () => {
    asked = -Infinity;
    renew();
  });
  // The clock of the page shuts its content at the deadline.
  new MutationObserver(() => player.inert && end()).observe(player, { attributeFilter: ["inert"] });
  if (audio.error) failed();

  return {
    get place() {
      return place;
    },
    get playing() {
      return playing;
    },
    get over() {
      return over;
    },
    // To a moment, seconds; one that is not in the recording is its beginning or its end.
    jump(seconds, { andPlay = false } = {}) {
      if (over) return;
      place = Math.min(Math.max(0, seconds), length);
      if (andPlay) playing = true;
      if (!renewing && dead(place)) renew();
      else if (!renewing) {
        audio.currentTime = place;
        if (andPlay) start();
      }
      told();
    },
    toggle() {
      if (!playing) return play();
      playing = false;
      audio.pause();
    },
    look,
    set speed(times) {
      audio.playbackRate = times;
    },
  };
}
