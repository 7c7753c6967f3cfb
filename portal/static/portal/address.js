// Where the sound comes from, and what can be wrong with that: an address in the store, or a file beside the page.
//
// `old()`: whether it can't be leant on for anything that is not here already. `ask()`: why it can't be had, or "" when
// it can; after that it counts as new.

// It lives for minutes, a reader stays for hours. A browser does not always say that an address died: Chromium tries a
// refused one again for half a minute, in silence. So we count.
export function storeAddress(player) {
  const audio = player.querySelector("audio");
  const lives = Number(player.dataset.lives) * 1000; // ms
  let given = performance.now(); // when the one that we have came
  return {
    words: {
      gone: "The time of this Space has passed. It can't be heard any more.",
      lost: "The recording can't be reached right now. Your place in it is kept, and nothing was lost.",
      mute: "The recording can't be played right now, or not by this browser. Nothing was lost: it can be downloaded here.",
    },
    old: () => performance.now() - given > lives,
    // Who is asked is the portal, not the store: it knows the deadline.
    async ask() {
      try {
        const answer = await fetch(audio.src, { method: "HEAD", redirect: "manual", cache: "no-store" });
        if (answer.status === 410) return "gone";
        if (answer.type !== "opaqueredirect") return "lost";
      } catch {
        return "lost";
      }
      given = performance.now();
      return "";
    },
  };
}

export const FILE = {
  words: {
    mute: "The recording can't be played. It should lie beside this page: if you opened the page inside of the ZIP, unpack the ZIP first. If it is there, this browser can't play it, and another player may.",
  },
  old: () => false,
  ask: async () => "",
};
