// On the page of a deleted Space, delete the stored playback position.
import { forget } from "../../archive/player/memory.js";

const space = /^\/spaces\/([0-9a-f-]{36})\//.exec(location.pathname)?.[1];
if (space) forget(space);
