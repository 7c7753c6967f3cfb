// Moments of a recording: how they are written, and how `?t=` names one.

export function stamp(seconds) {
  const whole = Math.max(0, Math.floor(seconds));
  const two = (number) => String(number).padStart(2, "0");
  const [hours, minutes] = [Math.floor(whole / 3600), Math.floor(whole / 60) % 60];
  return hours ? `${hours}:${two(minutes)}:${two(whole % 60)}` : `${minutes}:${two(whole % 60)}`;
}

// Seconds, of "754", "754.5", "12m34s" or "1h02m"; null where it names no moment.
export function moment(text) {
  if (/^\d+(\.\d+)?s?$/.test(text)) return Number.parseFloat(text);
  const [, hours, minutes, seconds] = /^(?:(\d+)h)?(?:(\d+)m)?(?:(\d+(?:\.\d+)?)s)?$/.exec(text) ?? [];
  if (!hours && !minutes && !seconds) return null;
  return Number(hours ?? 0) * 3600 + Number(minutes ?? 0) * 60 + Number(seconds ?? 0);
}

// The address of this page at a moment, whole seconds.
export function linkTo(seconds) {
  const address = new URL(location.pathname, location.origin);
  address.searchParams.set("t", String(Math.floor(seconds)));
  return address.href;
}
