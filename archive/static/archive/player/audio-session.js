// Playback state: position, playing or paused, and recovery. When the signed URL behind the audio element expires
// (audio-source.js), get a new one and continue at the same position. At the deadline playback ends for good.

const RETRY_WINDOW = 5000; // ms: a second error within it is not caused by an expired URL

/** @import { AudioSource } from "./audio-source.js" */
/** @import { AudioProblem } from "./audio-source.js" */

export class AudioSession {
  /** Seconds: where we are, or want to be. An audio element that lost its URL forgets its own position. */
  position = 0;
  playing = false;
  /** Whether the deadline has passed. */
  ended = false;

  #renewing = false;
  #renewedAt = -Infinity; // ms

  /**
   * @param {HTMLElement} player
   * @param {AudioSource} source
   * @param {number} length seconds
   * @param {() => void} onChange called whenever position or state may have changed
   */
  constructor(player, source, length, onChange) {
    const audio = player.querySelector("audio");
    const notice = player.querySelector("[data-problem]");
    const message = notice?.querySelector("p");
    const retry = notice?.querySelector("button");
    if (!audio || !(notice instanceof HTMLElement) || !message || !retry) throw new Error("the player is incomplete");
    this.audio = audio;
    this.source = source;
    this.length = length;
    this.onChange = onChange;
    this.notice = { box: notice, message, retry };
    this.#listen();
    // clock.js disables the player at the deadline.
    new MutationObserver(() => player.inert && this.#end()).observe(player, { attributeFilter: ["inert"] });
    if (audio.error) this.#recover();
  }

  /**
   * Go to a position, in seconds, limited to the recording.
   *
   * @param {number} seconds
   * @param {{andPlay?: boolean}} [options]
   */
  seek(seconds, { andPlay = false } = {}) {
    if (this.ended) return;
    this.position = Math.min(Math.max(0, seconds), this.length);
    if (andPlay) this.playing = true;
    if (!this.#renewing && this.#isUnloadable(this.position)) this.#renew();
    else if (!this.#renewing) {
      this.audio.currentTime = this.position;
      if (andPlay) this.#start();
    }
    this.onChange();
  }

  toggle() {
    if (!this.playing) return this.#play();
    this.playing = false;
    this.audio.pause();
  }

  /** @param {number} rate */
  setSpeed(rate) {
    this.audio.defaultPlaybackRate = rate; // what loading sets
    this.audio.playbackRate = rate;
  }

  /** Read the position from the audio element. */
  update() {
    if (this.#renewing || this.audio.error || this.audio.readyState === 0) return;
    this.position = this.audio.currentTime;
    this.onChange();
  }

  #listen() {
    const { audio } = this;
    audio.addEventListener("error", () => this.#recover());
    audio.addEventListener("waiting", () => {
      setTimeout(() => {
        const starved = audio.readyState < HTMLMediaElement.HAVE_FUTURE_DATA;
        if (this.source.isExpired() && !this.#renewing && this.playing && starved) this.#renew();
      }, 1000);
    });
    audio.addEventListener("loadedmetadata", () => this.#loaded());
    audio.addEventListener("timeupdate", () => this.update());
    for (const name of ["play", "pause", "ended"]) {
      audio.addEventListener(name, () => {
        if (!this.#renewing && !audio.error) this.playing = !audio.paused && !audio.ended;
        this.onChange();
      });
    }
    this.notice.retry.addEventListener("click", () => {
      this.#renewedAt = -Infinity;
      this.#renew();
    });
  }

  #play() {
    if (this.ended) return;
    this.playing = true;
    if (this.#renewing) return;
    if (this.#isUnloadable(this.position)) this.#renew();
    else this.#start();
  }

  #start() {
    this.audio.play().catch((error) => {
      if (error.name !== "NotAllowedError") return; // other errors are also events of the element
      this.playing = false;
      this.onChange();
    });
  }

  /** @param {AudioProblem} problem */
  #stop(problem) {
    this.playing = false;
    this.audio.pause();
    this.#showProblem(problem);
  }

  #end() {
    if (this.ended) return;
    this.ended = true;
    this.#stop("gone");
    this.audio.removeAttribute("src"); // also drops what is buffered
    this.audio.load();
  }

  /** @param {AudioProblem | null} problem */
  #showProblem(problem) {
    const { box, message, retry } = this.notice;
    box.hidden = !problem;
    if (!problem) return;
    message.textContent = this.source.messages[problem] ?? "";
    retry.hidden = problem === "gone";
    this.onChange();
  }

  /**
   * Whether the URL is expired and `seconds` is not buffered.
   *
   * @param {number} seconds
   */
  #isUnloadable(seconds) {
    if (!this.source.isExpired()) return false;
    const { buffered } = this.audio;
    for (let index = 0; index < buffered.length; index += 1) {
      if (buffered.start(index) <= seconds && seconds < buffered.end(index)) return false;
    }
    return true;
  }

  #recover() {
    this.#renew(performance.now() - this.#renewedAt < RETRY_WINDOW);
  }

  async #renew(isSecondError = false) {
    if (this.ended) return;
    this.#renewing = true;
    this.#renewedAt = performance.now();
    const problem = await this.source.renew();
    if (problem === "gone") return this.#end();
    if (problem || isSecondError) {
      this.#renewing = false;
      return this.#stop(problem ?? "unplayable"); // a new URL did not help
    }
    const speed = this.audio.playbackRate;
    this.audio.load();
    this.audio.playbackRate = speed;
    this.audio.currentTime = this.position;
    if (this.playing) this.#start();
  }

  #loaded() {
    if (Math.abs(this.audio.currentTime - this.position) > 0.5) this.audio.currentTime = this.position;
    this.#renewing = false;
    this.#showProblem(null);
    if (this.playing && this.audio.paused) this.#start();
    this.onChange();
  }
}
