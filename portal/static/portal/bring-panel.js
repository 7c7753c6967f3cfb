// The files on their way, for a person: how far, how fast, how long still; pause, go on, try again, give up.
import { call } from "./bring-api.js";
import { left, say, size } from "./bring-words.js";

const panel = document.querySelector("[data-sending]");
const part = (name) => panel.querySelector(`[data-${name}]`);
const KINDS = { recording: "recording", transcript: "transcript" };
const DOING = {
  comparing: "Comparing with what has arrived already.",
  sending: "",
  completing: "All bytes are there. Closing the upload.",
  waiting: "The connection was lost. It goes on by itself as soon as it is back; what has arrived is kept.",
};
const WINDOW = 8000; // milliseconds over which the speed is taken

// Bytes per second over the last seconds, from what was sent by now.
class Speed {
  samples = [];

  now(sent) {
    const at = performance.now();
    if (!this.samples.length || at - this.samples.at(-1).at > 200) this.samples.push({ at, sent });
    while (this.samples.length > 2 && at - this.samples[0].at > WINDOW) this.samples.shift();
    const [first] = this.samples;
    return at - first.at > 1000 ? ((sent - first.sent) * 1000) / (at - first.at) : 0;
  }
}

function row({ file, upload }) {
  const item = document.querySelector("[data-sent-row]").content.firstElementChild.cloneNode(true);
  item.querySelector("[data-name]").textContent = file.name;
  item.querySelector("[data-kind]").textContent = KINDS[upload.kind];
  const bar = item.querySelector("progress");
  bar.max = upload.size;
  bar.setAttribute("aria-label", file.name);
  const speed = new Speed();
  const [bytes, rate] = ["bytes", "rate"].map((name) => item.querySelector(`[data-${name}]`));
  const show = ({ there, sent, doing }) => {
    bar.value = there;
    bytes.textContent = `${size(there)} of ${size(upload.size)}`;
    const fast = speed.now(sent);
    rate.textContent = doing === "sending" && fast > 0 ? `${size(Math.round(fast))} a second, ${left((upload.size - there) / fast)}` : "";
    const quarter = Math.floor((4 * there) / upload.size);
    if (quarter > item.quarter && quarter < 4) say(`${file.name}: ${quarter * 25} percent.`);
    item.quarter = quarter;
  };
  const rest = () => {
    rate.textContent = "";
    speed.samples = []; // a pause is no slowness
  };
  show({ there: 0, sent: 0, doing: "" });
  return { item, show, rest };
}

function trouble(words) {
  part("trouble").hidden = !words;
  part("trouble-words").textContent = words;
  part("again").hidden = !words;
  part("pause").hidden = Boolean(words);
}

// Shows `files` being carried by `uppy`, in place of the form. Calls `done` when all of them are in the store, `ended`
// when the person gave them up.
export function follow(uppy, files, title, { done, ended }) {
  const rows = new Map(files.map((each) => [each.upload.id, row(each)]));
  part("files").replaceChildren(...[...rows.values()].map(({ item }) => item));
  const heading = panel.querySelector("h2");
  heading.textContent = title ? `Uploading “${title}”` : "Uploading";
  panel.hidden = false;
  heading.focus({ preventScroll: true });
  panel.scrollIntoView({ block: "nearest" });
  let timer = 0;
  let paused = false;

  uppy.on("store:shown", (file, shown) => {
    rows.get(file.meta.upload.id).latest = shown;
    timer ||= setTimeout(() => {
      timer = 0;
      for (const { show, latest } of rows.values()) if (latest) show(latest);
      if (paused) for (const { rest } of rows.values()) rest();
      else state(DOING[shown.doing]);
    }, 200);
  });
  const state = (words) => {
    if (part("state").textContent === words) return;
    part("state").textContent = words;
    say(words);
  };
  uppy.on("complete", ({ failed }) => {
    if (failed.length) trouble(failed.map(({ error }) => error).join(" "));
    else if (uppy.getFiles().length) done();
  });

  const again = () => {
    trouble("");
    uppy.retryAll();
  };
  part("again").onclick = again;
  const online = () => part("again").hidden || again();
  addEventListener("online", online);
  part("pause").onclick = () => {
    paused = !paused;
    for (const { id, progress } of uppy.getFiles()) if (!progress.uploadComplete) uppy.pauseResume(id);
    part("pause").querySelector("span").textContent = paused ? "Go on" : "Pause";
    const use = part("pause").querySelector("use");
    use.setAttribute("href", use.getAttribute("href").replace(/#.*/, paused ? "#play" : "#pause"));
    for (const { rest } of rows.values()) rest();
    state(paused ? "Paused. What has arrived is kept." : "");
  };
  part("stop").onclick = async () => {
    removeEventListener("online", online);
    uppy.cancelAll();
    await Promise.allSettled(files.map(({ upload }) => call("DELETE", `/uploads/${upload.id}`)));
    panel.hidden = true;
    ended();
  };
  uppy.upload();
}
