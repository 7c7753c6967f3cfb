// The waveform, drawn by wavesurfer.js from peaks that were worked out when the recording came in.

// `drawing` promises {WaveSurfer, peaks}, or nothing. Returns a function to be told the seconds that are being heard, or
// null where there is nothing to draw.
//
// It only draws. The audio element is not given to it: what counts here is the length that was decoded, not the one
// that a browser reads in a file's header; and a jump shows at once, also while the sound is still on its way.
export async function drawWaveform(player, drawing, stretched, length) {
  const { WaveSurfer, peaks } = (await drawing) ?? {};
  if (!peaks) return null;
  const track = player.querySelector(".track");
  const wave = WaveSurfer.create({
    container: track.querySelector(".wave"),
    cspNonce: player.nonce,
    peaks,
    duration: length,
    height: 1, // for a moment: its style sheet, which has it, is then always the same, and can be allowed by its hash
    normalize: true,
    barWidth: 2,
    barGap: 1,
    barRadius: 1,
    cursorWidth: 0,
    interact: false,
  });
  await new Promise((ready) => wave.once("ready", ready));
  const colour = () => {
    const colours = coloursOf(track, stretched, length, wave.getWidth() * Math.max(1, devicePixelRatio));
    wave.setOptions({ height: "auto", waveColor: colours, progressColor: colours });
  };
  colour();
  track.classList.add("waved");
  wave.on("resize", colour);
  new MutationObserver(colour).observe(document.documentElement, { attributeFilter: ["data-theme"] });
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", colour);
  return (seconds) => wave.setTime(seconds);
}

// The colours of the voices, each where it speaks, from left to right over `width` pixels. They are read where the
// style sheet has put them, so that light and dark are its business alone.
function coloursOf(track, stretched, length, width) {
  const fill = (name) => getComputedStyle(track.querySelector(name)).fill;
  if (!stretched.length) return fill(".ahead .line");
  const colours = document.createElement("canvas").getContext("2d").createLinearGradient(0, 0, width, 0);
  const nobody = getComputedStyle(track).color;
  const voices = new Map();
  const place = (seconds) => Math.min(1, Math.max(0, seconds / length));
  let until = 0;
  for (const { start, end, voice } of stretched) {
    if (!voices.has(voice)) voices.set(voice, fill(`.ahead .${voice}`));
    const from = Math.max(until, place(start));
    colours.addColorStop(until, nobody);
    colours.addColorStop(from, nobody);
    until = Math.max(from, place(end));
    colours.addColorStop(from, voices.get(voice));
    colours.addColorStop(until, voices.get(voice));
  }
  colours.addColorStop(until, nobody);
  colours.addColorStop(1, nobody);
  return colours;
}
